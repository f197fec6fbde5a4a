use super::*;
use crate::client::Connection;

fn busy(retry_after: Option<u64>) -> Error {
    let retry_after = retry_after.map(Duration::from_secs);
    Error::Busy { url: String::new(), detail: String::new(), retry_after }
}

#[test]
fn a_server_that_was_there_is_waited_for_and_one_that_never_was_is_not() {
    let client = Client::new(&Connection { url: "http://127.0.0.1:9".to_owned(), token: None });
    let next = Duration::from_secs(1);
    let gone = Error::Unreachable { url: String::new(), source: "refused".into() };
    let mut sender = Sender::new(&client);
    assert_eq!(sender.pause(&gone, next), None);
    assert_eq!(sender.pause(&busy(None), next), Some(next));
    sender.met = true;
    assert_eq!(sender.pause(&gone, next), Some(next));
    assert_eq!(sender.pause(&Error::Refused { status: 401, detail: String::new() }, next), None);
}

#[test]
fn a_busy_server_is_believed_within_bounds() {
    let client = Client::new(&Connection { url: "http://127.0.0.1:9".to_owned(), token: None });
    let sender = Sender::new(&client);
    let pause =
        |seconds| sender.pause(&busy(Some(seconds)), Duration::from_secs(1)).map(|pause| pause.as_secs());
    assert_eq!((pause(0), pause(2), pause(3600)), (Some(1), Some(2), Some(5)));
}

#[test]
fn a_name_is_made_fit_for_the_server() {
    assert_eq!(origin("logs/a\n.json"), "logs/a.json");
    let long = format!("{}end.json", "x".repeat(600));
    assert_eq!(origin(&long).chars().count(), 500);
    assert!(origin(&long).ends_with("end.json"));
}
