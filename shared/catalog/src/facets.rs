//! How many resources there are of each type, account, region and health: of all, or of those that a selector describes.
//!
//! Where nothing but these four is asked for, the answer is a sum over the counts that are kept, now or at an instant.
//! Otherwise rows are counted, up to a bound, and an answer that reached it says so.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use model::Health;
use schemars::JsonSchema;
use selector::{Node, Selector, Term};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};

use crate::{
    AsOf, Error, ResourceQuery,
    resources::Rows,
    search::{Column, Fields, When, Words, prepare, push_conditions},
};

/// How many rows are counted at most where the kept counts do not answer.
const MOST_ROWS: i64 = 20_000;
/// How many values of one field are told at most.
const MOST_VALUES: i64 = 1_000;

/// The fields that are counted by.
const NAMES: [&str; 4] = ["type", "account", "region", "health"];

/// The kept counts, as a selector may ask for them.
const COUNTED: Fields = Fields {
    columns: &[
        ("type", Column::Text("c.type")),
        ("account", Column::Text("c.account")),
        ("region", Column::Text("c.region")),
        ("health", Column::Word("c.health", Health::WORDS)),
    ],
    words: Words::Texts(&[]),
    functions: false,
};

/// How many resources have each value of a few fields. Each field's own conditions are left out for its numbers, so that
/// they say what choosing another value would give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facets {
    /// How many resources the selector describes.
    pub total: Total,
    /// By type, the most first.
    #[serde(rename = "type")]
    pub kind: Facet,
    /// By account.
    pub account: Facet,
    /// By region.
    pub region: Facet,
    /// By health; what no rule judges is not among them.
    pub health: Facet,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Total {
    /// The number; where it is not exact, at least so many.
    pub count: i64,
    /// Whether there are just so many.
    pub exact: bool,
}

/// How many have each value of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facet {
    /// The values and how many have each, the most first.
    pub values: Vec<FacetValue>,
    /// Whether the numbers are exact and the values are all of them.
    pub exact: bool,
}

/// How many have one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// How many have it.
    pub count: i64,
}

#[derive(Debug, FromRow)]
struct Row {
    /// The place of the field among those that are asked for; null for the total.
    field: Option<i32>,
    value: Option<String>,
    count: i64,
}

pub(crate) async fn facets(pool: &PgPool, query: &ResourceQuery) -> Result<Facets, Error> {
    let selector = &query.selector;
    let mut counted: BTreeMap<Option<&'static str>, Vec<FacetValue>> = BTreeMap::new();
    let exact;
    if is_kept(query) {
        exact = true;
        for group in groups(selector) {
            let rows = kept(pool, &group, query.as_of).await?;
            place(&mut counted, &group.fields, rows);
        }
    } else {
        let mut whole = true;
        for group in groups(selector) {
            let rows = rows(pool, &group, query).await?;
            // Each field sums to all that were counted.
            let all: i64 = rows.iter().filter(|row| row.field.is_none()).map(|row| row.count).sum();
            whole &= all < MOST_ROWS;
            place(&mut counted, &group.fields, rows);
        }
        exact = whole;
    }
    let total = counted.get(&None).and_then(|total| total.first()).map_or(0, |total| total.count);
    let mut facet = |name: &'static str| {
        let values = counted.remove(&Some(name)).unwrap_or_default();
        let most = usize::try_from(MOST_VALUES).unwrap_or(usize::MAX);
        Facet { exact: exact && values.len() < most, values }
    };
    Ok(Facets {
        total: Total { count: total, exact },
        kind: facet("type"),
        account: facet("account"),
        region: facet("region"),
        health: facet("health"),
    })
}

fn place(
    counted: &mut BTreeMap<Option<&'static str>, Vec<FacetValue>>,
    fields: &[Option<&'static str>],
    rows: Vec<Row>,
) {
    for row in rows {
        let field = row.field.and_then(|place| NAMES.get(usize::try_from(place).ok()?).copied());
        if fields.contains(&field) {
            let value = FacetValue { value: row.value.unwrap_or_default(), count: row.count };
            counted.entry(field).or_default().push(value);
        }
    }
}

/// Fields that are counted under the same conditions: those of the selector less the fields' own. `None` is the total.
#[derive(Debug)]
struct Group {
    fields: Vec<Option<&'static str>>,
    selector: Selector,
}

fn groups(selector: &Selector) -> Vec<Group> {
    let own = |name: &str| selector.conjuncts().iter().any(|node| field(node) == Some(name));
    let mut all = Group { fields: vec![None], selector: selector.clone() };
    let mut groups = Vec::new();
    for name in NAMES {
        if own(name) {
            let nodes = selector.conjuncts().iter().filter(|node| field(node) != Some(name));
            let selector = Selector { nodes: nodes.cloned().collect() };
            groups.push(Group { fields: vec![Some(name)], selector });
        } else {
            all.fields.push(Some(name));
        }
    }
    groups.push(all);
    groups
}

/// The field that a node is a condition on, if it is on one of those that are counted.
fn field(node: &Node) -> Option<&'static str> {
    let Term::Compare { field, op, .. } = node.as_term()? else { return None };
    NAMES.into_iter().find(|name| op.is_equality() && field.is(name))
}

/// Whether the kept counts answer.
fn is_kept(query: &ResourceQuery) -> bool {
    !query.include_deleted
        && query.as_of.recorded_at.is_none()
        && query.selector.conjuncts().iter().all(|node| field(node).is_some())
}

/// Sums of the kept counts.
async fn kept(pool: &PgPool, group: &Group, as_of: AsOf) -> Result<Vec<Row>, Error> {
    let by_health = group.selector.conjuncts().iter().any(|node| field(node) == Some("health"));
    let mut sql = QueryBuilder::new(
        "select case when grouping(type) = 0 then 0 when grouping(account) = 0 then 1 when grouping(region) = 0 then 2
                     when grouping(health) = 0 then 3 end as field,
                coalesce(case when grouping(type) = 0 then type end, case when grouping(account) = 0 then account end,
                         case when grouping(region) = 0 then region end, case when grouping(health) = 0 then health end)
                    as value,
                coalesce(sum(n), 0)::bigint as count
         from (select c.type, c.account, c.region, c.health, c.n from ",
    );
    push_counts(&mut sql, as_of);
    sql.push(" c where true");
    push_conditions(&mut sql, &group.selector, &COUNTED, When::default())?;
    // Where health is asked for, only those that are judged so count; otherwise every resource does, and by health those
    // that are judged.
    sql.push(if by_health { " and c.health <> '') k" } else { ") k" });
    sql.push(if by_health { "" } else { " where health = ''" });
    sql.push(" group by grouping sets ((type), (account), (region), (health), ())");
    sql.push(" having (sum(n) <> 0 or grouping(type, account, region, health) = 15)");
    sql.push(if by_health { "" } else { " and grouping(health) = 1" });
    if !by_health && group.fields.contains(&Some("health")) {
        sql.push(" union all select 3, h.health, sum(h.n)::bigint from (select c.type, c.account, c.region, c.health, c.n from ");
        push_counts(&mut sql, as_of);
        sql.push(" c where c.health <> ''");
        push_conditions(&mut sql, &group.selector, &COUNTED, When::default())?;
        sql.push(") h group by h.health having sum(h.n) <> 0");
    }
    sql.push(" order by 1, 3 desc, 2");
    sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("counts"))
}

/// The counts as they are, or as they were at an instant: those of now less what came since, or what came until then,
/// whichever is less to read.
pub(crate) fn push_counts(sql: &mut QueryBuilder<Postgres>, as_of: AsOf) {
    let Some(at) = as_of.at else {
        sql.push(
            "(select account, region, type, health, count as n from perigee.counts
              union all
              select account, region, type, health, delta from perigee.count_deltas)",
        );
        return;
    };
    let day = at.date_naive();
    let tomorrow = day.succ_opt().unwrap_or(day);
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    sql.push("(select account, region, type, health, delta as n from perigee.count_deltas where at <= ")
        .push_bind(at);
    sql.push(" union all select account, region, type, health, count from perigee.counts where not perigee.is_early(");
    sql.push_bind(day).push(")");
    for (early, since) in [(false, true), (true, false)] {
        let way = |sql: &mut QueryBuilder<Postgres>, table: &'static str| {
            sql.push(" union all select account, region, type, health, ").push(if since {
                "-delta"
            } else {
                "delta"
            });
            sql.push(" from perigee.").push(table).push(if early { " where" } else { " where not" });
            sql.push(" perigee.is_early(").push_bind(day).push(")");
        };
        way(sql, "count_days");
        sql.push(if since { " and day >= " } else { " and day < " }).push_bind(if since {
            tomorrow
        } else {
            day
        });
        way(sql, "count_log");
        if since {
            sql.push(" and at > ").push_bind(at).push(" and at < ").push_bind(midnight(tomorrow));
        } else {
            sql.push(" and at >= ").push_bind(midnight(day)).push(" and at <= ").push_bind(at);
        }
    }
    sql.push(")");
}

/// Sums of rows that are looked at, up to a bound.
async fn rows(pool: &PgPool, group: &Group, query: &ResourceQuery) -> Result<Vec<Row>, Error> {
    let when = When { now: None, at: query.as_of.at };
    let prepared = prepare(pool, &group.selector, when).await?;
    let mut sql = QueryBuilder::new(
        "select case when grouping(k.type) = 0 then 0 when grouping(k.account) = 0 then 1 when grouping(k.region) = 0 then 2
                     when grouping(k.health) = 0 then 3 end as field,
                coalesce(case when grouping(k.type) = 0 then k.type end, case when grouping(k.account) = 0 then k.account end,
                         case when grouping(k.region) = 0 then k.region end,
                         case when grouping(k.health) = 0 then k.health end) as value,
                count(*) as count
         from (select p.type, p.account, p.region, h.health from (",
    );
    let of = Rows {
        prepared: &prepared,
        selector: &group.selector,
        as_of: query.as_of,
        include_deleted: query.include_deleted,
    };
    of.push_all(&mut sql, MOST_ROWS);
    sql.push(") p");
    crate::resources::push_health(&mut sql, query.as_of, "p.id");
    sql.push(") k group by grouping sets ((k.type), (k.account), (k.region), (k.health), ()) ");
    sql.push("having grouping(k.health) = 1 or k.health is not null order by 1, 3 desc, 2");
    sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("resources"))
}
