//! What the catalog hears from and how fresh it is, what is listed, and what of it is not complete.

use std::sync::Arc;

use ::catalog::{
    SourceStatus,
    shards::{Coverage, ScraperStatus, ShardState, ShardStatus},
};
use axum::{extract::State, response::IntoResponse};
use maud::{Markup, html};
use model::Timestamp;

use super::{Answer, layout, text};
use crate::{
    App,
    input::{NoParams, Params},
    problem::Problem,
};

/// How many rows are shown of each.
const MAX_ROWS: usize = 100;

pub(super) async fn page(State(app): State<Arc<App>>, params: Result<Params<NoParams>, Problem>) -> Answer {
    let Params(NoParams {}) = params?;
    let now = app.context.clock.now();
    let sources = app.context.catalog.sources().await?;
    let coverage = app.context.catalog.coverage(now).await?;
    Ok(render(&sources, &coverage, now).into_response())
}

pub(super) fn render(sources: &[SourceStatus], coverage: &Coverage, now: Timestamp) -> Markup {
    let body = html! {
        div class="head" {
            h1 { "Sources" } p class="lead" { "What the catalog hears from, how fresh it is, and what is missing" }
            p class="aside" { a href="/rejected" { "Rejected input" } }
        }
        // What is missing is what somebody came for.
        (scrapers(&coverage.scrapers, now))
        (shards(&coverage.shards, now))
        (heard(sources, now))
    };
    layout::page(Some(layout::Place::Sources), "Sources", &body)
}

fn heard(sources: &[SourceStatus], now: Timestamp) -> Markup {
    html! {
        @if sources.is_empty() { div class="none" { p { "No source was heard yet. Feed one with " code { "perigee ingest FILE" } "." } } }
        @else {
            h2 { "What is heard" }
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
            (more(sources.len()))
        }
    }
}

fn more(rows: usize) -> Markup {
    html! {
        @if rows > MAX_ROWS { p class="hint" { "and " (rows - MAX_ROWS) " more; " a href="/api/v1/sources" { "the API has all of them" } "." } }
    }
}

fn scrapers(scrapers: &[ScraperStatus], now: Timestamp) -> Markup {
    html! {
        @if !scrapers.is_empty() {
            section aria-labelledby="scrapers" {
                h2 id="scrapers" { "Scrapers" }
                ul class="rows" {
                    @for scraper in scrapers.iter().take(MAX_ROWS) {
                        li {
                            p class="line" {
                                (layout::badge(match scraper.state.as_str() { "planned" => "good", "failed" => "bad", _ => "live" }, &scraper.state))
                                a class="title" href={ "/manifests/Scraper/" (text::segment(&scraper.name)) } { (text::cut(&scraper.name, 120)) }
                            }
                            (why(&scraper.reason, &scraper.advice))
                            p class="meta" { @if let Some(at) = scraper.planned_at { "planned " (layout::ago(at, now)) " · " } "due " (layout::ago(scraper.due_at, now)) }
                        }
                    }
                }
                (more(scrapers.len()))
            }
        }
    }
}

/// Why something is not as it should be, and what to do about it.
fn why(reason: &str, advice: &str) -> Markup {
    html! {
        @if !reason.is_empty() { p class="summary" { (layout::coded(&text::cut(reason, 400))) } }
        @if !advice.is_empty() { p class="summary advice" { (layout::coded(&text::cut(advice, 400))) } }
    }
}

/// What is listed: first what is not complete, and what to do about it.
fn shards(shards: &[ShardStatus], now: Timestamp) -> Markup {
    let (complete, gaps): (Vec<_>, Vec<_>) =
        shards.iter().partition(|shard| shard.state == ShardState::Complete);
    html! {
        @if !shards.is_empty() {
            section aria-labelledby="coverage" {
                h2 id="coverage" { "Coverage" }
                p class="hint" {
                    (text::number(i64::try_from(complete.len()).unwrap_or(i64::MAX))) " of "
                    (text::counted(i64::try_from(shards.len()).unwrap_or(i64::MAX), "listing"))
                    " complete. Only a complete listing can prove that something is gone."
                }
                @if !gaps.is_empty() {
                    ul class="rows" { @for shard in gaps.iter().take(MAX_ROWS) { (gap(shard, now)) } }
                    (more(gaps.len()))
                }
                @if !complete.is_empty() {
                    details class="more" {
                        summary { "Complete listings" }
                        table {
                            thead { tr { th scope="col" { "Type" } th scope="col" class="wide" { "Account" } th scope="col" class="wide" { "Region" } th scope="col" class="num" { "Resources" } th scope="col" { "As of" } } }
                            tbody {
                                @for shard in complete.iter().take(MAX_ROWS) {
                                    tr {
                                        th scope="row" { (layout::kind(&shard.kind)) span class="sub narrow" { (shard.account) " · " (shard.region) } }
                                        td class="wide account" { (shard.account) }
                                        td class="wide region" { (shard.region) }
                                        td class="num" { (text::number(shard.resources)) }
                                        td { @if let Some(at) = shard.completed_at { (layout::ago(at, now)) } }
                                    }
                                }
                            }
                        }
                        (more(complete.len()))
                    }
                }
            }
        }
    }
}

fn gap(shard: &ShardStatus, now: Timestamp) -> Markup {
    let tone = match shard.state {
        ShardState::Complete => "good",
        ShardState::Waiting => "live",
        ShardState::Incomplete | ShardState::Held | ShardState::Unrecorded => "warn",
        ShardState::Failed => "bad",
    };
    html! {
        li {
            p class="line" {
                (layout::badge(tone, shard.state.as_str()))
                strong { (shard.account) " · " (shard.region) }
                @if shard.kind == "*" { span class="quiet" { "every type" } } @else { (layout::kind(&shard.kind)) }
                @if shard.running { (layout::badge("live", "listing now")) }
            }
            (why(&shard.reason, &shard.advice))
            p class="meta" {
                (text::cut(&shard.scraper, 80)) " · " (text::counted(shard.resources, "resource")) " seen"
                @if shard.missing > 0 { " · " (text::number(shard.missing)) " not seen any more" }
                @if let Some(at) = shard.ended_at { " · tried " (layout::ago(at, now)) }
                " · " @if let Some(at) = shard.completed_at { "last complete " (layout::ago(at, now)) } @else { "never complete" }
            }
        }
    }
}
