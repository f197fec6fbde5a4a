//! Asks for listings now. How they stand is part of `/sources`.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{Json, extract::State};
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::say;
use crate::{
    App,
    input::Params,
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScrapeParams {
    /// Which scraper; all without.
    name: Option<String>,
    /// True to let these listings, and no later ones, delete whatever they do not have, however much that is.
    #[serde(default)]
    accept_deletions: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Asked {
    /// The scrapers that are due now.
    scrapers: Vec<String>,
    /// Since when: what began at or after it is what was asked for.
    at: Timestamp,
}

/// The routes of scrapers.
pub(super) fn routes() -> ApiRouter<Arc<App>> {
    let scrape = say("scrape", "Make scrapers due now; /api/v1/sources says how far they came");
    ApiRouter::new().api_route("/api/v1/scrape", post_with(self::scrape, scrape))
}

async fn scrape(
    State(app): State<Arc<App>>,
    Params(params): Params<ScrapeParams>,
) -> Result<Json<Asked>, Problem> {
    let ScrapeParams { name, accept_deletions } = params;
    let now = app.context.clock.now();
    let scrapers = app.context.catalog.scrape_now(name.as_deref(), accept_deletions, now).await?;
    match name {
        Some(name) if scrapers.is_empty() => {
            let shown: String = name.chars().take(200).collect();
            let detail =
                format!("There is no scraper `{shown}`; /api/v1/sources lists them under `coverage`.");
            Err(Problem::new(Kind::NotFound, detail))
        }
        _ => Ok(Json(Asked { scrapers, at: now })),
    }
}
