//! Judging what is due.

use super::*;

const THING: &str = "Test::Thing";

/// A rule by the field `state`: `bad` is unhealthy, anything else healthy.
fn by_state() -> Value {
    json!({"types": [THING], "cases": [
        {"if": "resource.config.state == 'bad'", "health": "unhealthy", "status": "Broken",
         "reason": "${{ resource.name }} says so"},
        {"health": "healthy", "status": "Running"},
    ]})
}

#[tokio::test]
async fn health_changes_by_time_alone_at_the_instant_that_the_verdict_named() {
    let world = world().await;
    let ends = "2026-03-03T12:10:00Z";
    let rule = json!({"types": [THING], "cases": [
        {"if": "now < timestamp(resource.config.ends)", "health": "healthy", "status": "Valid",
         "until": "timestamp(resource.config.ends)"},
        {"health": "unhealthy", "status": "Ended"},
    ]});
    world.apply("HealthRule", "ends", rule).await;
    let id = world.see(THING, "certificate", Some(json!({"ends": ends}))).await;
    let told = world.turn(&[SignalKind::HealthChanged]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(world.state(id).await, Some(("healthy Valid".to_owned(), at(NOW))));

    world.advance(60);
    assert_eq!(world.health.tick().await.unwrap(), Some(at(ends)), "the instant is scheduled");
    assert_eq!(world.turn(&[SignalKind::HealthChanged]).await, []);

    world.clock.set(at("2026-03-03T12:10:07Z"));
    let told = world.turn(&[SignalKind::HealthChanged]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].occurred_at, at(ends));
    assert_eq!(told[0].payload["previous"], "healthy");
    assert_eq!(world.state(id).await, Some(("unhealthy Ended".to_owned(), at(ends))));
    let changes = world.health.catalog.transitions(id, 10, None).await.unwrap().items;
    assert_eq!(changes.len(), 2);
    assert_eq!((changes[0].transition.at, changes[0].recorded_at), (at(ends), at("2026-03-03T12:10:07Z")));
    assert_eq!(world.health.tick().await.unwrap(), None, "nothing is due any more");
}

#[tokio::test]
async fn an_edited_rule_judges_all_its_resources_anew_and_a_deleted_one_lets_them_go() {
    let world = world().await;
    world.apply("HealthRule", "things", by_state()).await;
    let (good, bad) = (
        world.see(THING, "good", Some(json!({"state": "ok"}))).await,
        world.see(THING, "bad", Some(json!({"state": "bad"}))).await,
    );
    let other = world.see("Test::Other", "other", Some(json!({}))).await;
    assert_eq!(world.turn(&[SignalKind::HealthChanged]).await.len(), 2);
    assert_eq!(world.state(other).await, None, "no rule is for it");

    world.advance(60);
    let mut edited = by_state();
    edited["types"] = json!(["Test::*"]);
    edited["cases"][0] =
        json!({"if": "resource.config.?state.orValue('') == 'ok'", "health": "warning", "status": "TooGood"});
    world.apply("HealthRule", "things", edited).await;
    let told = world.turn(&[SignalKind::HealthChanged]).await;
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().all(|signal| signal.occurred_at == world.clock.now()), "it is so since the edit");
    assert_eq!(world.state(good).await.unwrap().0, "warning TooGood");
    assert_eq!(world.state(bad).await.unwrap().0, "healthy Running");
    assert_eq!(world.state(other).await.unwrap().0, "healthy Running");

    // The rule is for other resources now: those that it judged are let go.
    world.advance(60);
    let mut narrowed = by_state();
    narrowed["types"] = json!(["Test::Other"]);
    narrowed["cases"] = json!([{"health": "healthy", "status": "Running"}]);
    world.apply("HealthRule", "things", narrowed).await;
    assert_eq!(world.turn(&[SignalKind::HealthChanged]).await.len(), 2);
    assert_eq!(world.state(good).await, None);
    assert_eq!(world.state(other).await.unwrap().0, "healthy Running");

    world.advance(60);
    world.delete("HealthRule", "things").await;
    let told = world.turn(&[SignalKind::HealthChanged]).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].payload["health"], "unknown");
    assert_eq!(world.state(other).await, None);
    assert_eq!(world.health.tick().await.unwrap(), None);
}

#[tokio::test]
async fn a_rule_that_errors_on_one_resource_judges_the_others() {
    let world = world().await;
    world.apply("HealthRule", "things", by_state()).await;
    world
        .apply(
            "HealthRule",
            "broken",
            json!({"types": [THING], "cases": [
        {"if": "resource.nonsense ==", "health": "healthy", "status": "Never"}]}),
        )
        .await;
    let odd = world.see(THING, "odd", Some(json!({"no": "state"}))).await;
    let bad = world.see(THING, "bad", Some(json!({"state": "bad"}))).await;
    world.turn(&[]).await;
    assert_eq!(world.state(odd).await.unwrap().0, "unknown RuleError");
    let reason = world.health.catalog.health_of(odd).await.unwrap().unwrap().state.verdict.reason;
    assert!(reason.contains("things") && reason.contains("state"), "{reason}");
    assert_eq!(world.state(bad).await.unwrap().0, "unhealthy Broken");
    let shown = world.health.catalog.health_of(bad).await.unwrap().unwrap().state.verdict;
    assert_eq!(shown.reason, "bad says so");
}

#[tokio::test]
async fn two_copies_that_hear_the_same_signals_at_once_write_each_transition_once() {
    let world = world().await;
    world.apply("HealthRule", "things", by_state()).await;
    for n in 0..300 {
        world.see(THING, &format!("thing-{n}"), Some(json!({"state": "bad"}))).await;
    }
    let signals = world.signals().await;
    let (one, other) = (world.copy(), world.copy());
    let work = |health: Health| {
        let signals = signals.clone();
        tokio::spawn(async move {
            for part in signals.chunks(50) {
                health.signals(part).await.unwrap();
                health.tick().await.unwrap();
            }
            // What the other copy holds is not seen here, and is due again only if that copy dies.
            while health.tick().await.unwrap().is_some() {
                tokio::task::yield_now().await;
            }
        })
    };
    let (one, other) = tokio::join!(work(one), work(other));
    one.unwrap();
    other.unwrap();
    let mut told = world.signals().await;
    told.retain(|signal| signal.kind == SignalKind::HealthChanged);
    assert_eq!(told.len(), 300);
    let listed = world.health.catalog.recent_transitions(1_000, None).await.unwrap().items;
    assert_eq!(listed.len(), 300);
}

#[tokio::test]
async fn a_catalog_that_nobody_judged_is_judged_at_the_first_start() {
    let world = world().await;
    let id = world.see(THING, "old", Some(json!({"state": "bad"}))).await;
    world.apply("HealthRule", "things", by_state()).await;
    world.signals().await;
    world.advance(3_600);
    world.health.tick().await.unwrap();
    assert_eq!(
        world.state(id).await,
        Some(("unhealthy Broken".to_owned(), at(NOW))),
        "since its version began"
    );
    assert_eq!(world.health.tick().await.unwrap(), None, "once");
}

#[tokio::test]
async fn a_resource_that_goes_is_let_go_and_judged_anew_when_it_comes_back() {
    let world = world().await;
    world.apply("HealthRule", "things", by_state()).await;
    let id = world.see(THING, "thing", Some(json!({"state": "bad"}))).await;
    world.turn(&[]).await;
    world.advance(60);
    world.see(THING, "thing", None).await;
    assert_eq!(world.turn(&[SignalKind::HealthChanged]).await, [], "resource.deleted tells it");
    assert_eq!(world.state(id).await, None);
    world.advance(60);
    world.see(THING, "thing", Some(json!({"state": "ok"}))).await;
    assert_eq!(world.turn(&[SignalKind::HealthChanged]).await.len(), 1);
    assert_eq!(world.state(id).await, Some(("healthy Running".to_owned(), world.clock.now())));
    let statuses: Vec<String> = world
        .health
        .catalog
        .transitions(id, 10, None)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|one| one.transition.verdict.status)
        .collect();
    assert_eq!(statuses, ["Running", "Deleted", "Broken"]);
}

#[tokio::test]
async fn a_rule_judges_again_as_often_as_it_says_and_an_instant_that_is_past_is_not_waited_for() {
    let world = world().await;
    let often = json!({"types": [THING], "every": "5m", "cases": [
        {"health": "healthy", "status": "Running", "until": "timestamp('2026-01-01T00:00:00Z')"}]});
    world.apply("HealthRule", "often", often).await;
    let id = world.see(THING, "thing", Some(json!({}))).await;
    world.turn(&[]).await;
    for turn in 1..=3 {
        world.advance(300);
        world.turn(&[]).await;
        let state = world.health.catalog.health_of(id).await.unwrap().unwrap().state;
        assert_eq!(state.judged_at, world.clock.now(), "turn {turn}");
        assert_eq!(state.since, at(NOW));
    }
}
