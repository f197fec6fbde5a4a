//! How well a resource is, how that changed, what probes it, what ran on it and what may be run.

use ::catalog::{
    Page,
    checks::Check,
    health::{HealthChange, ResourceHealth},
    runs::Run,
};
use maud::{Markup, html};
use model::{ResourceId, Timestamp, Transition};

use super::super::{
    checks, layout,
    playbooks::{self, Offer},
    runs, text, tone,
};

/// How many playbooks are offered.
const OFFERED: usize = 8;
/// How many checks are shown.
const CHECKS: usize = 8;

/// The verdict, before anything else.
pub(super) fn banner(health: &ResourceHealth, now: Timestamp) -> Markup {
    let verdict = &health.state.verdict;
    html! {
        section class={ "panel health " (tone::health_tone(verdict.health)) } aria-label="Health" {
            p class="line" {
                (tone::health(verdict.health)) strong class="status" { (text::cut(&verdict.status, 120)) }
                @if !verdict.ready { span class="quiet" { "not settled" } }
            }
            @if !verdict.reason.is_empty() { p class="summary" { (text::cut(&verdict.reason, 1000)) } }
            p class="meta" {
                "since " (layout::time(health.state.since, now))
                @if let Some(rule) = &verdict.rule { " · rule " code { (text::cut(rule, 120)) } }
                " · judged " (layout::ago(health.state.judged_at, now))
                @if let Some(until) = verdict.until { " · changes by itself " (layout::ago(until, now)) }
            }
        }
    }
}

/// How it changed, latest first.
pub(super) fn history(transitions: &Page<HealthChange>, id: ResourceId, now: Timestamp) -> Markup {
    html! {
        @if !transitions.items.is_empty() {
            section aria-labelledby="health-history" {
                h2 id="health-history" { "Health history" }
                ol class="versions" { @for change in &transitions.items { (transition(&change.transition, now)) } }
                @if transitions.next.is_some() { p class="after" { a href={ "/api/v1/resources/" (id) "/health" } { "The API has all of it" } } }
            }
        }
    }
}

fn transition(transition: &Transition, now: Timestamp) -> Markup {
    let Transition { at, from, verdict, .. } = transition;
    html! {
        li {
            p class="line" {
                @if let Some(from) = from { (tone::health(*from)) span class="quiet" aria-hidden="true" { "→" } span class="sr" { "became" } }
                (tone::health(verdict.health)) strong { (text::cut(&verdict.status, 80)) }
            }
            @if !verdict.reason.is_empty() { p class="summary" { (text::cut(&verdict.reason, 240)) } }
            p class="meta" { (layout::time(*at, now)) }
        }
    }
}

pub(super) fn checked(checks: &[Check], now: Timestamp) -> Markup {
    let (shown, rest) = checks.split_at(checks.len().min(CHECKS));
    html! {
        @if !checks.is_empty() {
            section aria-labelledby="checks" {
                h2 id="checks" { "Checks" }
                (checks::rows(shown, now))
                @if !rest.is_empty() { p class="after" { a href="/checks" { "and " (rest.len()) " more" } } }
            }
        }
    }
}

pub(super) fn ran(page: &Page<Run>, id: ResourceId, now: Timestamp) -> Markup {
    let all = text::address("/runs", &[("q", &format!("resource={id}"))]);
    html! {
        @if !page.items.is_empty() {
            section aria-labelledby="runs" {
                h2 id="runs" { "Runs" }
                (runs::rows(&page.items, runs::Under::Resource, now))
                p class="after" { a href=(all) { "All runs on it" } " · " a href=(text::address("/deliveries", &[("q", &format!("subject={id}"))])) { "What was told of it" } }
            }
        }
    }
}

/// The playbooks that may be run on it, each with its form.
pub(super) fn offered(offers: &[Offer], id: ResourceId, now: Timestamp) -> Markup {
    let (shown, rest) = offers.split_at(offers.len().min(OFFERED));
    let nothing = playbooks::Given::default();
    html! {
        @if !offers.is_empty() {
            section aria-labelledby="act" {
                h2 id="act" { "What may be done" }
                @for (place, Offer { name, playbook }) in shown.iter().enumerate() {
                    details class="panel act" {
                        summary { (text::cut(playbook.title.as_deref().unwrap_or(name), 120)) }
                        (playbooks::form(name, playbook, Some(id), &nothing, &[], &format!("b{place}"), now))
                    }
                }
                @if !rest.is_empty() { p class="hint" { "and " (rest.len()) " more playbooks under " a href="/manifests?kind=Playbook" { "Manifests" } "." } }
            }
        }
    }
}
