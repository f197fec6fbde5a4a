//! Running checks.

use catalog::checks::{Outcome, Settled};
use model::{CheckId, CheckState};
use testkit::Reply;

use super::*;

const URL: &str = "https://shop.example.com/healthz";
const CHECK_SIGNALS: &[SignalKind] = &[SignalKind::CheckFailed, SignalKind::CheckRecovered];

#[expect(clippy::needless_pass_by_value, reason = "the calls read better")]
fn check(extra: Value) -> Value {
    let mut http = json!({"url": URL, "timeout": "1s"});
    http.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    json!({"every": "1m", "http": http})
}

impl World {
    async fn check(&self, name: &str) -> catalog::checks::Check {
        self.health.catalog.check_of_name(name, self.clock.now()).await.unwrap().unwrap()
    }

    /// Lets a minute pass, and says how the check then stands.
    async fn minute(&self, name: &str) -> (CheckState, Vec<Signal>) {
        self.advance(60);
        let told = self.turn(CHECK_SIGNALS).await;
        (self.check(name).await.state, told)
    }
}

#[tokio::test]
async fn a_check_fails_after_as_many_failures_as_it_says_and_recovers_at_the_first_success() {
    let world = world().await;
    let target = world.see("Test::Shop", "shop", Some(json!({}))).await;
    let mut spec = check(json!({}));
    spec["failures"] = json!(2);
    spec["resource"] = json!("Test::Shop/shop");
    world.apply("Check", "shop", spec).await;
    world.http.reply(URL, Reply::status(200));
    assert_eq!(world.turn(CHECK_SIGNALS).await, [], "the first success is no recovery");
    assert_eq!(world.check("shop").await.state, CheckState::Passing);

    world.http.reply(URL, Reply::status(503));
    let (state, told) = world.minute("shop").await;
    assert_eq!((state, told.len()), (CheckState::Passing, 0), "one failure is not enough");
    let (state, told) = world.minute("shop").await;
    assert_eq!((state, told.len()), (CheckState::Failing, 1));
    let signal = &told[0];
    assert_eq!((signal.kind, signal.subject), (SignalKind::CheckFailed, CheckId::of("shop").0));
    assert_eq!(signal.payload["resource"], json!(target));
    assert_eq!(signal.payload["reason"], "the status is 503");
    assert_eq!(world.minute("shop").await.1.len(), 0, "it is told once");

    world.http.reply(URL, Reply::status(204));
    let (state, told) = world.minute("shop").await;
    assert_eq!((state, told.len(), told[0].kind), (CheckState::Passing, 1, SignalKind::CheckRecovered));
    assert_eq!(world.minute("shop").await.1, []);

    let shown = world.check("shop").await;
    assert_eq!((shown.runs, shown.uptime, shown.p95_ms), (6, Some(0.5), Some(12.0)));
    assert_eq!((shown.target.as_str(), shown.failures), ("GET https://shop.example.com/healthz", 0));
    let of_target = world.health.catalog.checks_of(target, world.clock.now()).await.unwrap();
    assert_eq!(of_target.len(), 1);
    let page = world.health.catalog.check_results(shown.id, 4, None).await.unwrap();
    let states: Vec<CheckState> = page.items.iter().map(|result| result.state).collect();
    use CheckState::{Failing, Passing};
    assert_eq!(states, [Passing, Passing, Failing, Failing]);
    let rest = world.health.catalog.check_results(shown.id, 4, page.next.as_deref()).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (2, None));
    world.health.catalog.maintain(world.clock.now() + chrono::TimeDelta::days(8)).await.unwrap();
    assert_eq!(world.health.catalog.check_results(shown.id, 4, None).await.unwrap().items, []);
}

#[tokio::test]
async fn a_check_that_flaps_below_its_threshold_is_never_told() {
    let world = world().await;
    let mut spec = check(json!({}));
    spec["failures"] = json!(2);
    world.apply("Check", "shop", spec).await;
    for turn in 0..8 {
        world.http.reply(URL, Reply::status(if turn % 2 == 0 { 200 } else { 500 }));
        let (state, told) = world.minute("shop").await;
        assert_eq!((state, told.len()), (CheckState::Passing, 0), "turn {turn}");
    }
}

#[tokio::test]
async fn a_target_that_hangs_or_is_away_or_redirects_astray_fails_and_others_are_run_meanwhile() {
    let world = world().await;
    world.apply("Check", "hangs", check(json!({}))).await;
    world.http.reply(URL, Reply::Hangs);
    let mut away = check(json!({"url": "https://away.example.com/"}));
    away["every"] = json!("10s");
    world.apply("Check", "away", away).await;
    let sly = "https://sly.example.com/";
    world.http.reply(sly, Reply::Redirects);
    world.apply("Check", "sly", check(json!({"url": sly, "redirects": 3}))).await;
    let began = std::time::Instant::now();
    let told = world.turn(CHECK_SIGNALS).await;
    assert!(began.elapsed() < Duration::from_secs(8), "a check that hangs is cut");
    assert_eq!(told.len(), 3);
    let sly = world.check("sly").await.reason;
    assert!(sly.starts_with("sly.example.com redirected to where we do not follow"), "{sly}");
    let hangs = world.check("hangs").await;
    assert_eq!((hangs.state, hangs.reason.as_str()), (CheckState::Failing, "there was no answer within 1s"));
    let away = world.check("away").await;
    assert_eq!(away.reason, "cannot connect to away.example.com: connection refused");
}

#[tokio::test]
async fn what_cannot_be_run_is_unknown_with_its_reason_and_no_failure_of_the_target() {
    let world = world().await;
    let secret = json!({"connection": "api", "url": "/status"});
    world.apply("Check", "secret", check(secret.clone())).await;
    world
        .apply(
            "Connection",
            "api",
            json!({"http": {"url": "https://api.example.com/v1", "bearer": {"env": "TOKEN"}}}),
        )
        .await;
    world.apply("Check", "metadata", check(json!({}))).await;
    world.apply("Check", "lost", check(json!({"connection": "nowhere"}))).await;
    world.apply("Check", "cel", check(json!({"expect": "respnse.status == 200"}))).await;
    world.http.reply(URL, Reply::Refused);
    assert_eq!(world.turn(CHECK_SIGNALS).await, []);
    for (name, expected) in [
        ("secret", "cannot read the connection's bearer: the environment variable TOKEN does not exist"),
        ("metadata", "shop.example.com is refused: it is an address of instance metadata"),
        ("lost", "there is no connection `nowhere`; apply one"),
        ("cel", "`expect` is wrong: "),
    ] {
        let shown = world.check(name).await;
        assert_eq!(shown.state, CheckState::Unknown, "{name}");
        assert!(shown.reason.starts_with(expected), "{name}: {}", shown.reason);
        assert_eq!((shown.uptime, shown.failures), (None, 0));
    }
    // Once the secret is there, it is sent, and nothing that is kept shows it.
    world.secrets.put("TOKEN", "planted-secret-value");
    world.http.reply("https://api.example.com/v1/status", Reply::status(500));
    let (state, told) = world.minute("secret").await;
    assert_eq!((state, told.len()), (CheckState::Failing, 1));
    let asked = world.http.asked();
    let sent = asked.iter().find(|request| request.url.ends_with("/v1/status")).unwrap();
    assert!(sent.headers.contains(&("authorization".to_owned(), "Bearer planted-secret-value".to_owned())));
    let kept = format!("{:?} {told:?}", world.check("secret").await);
    assert!(!kept.contains("planted"), "{kept}");
}

#[tokio::test]
async fn an_expectation_sees_status_headers_body_json_and_time() {
    let world = world().await;
    let ok = r#"{"queue": {"depth": 3}}"#;
    for (name, body, expect, expected) in [
        ("holds", ok, "response.status == 200 && response.json.queue.depth < 5", CheckState::Passing),
        ("not", ok, "response.json.queue.depth > 5", CheckState::Failing),
        ("quick", ok, "response.elapsed < duration('1s')", CheckState::Passing),
        ("slow", ok, "response.elapsed > duration('1s')", CheckState::Failing),
        ("body", ok, "response.body.contains('queue')", CheckState::Passing),
        ("missing", "no JSON", "response.json.queue.depth < 5", CheckState::Failing),
        ("odd", ok, "response.status + 1", CheckState::Unknown),
    ] {
        let url = format!("https://{name}.example.com/");
        world.http.reply(&url, Reply::body(200, body));
        world.apply("Check", name, check(json!({"url": url, "expect": expect}))).await;
        world.turn(&[]).await;
        let shown = world.check(name).await;
        assert_eq!(shown.state, expected, "{name}: {}", shown.reason);
    }
}

#[tokio::test]
async fn two_copies_run_a_check_that_is_due_once() {
    let world = world().await;
    for n in 0..20 {
        let url = format!("https://shop-{n}.example.com/");
        world.http.reply(&url, Reply::status(200));
        world.apply("Check", &format!("shop-{n}"), check(json!({"url": url}))).await;
    }
    for turn in 1..=5 {
        let (one, other) = (world.copy(), world.copy());
        let (a, b) = tokio::join!(
            tokio::spawn(async move { one.tick().await }),
            tokio::spawn(async move { other.tick().await })
        );
        a.unwrap().unwrap();
        b.unwrap().unwrap();
        assert_eq!(world.http.asked().len(), 20 * turn);
        world.advance(60);
    }
}

#[tokio::test]
async fn a_check_of_a_worker_that_died_is_run_by_another_and_the_late_result_is_dropped() {
    let world = world().await;
    world.apply("Check", "shop", check(json!({}))).await;
    world.http.reply(URL, Reply::status(200));
    world.turn(&[]).await;
    world.advance(60);
    let catalog = &world.health.catalog;
    let claimed = catalog.claim_checks(10, world.clock.now()).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let due = world.health.tick().await.unwrap().unwrap();
    assert_eq!(world.http.asked().len(), 1, "somebody else has it");
    assert_eq!(due, world.clock.now() + chrono::TimeDelta::seconds(31), "until its lease runs out");
    world.advance(31);
    world.health.tick().await.unwrap();
    assert_eq!(world.http.asked().len(), 2);
    let late = Outcome {
        at: at(NOW),
        ended_at: world.clock.now(),
        state: CheckState::Failing,
        status: None,
        latency_ms: None,
        reason: "late".to_owned(),
        threshold: 1,
        due_at: world.clock.now(),
    };
    assert_eq!(catalog.settle_check(&claimed[0], &late).await.unwrap(), Settled::Lost);
    assert_eq!(world.check("shop").await.state, CheckState::Passing);
}

#[tokio::test]
async fn an_edited_check_runs_at_once_and_a_deleted_one_ends() {
    let world = world().await;
    world.apply("Check", "shop", check(json!({}))).await;
    world.http.reply(URL, Reply::status(200));
    world.turn(&[]).await;
    world.advance(1);
    world.apply("Check", "shop", check(json!({"method": "HEAD"}))).await;
    world.turn(&[]).await;
    let methods: Vec<String> = world.http.asked().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "HEAD"]);
    world.delete("Check", "shop").await;
    world.advance(60);
    world.turn(&[]).await;
    assert_eq!(world.http.asked().len(), 2);
    let page = world.health.catalog.checks(world.clock.now(), 10, None).await.unwrap();
    assert_eq!(page.items, []);
    assert_eq!(world.health.catalog.check_results(CheckId::of("shop"), 9, None).await.unwrap().items, []);
    assert_eq!(world.health.tick().await.unwrap(), None);
}
