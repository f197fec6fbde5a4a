//! What steps do.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use catalog::ChangeQuery;
use chrono::TimeDelta;
use model::{RunState, SignalKind, StepState};
use nix::{sys::signal::kill, unistd::Pid};
use serde_json::{Value, json};

use super::world::{World, assert_state, key, step};
use crate::work::pause;

/// The process id that a script has written.
pub(super) async fn pid_in(file: &Path) -> Pid {
    for _ in 0..100 {
        let written = std::fs::read_to_string(file).unwrap_or_default();
        if let Ok(pid) = written.trim().parse() {
            return Pid::from_raw(pid);
        }
        pause(Duration::from_millis(50)).await;
    }
    panic!("no process id came into {}", file.display());
}

/// Fails when a process lives on for longer than `within`.
pub(super) async fn assert_gone(process: Pid, within: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < within {
        // A process that ended and that nobody has asked after is gone, too.
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if kill(process, None).is_err() || state.contains(") Z ") {
            return;
        }
        pause(Duration::from_millis(50)).await;
    }
    panic!("process {process} lives on");
}

#[tokio::test]
async fn a_run_goes_through_its_steps_and_tells_of_its_end() {
    let world = World::new().await;
    let target = world.resource("AWS::SQS::Queue", "orders").await;
    let spec = json!({
        "target": "type=AWS::SQS::Queue",
        "parameters": [{"name": "who", "required": true}],
        "steps": [
            {"name": "look", "exec": {
                "script": "echo \"{\\\"name\\\": \\\"$NAME\\\"}\"; echo seen >&2",
                "env": {"NAME": "${{ resource.name }} by ${{ params.who }}"},
            }},
            {"name": "post", "http": {
                "url": world.server.url("/ok"), "method": "POST", "body": "{\"found\": \"${{ steps.look.result.json.name }}\"}",
                "expect": "response.status == 200 && response.json.found == 'orders by dana'",
            }},
            {"name": "note", "catalog": {"record": {"kind": "Diagnosis", "summary": "Looked at ${{ resource.name }}"}}},
            {"name": "again", "catalog": {"changes": {"depth": 1}}},
            {"name": "list", "catalog": {"resources": "type=AWS::SQS::*"}},
        ],
    });
    world.apply("Playbook", "diagnose", spec).await;
    let triggers::Answer::Started(id) =
        world.ask("diagnose", "a key", Some(target), json!({"who": "dana"})).await
    else {
        panic!("not started")
    };
    world.settle().await;
    let run = world.run(id).await;
    assert_state(&run, RunState::Completed);
    let look = step(&run, "look").result.clone().expect("a result");
    assert_eq!(look["exitCode"], 0);
    assert_eq!(look["stderr"], "seen\n");
    assert_eq!(step(&run, "post").result.as_ref().unwrap()["status"], 200);
    assert_eq!(world.server.seen(id.step_key("post")), 1);
    assert_eq!(step(&run, "list").result.as_ref().unwrap()["items"][0]["name"], "orders");
    let items = &step(&run, "again").result.as_ref().unwrap()["items"];
    assert_eq!(items[0]["summary"], "Looked at orders", "{items}");

    let query = ChangeQuery { resource: Some(target), limit: 10, ..ChangeQuery::default() };
    let changes = world.catalog().changes(&query).await.unwrap().items;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].actor.as_ref().unwrap().session, Some(format!("perigee-run-{id}")));

    let told = world.signals().await;
    let ends: Vec<_> = told.iter().filter(|signal| signal.kind == SignalKind::RunCompleted).collect();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].payload["playbook"], "diagnose");
    assert_eq!(ends[0].payload["resource"], json!(key("AWS::SQS::Queue", "orders").id()));
    assert_eq!(ends[0].payload["account"], "111122223333");
}

#[tokio::test]
async fn a_script_that_ignores_sigterm_is_killed_with_its_children_when_the_run_is_cancelled() {
    let world = World::in_real_time().await;
    let folder = tempfile::tempdir().expect("a folder");
    let pid = folder.path().join("pid");
    // The child ignores it, too.
    let script = "trap '' TERM; (trap '' TERM; sleep 300) & echo $! > \"$PID\"; sleep 300";
    let stubborn = json!({"name": "stubborn", "exec": {"script": script, "env": {"PID": pid.to_str()}}});
    world
        .apply(
            "Playbook",
            "stubborn",
            json!({"steps": [stubborn, {"name": "after", "exec": {"script": "true"}}]}),
        )
        .await;
    let id = world.started("stubborn", "a key", json!({})).await;
    let (_, child) = tokio::join!(world.playbooks.tick(), async {
        let child = pid_in(&pid).await;
        let asked = world.catalog().cancel_run(id, Some("dana"), world.now()).await.unwrap();
        assert_eq!(asked, Some(true));
        child
    });
    assert_gone(child, Duration::from_secs(1)).await;
    let run = world.run(id).await;
    assert_state(&run, RunState::Cancelled);
    assert_eq!(step(&run, "stubborn").state, StepState::Cancelled);
    assert_eq!(step(&run, "after").state, StepState::Cancelled);
    let took = run.run.ended_at.unwrap() - run.run.cancel_requested_at.unwrap();
    assert!(took < TimeDelta::seconds(9), "it took {took}");
}

#[tokio::test]
async fn a_run_that_waits_is_cancelled_by_the_next_worker() {
    let world = World::new().await;
    world.apply("Playbook", "patient", json!({"steps": [{"name": "wait", "wait": {"for": "10m"}}]})).await;
    let id = world.started("patient", "a key", json!({})).await;
    world.settle().await;
    assert_state(&world.run(id).await, RunState::Waiting);
    assert_eq!(world.catalog().cancel_run(id, Some("dana"), world.now()).await.unwrap(), Some(true));
    world.settle().await;
    let run = world.run(id).await;
    assert_state(&run, RunState::Cancelled);
    assert_eq!(run.run.reason, "cancelled by dana");
    assert_eq!(world.catalog().cancel_run(id, None, world.now()).await.unwrap(), Some(false));
    assert_eq!(
        world.catalog().cancel_run(model::RunId::of("x", "y", None), None, world.now()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn output_comes_while_the_script_runs() {
    let world = World::in_real_time().await;
    let script = "echo first; sleep 4; echo second >&2";
    world.apply("Playbook", "slow", json!({"steps": [{"name": "slow", "exec": {"script": script}}]})).await;
    let id = world.started("slow", "a key", json!({})).await;
    let output = async || world.catalog().run_output(id, "slow", 0, 100).await.unwrap().items;
    let begun = Instant::now();
    let (_, early) = tokio::join!(world.playbooks.tick(), async {
        loop {
            let seen = output().await;
            if !seen.is_empty() {
                return begun.elapsed();
            }
            pause(Duration::from_millis(50)).await;
        }
    });
    assert!(early < Duration::from_secs(3), "the first line came after {early:?}");
    let all = output().await;
    let texts: Vec<(&str, &str)> =
        all.iter().map(|chunk| (chunk.stream.as_str(), chunk.text.as_str())).collect();
    assert_eq!(texts, [("stdout", "first\n"), ("stderr", "second\n")]);
    assert_eq!(world.catalog().run_output(id, "slow", 1, 100).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn output_is_bounded_and_says_so() {
    let world = World::new().await;
    let script = "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\0\\377end'";
    world.apply("Playbook", "loud", json!({"steps": [{"name": "loud", "exec": {"script": script}}]})).await;
    let run = world.finished("loud", json!({})).await;
    assert_state(&run, RunState::Completed);
    let loud = step(&run, "loud");
    assert_eq!(loud.output_bytes, 1 << 20);
    // The two bytes that are no text became characters of three.
    assert_eq!(loud.output_dropped, 3_000_000 + 9 - (1 << 20));
    let result = loud.result.as_ref().unwrap();
    assert_eq!(result["truncated"], true);
    let stdout = result["stdout"].as_str().unwrap();
    assert!(stdout.len() <= 64 * 1024 && stdout.ends_with("xx\u{fffd}\u{fffd}end"));
}

#[tokio::test]
async fn a_step_and_a_run_that_take_too_long_are_ended() {
    let world = World::in_real_time().await;
    let sleeping = json!({"name": "sleeping", "timeout": "1s", "exec": {"script": "sleep 300"}});
    world.apply("Playbook", "step", json!({"steps": [sleeping]})).await;
    let run = world.finished("step", json!({})).await;
    assert_state(&run, RunState::Failed);
    assert!(
        step(&run, "sleeping").reason.contains("took longer than 1s"),
        "{}",
        step(&run, "sleeping").reason
    );

    let sleeping = json!({"name": "sleeping", "retry": {"attempts": 3}, "exec": {"script": "sleep 300"}});
    world.apply("Playbook", "run", json!({"timeout": "1s", "steps": [sleeping]})).await;
    let run = world.finished("run", json!({})).await;
    assert_state(&run, RunState::Failed);
    assert_eq!(step(&run, "sleeping").attempts.len(), 1);
    assert!(run.run.reason.contains("the run took longer than 1s"), "{}", run.run.reason);

    let hanging = json!({"name": "hanging", "timeout": "1s", "http": {"url": world.server.url("/hangs"), "method": "POST"}});
    world.apply("Playbook", "post", json!({"steps": [hanging]})).await;
    let run = world.finished("post", json!({})).await;
    assert_state(&run, RunState::Unknown);
    assert!(run.run.reason.contains("Idempotency-Key"), "{}", run.run.reason);
}

#[tokio::test]
async fn a_step_is_tried_again_after_delays_that_grow() {
    let world = World::new().await;
    let retry = json!({"attempts": 3, "delay": "10s", "factor": 3});
    let flaky = json!({"name": "flaky", "retry": retry, "http": {"url": world.server.url("/fails/2"), "method": "POST"}});
    world.apply("Playbook", "flaky", json!({"steps": [flaky]})).await;
    let id = world.started("flaky", "a key", json!({})).await;
    world.settle().await;
    let due = |run: &catalog::runs::RunDetail| (run.run.due_at.unwrap() - world.now()).num_seconds();
    let run = world.run(id).await;
    assert_state(&run, RunState::Waiting);
    assert_eq!(due(&run), 10);
    world.clock.advance(TimeDelta::seconds(9));
    world.settle().await;
    assert_eq!(step(&world.run(id).await, "flaky").attempts.len(), 1);
    world.clock.advance(TimeDelta::seconds(1));
    world.settle().await;
    let run = world.run(id).await;
    assert_eq!(due(&run), 30);
    world.clock.advance(TimeDelta::seconds(30));
    world.settle().await;
    let run = world.run(id).await;
    assert_state(&run, RunState::Completed);
    let outcomes: Vec<_> = step(&run, "flaky").attempts.iter().map(|a| a.outcome.clone().unwrap()).collect();
    assert_eq!(outcomes, ["failed", "failed", "completed"]);
    assert_eq!(world.server.seen(id.step_key("flaky")), 3, "the key is the same on every attempt");
}

#[tokio::test]
async fn the_output_of_every_attempt_is_kept() {
    let world = World::new().await;
    let loud = json!({"name": "loud", "retry": {"attempts": 3, "delay": "0s"}, "exec": {"script": "echo again; exit 1"}});
    world.apply("Playbook", "loud", json!({"steps": [loud]})).await;
    let run = world.finished("loud", json!({})).await;
    assert_state(&run, RunState::Failed);
    let output = world.catalog().run_output(run.run.id, "loud", 0, 100).await.unwrap().items;
    let seen: Vec<(i64, i32, &str)> =
        output.iter().map(|piece| (piece.seq, piece.attempt, piece.text.as_str())).collect();
    assert_eq!(seen, [(1, 1, "again\n"), (2, 2, "again\n"), (3, 3, "again\n")]);
}

#[tokio::test]
async fn a_request_that_cannot_have_arrived_has_failed_and_is_not_unknown() {
    let world = World::new().await;
    let nobody = json!({"name": "post", "http": {"url": "http://127.0.0.1:1/", "method": "POST"}});
    let metadata = json!({"name": "metadata", "needs": [], "http": {"url": "http://169.254.169.254/latest"}});
    let not_found = json!({"name": "missing", "needs": [], "http": {"url": world.server.url("/status/404")}});
    let wanted = json!({"name": "wanted", "needs": [], "http": {
        "url": world.server.url("/status/404"), "expect": "response.status == 404"}});
    world.apply("Playbook", "posts", json!({"steps": [nobody, metadata, not_found, wanted]})).await;
    let run = world.finished("posts", json!({})).await;
    assert_state(&run, RunState::Failed);
    assert_eq!(step(&run, "post").state, StepState::Failed);
    assert!(step(&run, "metadata").reason.contains("refused"), "{}", step(&run, "metadata").reason);
    assert_eq!(step(&run, "missing").reason, "the answer is 404");
    assert_eq!(step(&run, "wanted").state, StepState::Completed);
}

#[tokio::test]
async fn a_condition_on_steps_lets_one_clean_up_after_another() {
    let world = World::new().await;
    let steps = json!([
        {"name": "breaks", "exec": {"script": "echo no such thing >&2; exit 3"}},
        {"name": "follows", "exec": {"script": "true"}},
        {"name": "cleans", "needs": ["breaks"], "if": "steps.breaks.state == 'failed'", "exec": {"script": "true"}},
        {"name": "never", "needs": [], "if": "steps.breaks.state == 'completed'", "exec": {"script": "true"}},
        {"name": "wrong", "needs": [], "if": "resource.name == 'x'", "exec": {"script": "true"}},
    ]);
    world.apply("Playbook", "cleaning", json!({"steps": steps})).await;
    let run = world.finished("cleaning", json!({})).await;
    assert_state(&run, RunState::Failed);
    assert_eq!(run.run.reason, "step `breaks`: the script ended with 3: no such thing");
    assert_eq!(step(&run, "follows").reason, "step `breaks` is failed");
    let states: Vec<StepState> = run.steps.iter().map(|step| step.state).collect();
    let expected =
        [StepState::Failed, StepState::Skipped, StepState::Completed, StepState::Skipped, StepState::Failed];
    assert_eq!(states, expected, "{run:#?}");
}

#[tokio::test]
async fn a_wait_holds_no_worker_and_sees_the_resource_as_it_then_is() {
    let world = World::new().await;
    let steps = json!([
        {"name": "pause", "wait": {"for": "5m"}},
        {"name": "until", "timeout": "3m", "wait": {"until": "now > timestamp('2026-03-03T12:06:00Z')", "every": "30s"}},
        {"name": "never", "timeout": "1m", "wait": {"until": "run.playbook == 'another'", "every": "30s"}},
    ]);
    world.apply("Playbook", "waiting", json!({"steps": steps})).await;
    let id = world.started("waiting", "a key", json!({})).await;
    world.settle().await;
    assert_state(&world.run(id).await, RunState::Waiting);
    let mut minutes = 0.0;
    while !world.run(id).await.run.state.is_final() {
        world.clock.advance(TimeDelta::seconds(15));
        minutes += 0.25;
        assert!(minutes < 20.0, "{:#?}", world.run(id).await);
        world.settle().await;
    }
    let run = world.run(id).await;
    assert_state(&run, RunState::Failed);
    let took = |name: &str| {
        (step(&run, name).ended_at.unwrap() - step(&run, name).started_at.unwrap()).num_seconds()
    };
    assert_eq!(took("pause"), 300);
    assert!((60..=105).contains(&took("until")), "{}", took("until"));
    assert!(step(&run, "never").reason.contains("did not hold within 1m"));
    assert_eq!(took("never"), 60);
}

#[tokio::test]
async fn secrets_are_used_and_found_nowhere() {
    let world = World::new().await;
    for (name, value) in [
        ("TOKEN", "parameter-s3cret-0001"),
        ("KEY", "environment-s3cret-02"),
        ("PASS", "connection-s3cret-3"),
    ] {
        world.secrets.put(name, value);
    }
    world
        .apply(
            "Connection",
            "echo",
            json!({"http": {"url": world.server.address, "bearer": {"env": "PASS"}}}),
        )
        .await;
    let steps = json!([
        {"name": "script", "exec": {
            "script": "[ \"$A\" = parameter-s3cret-0001 ] && [ \"$B\" = environment-s3cret-02 ] && echo \"$A $B\" && echo \"{$B\" >&2",
            "env": {"A": "${{ params.token }}", "B": {"env": "KEY"}},
        }},
        {"name": "post", "http": {"connection": "echo", "url": "/ok", "method": "POST",
            "headers": {"x-token": {"env": "KEY"}}, "body": "${{ params.token }} connection-s3cret-3 ${{ steps.script.output }}"}},
        {"name": "fails", "exec": {"script": "echo $A >&2; exit 1", "env": {"A": "${{ params.token }}"}}},
    ]);
    let parameters = json!([{"name": "token", "type": "secret", "required": true}]);
    world.apply("Playbook", "secrets", json!({"parameters": parameters, "steps": steps})).await;
    let run = world.finished("secrets", json!({"token": {"env": "TOKEN"}})).await;
    assert_eq!(step(&run, "script").state, StepState::Completed, "{run:#?}");
    let post = step(&run, "post").result.clone().expect("an answer");
    assert_eq!(post["body"], "*** *** *** ***\n");
    assert_eq!(step(&run, "fails").reason, "the script ended with 1: ***");
    let mut shown = serde_json::to_string(&run).unwrap();
    for name in ["script", "fails"] {
        let output = world.catalog().run_output(run.run.id, name, 0, 100).await.unwrap();
        shown += &serde_json::to_string(&output).unwrap();
    }
    shown += &serde_json::to_string(&world.signals().await).unwrap();
    // The body of the second step names one literally, which is its author's fault and stays in the playbook's text.
    let shown =
        shown.replace("${{ params.token }} connection-s3cret-3", "").replace("= parameter-s3cret-0001", "");
    let shown = shown.replace("= environment-s3cret-02", "");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(run.parameters, json!({"token": {"env": "TOKEN"}}));
}

#[tokio::test]
async fn a_script_has_nothing_of_our_environment_and_leaves_nothing_behind() {
    let world = World::new().await;
    let script =
        "env | cut -d= -f1 | sort | tr '\\n' ' '; echo; (sleep 300 >/dev/null 2>&1 & echo $! >&2); pwd; cat";
    world.apply("Playbook", "env", json!({"steps": [{"name": "env", "exec": {"script": script}}]})).await;
    let run = world.finished("env", json!({})).await;
    assert_state(&run, RunState::Completed);
    let result = step(&run, "env").result.clone().unwrap();
    let stdout = result["stdout"].as_str().unwrap();
    for name in stdout.lines().next().unwrap().split_whitespace() {
        let known = [
            "HOME",
            "IDEMPOTENCY_KEY",
            "LANG",
            "OLDPWD",
            "PATH",
            "PERIGEE_RUN",
            "PERIGEE_STEP",
            "PWD",
            "SHLVL",
            "TMPDIR",
            "_",
        ];
        assert!(known.contains(&name), "{name} came through");
    }
    let child: i32 = result["stderr"].as_str().unwrap().trim().parse().unwrap();
    assert_gone(Pid::from_raw(child), Duration::from_secs(1)).await;
    let folder = stdout.lines().nth(1).unwrap();
    assert!(folder.contains("perigee-step-") && !Path::new(folder).exists(), "{folder}");
}

#[tokio::test]
async fn what_cannot_be_read_fails_the_step_and_not_the_worker() {
    let world = World::new().await;
    let steps = json!([
        {"name": "missing", "exec": {"script": "true", "env": {"A": "${{ steps.later.result.nothing }}"}}},
        {"name": "secret", "needs": [], "exec": {"script": "true", "env": {"A": {"env": "NOT_THERE"}}}},
        {"name": "connection", "needs": [], "http": {"connection": "nowhere"}},
        {"name": "interpreter", "needs": [], "exec": {"script": "true", "interpreter": ["/no/such/shell"]}},
        {"name": "later", "needs": [], "catalog": {"record": {"kind": "X", "summary": "x"}}},
    ]);
    world.apply("Playbook", "broken", json!({"steps": steps})).await;
    let run = world.finished("broken", json!({})).await;
    assert_state(&run, RunState::Failed);
    for step in &run.steps {
        assert_eq!(step.state, StepState::Failed, "{step:#?}");
        assert!(!step.reason.is_empty(), "{step:#?}");
    }
    let reasons: Value = run.steps.iter().map(|step| step.reason.clone()).collect();
    assert!(reasons[2].as_str().unwrap().contains("there is no connection `nowhere`"), "{reasons}");
    assert!(reasons[4].as_str().unwrap().contains("the run has no target"), "{reasons}");
}
