//! What starts runs, and what does not.

use catalog::runs::Run;
use chrono::TimeDelta;
use model::{
    Actor, ActorKind, Category, Change, ChangeId, ChangeResource, Completeness, Observation, ObservationKey,
    Rank, ResourceId, Role, RunState, Severity, Signal, SignalId, SignalKind, Source,
};
use serde_json::{Value, json};
use triggers::{Answer, Refusal};

use super::world::{World, assert_state, key};

const QUEUE: &str = "AWS::SQS::Queue";

fn doing_nothing() -> Value {
    json!([{"name": "one", "wait": {"for": "1m"}}])
}

/// A playbook that a change of its health starts.
fn on_health(condition: &str) -> Value {
    json!({
        "on": {"signals": [{"kinds": ["health.changed"], "if": condition, "parameters": {"level": 3}}]},
        "target": format!("type={QUEUE}"),
        "parameters": [{"name": "level", "type": "number", "max": 5, "required": true}],
        "steps": doing_nothing(),
    })
}

fn unhealthy(world: &World, resource: ResourceId, number: u32) -> Signal {
    Signal {
        id: SignalId::of("health.changed", &[&resource.to_string(), &number.to_string()]),
        kind: SignalKind::HealthChanged,
        subject: resource.into(),
        occurred_at: world.now(),
        payload: json!({"type": QUEUE, "account": "111122223333", "name": "orders", "health": "unhealthy", "previous": "healthy"}),
    }
}

/// A recorded change by somebody, and the signal of it.
async fn change(
    world: &World,
    target: &str,
    actor: &str,
    arn: Option<&str>,
    session: Option<&str>,
) -> Signal {
    let observed = ObservationKey::of(&json!({"change of": target, "by": actor, "as": session}));
    let change = Change {
        id: ChangeId::of(&observed, 0),
        occurred_at: world.now(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        source: "cloudtrail".to_owned(),
        kind: "PurgeQueue".to_owned(),
        category: Category::Update,
        severity: Severity::High,
        read_only: false,
        summary: format!("{actor} purged {target}"),
        actor: Some(Actor {
            kind: ActorKind::Role,
            name: actor.to_owned(),
            session: session.map(str::to_owned),
            via: None,
            arn: arn.map(str::to_owned),
            account: None,
        }),
        source_address: None,
        user_agent: None,
        error_code: None,
        error_message: None,
        event_id: None,
        session_id: None,
        details: json!({}),
        resources: vec![ChangeResource { key: key(QUEUE, target), role: Role::Target }],
        mentions: Vec::new(),
    };
    let id = change.id;
    let observation = Observation {
        key: observed,
        source: Source::new("cloudtrail", Rank::Event),
        account: change.account.clone(),
        region: change.region.clone(),
        occurred_at: change.occurred_at,
        resources: Vec::new(),
        changes: vec![change],
        findings: Vec::new(),
        completeness: Completeness::OnlyThese,
    };
    world.catalog().record(&[observation], world.now()).await.expect("recorded");
    let told = world.signals().await;
    told.into_iter().find(|signal| signal.subject == id.0).expect("the signal of the change")
}

async fn reasons(world: &World) -> Vec<(RunState, String)> {
    let mut runs: Vec<Run> = world.runs().await;
    runs.sort_by(|a, b| a.reason.cmp(&b.reason));
    runs.into_iter().map(|run| (run.state, run.reason)).collect()
}

#[tokio::test]
async fn a_signal_starts_one_run_however_often_it_comes() {
    let world = World::new().await;
    let queue = world.resource(QUEUE, "orders").await;
    let topic = world.resource("AWS::SNS::Topic", "alerts").await;
    world
        .apply(
            "Playbook",
            "heal",
            on_health("signal.payload.health == 'unhealthy' && resource.name == 'orders'"),
        )
        .await;
    let signal = unhealthy(&world, queue, 1);
    let other = unhealthy(&world, topic, 1);
    for _ in 0..3 {
        world.playbooks.signals(&[signal.clone(), other.clone(), signal.clone()]).await.unwrap();
    }
    let runs = world.runs().await;
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!(runs[0].resource.as_ref().unwrap().id, queue);
    let run = world.run(runs[0].id).await;
    assert_eq!(run.parameters, json!({"level": 3}));
    assert_eq!(run.signal.unwrap()["kind"], "health.changed");

    // While it is live, further signals leave a row that says so.
    world.playbooks.signals(&[unhealthy(&world, queue, 2)]).await.unwrap();
    let expected =
        [(RunState::Scheduled, String::new()), (RunState::Cancelled, "already_running".to_owned())];
    assert_eq!(reasons(&world).await, expected);
}

#[tokio::test]
async fn a_signal_that_is_too_old_acts_on_nothing() {
    let world = World::new().await;
    let queue = world.resource(QUEUE, "orders").await;
    world.apply("Playbook", "heal", on_health("true")).await;
    let old = unhealthy(&world, queue, 1);
    world.clock.advance(TimeDelta::minutes(61));
    world.playbooks.signals(&[old]).await.unwrap();
    assert_eq!(reasons(&world).await, [(RunState::Cancelled, "too_old".to_owned())]);

    // One that came in time, and that nobody executed for as long.
    world.playbooks.signals(&[unhealthy(&world, queue, 2)]).await.unwrap();
    world.clock.advance(TimeDelta::minutes(61));
    world.settle().await;
    let too_old = (RunState::Cancelled, "too_old".to_owned());
    assert_eq!(reasons(&world).await, [too_old.clone(), too_old]);
}

#[tokio::test]
async fn what_we_did_ourselves_starts_nothing() {
    let world = World::new().await;
    world.resource(QUEUE, "orders").await;
    let spec = json!({
        "on": {"signals": [{"kinds": ["change.recorded"], "if": "change.kind == 'PurgeQueue'"}]},
        "steps": doing_nothing(),
    });
    world.apply("Playbook", "watch", spec).await;
    let ours = "arn:aws:sts::111122223333:assumed-role/perigee-playbook/x";
    let by_arn = change(&world, "orders", "perigee-playbook", Some(ours), Some("x")).await;
    let by_session = change(&world, "orders", "anybody", None, Some("perigee-run-17")).await;
    let theirs =
        change(&world, "orders", "dana", Some("arn:aws:sts::111122223333:assumed-role/dana/x"), None).await;
    world.playbooks.signals(&[by_arn, by_session, theirs]).await.unwrap();
    let own = (RunState::Cancelled, "own_action".to_owned());
    assert_eq!(reasons(&world).await, [(RunState::Scheduled, String::new()), own.clone(), own]);
}

#[tokio::test]
async fn the_end_of_a_run_does_not_start_the_same_playbook_nor_an_endless_chain() {
    let world = World::new().await;
    let ends = json!([{"kinds": ["run.failed", "run.completed"], "if": "run.playbook in ['a', 'b']"}]);
    let quick = json!([{"name": "one", "catalog": {"resources": "type=X"}}]);
    for name in ["a", "b"] {
        world.apply("Playbook", name, json!({"on": {"signals": ends}, "steps": quick})).await;
    }
    world.started("a", "a key", json!({})).await;
    for _ in 0..40 {
        world.settle().await;
        let told = world.signals().await;
        world.playbooks.signals(&told).await.unwrap();
        world
            .catalog()
            .signals_told(&told.iter().map(|signal| signal.id).collect::<Vec<_>>(), world.now())
            .await
            .unwrap();
    }
    let runs = world.runs().await;
    let of = |reason: &str| runs.iter().filter(|run| run.reason == reason).count();
    assert_eq!(runs.iter().filter(|run| run.state == RunState::Completed).count(), 6, "{runs:#?}");
    assert_eq!(of("chain_too_long"), 1);
    assert_eq!(of("own_action"), 6);
}

#[tokio::test]
async fn parameters_are_checked_whoever_starts_the_run() {
    let world = World::new().await;
    let queue = world.resource(QUEUE, "orders").await;
    let mut spec = on_health("true");
    spec["on"]["signals"][0]["parameters"] = json!({"level": 9});
    spec["on"]["schedules"] = json!([{"every": "5m", "parameters": {"level": "high"}}]);
    world.apply("Playbook", "heal", spec).await;

    let refused = world.ask("heal", "a key", Some(queue), json!({"level": 7, "nothing": 1})).await;
    let Answer::Refused(Refusal::Parameters(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults.len(), 2, "{faults:?}");
    world.playbooks.signals(&[unhealthy(&world, queue, 1)]).await.unwrap();
    world.settle().await;
    world.clock.advance(TimeDelta::minutes(5));
    world.settle().await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 2, "{runs:#?}");
    for run in runs {
        assert_eq!(run.state, RunState::Cancelled);
        assert!(run.reason.starts_with("bad_parameters: params.level"), "{}", run.reason);
    }
}

#[tokio::test]
async fn a_plain_secret_is_refused_and_not_repeated() {
    let world = World::new().await;
    let parameters = json!([{"name": "token", "type": "secret"}]);
    world.apply("Playbook", "secret", json!({"parameters": parameters, "steps": doing_nothing()})).await;
    let refused = world.ask("secret", "a key", None, json!({"token": "s3cret"})).await;
    let Answer::Refused(refusal @ Refusal::Parameters(_)) = refused else { panic!("{refused:?}") };
    assert!(!refusal.to_string().contains("s3cret"), "{refusal}");
    assert!(world.runs().await.is_empty());
}

#[tokio::test]
async fn the_api_is_told_why_no_run_was_started() {
    let world = World::new().await;
    let queue = world.resource(QUEUE, "orders").await;
    let topic = world.resource("AWS::SNS::Topic", "alerts").await;
    let level = json!({"level": 1});
    world.apply("Playbook", "heal", on_health("true")).await;
    world.apply("Playbook", "plain", json!({"steps": doing_nothing()})).await;
    let ask = async |name: &str, key: &str, target, parameters| match world
        .ask(name, key, target, parameters)
        .await
    {
        Answer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    assert!(matches!(ask("heal", "k", None, level.clone()).await, Refusal::NeedsTarget { .. }));
    assert!(matches!(ask("heal", "k", Some(topic), level.clone()).await, Refusal::OutOfReach { .. }));
    assert!(matches!(ask("plain", "k", Some(queue), json!({})).await, Refusal::TakesNoTarget(_)));
    assert!(world.runs().await.is_empty());

    let Answer::Started(id) = world.ask("heal", "k", Some(queue), level.clone()).await else {
        panic!("not started")
    };
    assert_eq!(world.ask("heal", "k", Some(queue), level.clone()).await, Answer::Before(id));
    assert_eq!(ask("heal", "k", Some(queue), json!({"level": 2})).await, Refusal::KeyUsed(id));
    assert_eq!(ask("heal", "another", Some(queue), level).await, Refusal::AlreadyRunning(id));
    assert_eq!(world.runs().await.len(), 1);
}

#[tokio::test]
async fn a_schedule_fires_once_for_all_copies_and_not_for_what_was_missed() {
    let world = World::new().await;
    for name in ["orders", "returns"] {
        world.resource(QUEUE, name).await;
    }
    let quick = json!([{"name": "one", "catalog": {"resources": "type=X"}}]);
    let spec = json!({"on": {"schedules": [{"every": "0 * * * *"}]}, "maxAge": "30m", "target": format!("type={QUEUE}"), "steps": quick});
    world.apply("Playbook", "hourly", spec).await;
    world.settle().await;
    assert!(world.runs().await.is_empty(), "it fired before its hour");
    assert_eq!(world.playbooks.tick().await.unwrap(), Some("2026-03-03T13:00:00Z".parse().unwrap()));

    world.clock.advance(TimeDelta::minutes(60));
    let others = world.playbooks.clone();
    let (one, two) = tokio::join!(world.playbooks.tick(), others.tick());
    one.unwrap();
    two.unwrap();
    world.settle().await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 2, "one for each queue: {runs:#?}");
    assert!(runs.iter().all(|run| run.state == RunState::Completed));

    // Nobody was there for three hours and ten minutes: the latest fires, the two before it do not.
    world.clock.advance(TimeDelta::minutes(190));
    world.settle().await;
    assert_eq!(world.runs().await.len(), 4);
    // And now for so long that the latest is too old: one row says so.
    world.clock.advance(TimeDelta::minutes(90));
    world.settle().await;
    let runs = world.runs().await;
    assert_eq!(runs.len(), 5, "{runs:#?}");
    assert_eq!(runs[0].reason, "too_old");
}

#[tokio::test]
async fn a_deleted_playbook_starts_nothing_and_a_run_under_way_keeps_to_its_own() {
    let world = World::new().await;
    let queue = world.resource(QUEUE, "orders").await;
    world.apply("Playbook", "heal", on_health("true")).await;
    world.apply("Playbook", "later", json!({"steps": doing_nothing()})).await;
    let running = world.ask("heal", "a key", Some(queue), json!({"level": 1})).await;
    let Answer::Started(running) = running else { panic!("{running:?}") };
    world.settle().await;
    let scheduled = world.started("later", "a key", json!({})).await;
    let gone = ["heal", "later"].map(|name| ("Playbook".to_owned(), name.to_owned()));
    world.catalog().delete_manifests(&gone, world.now()).await.unwrap();
    world.playbooks.signals(&[unhealthy(&world, queue, 1)]).await.unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    world.settle().await;
    assert_eq!(world.runs().await.len(), 2);
    assert_state(&world.run(running).await, RunState::Completed);
    let never = world.run(scheduled).await;
    assert_state(&never, RunState::Cancelled);
    assert_eq!(never.run.reason, "playbook_deleted");
}

#[tokio::test]
async fn a_playbook_that_is_edited_between_two_signals_starts_as_it_is_now() {
    let world = World::new().await;
    let queue = world.resource(QUEUE, "orders").await;
    world.apply("Playbook", "heal", on_health("false")).await;
    world.playbooks.signals(&[unhealthy(&world, queue, 1)]).await.unwrap();
    assert!(world.runs().await.is_empty());
    let library = std::sync::Arc::clone(&world.playbooks.library);
    let before = library.books(world.catalog()).await.unwrap();
    let again = library.books(world.catalog()).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&before, &again), "nobody changed a playbook, and they were read again");

    world.apply("Playbook", "heal", on_health("true")).await;
    world.playbooks.signals(&[unhealthy(&world, queue, 2)]).await.unwrap();
    assert_eq!(world.runs().await.len(), 1);

    world.settle().await;
    world.clock.advance(TimeDelta::minutes(2));
    world.settle().await;
    let gone = ("Playbook".to_owned(), "heal".to_owned());
    world.catalog().delete_manifests(&[gone], world.now()).await.unwrap();
    world.playbooks.signals(&[unhealthy(&world, queue, 3)]).await.unwrap();
    assert_eq!(world.runs().await.len(), 1, "a deleted one starts nothing");
}
