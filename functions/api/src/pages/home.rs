//! What somebody wants to know first: what is unhealthy, what changed, what ran, what was told, and how far that
//! can be trusted.

use std::{collections::BTreeMap, sync::Arc};

use ::catalog::{
    Change, ChangeQuery, Page, SourceStatus,
    deliveries::{Delivery, DeliveryQuery},
    glance::Tally,
    health::{HealthQuery, ResourceHealth},
    runs::{Run, RunQuery},
};
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect},
};
use maud::{Markup, html};
use model::{DeliveryState, Health, RunState, Timestamp};
use selector::Selector;

use super::{Answer, deliveries, feed, health, layout, runs, text, tone};
use crate::{App, problem::Problem};

/// How much of each the page shows.
const UNHEALTHY: u16 = 8;
const CHANGES: u16 = 8;
const RUNS: u16 = 6;
const DELIVERIES: u16 = 5;

/// What people changed, rather than what became of it: states and notices follow by themselves.
pub(super) const DONE: &str = "read_only=false category!=state,notice";

pub(super) async fn page(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Answer {
    // The search was here once, and links to it live on.
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        return Ok(Redirect::temporary(&format!("/resources?{query}")).into_response());
    }
    let found = Found::read(&app).await?;
    Ok(found.render(app.context.clock.now()).into_response())
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The worst, the latest of them first.
    pub(super) unhealthy: Page<ResourceHealth>,
    /// What people changed.
    pub(super) changes: Vec<Change>,
    /// What ran.
    pub(super) runs: Vec<Run>,
    /// What could not be told.
    pub(super) failed: Vec<Delivery>,
    /// What was told.
    pub(super) told: Vec<Delivery>,
    /// What is heard from.
    pub(super) sources: Vec<SourceStatus>,
    /// How many there are of what.
    pub(super) tally: Tally,
}

impl Found {
    async fn read(app: &App) -> Result<Self, Problem> {
        let catalog = &app.context.catalog;
        let now = app.context.clock.now();
        let selected = |text: &str| -> Result<Selector, Problem> { Ok(selector::parse(text)?) };
        let not_well = selected("health=unhealthy,warning")?;
        let unhealthy = HealthQuery { selector: not_well, limit: UNHEALTHY, ..HealthQuery::default() };
        let changes = ChangeQuery { selector: selected(DONE)?, limit: CHANGES, ..ChangeQuery::default() };
        let told = |text: &str| -> Result<DeliveryQuery, Problem> {
            Ok(DeliveryQuery { selector: selected(text)?, limit: DELIVERIES, ..DeliveryQuery::default() })
        };
        Ok(Self {
            unhealthy: catalog.health_list(&unhealthy).await?,
            changes: catalog.changes(&changes).await?.items,
            runs: catalog.runs(&RunQuery { limit: RUNS, ..RunQuery::default() }).await?.items,
            failed: catalog.deliveries(&told("state=failed")?).await?.items,
            told: catalog.deliveries(&told("state!=failed")?).await?.items,
            sources: catalog.sources().await?,
            tally: catalog.tally(now).await?,
        })
    }

    pub(super) fn render(&self, now: Timestamp) -> Markup {
        let body = if self.is_empty() { super::catalog::nothing_yet() } else { self.body(now) };
        layout::page(Some(layout::Place::Home), "Home", &body)
    }

    fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.changes.is_empty() && self.tally == Tally::default()
    }

    fn body(&self, now: Timestamp) -> Markup {
        html! {
            div class="head" { h1 { (self.headline()) } p class="lead" { (self.coverage(now)) } }
            form action="/resources" method="get" role="search" class="find" {
                label for="q" class="sr" { "Search resources" }
                input id="q" type="search" name="q" placeholder="Find a resource: a name, an id, type=AWS::ECS::*" autocomplete="off" autocapitalize="off" spellcheck="false";
                button type="submit" { "Search" }
            }
            div class="home" {
                div { (self.unhealthy(now)) (self.changed(now)) }
                div { (self.ran(now)) (self.told(now)) }
            }
        }
    }

    fn headline(&self) -> String {
        let count = |health: Health| sum(&self.tally.health, health.as_str());
        match (count(Health::Unhealthy), count(Health::Warning)) {
            (0, 0) if self.tally.health.is_empty() => "Nothing is judged yet".to_owned(),
            (0, 0) => "Nothing is unhealthy".to_owned(),
            (0, warnings) => text::counted(warnings, "warning"),
            (unhealthy, _) => format!("{} unhealthy", text::number(unhealthy)),
        }
    }

    /// How far all this can be trusted, in a line.
    fn coverage(&self, now: Timestamp) -> Markup {
        let mut names: Vec<&str> = self.sources.iter().map(|source| source.source.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let heard = self.sources.iter().map(|source| source.heard_at).max();
        let gaps = ["unrecorded", "failed", "held", "incomplete"];
        let gaps = gaps.iter().map(|state| (sum(&self.tally.places, state), *state));
        html! {
            a href="/sources" { (text::counted(i64::try_from(names.len()).unwrap_or(i64::MAX), "source")) }
            @if let Some(heard) = heard { ", last heard " (layout::ago(heard, now)) }
            @for (count, state) in gaps { @if count > 0 { "; " a href="/sources" { (text::counted(count, "region")) " " (state) } } }
        }
    }

    fn unhealthy(&self, now: Timestamp) -> Markup {
        html! {
            section aria-labelledby="unhealthy" {
                h2 id="unhealthy" { "What is unhealthy" }
                @if self.unhealthy.items.is_empty() {
                    p class="none" {
                        @if self.tally.health.is_empty() { "No rule has judged anything yet." }
                        @else { "Every resource that a rule judges is healthy, or nothing is known of it." }
                    }
                } @else { (health::rows(&self.unhealthy.items, now)) }
                p class="after" { a href="/health" { @if self.unhealthy.next.is_some() { "All that is not well" } @else { "Health of everything" } } }
            }
        }
    }

    fn changed(&self, now: Timestamp) -> Markup {
        let all = text::address("/changes", &[("q", DONE)]);
        html! {
            section aria-labelledby="changed" {
                h2 id="changed" { "What changed lately" }
                @if self.changes.is_empty() { p class="none" { "No change was recorded." } }
                @else { (feed::brief(&self.changes.iter().collect::<Vec<_>>(), &BTreeMap::new(), now)) }
                p class="after" { a href=(all) { "All changes" } }
            }
        }
    }

    fn ran(&self, now: Timestamp) -> Markup {
        let live = [RunState::Running, RunState::Waiting, RunState::Scheduled, RunState::AwaitingApproval];
        let live = live.iter().map(|state| sum(&self.tally.runs, state.as_str())).sum();
        html! {
            section aria-labelledby="ran" {
                h2 id="ran" { "What ran" }
                (counts("/runs", &[("live", live), ("failed", sum(&self.tally.runs, RunState::Failed.as_str())), ("unknown", sum(&self.tally.runs, RunState::Unknown.as_str()))]))
                @if self.runs.is_empty() { p class="none" { "No playbook ran yet." } }
                @else { (runs::rows(&self.runs, runs::Under::Nothing, now)) }
                p class="after" { a href="/runs" { "All runs" } }
            }
        }
    }

    fn told(&self, now: Timestamp) -> Markup {
        let count = |state: DeliveryState| (state.as_str(), sum(&self.tally.deliveries, state.as_str()));
        html! {
            section aria-labelledby="told" {
                h2 id="told" { "What was told" }
                (counts("/deliveries", &[count(DeliveryState::Failed), count(DeliveryState::Pending)]))
                @if self.failed.is_empty() && self.told.is_empty() { p class="none" { "Nobody was told anything yet." } }
                @else {
                    @if !self.failed.is_empty() { (deliveries::rows(&self.failed, now)) }
                    @if !self.told.is_empty() { (deliveries::rows(&self.told, now)) }
                }
                p class="after" { a href="/deliveries" { "All deliveries" } }
            }
        }
    }
}

fn sum(counts: &BTreeMap<String, i64>, state: &str) -> i64 {
    counts.get(state).copied().unwrap_or_default()
}

/// Of the last day, those that are not nought. A word that is no state leads to all.
fn counts(path: &str, counts: &[(&str, i64)]) -> Markup {
    let some: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
    let href = |state: &str| match state {
        "live" => text::address(path, &[("q", "state=running,waiting,scheduled,awaiting_approval")]),
        state => text::address(path, &[("q", &format!("state={state}"))]),
    };
    html! {
        @if !some.is_empty() {
            p class="meta counts" {
                @for (place, (state, count)) in some.iter().enumerate() {
                    @if place > 0 { " · " }
                    a href=(href(state)) { (text::number(*count)) " " (tone::spaced(state)) }
                }
                " in 24 h"
            }
        }
    }
}
