//! Workers that die.

use std::time::Duration;

use catalog::runs::{AttemptEnd, Beat, Ending, Kept, StepChange, Written};
use chrono::TimeDelta;
use model::{RunState, StepState};
use serde_json::json;
use testkit::Cut;

use super::world::{World, step};
use crate::LEASE;

#[tokio::test]
async fn a_worker_that_dies_anywhere_does_nothing_twice() {
    let world = World::new().await;
    let post = |name: &str| json!({"name": name, "http": {"url": world.server.url("/ok"), "method": "POST", "body": "x"}});
    world
        .apply(
            "Playbook",
            "effects",
            json!({"maxAge": "7d", "timeout": "7d", "steps": [post("one"), post("two")]}),
        )
        .await;

    let (mut completed, mut unknown, mut cuts, mut polls) = (0, 0, 0, 0);
    for round in 0..120_usize {
        let id = world.started("effects", &format!("round {round}"), json!({})).await;
        // One await further each time, and from the first again once the work was done before the cut.
        polls += 1;
        if Cut::after(polls, world.playbooks.tick()).await.is_none() {
            cuts += 1;
        } else {
            polls = 0;
        }
        // The lease of the dead runs out, and somebody else goes on.
        world.clock.advance(TimeDelta::from_std(LEASE).expect("a lease") + TimeDelta::seconds(1));
        world.settle().await;

        let run = world.run(id).await;
        for name in ["one", "two"] {
            let (step, seen) = (step(&run, name), world.server.seen(id.step_key(name)));
            match step.state {
                StepState::Completed => assert_eq!(seen, 1, "round {round}, step {name}: {run:#?}"),
                StepState::Unknown => {
                    assert!(seen <= 1, "round {round}, step {name} was done {seen} times");
                    assert!(step.reason.contains(&id.step_key(name).to_string()), "{}", step.reason);
                }
                StepState::Skipped => assert_eq!(seen, 0, "round {round}, step {name}"),
                other => panic!("round {round}, step {name} is {other}: {run:#?}"),
            }
        }
        match run.run.state {
            RunState::Completed => completed += 1,
            RunState::Unknown => unknown += 1,
            other => panic!("round {round} is {other}"),
        }
    }
    // Otherwise this showed nothing.
    assert!(
        completed > 10 && unknown > 10 && cuts > 20,
        "{completed} completed, {unknown} unknown, {cuts} cut"
    );
}

#[tokio::test]
async fn what_is_marked_idempotent_is_done_again() {
    let world = World::new().await;
    let step_of = json!({"name": "one", "idempotent": true, "http": {"url": world.server.url("/ok"), "method": "POST"}});
    world.apply("Playbook", "effects", json!({"maxAge": "7d", "timeout": "7d", "steps": [step_of]})).await;
    let (mut again, mut polls) = (0, 0);
    for round in 0..60_usize {
        let id = world.started("effects", &format!("round {round}"), json!({})).await;
        polls = if Cut::after(1 + polls, world.playbooks.tick()).await.is_none() { polls + 1 } else { 0 };
        world.clock.advance(TimeDelta::from_std(LEASE).expect("a lease") + TimeDelta::seconds(1));
        world.settle().await;
        let run = world.run(id).await;
        assert_eq!(run.run.state, RunState::Completed, "round {round}: {run:#?}");
        let cut = run.steps[0].attempts.iter().filter(|attempt| attempt.outcome.as_deref() == Some("cut"));
        again += cut.count();
    }
    assert!(again > 3, "only {again} attempts were cut");
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_can_write_nothing() {
    let world = World::new().await;
    let only = json!([{"name": "one", "exec": {"script": "true"}}]);
    world.apply("Playbook", "effects", json!({"steps": only})).await;
    let id = world.started("effects", "a key", json!({})).await;
    let catalog = world.catalog();
    let stale = catalog.claim_run("stale", world.now(), LEASE).await.unwrap().expect("a run").lease;
    assert!(
        catalog.claim_run("early", world.now(), LEASE).await.unwrap().is_none(),
        "two workers had one run"
    );
    world.clock.advance(TimeDelta::seconds(31));
    let fresh = catalog.claim_run("fresh", world.now(), LEASE).await.unwrap().expect("a run").lease;

    let now = world.now();
    let change = StepChange {
        step: "one".to_owned(),
        state: StepState::Completed,
        reason: String::new(),
        result: Some(json!({"by": "stale"})),
        due_at: None,
        failures: 0,
        attempt: Some(AttemptEnd { attempt: 1, outcome: "completed" }),
    };
    let ending = Ending {
        state: RunState::Completed,
        reason: String::new(),
        others: (StepState::Skipped, ""),
        signals: Vec::new(),
    };
    assert_eq!(catalog.begin_run(&stale, now, now).await.unwrap(), Written::LeaseLost);
    assert_eq!(catalog.begin_attempt(&stale, "stale", "one", 1, now).await.unwrap(), Written::LeaseLost);
    assert_eq!(catalog.change_step(&stale, &change, now).await.unwrap(), Written::LeaseLost);
    assert_eq!(catalog.add_output(&stale, "one", 1, &[], Kept::default()).await.unwrap(), Written::LeaseLost);
    assert_eq!(catalog.release_run(&stale, now, now).await.unwrap(), Written::LeaseLost);
    assert_eq!(catalog.end_run(&stale, &ending, now).await.unwrap(), Written::LeaseLost);
    assert_eq!(catalog.renew_run(&stale, now, LEASE).await.unwrap(), Beat::LeaseLost);
    assert_eq!(catalog.renew_run(&fresh, now, LEASE).await.unwrap(), Beat::Held);
    let run = world.run(id).await;
    assert_eq!(run.steps[0].state, StepState::Pending, "{run:#?}");
    assert!(run.steps[0].attempts.is_empty());
}

#[tokio::test]
async fn workers_at_once_share_the_runs_and_do_each_step_once() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        let name = format!("effects-{number}");
        let only = json!([{"name": "one", "http": {"url": world.server.url("/ok"), "method": "POST"}}]);
        world.apply("Playbook", &name, json!({"steps": only})).await;
        ids.push(world.started(&name, "a key", json!({})).await);
    }
    tokio::join!(world.settle(), world.settle(), world.settle(), world.settle());
    for id in ids {
        assert_eq!(world.run(id).await.run.state, RunState::Completed);
        assert_eq!(world.server.seen(id.step_key("one")), 1);
    }
}

#[tokio::test]
async fn what_a_script_started_dies_with_its_worker() {
    let world = World::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let pid = folder.path().join("pid");
    let script = "trap '' TERM; sleep 300 & echo $! > \"$PID\"; wait";
    let only = json!([{"name": "one", "exec": {"script": script, "env": {"PID": pid.to_str()}}}]);
    world.apply("Playbook", "effects", json!({"steps": only})).await;
    world.started("effects", "a key", json!({})).await;
    let worker = world.playbooks.clone();
    let task = tokio::spawn(async move { worker.tick().await });
    let child = super::effects::pid_in(&pid).await;
    task.abort();
    super::effects::assert_gone(child, Duration::from_secs(2)).await;
}
