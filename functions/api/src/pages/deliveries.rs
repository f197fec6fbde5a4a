//! What was told to whom, and what became of it.

use std::sync::Arc;

use ::catalog::{
    Page,
    deliveries::{Attempt, Delivery, DeliveryDetail, DeliveryQuery},
    manifests::Stored,
};
use axum::{extract::State, response::IntoResponse};
use maud::{Markup, html};
use model::{DeliveryId, DeliveryState, Timestamp};
use serde::Deserialize;

use super::{Answer, layout, text, tone, with_status};
use crate::{
    App,
    input::{Name, NoParams, Params, selector},
    problem::{Kind, Problem},
};

/// How many deliveries a page lists, and how many attempts of one.
const LISTED: u16 = 30;
const ATTEMPTS: usize = 50;
/// How much of a text is printed, in characters.
const MAX_BODY: usize = 8_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesParams {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<DeliveriesParams>, Problem>,
) -> Answer {
    let Params(DeliveriesParams { q, cursor }) = params?;
    let read = async {
        let query = DeliveryQuery { selector: selector(Some(&q))?, limit: LISTED, cursor, resource: None };
        Ok::<_, Problem>(app.context.catalog.deliveries(&query).await?)
    };
    let (page, wrong) = super::or_shown(read.await)?;
    let error = wrong.as_ref().map(|problem| problem.detail.as_str());
    let now = app.context.clock.now();
    Ok(with_status(render(&q, error, page.as_ref(), now), wrong.as_ref()))
}

pub(super) fn render(q: &str, error: Option<&str>, page: Option<&Page<Delivery>>, now: Timestamp) -> Markup {
    let next = page.and_then(|page| page.next.as_deref());
    let next = next.map(|cursor| text::address("/deliveries", &[("q", q), ("cursor", cursor)]));
    let body = html! {
        div class="head" { h1 { "Deliveries" } p class="lead" { "What was told to whom, newest first; what was not sent says why" } }
        form action="/deliveries" method="get" role="search" class="panel" {
            (layout::search("Search deliveries", q, error, &hint()))
        }
        (tone::states("/deliveries", "state", DeliveryState::WORDS, q))
        @match page {
            None => p class="none" { "Nothing was searched." },
            Some(page) if page.items.is_empty() => div class="none" {
                p { "No delivery fits." }
                @if q.trim().is_empty() { p { "A notification tells a channel of signals. See which there are under " a href="/manifests?kind=Notification" { "Manifests" } "." } }
            },
            Some(page) => (rows(&page.items, now)),
        }
        (layout::next(next.as_deref(), "Older deliveries"))
    };
    layout::page(Some(layout::Place::Deliveries), "Deliveries", &body)
}

fn hint() -> Markup {
    html! {
        "For example " code { "notification=on-call" } " " code { "reason=silenced:*" } " " code { "kind=health.changed" }
        ". A free word is looked for in the title, the reason and the resource's name."
    }
}

/// Deliveries, one below the other.
pub(super) fn rows(deliveries: &[Delivery], now: Timestamp) -> Markup {
    html! { ul class="rows" { @for delivery in deliveries { (row(delivery, now)) } } }
}

fn row(delivery: &Delivery, now: Timestamp) -> Markup {
    html! {
        li {
            p class="line" {
                (tone::delivery(delivery.state))
                a class="title" href={ "/deliveries/" (delivery.id) } { (title(delivery)) }
            }
            @if delivery.state != DeliveryState::Sent && !delivery.detail.is_empty() { p class="summary" { (text::cut(&text::sentence(&delivery.detail), 300)) } }
            p class="meta" {
                (layout::ago(delivery.ended_at.unwrap_or(delivery.created_at), now))
                " · " (text::cut(&delivery.notification, 80)) " to " (text::cut(&delivery.channel, 80))
                @if let Some(silence) = silenced_by(delivery) { " · silence " a href={ "/manifests/Silence/" (text::segment(silence)) } { (text::cut(silence, 80)) } }
                @if delivery.attempts > 1 { " · " (delivery.attempts) " attempts" }
                @if let Some(late) = delivery.late_seconds.filter(|late| *late > 0) { " · " (text::length(late.saturating_mul(1000))) " late" }
            }
        }
    }
}

/// What was told, or what it was to be about.
fn title(delivery: &Delivery) -> String {
    let about = delivery.resource_name.as_deref().unwrap_or(&delivery.notification);
    let title = delivery.title.clone().filter(|title| !title.trim().is_empty());
    text::cut(&title.unwrap_or_else(|| format!("{} of {about}", delivery.kind.as_str())), 200)
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    name: Result<Name, Problem>,
    params: Result<Params<NoParams>, Problem>,
) -> Answer {
    let (Name { name }, Params(NoParams {})) = (name?, params?);
    let missing = || {
        let shown = text::cut(&name, 100);
        let detail = format!("No delivery has the id `{shown}`; GET /api/v1/deliveries lists them.");
        Problem::new(Kind::NotFound, detail)
    };
    let id: DeliveryId = name.parse().map_err(|_| missing())?;
    let detail = app.context.catalog.delivery(id).await?.ok_or_else(missing)?;
    let silence = match silenced_by(&detail.delivery) {
        Some(silence) => app.context.catalog.manifest("Silence", silence).await?,
        None => None,
    };
    Ok(render_one(&detail, silence.as_ref(), app.context.clock.now()).into_response())
}

/// The silence that held a delivery back.
fn silenced_by(delivery: &Delivery) -> Option<&str> {
    delivery.reason.strip_prefix("silenced:").filter(|_| delivery.state == DeliveryState::Suppressed)
}

/// A delivery, with the silence that held it back, where one did and is still applied.
pub(super) fn render_one(detail: &DeliveryDetail, silence: Option<&Stored>, now: Timestamp) -> Markup {
    let delivery = &detail.delivery;
    let body = html! {
        nav class="crumbs" aria-label="Breadcrumb" {
            a href="/deliveries" { "Deliveries" } " / "
            a href=(text::address("/deliveries", &[("q", &format!("notification=\"{}\"", delivery.notification))])) { (text::cut(&delivery.notification, 120)) }
        }
        div class="head" { h1 { (title(delivery)) } (tone::delivery(delivery.state)) }
        @if !delivery.detail.is_empty() {
            p class={ "banner " (if delivery.state == DeliveryState::Failed { "" } else { "calm" }) } role="note" { (text::cut(&text::sentence(&delivery.detail), 600)) }
        }
        (facts(delivery, silence, now))
        section aria-labelledby="told" {
            h2 id="told" { "What was told" }
            @match &detail.body {
                Some(body) => pre class="output" role="group" tabindex="0" aria-label="Text" { code { (text::cut(body, MAX_BODY)) } },
                None => p class="none" { "Nothing: no attempt was begun." },
            }
        }
        section aria-labelledby="attempts" {
            h2 id="attempts" { "Attempts" }
            @if detail.tries.is_empty() { p class="none" { "None was made." } }
            @else { ol class="versions" { @for attempt in detail.tries.iter().take(ATTEMPTS) { (attempted(attempt, now)) } } }
        }
    };
    layout::page(Some(layout::Place::Deliveries), &title(delivery), &body)
}

fn facts(delivery: &Delivery, silence: Option<&Stored>, now: Timestamp) -> Markup {
    html! {
        section class="panel" aria-label="Facts" {
            dl class="facts grid" {
                @if let Some(id) = delivery.resource {
                    div {
                        dt { "Resource" }
                        dd {
                            a href={ "/resources/" (id) } { (text::cut(delivery.resource_name.as_deref().unwrap_or("not known any more"), 120)) }
                            @if let Some(kind) = &delivery.resource_type { span class="sub" { (layout::kind(kind)) } }
                        }
                    }
                }
                div { dt { "Notification" } dd { a href={ "/manifests/Notification/" (text::segment(&delivery.notification)) } { (text::cut(&delivery.notification, 120)) } } }
                div { dt { "Channel" } dd { a href={ "/manifests/Connection/" (text::segment(&delivery.channel)) } { (text::cut(&delivery.channel, 120)) } } }
                div { dt { "Signal" } dd { (delivery.kind.as_str()) (about(delivery)) } }
                div { dt { "It came to be" } dd { (layout::time(delivery.occurred_at, now)) } }
                div { dt { "Matched" } dd { (layout::time(delivery.created_at, now)) } }
                @if let Some(at) = delivery.due_at { div { dt { "Looked at next" } dd { (layout::time(at, now)) } } }
                @if let Some(at) = delivery.ended_at { div { dt { "Ended" } dd { (layout::time(at, now)) } } }
                @if let Some(late) = delivery.late_seconds.filter(|late| *late > 0) { div { dt { "Late by" } dd { (text::length(late.saturating_mul(1000))) } } }
                (why(delivery, silence, now))
                div { dt { "Id, and its Idempotency-Key" } dd class="mono" { (delivery.id) } }
            }
        }
    }
}

/// What became of it in the contract's word, and where that leads.
fn why(delivery: &Delivery, silence: Option<&Stored>, now: Timestamp) -> Markup {
    let Some(name) = silenced_by(delivery) else {
        let sent =
            format!("notification=\"{}\" subject={} state=sent", delivery.notification, delivery.subject);
        return html! {
            div {
                dt { "Reason" }
                dd {
                    code { (text::cut(&delivery.reason, 120)) }
                    @if delivery.reason == "repeated" { span class="sub" { a href=(text::address("/deliveries", &[("q", &sent)])) { "What was sent before" } } }
                }
            }
        };
    };
    let until =
        silence.and_then(|stored| stored.spec::<manifest::Silence>().ok()).map(|silence| silence.until);
    html! {
        div {
            dt { "Silenced by" }
            dd {
                @if silence.is_some() { a href={ "/manifests/Silence/" (text::segment(name)) } { (text::cut(name, 120)) } } @else { (text::cut(name, 120)) }
                span class="sub" {
                    @match (silence, until) {
                        (None, _) => "not applied any more",
                        (Some(_), None) => "this build cannot read it",
                        (Some(_), Some(until)) if until <= now => { "over since " (text::minute(until)) },
                        (Some(_), Some(until)) => { "until " (text::minute(until)) },
                    }
                }
                span class="sub" { a href=(text::address("/deliveries", &[("q", &format!("reason=\"{}\"", delivery.reason))])) { "All that it held back" } }
            }
        }
    }
}

/// What the signal is about, where that has a page.
fn about(delivery: &Delivery) -> Markup {
    html! {
        @if delivery.kind.as_str().starts_with("run.") { span class="sub" { a href={ "/runs/" (delivery.subject) } { "The run" } } }
    }
}

fn attempted(attempt: &Attempt, now: Timestamp) -> Markup {
    let tone = match attempt.outcome.as_deref() {
        Some("sent") => "good",
        Some("failed") => "bad",
        Some(_) => "warn",
        None => "live",
    };
    html! {
        li {
            p class="line" {
                (layout::badge(tone, attempt.outcome.as_deref().unwrap_or("under way")))
                strong { "Attempt " (attempt.attempt) }
                @if let Some(status) = attempt.status { span class="quiet" { "answered " (status) } }
            }
            @if !attempt.detail.is_empty() { p class="summary" { (text::cut(&text::sentence(&attempt.detail), 400)) } }
            p class="meta" {
                (layout::time(attempt.started_at, now))
                @if let Some(took) = tone::took(Some(attempt.started_at), attempt.ended_at, now).filter(|_| attempt.ended_at.is_some()) { " · " (took) }
            }
        }
    }
}
