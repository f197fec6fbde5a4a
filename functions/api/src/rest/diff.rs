//! What differs between two instants, of one resource or of an account.

use std::sync::Arc;

use axum::{Json, extract::State};
use catalog::{AccountDiffQuery, AsOf, Page, ResourceChange, ResourceDiff};
use model::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    App,
    input::{Limit, Params, Reference, past, selector},
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiffParams {
    /// The earlier instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    from: String,
    /// The later one; now, when not said.
    to: Option<String>,
    /// As it was known at this instant, instead of now.
    recorded_at: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountDiffParams {
    /// The account or cluster.
    account: String,
    /// The earlier instant: an RFC 3339 time, a date, or a while before now such as `24h`.
    from: String,
    /// The later one; now, when not said.
    to: Option<String>,
    /// A selector, as for `/resources`: only those that it describes as they are now.
    q: Option<String>,
    /// How many items; a page holds 100 at most, and may hold fewer than asked for though more follow.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The two instants, in their order.
fn between(from: &str, to: Option<&str>, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let (from, to) = (past("from", from, now)?, to.map_or(Ok(now), |to| past("to", to, now))?);
    if from > to {
        return Err(Problem::new(
            Kind::BadParameter,
            "from: it is after `to`; give the earlier instant first",
        ));
    }
    Ok((from, to))
}

pub(crate) async fn of_resource(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(DiffParams { from, to, recorded_at }): Params<DiffParams>,
) -> Result<Json<ResourceDiff>, Problem> {
    let now = app.context.clock.now();
    let (from, to) = between(&from, to.as_deref(), now)?;
    let recorded_at = recorded_at.map(|text| past("recorded_at", &text, now)).transpose()?;
    let as_of = AsOf { at: Some(to), recorded_at };
    let id = app.resolve_as_of(&reference, as_of).await?;
    match app.context.catalog.resource_diff(id, from, to, recorded_at).await? {
        Some(diff) => Ok(Json(diff)),
        None => Err(app.not_known_then(&reference, id, as_of).await?),
    }
}

pub(crate) async fn of_account(
    State(app): State<Arc<App>>,
    Params(params): Params<AccountDiffParams>,
) -> Result<Json<Page<ResourceChange>>, Problem> {
    let AccountDiffParams { account, from, to, q, limit, cursor } = params;
    let (from, to) = between(&from, to.as_deref(), app.context.clock.now())?;
    let selector = selector(q.as_deref())?;
    if account.contains('\0') {
        return Ok(Json(Page { items: Vec::new(), next: None }));
    }
    let query = AccountDiffQuery { account, from, to, selector, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.account_diff(&query).await?))
}
