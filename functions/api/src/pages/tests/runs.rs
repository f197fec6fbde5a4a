//! The pages of runs.

use ::catalog::{
    Page,
    glance::Tail,
    runs::{Run, RunAttempt, RunDetail, RunStep, RunTarget},
};
use model::{RunId, RunState, StepState};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{STYLE, runs as pages},
    MAX_PAGE, at, check, id, now,
    work::{EVIL, owned, playbook},
};

fn run(number: u128, state: RunState, reason: &str) -> Run {
    let live = !state.is_final();
    Run {
        id: RunId(Uuid::from_u128(number)),
        playbook: owned("find-the-cause"),
        generation: 3,
        state,
        reason: owned(reason),
        trigger: owned(if number == 1 { "signal" } else { "api" }),
        requested_by: (number != 1).then(|| owned("mira@shop.example")),
        resource: Some(RunTarget {
            id: id(2),
            kind: owned("AWS::ECS::Service"),
            name: owned("checkout"),
            account: owned("111122223333"),
        }),
        occurred_at: at("2026-03-03T02:16:00Z"),
        created_at: at("2026-03-03T02:16:02Z"),
        started_at: Some(at("2026-03-03T02:16:03Z")),
        ended_at: (!live).then(|| at("2026-03-03T02:16:11Z")),
        due_at: live.then(|| at("2026-03-03T02:32:00Z")),
        cancel_requested_at: None,
        steps_total: 3,
        steps_ended: if live { 1 } else { 3 },
    }
}

pub(super) fn runs() -> Page<Run> {
    let items = vec![
        run(2, RunState::Running, ""),
        run(1, RunState::Completed, ""),
        run(3, RunState::Failed, "step ask failed: it answered 500"),
        run(4, RunState::Cancelled, "too_old"),
    ];
    Page { items, next: Some(owned("older")) }
}

fn step(name: &str, state: StepState, reason: &str, result: Option<Value>) -> RunStep {
    let began = at("2026-03-03T02:16:03Z");
    let attempt = |attempt, outcome: Option<&str>, reason: &str| RunAttempt {
        attempt,
        worker: owned("worker-1"),
        started_at: began,
        ended_at: outcome.map(|_| at("2026-03-03T02:16:05Z")),
        outcome: outcome.map(owned),
        reason: owned(reason),
    };
    let attempts = match state {
        StepState::Completed => vec![attempt(1, Some("completed"), "")],
        StepState::Failed => vec![attempt(1, Some("failed"), "it answered 500"), attempt(2, Some("cut"), "")],
        _ => vec![],
    };
    RunStep {
        name: owned(name),
        state,
        reason: owned(reason),
        idempotency_key: Uuid::from_u128(7),
        started_at: Some(began),
        ended_at: state.is_final().then(|| at("2026-03-03T02:16:05Z")),
        due_at: None,
        result,
        output_bytes: 40,
        output_dropped: 2_000_000,
        attempts,
    }
}

fn detail(run: Run, steps: Vec<RunStep>) -> RunDetail {
    RunDetail {
        run,
        parameters: json!({"since": "6h", "token": {"env": "TOKEN"}, "note": EVIL}),
        signal: Some(json!({"kind": "health.changed", "occurred_at": "2026-03-03T02:16:00Z"})),
        deadline: at("2026-03-03T02:46:00Z"),
        spec: serde_json::to_value(playbook()).unwrap(),
        steps,
    }
}

fn tail(step: &str, stream: &str, text: &str) -> Tail {
    Tail { step: owned(step), stream: owned(stream), text: owned(text) }
}

#[test]
fn runs_are_listed_with_who_asked() {
    check("runs", &pages::render("state=failed", None, Some(&runs()), now()));
    let nothing = Page { items: vec![], next: None };
    check("runs_none", &pages::render("", None, Some(&nothing), now()));
}

#[test]
fn a_run_shows_its_steps_and_what_they_wrote() {
    let steps = vec![
        step("look", StepState::Completed, "", Some(json!({"items": [EVIL]}))),
        step("say", StepState::Failed, &format!("exit 1 {EVIL}"), None),
        step("ask", StepState::Skipped, "say did not complete", None),
    ];
    let detail = detail(run(3, RunState::Failed, "step say failed"), steps);
    let tails = [tail("say", "stdout", "looking & finding\n"), tail("say", "stderr", EVIL)];
    let view = pages::OneView { detail: &detail, tails: &tails, refreshing: false, now: now() };
    let page = view.render();
    assert!(!page.0.contains("<script"), "{}", page.0);
    check("run", &page);
}

#[test]
fn a_live_run_can_be_cancelled() {
    let detail = detail(run(2, RunState::Running, ""), vec![step("look", StepState::Running, "", None)]);
    check("run_live", &pages::OneView { detail: &detail, tails: &[], refreshing: true, now: now() }.render());
}

#[test]
fn megabytes_of_output_make_a_small_page() {
    let name = |number: usize| format!("step-{number}");
    let steps = (0..200)
        .map(|n| step(&name(n), StepState::Failed, &"<why> ".repeat(500), Some(json!("x".repeat(9_000)))));
    let detail = detail(run(3, RunState::Failed, &"<why> ".repeat(500)), steps.collect());
    let tails: Vec<Tail> = (0..30).map(|n| tail(&name(n), "stdout", &"<&>".repeat(30_000))).collect();
    let page = pages::OneView { detail: &detail, tails: &tails, refreshing: false, now: now() }.render();
    assert!(page.0.len() + STYLE.len() < MAX_PAGE, "{} bytes", page.0.len());
    assert!(page.0.contains("The end of "), "nothing says that the output was cut");
}

#[test]
fn a_run_never_shows_what_stands_where_a_secret_is_kept() {
    let mut detail = detail(run(3, RunState::Failed, ""), vec![]);
    detail.parameters = json!({"token": "hunter2"});
    let page = pages::OneView { detail: &detail, tails: &[], refreshing: false, now: now() }.render();
    assert!(!page.0.contains("hunter2") && page.0.contains("secret: "), "{}", page.0);
}
