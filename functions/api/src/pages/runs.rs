//! What ran: executions of playbooks.

mod one;

#[cfg(test)]
pub(super) use one::View as OneView;
pub(super) use one::{cancel, page as one};

use std::sync::Arc;

use ::catalog::{
    Page,
    runs::{Run, RunQuery},
};
use axum::extract::State;
use maud::{Markup, html};
use model::{RunState, Timestamp};
use serde::Deserialize;

use super::{Answer, layout, text, tone, with_status};
use crate::{
    App,
    input::{Params, selector},
    problem::Problem,
};

/// How many runs a page lists.
const LISTED: u16 = 30;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunsParams {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

pub(super) async fn page(State(app): State<Arc<App>>, params: Result<Params<RunsParams>, Problem>) -> Answer {
    let Params(RunsParams { q, cursor }) = params?;
    let read = async {
        let query = RunQuery { selector: selector(Some(&q))?, limit: LISTED, cursor, resource: None };
        Ok::<_, Problem>(app.context.catalog.runs(&query).await?)
    };
    let (page, wrong) = super::or_shown(read.await)?;
    let error = wrong.as_ref().map(|problem| problem.detail.as_str());
    let now = app.context.clock.now();
    Ok(with_status(render(&q, error, page.as_ref(), now), wrong.as_ref()))
}

pub(super) fn render(q: &str, error: Option<&str>, page: Option<&Page<Run>>, now: Timestamp) -> Markup {
    let next = page.and_then(|page| page.next.as_deref());
    let next = next.map(|cursor| text::address("/runs", &[("q", q), ("cursor", cursor)]));
    let body = html! {
        div class="head" { h1 { "Runs" } p class="lead" { "What playbooks did, newest first" } }
        form action="/runs" method="get" role="search" class="panel" {
            (layout::search("Search runs", q, error, &hint()))
        }
        (tone::states("/runs", "state", RunState::WORDS, q))
        @match page {
            None => p class="none" { "Nothing was searched." },
            Some(page) if page.items.is_empty() => div class="none" {
                p { "No run fits." }
                @if q.trim().is_empty() {
                    p { "A playbook runs when a signal or a schedule says so, or somebody who looks at a resource. See which there are under " a href="/manifests?kind=Playbook" { "Manifests" } "." }
                }
            },
            Some(page) => (rows(&page.items, Under::Nothing, now)),
        }
        (layout::next(next.as_deref(), "Older runs"))
    };
    layout::page(Some(layout::Place::Runs), "Runs", &body)
}

fn hint() -> Markup {
    html! {
        "For example " code { "playbook=diagnose*" } " " code { "trigger=signal" } " " code { "requested_by=*" } " "
        code { "type=AWS::ECS::*" } ". A free word is looked for in the playbook, the reason and the resource's name."
    }
}

/// Under what a list stands, and so need not say again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    Nothing,
    /// The resource that they ran on.
    Resource,
}

/// Runs, one below the other.
pub(super) fn rows(runs: &[Run], under: Under, now: Timestamp) -> Markup {
    html! { ul class="rows" { @for run in runs { (row(run, under, now)) } } }
}

fn row(run: &Run, under: Under, now: Timestamp) -> Markup {
    html! {
        li {
            p class="line" {
                (tone::run(run.state))
                a class="title" href={ "/runs/" (run.id) } { (text::cut(&run.playbook, 120)) }
                @if under == Under::Nothing {
                    @if let Some(target) = &run.resource {
                        span class="quiet" { "on" }
                        a href={ "/resources/" (target.id) } { (text::cut(&target.name, 120)) }
                    }
                }
            }
            @if !run.reason.is_empty() { p class="summary" { (layout::coded(&text::cut(&run.reason, 300))) } }
            p class="meta" {
                (layout::ago(run.created_at, now)) " · " (started_by(run))
                @if run.steps_total > 0 { " · " (run.steps_ended) " of " (text::counted(run.steps_total, "step")) }
                @if let Some(took) = tone::took(run.started_at, run.ended_at, now) { " · " (took) }
            }
        }
    }
}

/// What started it, in words.
pub(super) fn started_by(run: &Run) -> String {
    match (run.trigger.as_str(), run.requested_by.as_deref()) {
        (_, Some(who)) => format!("asked for by {}", text::cut(who, 120)),
        ("signal", None) => "started by a signal".to_owned(),
        ("schedule", None) => "started by its schedule".to_owned(),
        (_, None) => "asked for".to_owned(),
    }
}
