//! Changes: all of them, those of a resource, and those of a set of resources.

use std::sync::Arc;

use axum::{Json, extract::State};
use catalog::{Change, ChangeGroup, ChangeQuery, Direction, Page, ResourceSet, Walk};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::graph::kinds;
use crate::{
    App,
    input::{Limit, Params, Reference, instant, selector},
    problem::{Kind, Problem},
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangesParams {
    /// A selector over `kind`, `category`, `severity`, `account`, `region`, `source`, `actor`, `event_id`,
    /// `session_id`, `error_code` and `read_only`; free words match the summary.
    q: Option<String>,
    /// Only those that touched this resource: an id, an alias, `type/native id` or `type/name`.
    resource: Option<String>,
    /// Only those that touched any resource that this selector describes, as for `/resources`; at most 10,000.
    of: Option<String>,
    /// Which way to follow relations from those of `of`.
    #[serde(default)]
    direction: Direction,
    /// How many steps to go from those of `of`, up to 10; what is met there counts as well.
    #[serde(default)]
    depth: u64,
    /// Which kinds of relations to follow, with commas between; all when left out.
    kinds: Option<String>,
    /// Repeats of the same change as one item, with how many there are.
    #[serde(default)]
    group: bool,
    /// Only those at or after this: an RFC 3339 time, a date, or a while before now such as `24h`.
    since: Option<String>,
    /// Only those before this.
    until: Option<String>,
    /// How many items. A page of few matches among many may have fewer, and go on.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceChangesParams {
    /// A selector, as for `/changes`.
    q: Option<String>,
    /// Repeats of the same change as one item, with how many there are.
    #[serde(default)]
    group: bool,
    /// Only those at or after this: an RFC 3339 time, a date, or a while before now such as `24h`.
    since: Option<String>,
    /// Only those before this.
    until: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which changes, in the caller's words.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeFilter {
    pub(crate) q: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl ChangeFilter {
    /// The same in the catalog's words.
    pub(crate) async fn query(
        &self,
        app: &App,
        limit: Limit,
        cursor: Option<String>,
    ) -> Result<ChangeQuery, Problem> {
        let now = app.context.clock.now();
        let selector = selector(self.q.as_deref())?;
        let since = self.since.as_deref().map(|text| instant("since", text, now)).transpose()?;
        let until = self.until.as_deref().map(|text| instant("until", text, now)).transpose()?;
        let resource = match &self.resource {
            Some(reference) => Some(app.resolve(reference).await?),
            None => None,
        };
        Ok(ChangeQuery { selector, resource, of: None, since, until, limit: limit.0, cursor })
    }
}

/// A page of changes, or of groups of them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Changes {
    /// Each by itself.
    Single(Page<Change>),
    /// With `group`: the repeats of one as one item.
    Grouped(Page<ChangeGroup>),
}

async fn answer(app: &App, query: &ChangeQuery, group: bool) -> Result<Json<Changes>, Problem> {
    let catalog = &app.context.catalog;
    Ok(Json(if group {
        Changes::Grouped(catalog.change_groups(query).await?)
    } else {
        Changes::Single(catalog.changes(query).await?)
    }))
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<ChangesParams>,
) -> Result<Json<Changes>, Problem> {
    let ChangesParams { q, resource, of, direction, depth, kinds: words, group, since, until, limit, cursor } =
        params;
    if resource.is_some() && of.is_some() {
        return Err(Problem::new(Kind::BadParameter, "of: give either `resource` or `of`, not both"));
    }
    let mut query = ChangeFilter { q, resource, since, until }.query(&app, limit, cursor).await?;
    query.of = match of {
        None => None,
        Some(of) => {
            let depth = u32::try_from(depth).ok().filter(|depth| *depth <= 10).ok_or_else(|| {
                Problem::new(Kind::BadParameter, format!("depth: {depth} is not between 0 and 10"))
            })?;
            let walk = Walk { direction, depth, kinds: kinds(words.as_deref())?, ..Walk::default() };
            Some(ResourceSet { selector: selector(Some(&of))?, walk })
        }
    };
    answer(&app, &query, group).await
}

pub(crate) async fn of_resource(
    State(app): State<Arc<App>>,
    Reference { reference }: Reference,
    Params(params): Params<ResourceChangesParams>,
) -> Result<Json<Changes>, Problem> {
    let ResourceChangesParams { q, group, since, until, limit, cursor } = params;
    let filter = ChangeFilter { q, resource: Some(reference), since, until };
    let query = filter.query(&app, limit, cursor).await?;
    answer(&app, &query, group).await
}
