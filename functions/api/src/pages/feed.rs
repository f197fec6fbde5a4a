//! A list of changes: when, who, what, on which resources, and whether it failed.

use std::collections::BTreeMap;

use ::catalog::{Change, ChangeTarget};
use maud::{Markup, html};
use model::{Category, ResourceId, Role, Severity, Timestamp};

use super::{layout, text};

/// The longest request or answer that is printed, in characters.
const MAX_DETAILS: usize = 500;
/// The resources of a change that are named before the rest is counted.
const MAX_NAMED: usize = 5;

/// Under what a list stands, and so need not say again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    /// A date: the times are those of the day.
    Date,
    /// A resource: it is not named among those that a change touched.
    Resource(ResourceId),
}

/// The changes in the order given.
pub(super) fn feed(changes: &[&Change], under: Under, now: Timestamp) -> Markup {
    html! { ol class="feed" { @for change in changes { (entry(change, under, now)) } } }
}

fn entry(change: &Change, under: Under, now: Timestamp) -> Markup {
    let (when, here) = match under {
        Under::Date => (change.occurred_at.format("%H:%M:%S").to_string(), None),
        Under::Resource(id) => (text::second(change.occurred_at), Some(id)),
    };
    html! {
        li class=(if change.error_code.is_some() { "entry failed" } else { "entry" }) {
            div class="at" {
                time datetime=(text::machine(change.occurred_at)) {
                    span class="when" { (when) } " "
                    span class="ago" { (text::ago(change.occurred_at, now)) }
                }
            }
            div class="what" {
                p class="line" {
                    strong { (change.kind) }
                    @if let Some(code) = &change.error_code { (layout::badge("bad", code)) }
                    @if matches!(change.severity, Severity::High | Severity::Critical) { (layout::badge("bad", change.severity.as_str())) }
                    @if change.read_only { (layout::badge("plain", "read only")) }
                    @else { (layout::badge(tone(change.category), change.category.as_str())) }
                }
                p class="summary" { (text::cut(&change.summary, 240)) }
                (targets(&change.resources, here))
                p class="meta" {
                    @if let Some(actor) = &change.actor { span class="actor" { (actor) } @if let Some(via) = &actor.via { " via " (via) } " · " }
                    (change.account) " · " (change.region) " · " (change.source)
                }
                (more(change))
            }
        }
    }
}

/// How far a resource is from the one that a page is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    /// How many steps.
    pub(super) steps: usize,
    /// The same in words, with what lies between.
    pub(super) said: String,
}

/// The changes in the order given, each in a few lines. `ways` says how far away a resource is, where that matters.
pub(super) fn brief(changes: &[&Change], ways: &BTreeMap<ResourceId, Way>, now: Timestamp) -> Markup {
    html! {
        ul class="rows" {
            @for change in changes {
                @let way = change.resources.iter().filter_map(|target| ways.get(&target.id)).min();
                li {
                    p class="line" {
                        @if let Some(actor) = &change.actor { strong class="actor" { (text::cut(&actor.to_string(), 120)) } }
                        span { (change.kind) }
                        @if let Some(code) = &change.error_code { (layout::badge("bad", code)) }
                        @if !matches!(change.category, Category::Update | Category::Other) { (layout::badge(tone(change.category), change.category.as_str())) }
                    }
                    p class="summary" { (text::cut(&change.summary, 240)) }
                    (targets(&change.resources, None))
                    p class="meta" {
                        (layout::time(change.occurred_at, now))
                        @if let Some(Way { said, .. }) = way { " · " (said) }
                        " · " a href=(one(change)) { "details" }
                    }
                }
            }
        }
    }
}

/// Where one change is shown in full. The instant spares the search all that happened before.
fn one(change: &Change) -> String {
    let (id, since) = (format!("id={}", change.id), text::machine(change.occurred_at));
    text::address("/changes", &[("q", &id), ("since", &since), ("read_only", "true")])
}

fn tone(category: Category) -> &'static str {
    match category {
        Category::Create => "good",
        Category::Delete => "gone",
        Category::Security => "warn",
        Category::Update
        | Category::Access
        | Category::State
        | Category::Deployment
        | Category::Notice
        | Category::Other => "plain",
    }
}

/// What it was done to, then what it names.
fn targets(resources: &[ChangeTarget], here: Option<ResourceId>) -> Markup {
    let mut resources: Vec<_> = resources.iter().filter(|target| Some(target.id) != here).collect();
    resources.sort_by_key(|target| (target.role != Role::Target, &target.kind, &target.name));
    let (named, rest) = resources.split_at(resources.len().min(MAX_NAMED));
    html! {
        @if !named.is_empty() {
            ul class="targets" aria-label="Resources" {
                @for target in named {
                    li class=(target.role.as_str()) {
                        a href={ "/resources/" (target.id) } { (layout::kind(&target.kind)) " " span class="name" { (target.name) } }
                    }
                }
                @if !rest.is_empty() { li class="quiet" { "and " (rest.len()) " more" } }
            }
        }
    }
}

/// What else the event says.
fn more(change: &Change) -> Markup {
    let facts = [
        ("Error", change.error_message.as_deref()),
        ("Address", change.source_address.as_deref()),
        ("User agent", change.user_agent.as_deref()),
        ("Principal", change.actor.as_ref().and_then(|actor| actor.arn.as_deref())),
        ("Session", change.session_id.as_deref()),
        ("Event id", change.event_id.as_deref()),
    ];
    let mentions =
        change.mentions.iter().map(|name| text::cut(name, 200)).take(10).collect::<Vec<_>>().join(", ");
    let details = serde_json::to_string_pretty(&change.details).unwrap_or_default();
    html! {
        details class="more" {
            summary { "Details" span class="sr" { " of " (change.kind) " at " (text::second(change.occurred_at)) } }
            dl class="facts" {
                @for (name, value) in facts {
                    @if let Some(value) = value { div { dt { (name) } dd { (text::cut(value, 200)) } } }
                }
                @if !mentions.is_empty() { div { dt { "Also names" } dd { (mentions) } } }
                div { dt { "Recorded" } dd { (text::second(change.recorded_at)) } }
            }
            @if !change.details.is_null() { pre role="group" tabindex="0" aria-label="Request and answer" { code { (text::cut(&details, MAX_DETAILS)) } } }
        }
    }
}
