//! What the catalog hears from, and how fresh it is.

use std::sync::Arc;

use ::catalog::SourceStatus;
use axum::{extract::State, response::IntoResponse};
use maud::{Markup, html};
use model::Timestamp;

use super::{Answer, layout, text};
use crate::{
    App,
    input::{NoParams, Params},
    problem::Problem,
};

/// How many rows are shown.
const MAX_ROWS: usize = 150;

pub(super) async fn page(State(app): State<Arc<App>>, params: Result<Params<NoParams>, Problem>) -> Answer {
    let Params(NoParams {}) = params?;
    let sources = app.context.catalog.sources().await?;
    Ok(render(&sources, app.context.clock.now()).into_response())
}

pub(super) fn render(sources: &[SourceStatus], now: Timestamp) -> Markup {
    let body = html! {
        div class="head" { h1 { "Sources" } p class="lead" { "What the catalog hears from, and how fresh it is" } }
        @if sources.is_empty() { div class="none" { p { "No source was heard yet. Feed one with " code { "perigee ingest FILE..." } "." } } }
        @else {
            table {
                thead {
                    tr {
                        th scope="col" { "Source" }
                        th scope="col" class="wide" { "Account" }
                        th scope="col" class="wide" { "Region" }
                        th scope="col" class="num wide" { "Observations" }
                        th scope="col" { "Latest fact" }
                        th scope="col" { "Last heard" }
                    }
                }
                tbody {
                    @for source in sources.iter().take(MAX_ROWS) {
                        tr {
                            th scope="row" { (source.source) span class="sub narrow" { (source.account) " · " (source.region) } }
                            td class="wide account" { (source.account) }
                            td class="wide region" { (source.region) }
                            td class="num wide" { (text::number(source.observations)) }
                            td { (layout::time(source.latest, now)) }
                            td { (layout::ago(source.heard_at, now)) }
                        }
                    }
                }
            }
            @if sources.len() > MAX_ROWS { p class="hint" { "and " (sources.len() - MAX_ROWS) " more; " a href="/api/v1/sources" { "the API has all of them" } "." } }
        }
    };
    layout::page(Some(layout::Place::Sources), "Sources", &body)
}
