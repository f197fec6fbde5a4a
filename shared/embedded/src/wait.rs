//! Waiting for another process. It tells us nothing, so its files are looked at until they say what we want.

use std::time::Duration;

use tokio::time::{interval, timeout};

/// Asks `probe` every 20 ms until it answers, for at most `limit`.
pub(crate) async fn until<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let mut ticks = interval(Duration::from_millis(20));
    let answer = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = probe() {
                return answer;
            }
        }
    };
    timeout(limit, answer).await.ok()
}
