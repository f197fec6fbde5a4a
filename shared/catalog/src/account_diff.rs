//! What differs in an account between two instants.
//!
//! Only what began or ended in between is looked at: the versions of each resource of the account say whether anything
//! did, and only then are its two looks read and compared.

use std::collections::BTreeMap;

use model::{Difference, ResourceId, Timestamp};
use schemars::JsonSchema;
use selector::Selector;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    AsOf, EdgeDifferences, Error, Page, Resource, ResourceDetail, cursor,
    moment::{self, Moment},
    resources,
};

/// How many resources that may differ are found at once, and how many times for a page.
const FOUND: i64 = 500;
const ROUNDS: usize = 10;
/// How many resources are compared at once, and a page holds at most.
const MAX_LIMIT: u16 = 100;
/// How many differences of each are told.
const TOLD: usize = 100;

/// Which account to compare between which instants. By type, region and native id.
#[derive(Debug, Clone)]
pub struct AccountDiffQuery {
    /// The account or cluster.
    pub account: String,
    /// The earlier instant.
    pub from: Timestamp,
    /// The later one.
    pub to: Timestamp,
    /// Only resources that it describes as they are now; fields as for resources.
    pub selector: Selector,
    /// How many at most; bounded to 100. A page may hold fewer though more follow.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// What became of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It was not there, and was there later.
    Appeared,
    /// It was there, and was not there later.
    Went,
    /// It looked different, and was there at both instants or gone at both.
    Changed,
    /// It was there at neither instant, and was there in between.
    Passed,
}

/// A resource that differs between two instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceChange {
    /// What became of it.
    pub became: Became,
    /// The resource as it was at the later instant; of one that went, at the earlier one.
    #[serde(flatten)]
    pub resource: Resource,
    /// In how many places it differs; none are counted of one that appeared or went.
    pub differences: usize,
    /// The first of these places: fields of the document, `name` and `tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<Difference>,
}

/// What differs of one resource between two moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceDiff {
    /// The resource.
    pub id: ResourceId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name at the later moment; at the earlier one, where it was not known at the later.
    pub name: String,
    /// The earlier moment.
    pub from: Timestamp,
    /// The later one.
    pub to: Timestamp,
    /// What became of it; absent where nothing differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became: Option<Became>,
    /// The places that differ: fields of the shown document, `name`, `tags`, `health` and `deleted_at`.
    pub differences: Vec<Difference>,
    /// The relations that differ.
    pub relations: EdgeDifferences,
}

/// What differs of one resource. `None` when nothing was known of it at either moment.
pub(crate) async fn one(
    pool: &PgPool,
    id: ResourceId,
    from: Timestamp,
    to: Timestamp,
    recorded_at: Option<Timestamp>,
) -> Result<Option<ResourceDiff>, Error> {
    let as_of = |at| AsOf { at: Some(at), recorded_at };
    let before = moment::one(pool, id, as_of(from)).await?;
    let after = moment::one(pool, id, as_of(to)).await?;
    let Some(known) = after.as_ref().or(before.as_ref()) else { return Ok(None) };
    let (kind, name) = (known.resource.kind.clone(), known.resource.name.clone());
    let differences = ResourceDetail::differences(before.as_ref(), after.as_ref());
    let relations = moment::edges_between(pool, id, as_of(from), as_of(to)).await?;
    let there = |detail: &Option<ResourceDetail>| {
        detail.as_ref().is_some_and(|detail| detail.resource.deleted_at.is_none())
    };
    let differs = !differences.is_empty() || relations != EdgeDifferences::default();
    let became = match (there(&before), there(&after)) {
        (false, true) => Some(Became::Appeared),
        (true, false) => Some(Became::Went),
        (false, false) if differs && before.is_none() => Some(Became::Passed),
        (true, true) | (false, false) => differs.then_some(Became::Changed),
    };
    Ok(Some(ResourceDiff { id, kind, name, from, to, became, differences, relations }))
}

/// A resource of which something began or ended in between, and its place in the list.
#[derive(Debug)]
struct Found {
    id: Uuid,
    kind: String,
    region: String,
    native_id: String,
}

impl Found {
    fn cursor(&self) -> String {
        cursor::write(&[&self.kind, &self.region, &self.native_id, &self.id.to_string()])
    }
}

pub(crate) async fn list(pool: &PgPool, query: &AccountDiffQuery) -> Result<Page<ResourceChange>, Error> {
    let limit = usize::from(query.limit.clamp(1, MAX_LIMIT));
    let mut items = Vec::new();
    let mut place = query.cursor.clone();
    for _ in 0..ROUNDS {
        let found = found(pool, query, place.as_deref()).await?;
        let last_round = i64::try_from(found.len()).is_ok_and(|found| found < FOUND);
        let ids: Vec<ResourceId> = found.iter().map(|found| ResourceId(found.id)).collect();
        let wanted = if query.selector.nodes.is_empty() {
            ids
        } else {
            resources::selected(pool, &query.selector, &ids, true).await?
        };
        let mut rest: &[Found] = &found;
        while !rest.is_empty() {
            if items.len() == limit {
                return Ok(Page { items, next: place });
            }
            let (compared, left) = rest.split_at(rest.len().min(limit));
            let wanted = |found: &&Found| wanted.contains(&ResourceId(found.id));
            let ids: Vec<Uuid> = compared.iter().filter(wanted).map(|found| found.id).collect();
            let mut changes = changes(pool, query, &ids).await?;
            for found in compared {
                if items.len() == limit {
                    return Ok(Page { items, next: place });
                }
                items.extend(changes.remove(&found.id));
                place = Some(found.cursor());
            }
            rest = left;
        }
        if last_round {
            return Ok(Page { items, next: None });
        }
    }
    Ok(Page { items, next: place })
}

/// The next resources of the account of which a version began or ended in between.
async fn found(pool: &PgPool, query: &AccountDiffQuery, place: Option<&str>) -> Result<Vec<Found>, Error> {
    let (kind, region, native_id, id) = match place.map(cursor::read::<4>).transpose()? {
        None => (String::new(), String::new(), String::new(), Uuid::nil()),
        Some([kind, region, native_id, id]) => {
            (kind, region, native_id, id.parse().map_err(|_| Error::BadCursor)?)
        }
    };
    sqlx::query_file_as!(
        Found,
        "queries/account_diff.sql",
        query.account,
        query.from,
        query.to,
        kind,
        region,
        native_id,
        id,
        FOUND,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("versions"))
}

/// What became of each of them; those that look the same at both instants are not among them.
async fn changes(
    pool: &PgPool,
    query: &AccountDiffQuery,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, ResourceChange>, Error> {
    let mut before = moment::many(pool, ids, AsOf::at(query.from)).await?;
    let mut after = moment::many(pool, ids, AsOf::at(query.to)).await?;
    let changes = ids.iter().filter_map(|id| {
        let change = change(before.remove(id), after.remove(id), query.from)?;
        Some((*id, change))
    });
    Ok(changes.collect())
}

fn change(before: Option<Moment>, after: Option<Moment>, from: Timestamp) -> Option<ResourceChange> {
    let there = |moment: &Option<Moment>| moment.as_ref().is_some_and(Moment::is_there);
    let without_diff = |became, moment: Option<Moment>| {
        moment.map(|moment| ResourceChange {
            became,
            resource: moment.resource,
            differences: 0,
            diff: Vec::new(),
        })
    };
    match (there(&before), there(&after)) {
        (false, true) => without_diff(Became::Appeared, after),
        (true, false) => without_diff(Became::Went, before),
        (true, true) => {
            let (before, after) = before.zip(after)?;
            let side = |moment: &Moment| moment::compared(&moment.resource, &moment.document, false);
            let mut diff = model::diff(&side(&before), &side(&after));
            let differences = diff.len();
            diff.truncate(TOLD);
            (differences > 0).then_some(ResourceChange {
                became: Became::Changed,
                resource: after.resource,
                differences,
                diff,
            })
        }
        (false, false) => {
            let passed = after.filter(|after| after.resource.deleted_at.is_some_and(|at| at > from));
            without_diff(Became::Passed, passed)
        }
    }
}

#[cfg(test)]
mod tests;
