//! Input that could not be taken, with its reason.

use std::sync::Arc;

use ::catalog::{Page, Rejected};
use axum::{extract::State, response::IntoResponse};
use maud::{Markup, html};
use model::Timestamp;
use serde::Deserialize;

use super::{Answer, layout, text};
use crate::{
    App,
    input::{Limit, Params},
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectedParams {
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<RejectedParams>, Problem>,
) -> Answer {
    let Params(RejectedParams { cursor }) = params?;
    let rejected = app.context.catalog.rejected(Limit::default().0, cursor.as_deref()).await?;
    Ok(render(&rejected, app.context.clock.now()).into_response())
}

pub(super) fn render(page: &Page<Rejected>, now: Timestamp) -> Markup {
    let next = page.next.as_deref().map(|cursor| text::address("/rejected", &[("cursor", cursor)]));
    let body = html! {
        div class="head" { h1 { "Rejected" } p class="lead" { "Input that could not be taken, latest first" } }
        p class="hint" { "Only the reason and a hash are kept: the bytes stay with the sender. Mend them and send them again." }
        @if page.items.is_empty() { p class="none" { "Nothing was rejected." } }
        @else { ul class="rows" { @for item in &page.items { (row(item, now)) } } }
        (layout::next(next.as_deref(), "Older rejections"))
    };
    layout::page(Some(layout::Place::Sources), "Rejected", &body)
}

fn row(item: &Rejected, now: Timestamp) -> Markup {
    html! {
        li {
            p class="line" { (layout::badge("warn", &item.reason)) strong { (text::cut(&item.origin, 200)) } span class="quiet" { (text::cut(&item.place, 200)) } }
            p class="summary" { (text::cut(&item.message, 600)) }
            p class="meta" {
                (layout::time(item.recorded_at, now)) " · " (text::bytes(item.size)) " · SHA-256 "
                span class="mono" title=(item.hash) { (text::cut(&item.hash, 12)) }
            }
        }
    }
}
