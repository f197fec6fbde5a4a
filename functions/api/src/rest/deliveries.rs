//! What was to be told to whom, and what became of it.

use std::sync::Arc;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use catalog::{
    Page,
    deliveries::{Delivery, DeliveryDetail, DeliveryQuery},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::say;
use crate::{
    App,
    input::{Limit, Name, NoParams, Params, selector},
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveriesParams {
    /// A selector over `id`, `state`, `reason`, `notification`, `channel`, `kind`, `subject`, `type`, `name`,
    /// `account`, `region`, `created_at`, `occurred_at` and `ended_at`; free words match the title, the detail and the
    /// resource's name.
    q: Option<String>,
    /// Only those about this resource: an id, an alias, `type/native id` or `type/name`.
    resource: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The routes of deliveries.
pub(super) fn routes() -> ApiRouter<Arc<App>> {
    let list = say("listDeliveries", "List what was to be told, newest first, and what became of it");
    let show = say("getDelivery", "One delivery, named by its id, with what it told and its attempts");
    ApiRouter::new()
        .api_route("/api/v1/deliveries", get_with(self::list, list))
        .api_route("/api/v1/deliveries/{name}", get_with(self::show, show))
}

async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<DeliveriesParams>,
) -> Result<Json<Page<Delivery>>, Problem> {
    let DeliveriesParams { q, resource, limit, cursor } = params;
    let selector = selector(q.as_deref())?;
    let resource = match &resource {
        Some(reference) => Some(app.resolve(reference).await?),
        None => None,
    };
    let query = DeliveryQuery { selector, resource, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.deliveries(&query).await?))
}

async fn show(
    State(app): State<Arc<App>>,
    Name { name }: Name,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<DeliveryDetail>, Problem> {
    let found = match name.parse() {
        Ok(id) => app.context.catalog.delivery(id).await?,
        Err(_) => None,
    };
    found.map(Json).ok_or_else(|| {
        let shown: String = name.chars().take(200).collect();
        let detail = format!("No delivery has the id `{shown}`; GET /api/v1/deliveries lists them.");
        Problem::new(Kind::NotFound, detail)
    })
}
