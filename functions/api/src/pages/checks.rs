//! Synthetic probes, and how their runs went.

use std::sync::Arc;

use ::catalog::{
    Page,
    checks::{Check, CheckResult},
};
use axum::{extract::State, response::IntoResponse};
use maud::{Markup, html};
use model::{CheckState, Timestamp};
use serde::Deserialize;

use super::{Answer, layout, text, tone};
use crate::{
    App,
    input::{Name, Params},
    problem::Problem,
    rest::no_such_check,
};

/// How many checks a page lists, and how many results of one.
const LISTED: u16 = 50;
const RESULTS: u16 = 60;
/// How many results are told in words.
const TOLD: usize = 25;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChecksParams {
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<ChecksParams>, Problem>,
) -> Answer {
    let Params(ChecksParams { cursor }) = params?;
    let now = app.context.clock.now();
    let page = app.context.catalog.checks(now, LISTED, cursor.as_deref()).await?;
    Ok(render(&page, now).into_response())
}

pub(super) fn render(page: &Page<Check>, now: Timestamp) -> Markup {
    let next = page.next.as_deref().map(|cursor| text::address("/checks", &[("cursor", cursor)]));
    let body = html! {
        div class="head" { h1 { "Checks" } p class="lead" { "Probes that ask as a user would" } }
        @if page.items.is_empty() {
            div class="none" { p { "No check is applied. Write one with " code { "perigee init Check" } " and apply it with " code { "perigee apply -f FILE" } "." } }
        } @else { (rows(&page.items, now)) }
        (layout::next(next.as_deref(), "More checks"))
    };
    layout::page(Some(layout::Place::Health), "Checks", &body)
}

/// Checks, one below the other.
pub(super) fn rows(checks: &[Check], now: Timestamp) -> Markup {
    html! {
        ul class="rows" {
            @for check in checks {
                li {
                    p class="line" {
                        (tone::check(check.state))
                        a class="title" href={ "/checks/" (text::segment(&check.name)) } { (text::cut(&check.name, 120)) }
                        span class="quiet" { (text::cut(&check.target, 160)) }
                    }
                    @if !check.reason.is_empty() { p class="summary" { (text::cut(&check.reason, 300)) } }
                    p class="meta" {
                        "since " (layout::ago(check.since, now))
                        @if let Some(at) = check.ran_at { " · last run " (layout::ago(at, now)) } @else { " · not run yet" }
                        @if let Some(uptime) = check.uptime { " · " (share(uptime)) " of 24 h up" }
                        @if let Some(p95) = check.p95_ms { " · p95 " (milliseconds(p95)) }
                    }
                }
            }
        }
    }
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    name: Result<Name, Problem>,
    params: Result<Params<ChecksParams>, Problem>,
) -> Answer {
    let (Name { name }, Params(ChecksParams { cursor })) = (name?, params?);
    let now = app.context.clock.now();
    let catalog = &app.context.catalog;
    let check = catalog.check_of_name(&name, now).await?.ok_or_else(|| no_such_check(&name))?;
    let results = catalog.check_results(check.id, RESULTS, cursor.as_deref()).await?;
    Ok(render_one(&check, &results, now).into_response())
}

pub(super) fn render_one(check: &Check, results: &Page<CheckResult>, now: Timestamp) -> Markup {
    let path = format!("/checks/{}", text::segment(&check.name));
    let next = results.next.as_deref().map(|cursor| text::address(&path, &[("cursor", cursor)]));
    let body = html! {
        nav class="crumbs" aria-label="Breadcrumb" { a href="/checks" { "Checks" } }
        div class="head" { h1 { (text::cut(&check.name, 200)) } (tone::check(check.state)) }
        @if !check.reason.is_empty() { p class="banner" role="note" { (text::cut(&check.reason, 600)) } }
        (facts(check, now))
        section aria-labelledby="results" {
            h2 id="results" { "Results" }
            @if results.items.is_empty() { p class="none" { "It was not run yet." } }
            @else {
                (bars(&results.items))
                ul class="rows" { @for result in results.items.iter().take(TOLD) { (told(result, now)) } }
            }
            (layout::next(next.as_deref(), "Older results"))
        }
    };
    layout::page(Some(layout::Place::Health), &check.name, &body)
}

fn facts(check: &Check, now: Timestamp) -> Markup {
    html! {
        section class="panel" aria-label="Facts" {
            dl class="facts grid" {
                div { dt { "Asks" } dd class="mono" { (text::cut(&check.target, 300)) } }
                @if let Some(id) = check.resource { div { dt { "Resource" } dd { a href={ "/resources/" (id) } { "the resource that it probes" } } } }
                div { dt { "Since" } dd { (layout::time(check.since, now)) } }
                div { dt { "Last run" } dd { @if let Some(at) = check.ran_at { (layout::time(at, now)) } @else { "not yet" } } }
                div { dt { "Next run" } dd { (layout::time(check.due_at, now)) } }
                @if let Some(uptime) = check.uptime { div { dt { "Up, of 24 hours" } dd { (share(uptime)) span class="sub" { "of " (text::counted(check.runs, "run")) } } } }
                @if let Some(p95) = check.p95_ms { div { dt { "Latency, 95 of 100 within" } dd { (milliseconds(p95)) } } }
                @if check.failures > 0 { div { dt { "Failures in a row" } dd { (check.failures) } } }
                div { dt { "Manifest" } dd { a href={ "/manifests/Check/" (text::segment(&check.name)) } { (text::cut(&check.name, 120)) } } }
            }
        }
    }
}

fn told(result: &CheckResult, now: Timestamp) -> Markup {
    html! {
        li {
            p class="line" {
                (tone::check(result.state))
                span { (layout::time(result.at, now)) }
                span class="quiet" {
                    @if let Some(status) = result.status { "answered " (status) " " }
                    @if let Some(latency) = result.latency_ms { "in " (milliseconds(latency)) }
                }
            }
            @if !result.reason.is_empty() { p class="summary" { (text::cut(&result.reason, 300)) } }
        }
    }
}

/// The results from the oldest to the latest: how high says how long the answer took, the colour how it went.
fn bars(results: &[CheckResult]) -> Markup {
    let longest = results.iter().filter_map(|result| result.latency_ms).fold(1.0, f64::max);
    let failing = results.iter().filter(|result| result.state == CheckState::Failing).count();
    let words = format!(
        "{} results, {failing} of them failing; the slowest took {}",
        results.len(),
        milliseconds(longest)
    );
    let step = 600.0 / f64::from(RESULTS);
    // The latest stands at the right, however few there are.
    let first = u32::from(RESULTS).saturating_sub(u32::try_from(results.len()).unwrap_or(u32::MAX));
    html! {
        figure class="histogram" {
            svg viewBox="0 0 600 48" preserveAspectRatio="none" role="img" aria-label=(words) {
                @for (place, result) in (first..).zip(results.iter().rev()) {
                    @let height = result.latency_ms.map_or(44.0, |latency| (latency / longest * 44.0).clamp(3.0, 44.0));
                    rect class=(match result.state { CheckState::Passing => "bar good", CheckState::Failing => "bar failed", CheckState::Unknown => "bar none-known" })
                        x=(format!("{:.1}", f64::from(place) * step + 1.0)) y=(format!("{:.1}", 46.0 - height)) width=(format!("{:.1}", step - 2.0)) height=(format!("{height:.1}")) {}
                }
                line class="axis" x1="0" x2="600" y1="47" y2="47" {}
            }
            figcaption { span { "older" } span class="middle" { (words) } span { "latest" } }
        }
    }
}

/// `99.5 %`
fn share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn milliseconds(latency: f64) -> String {
    format!("{latency:.0} ms")
}
