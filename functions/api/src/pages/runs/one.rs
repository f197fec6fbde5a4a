//! One run: what started it, its steps, and what they wrote.

use std::{collections::BTreeMap, sync::Arc};

use ::catalog::{
    glance::Tail,
    runs::{Run, RunAttempt, RunDetail, RunStep},
};
use axum::{
    extract::State,
    http::HeaderValue,
    response::{IntoResponse, Redirect, Response},
};
use manifest::{Playbook, kinds::playbook::ParameterType};
use maud::{Markup, html};
use model::{RunId, SecretRef, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::started_by;
use crate::{
    App,
    input::{Name, Params},
    pages::{Answer, layout, text, tone},
    problem::{Kind, Problem},
};

/// How much output a page prints in all, and of one step, in bytes of markup.
const OUTPUT: usize = 20_000;
const OUTPUT_OF_STEP: usize = 10_000;
/// How much of results and of reasons a page prints in all, and of one step, in characters.
const RESULTS: usize = 12_000;
const RESULT_OF_STEP: usize = 1_500;
const REASONS: usize = 6_000;
const REASON_OF_STEP: usize = 600;
/// How many steps, attempts at one and parameters are shown, and how much of a value.
const STEPS: usize = 40;
const ATTEMPTS: usize = 5;
const MAX_VALUE: usize = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunParams {
    /// `off` shows a run that is live as it is now, and lets it stand.
    #[serde(default)]
    live: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    name: Result<Name, Problem>,
    params: Result<Params<RunParams>, Problem>,
) -> Answer {
    let (Name { name }, Params(RunParams { live })) = (name?, params?);
    let id = run_id(&name)?;
    let catalog = &app.context.catalog;
    let detail = catalog.run(id).await?.ok_or_else(|| no_such_run(&name))?;
    let tails = catalog.run_tails(id, i64::try_from(OUTPUT_OF_STEP).unwrap_or(i64::MAX)).await?;
    let refreshing = !detail.run.state.is_final() && live != "off";
    let view = View { detail: &detail, tails: &tails, refreshing, now: app.context.clock.now() };
    let mut response = view.render().into_response();
    if refreshing {
        refresh(&mut response);
    }
    Ok(response)
}

/// Has the browser ask again. As a header it works without a script, and the page offers to stop it.
fn refresh(response: &mut Response) {
    response.headers_mut().insert("refresh", HeaderValue::from_static("3"));
}

/// Asks for the end of a run, and shows the run.
pub(crate) async fn cancel(State(app): State<Arc<App>>, name: Result<Name, Problem>) -> Answer {
    let Name { name } = name?;
    let id = run_id(&name)?;
    let by = crate::pages::playbooks::WHO;
    let found = app.context.catalog.cancel_run(id, Some(by), app.context.clock.now()).await?;
    found.ok_or_else(|| no_such_run(&name))?;
    Ok(Redirect::to(&format!("/runs/{id}")).into_response())
}

fn run_id(name: &str) -> Result<RunId, Problem> {
    name.parse().map_err(|_| no_such_run(name))
}

fn no_such_run(name: &str) -> Problem {
    let shown = text::cut(name, 100);
    Problem::new(Kind::NotFound, format!("No run has the id `{shown}`; GET /api/v1/runs lists them."))
}

/// What the page shows.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) detail: &'a RunDetail,
    /// The end of what each step wrote.
    pub(crate) tails: &'a [Tail],
    /// Whether the browser will ask again by itself.
    pub(crate) refreshing: bool,
    pub(crate) now: Timestamp,
}

/// How much of the page a step may have.
#[derive(Debug)]
struct Share {
    output: usize,
    result: usize,
    reason: usize,
}

impl View<'_> {
    pub(crate) fn render(&self) -> Markup {
        let run = &self.detail.run;
        let spec: Option<Playbook> = serde_json::from_value(self.detail.spec.clone()).ok();
        let title = spec.as_ref().and_then(|spec| spec.title.clone()).unwrap_or_else(|| run.playbook.clone());
        let body = html! {
            nav class="crumbs" aria-label="Breadcrumb" {
                a href="/runs" { "Runs" } " / " a href=(text::address("/runs", &[("q", &format!("playbook=\"{}\"", run.playbook))])) { (run.playbook) }
            }
            div class="head" { h1 { (text::cut(&title, 200)) } (tone::run(run.state)) }
            (self.live())
            @if !run.reason.is_empty() { p class={ "banner " (banner_tone(run)) } role="note" { (layout::coded(&text::cut(&run.reason, 600))) } }
            (self.facts())
            (self.parameters(spec.as_ref()))
            (self.steps(spec.as_ref()))
            (self.told())
        };
        layout::page(Some(layout::Place::Runs), &format!("Run of {}", run.playbook), &body)
    }

    /// Of a run that is live: that the page keeps up with it, and how to end it.
    fn live(&self) -> Markup {
        let run = &self.detail.run;
        html! {
            @if !run.state.is_final() {
                div class="live-line" {
                    p class="quiet" {
                        @if self.refreshing { "This page keeps up with the run. " a href={ "/runs/" (run.id) "?live=off" } { "Let it stand" } }
                        @else { "This page stands still. " a href={ "/runs/" (run.id) } { "Keep up with the run" } }
                    }
                    @if run.cancel_requested_at.is_some() { p class="quiet" { "Its end was asked for." } }
                    @else {
                        form action={ "/runs/" (run.id) "/cancel" } method="post" { button type="submit" class="second" { "Cancel the run" } }
                    }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let run = &self.detail.run;
        html! {
            section class="panel" aria-label="Facts" {
                dl class="facts grid" {
                    @if let Some(target) = &run.resource {
                        div { dt { "Resource" } dd { a href={ "/resources/" (target.id) } { (text::cut(&target.name, 120)) } span class="sub" { (layout::kind(&target.kind)) } } }
                    }
                    div { dt { "Started by" } dd { (started_by(run)) (self.signal()) } }
                    div { dt { "Asked for" } dd { (layout::time(run.created_at, self.now)) } }
                    @if let Some(at) = run.started_at { div { dt { "Begun" } dd { (layout::time(at, self.now)) } } }
                    @if let Some(at) = run.ended_at { div { dt { "Ended" } dd { (layout::time(at, self.now)) } } }
                    @if let Some(took) = tone::took(run.started_at, run.ended_at, self.now) { div { dt { "Took" } dd { (took) } } }
                    @if let Some(at) = run.due_at.filter(|_| !run.state.is_final()) { div { dt { "Goes on" } dd { (layout::time(at, self.now)) } } }
                    div { dt { "Playbook" } dd { a href={ "/manifests/Playbook/" (text::segment(&run.playbook)) } { (run.playbook) } span class="sub" { "generation " (run.generation) } } }
                    div { dt { "Id" } dd class="mono" { (run.id) } }
                }
            }
        }
    }

    /// Where it is said who was told.
    fn told(&self) -> Markup {
        let run = &self.detail.run;
        let of = |id: String| text::address("/deliveries", &[("q", &format!("subject={id}"))]);
        html! {
            p class="after" {
                a href=(of(run.id.to_string())) { "What was told of this run" }
                @if let Some(target) = &run.resource { " · " a href=(of(target.id.to_string())) { "What was told of " (text::cut(&target.name, 120)) } }
            }
        }
    }

    /// The signal that started it, in a line.
    fn signal(&self) -> Markup {
        let said = |name: &str| self.detail.signal.as_ref()?.get(name)?.as_str();
        html! {
            @if let Some(kind) = said("kind") {
                span class="sub" {
                    (text::cut(kind, 60))
                    @if let Some(at) = said("occurred_at").and_then(|at| at.parse::<Timestamp>().ok()) { " · " (layout::ago(at, self.now)) }
                }
            }
        }
    }

    fn parameters(&self, spec: Option<&Playbook>) -> Markup {
        let Some(given) = self.detail.parameters.as_object().filter(|given| !given.is_empty()) else {
            return html! {};
        };
        html! {
            section aria-labelledby="parameters" {
                h2 id="parameters" { "Parameters" }
                dl class="facts grid" {
                    @for (name, value) in given.iter().take(STEPS) {
                        div { dt { (text::cut(name, 80)) } dd { (parameter(spec, name, value)) } }
                    }
                }
            }
        }
    }

    fn steps(&self, spec: Option<&Playbook>) -> Markup {
        let mut written: BTreeMap<&str, Vec<&Tail>> = BTreeMap::new();
        for tail in self.tails {
            written.entry(&tail.step).or_default().push(tail);
        }
        let steps = &self.detail.steps;
        let parts = steps.len().clamp(1, STEPS);
        let share = Share {
            output: (OUTPUT / written.len().clamp(1, STEPS)).min(OUTPUT_OF_STEP),
            result: (RESULTS / parts).min(RESULT_OF_STEP),
            reason: (REASONS / parts).min(REASON_OF_STEP),
        };
        html! {
            section aria-labelledby="steps" {
                h2 id="steps" { "Steps" }
                @if steps.is_empty() { p class="none" { "It was not executed: no step began." } }
                ol class="steps" {
                    @for step in steps.iter().take(STEPS) {
                        (self.step(step, verb(spec, &step.name), written.get(step.name.as_str()).map(Vec::as_slice), &share))
                    }
                }
                @if steps.len() > STEPS { p class="hint" { "and " (steps.len() - STEPS) " more; " a href={ "/api/v1/runs/" (self.detail.run.id) } { "the API has all of them" } "." } }
            }
        }
    }

    fn step(&self, step: &RunStep, verb: &str, written: Option<&[&Tail]>, share: &Share) -> Markup {
        html! {
            li {
                p class="line" {
                    (tone::step(step.state))
                    strong { (text::cut(&step.name, 120)) }
                    @if !verb.is_empty() { span class="quiet" { (verb) } }
                }
                @if !step.reason.is_empty() { p class="summary" { (layout::coded(&text::cut(&step.reason, share.reason))) } }
                p class="meta" {
                    @if let Some(took) = tone::took(step.started_at, step.ended_at, self.now) { (took) " · " }
                    (text::counted(i64::try_from(step.attempts.len()).unwrap_or(i64::MAX), "attempt"))
                    @if let Some(at) = step.due_at.filter(|_| !step.state.is_final()) { " · goes on " (layout::ago(at, self.now)) }
                }
                (attempts(&step.attempts, share.reason, self.now))
                (result(step, share.result))
                (self.output(step, written, share.output))
            }
        }
    }

    /// The end of what the step wrote.
    fn output(&self, step: &RunStep, written: Option<&[&Tail]>, mut left: usize) -> Markup {
        let Some(written) = written else { return html! {} };
        let mut shown: Vec<(&str, &str)> = Vec::new();
        let mut whole = true;
        for tail in written.iter().rev() {
            let (text, cut) = text::tail(&tail.text, &mut left);
            shown.push((tail.stream.as_str(), text));
            if cut {
                whole = false;
                break;
            }
        }
        shown.reverse();
        let held: usize = written.iter().map(|tail| tail.text.len()).sum();
        let whole = whole && usize::try_from(step.output_bytes).unwrap_or(usize::MAX) <= held;
        html! {
            @if !whole || step.output_dropped > 0 {
                p class="meta" {
                    "The end of " (text::bytes(step.output_bytes))
                    @if step.output_dropped > 0 { "; " (text::bytes(step.output_dropped)) " more were not kept" }
                    ". " a href=(text::address(&format!("/api/v1/runs/{}/output", self.detail.run.id), &[("step", &step.name)])) { "All that is kept" }
                }
            }
            pre class="output" role="group" tabindex="0" aria-label={ "Output of " (step.name) } {
                code { @for (stream, text) in shown { @if stream == "stderr" { span class="err" { (text) } } @else { (text) } } }
            }
        }
    }
}

/// A failure is red, what nobody knows is amber, what a person or a guard stopped is grey.
fn banner_tone(run: &Run) -> &'static str {
    match run.state {
        model::RunState::Failed => "",
        model::RunState::Unknown => "warn",
        model::RunState::Scheduled
        | model::RunState::AwaitingApproval
        | model::RunState::Running
        | model::RunState::Waiting
        | model::RunState::Completed
        | model::RunState::Cancelled => "calm",
    }
}

/// A value. Of a secret only where it is kept, even if something else should stand there.
fn parameter(spec: Option<&Playbook>, name: &str, value: &Value) -> Markup {
    if value.is_null() {
        return html! { span class="quiet" { "not given" } };
    }
    let known = spec.and_then(|spec| spec.parameters.iter().find(|parameter| parameter.name == name));
    if known.is_some_and(|parameter| parameter.kind == ParameterType::Secret) {
        let kept = serde_json::from_value::<SecretRef>(value.clone());
        return html! { span class="quiet" { "secret: " } (kept.map_or_else(|_| "kept elsewhere".to_owned(), |kept| kept.to_string())) };
    }
    let resource = known.is_some_and(|parameter| parameter.kind == ParameterType::Resource);
    let id = value.get("id").unwrap_or(value).as_str();
    html! {
        @match (resource, id, value) {
            (true, Some(id), _) => a href={ "/resources/" (text::segment(id)) } { (text::cut(value.get("name").and_then(Value::as_str).unwrap_or(id), MAX_VALUE)) },
            (_, _, Value::String(text)) => code { (text::cut(text, MAX_VALUE)) },
            _ => code { (text::cut(&value.to_string(), MAX_VALUE)) },
        }
    }
}

/// What a step does, in a word.
fn verb(spec: Option<&Playbook>, name: &str) -> &'static str {
    let Some(step) = spec.and_then(|spec| spec.steps.iter().find(|step| step.name == name)) else {
        return "";
    };
    match (&step.http, &step.exec, &step.wait, &step.catalog) {
        (Some(_), _, _, _) => "request",
        (_, Some(_), _, _) => "script",
        (_, _, Some(_), _) => "wait",
        (_, _, _, Some(_)) => "catalog",
        (None, None, None, None) => "",
    }
}

/// Each attempt, where there was more than one or one says why.
fn attempts(attempts: &[RunAttempt], length: usize, now: Timestamp) -> Markup {
    let telling = attempts.len() > 1 || attempts.iter().any(|attempt| !attempt.reason.is_empty());
    let first = attempts.len().saturating_sub(ATTEMPTS);
    html! {
        @if telling {
            ul class="attempts" {
                @for attempt in attempts.iter().skip(first) {
                    li {
                        "Attempt " (attempt.attempt) ": " (attempt.outcome.as_deref().unwrap_or("under way"))
                        @if let Some(took) = tone::took(Some(attempt.started_at), attempt.ended_at, now).filter(|_| attempt.ended_at.is_some()) { " after " (took) }
                        @if !attempt.reason.is_empty() { " · " (text::cut(&attempt.reason, length / 2)) }
                    }
                }
            }
        }
    }
}

fn result(step: &RunStep, length: usize) -> Markup {
    let Some(result) = step.result.as_ref().filter(|result| !result.is_null()) else { return html! {} };
    let printed = serde_json::to_string_pretty(result).unwrap_or_default();
    html! {
        details class="more" {
            summary { "Result" span class="sr" { " of " (step.name) } }
            pre role="group" tabindex="0" aria-label={ "Result of " (step.name) } { code { (text::cut(&printed, length)) } }
        }
    }
}
