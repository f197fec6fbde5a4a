use serde::Deserialize;
use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().expect("an instant")
}

fn playbook(steps: &serde_json::Value) -> Playbook {
    Playbook::deserialize(json!({"steps": steps})).expect("a playbook")
}

fn stands(name: &str, state: StepState) -> WorkStep {
    WorkStep {
        name: name.to_owned(),
        state,
        reason: String::new(),
        attempts: 0,
        failures: 0,
        due_at: None,
        started_at: None,
        result: None,
        output_chunks: 0,
        output_bytes: 0,
        output_dropped: 0,
    }
}

fn three() -> Playbook {
    playbook(&json!([
        {"name": "a", "exec": {"script": "true"}},
        {"name": "b", "exec": {"script": "true"}},
        {"name": "c", "needs": ["a"], "exec": {"script": "true"}},
    ]))
}

#[test]
fn a_step_waits_for_the_one_before_it() {
    let steps =
        [stands("a", StepState::Pending), stands("b", StepState::Pending), stands("c", StepState::Pending)];
    assert_eq!(next(&three(), &steps, now()), Next::Look { step: 0, blocked_by: None });
}

#[test]
fn a_need_that_failed_blocks_and_says_so() {
    let steps =
        [stands("a", StepState::Failed), stands("b", StepState::Pending), stands("c", StepState::Pending)];
    let blocked = Next::Look { step: 1, blocked_by: Some("step `a` is failed".to_owned()) };
    assert_eq!(next(&three(), &steps, now()), blocked);
}

#[test]
fn a_wait_does_not_keep_what_does_not_need_it() {
    let due = now() + chrono::TimeDelta::minutes(5);
    let waiting = WorkStep { due_at: Some(due), ..stands("b", StepState::Waiting) };
    let steps = [stands("a", StepState::Completed), waiting.clone(), stands("c", StepState::Pending)];
    assert_eq!(next(&three(), &steps, now()), Next::Look { step: 2, blocked_by: None });
    let steps = [stands("a", StepState::Completed), waiting, stands("c", StepState::Completed)];
    assert_eq!(next(&three(), &steps, now()), Next::Wait(due));
    assert_eq!(next(&three(), &steps, due), Next::Resume(1));
}

#[test]
fn steps_that_need_one_another_are_stuck_and_not_forgotten() {
    let circle = playbook(&json!([
        {"name": "a", "needs": ["b"], "exec": {"script": "true"}},
        {"name": "b", "needs": ["a"], "exec": {"script": "true"}},
    ]));
    let steps = [stands("a", StepState::Pending), stands("b", StepState::Pending)];
    assert_eq!(next(&circle, &steps, now()), Next::Stuck(0));
}

#[test]
fn a_run_ends_when_every_step_has() {
    let steps =
        [stands("a", StepState::Completed), stands("b", StepState::Unknown), stands("c", StepState::Skipped)];
    assert_eq!(next(&three(), &steps, now()), Next::End);
}

#[test]
fn only_a_condition_on_steps_decides_alone() {
    assert!(speaks_of_steps("steps.a.state == 'failed'", ["x"]));
    assert!(!speaks_of_steps("params.x == 'steps'", ["x"]));
    assert!(!speaks_of_steps("resource.name == 'steps.a'", []));
}

#[test]
fn delays_grow_and_attempts_end() {
    let book = playbook(&json!([
        {"name": "a", "retry": {"attempts": 3, "delay": "10s", "factor": 3.0}, "exec": {"script": "true"}},
        {"name": "b", "exec": {"script": "true"}},
    ]));
    let after =
        |step: usize, failures| retry_after(&book.steps[step], failures).map(|delay| delay.num_seconds());
    assert_eq!(after(0, 1), Some(10));
    assert_eq!(after(0, 2), Some(30));
    assert_eq!(after(0, 3), None);
    assert_eq!(after(1, 1), None);
}
