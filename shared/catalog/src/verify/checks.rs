//! The checks, as data: what is looked at, what is a fault, and what mends it.
//!
//! In SQL, `$1` and `$2` are the first and the last id of the slice, and `$3` is now. A fault is an id and a sentence.

use model::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{
    Found,
    Severity::{self, Broken, Drift},
    Slice, TOLD,
};
use crate::Error;

/// A check.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    pub(super) severity: Severity,
    /// Whether it looks at the resources of a slice.
    pub(super) sliced: bool,
    /// `None` for the one that needs more than SQL.
    pub(super) sql: Option<Sql>,
}

/// A check in SQL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    rows: &'static str,
    faults: &'static str,
    repairs: &'static [&'static str],
}

impl Sql {
    pub(super) async fn run(
        self,
        db: &mut PgConnection,
        slice: Option<Slice>,
        repair: bool,
        now: Timestamp,
    ) -> Result<Found, Error> {
        let slice = slice.unwrap_or(Slice { first: Uuid::nil(), last: Uuid::max() });
        let bounds = "where $1::uuid is not null and $2::uuid is not null and $3::timestamptz is not null";
        let rows = format!("select n from ({}) counted (n) {bounds}", self.rows);
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(rows))
            .bind(slice.first)
            .bind(slice.last)
            .bind(now)
            .fetch_one(&mut *db)
            .await
            .map_err(Error::reading("what is verified"))?;
        let faults = format!(
            "select id, detail, count(*) over () from ({}) faults (id, detail) {bounds} order by id, detail limit {TOLD}",
            self.faults
        );
        let faults: Vec<(String, String, i64)> = sqlx::query_as(AssertSqlSafe(faults))
            .bind(slice.first)
            .bind(slice.last)
            .bind(now)
            .fetch_all(&mut *db)
            .await
            .map_err(Error::reading("what is verified"))?;
        let count = faults.first().map_or(0, |(_, _, all)| *all);
        let mut repaired = 0;
        if repair && count > 0 {
            for sql in self.repairs {
                let done = sqlx::query(AssertSqlSafe((*sql).to_owned()))
                    .bind(slice.first)
                    .bind(slice.last)
                    .bind(now)
                    .execute(&mut *db)
                    .await
                    .map_err(Error::writing("what is mended"))?;
                repaired += i64::try_from(done.rows_affected()).unwrap_or(i64::MAX);
            }
        }
        let faults = faults.into_iter().map(|(id, detail, _)| (id, detail)).collect();
        Ok(Found { rows, count, faults, repaired })
    }
}

const fn sql(rows: &'static str, faults: &'static str, repairs: &'static [&'static str]) -> Option<Sql> {
    Some(Sql { rows, faults, repairs })
}

pub(super) const ALL: &[Check] = &[
    Check {
        name: "orphans",
        what: "what is known of a resource names one that there is",
        severity: Broken,
        sliced: true,
        sql: sql(
            "select count(*) from perigee.versions_open where resource_id between $1 and $2",
            include_str!("../../queries/verify/orphans.sql"),
            &[],
        ),
    },
    Check {
        name: "versions",
        what: "versions of one source follow one another without gaps, and the last is open",
        severity: Broken,
        sliced: true,
        sql: sql(
            "select (select count(*) from perigee.versions_open where resource_id between $1 and $2)
                    + (select count(*) from perigee.versions_closed where resource_id between $1 and $2)",
            include_str!("../../queries/verify/versions.sql"),
            &[],
        ),
    },
    Check {
        name: "documents",
        what: "every version that has a document has it",
        severity: Broken,
        sliced: true,
        sql: sql(
            "select (select count(*) from perigee.versions_open where resource_id between $1 and $2 and content = 1)
                    + (select count(*) from perigee.versions_closed where resource_id between $1 and $2 and content = 1)",
            "select v.resource_id || ' ' || v.source, 'the version from ' || v.valid_from || ' has no document'
             from (select resource_id, source, valid_from, content, document from perigee.versions_open
                   where resource_id between $1 and $2
                   union all
                   select resource_id, source, valid_from, content, document from perigee.versions_closed
                   where resource_id between $1 and $2) v
             where v.content = 1 and not exists (select 1 from perigee.documents d where d.hash = v.document)",
            &[],
        ),
    },
    Check {
        name: "dangling",
        what: "both ends of every edge are there",
        severity: Broken,
        sliced: true,
        sql: sql(
            "select (select count(*) from perigee.edges_open where from_id between $1 and $2)
                    + (select count(*) from perigee.edges_closed where from_id between $1 and $2)",
            "select e.from_id || ' ' || e.kind || ' ' || e.to_id,
                    'says ' || e.source || ', and there is no ' || case when f.id is null then e.from_id else e.to_id end
             from (select from_id, source, kind, to_id from perigee.edges_open where from_id between $1 and $2
                   union all
                   select from_id, source, kind, to_id from perigee.edges_closed where from_id between $1 and $2) e
             left join perigee.resources f on f.id = e.from_id
             left join perigee.resources t on t.id = e.to_id
             where f.id is null or t.id is null",
            &[
                "delete from perigee.edges_open e where e.from_id between $1 and $2 and $3::timestamptz is not null
                   and (not exists (select 1 from perigee.resources r where r.id = e.from_id)
                        or not exists (select 1 from perigee.resources r where r.id = e.to_id))",
                "delete from perigee.edges_closed e where e.from_id between $1 and $2 and $3::timestamptz is not null
                   and (not exists (select 1 from perigee.resources r where r.id = e.from_id)
                        or not exists (select 1 from perigee.resources r where r.id = e.to_id))",
            ],
        ),
    },
    Check {
        name: "edges",
        what: "an edge holds while its source documents the resource, and does not overlap itself",
        severity: Broken,
        sliced: true,
        sql: sql(
            "select (select count(*) from perigee.edges_open where from_id between $1 and $2)
                    + (select count(*) from perigee.edges_closed
                       where from_id between $1 and $2 and superseded_at is null)",
            include_str!("../../queries/verify/edges.sql"),
            &[],
        ),
    },
    Check {
        name: "shown",
        what: "name, tags, description and deletion, now and over time, are what versions say",
        severity: Drift,
        sliced: true,
        sql: None,
    },
    Check {
        name: "tags",
        what: "tags have the rows by which they are found",
        severity: Drift,
        sliced: true,
        sql: sql(
            "select count(*) from perigee.resource_tags where resource_id between $1 and $2",
            include_str!("../../queries/verify/tags.sql"),
            &[
                "delete from perigee.resource_tags t where t.resource_id between $1 and $2 and $3::timestamptz is not null
                   and not exists (
                       select 1 from perigee.resources r
                       where r.id = t.resource_id and (r.deleted_at is not null) = t.gone and r.type = t.type
                         and r.account = t.account and r.region = t.region and r.native_id = t.native_id
                         and r.tags ->> t.key = t.value)",
                "insert into perigee.resource_tags (gone, key, value, type, account, region, native_id, resource_id)
                 select r.deleted_at is not null, t.key, t.value, r.type, r.account, r.region, r.native_id, r.id
                 from perigee.resources r cross join lateral jsonb_each(r.tags) j
                 cross join lateral (select j.key, j.value #>> '{}') t (key, value)
                 where r.id between $1 and $2 and $3::timestamptz is not null and jsonb_typeof(j.value) = 'string'
                   and octet_length(t.key) <= 256 and octet_length(t.value) <= 512
                 on conflict do nothing",
            ],
        ),
    },
    Check {
        name: "health",
        what: "health is of resources that there are, and its spans do not overlap",
        severity: Drift,
        sliced: true,
        sql: sql(
            "select (select count(*) from perigee.health where resource_id between $1 and $2)
                    + (select count(*) from perigee.health_closed where resource_id between $1 and $2)",
            include_str!("../../queries/verify/health.sql"),
            &[
                "delete from perigee.health h where h.resource_id between $1 and $2 and $3::timestamptz is not null
                   and not exists (select 1 from perigee.resources r where r.id = h.resource_id)",
                "update perigee.health h
                 set type = r.type, account = r.account, region = r.region, native_id = r.native_id
                 from perigee.resources r
                 where r.id = h.resource_id and h.resource_id between $1 and $2 and $3::timestamptz is not null
                   and (h.type, h.account, h.region, h.native_id) is distinct from (r.type, r.account, r.region, r.native_id)",
            ],
        ),
    },
    Check {
        name: "changes",
        what: "a change is found by the resources that it touched, and they by it",
        severity: Drift,
        sliced: true,
        sql: sql(
            "select count(*) from perigee.change_resources where resource_id between $1 and $2",
            include_str!("../../queries/verify/changes.sql"),
            &[
                "delete from perigee.change_resources c where c.resource_id between $1 and $2 and $3::timestamptz is not null
                   and not exists (select 1 from perigee.changes h where h.id = c.change_id and h.occurred_at = c.occurred_at)",
                "insert into perigee.change_resources (resource_id, occurred_at, change_id)
                 select i.id, c.occurred_at, c.id
                 from perigee.changes c cross join lateral unnest(c.targets || c.related) i (id)
                 where c.id between $1 and $2 and $3::timestamptz is not null
                 on conflict do nothing",
            ],
        ),
    },
    Check {
        name: "findings",
        what: "a finding stands as its latest statement says",
        severity: Broken,
        sliced: true,
        sql: sql(
            "select count(*) from perigee.findings where id between $1 and $2",
            "select f.id::text, 'its latest statement is not the one that it stands by'
             from perigee.findings f
             where f.id between $1 and $2
               and (f.at, f.hash) is distinct from (
                   select (s.at, s.hash) from perigee.finding_statements s where s.finding_id = f.id
                   order by s.at desc, s.hash desc limit 1)
             union all
             select s.finding_id::text, 'a statement without its finding'
             from perigee.finding_statements s
             where s.finding_id between $1 and $2
               and not exists (select 1 from perigee.findings f where f.id = s.finding_id)",
            &[
                "delete from perigee.finding_statements s where s.finding_id between $1 and $2 and $3::timestamptz is not null
                   and not exists (select 1 from perigee.findings f where f.id = s.finding_id)",
            ],
        ),
    },
    Check {
        name: "counts",
        what: "how many resources there are, and how many are how well, is as counted anew",
        severity: Drift,
        sliced: false,
        sql: sql(
            "select count(*) from perigee.counts",
            include_str!("../../queries/verify/counts.sql"),
            &[include_str!("../../queries/verify/counts_repair.sql")],
        ),
    },
    Check {
        name: "count-days",
        what: "what each day brought adds up to what there is",
        severity: Drift,
        sliced: false,
        sql: sql(
            "select count(*) from perigee.count_days",
            include_str!("../../queries/verify/count_days.sql"),
            &[include_str!("../../queries/verify/count_days_repair.sql")],
        ),
    },
    Check {
        name: "listings",
        what: "pages of listings have their sets, and complete listings their pages",
        severity: Broken,
        sliced: false,
        sql: sql(
            "select (select count(*) from perigee.listing_pages) + (select count(*) from perigee.listings)",
            "select p.listing_id || ' page ' || p.page, 'a set of what it had is missing'
             from perigee.listing_pages p
             where not exists (select 1 from perigee.page_sets s where s.hash = p.seen)
                or (p.unchanged is not null and not exists (select 1 from perigee.page_sets s where s.hash = p.unchanged))
             union all
             select l.id::text, 'complete, with ' || (select count(distinct p.page) from perigee.listing_pages p
                                                      where p.listing_id = l.id) || ' of ' || l.pages || ' pages'
             from perigee.listings l
             where l.complete and l.pages > (select count(distinct p.page) from perigee.listing_pages p
                                             where p.listing_id = l.id)",
            &[],
        ),
    },
    Check {
        name: "ledger",
        what: "sources were heard of at least as often as the ledger says",
        severity: Drift,
        sliced: false,
        sql: sql(
            "select count(*) from perigee.ledger",
            "select l.source || ' ' || l.account || ' ' || l.region,
                    'heard ' || coalesce(s.observations, 0) || ' times, and the ledger has ' || l.n
             from (select source, account, region, count(*) as n, max(occurred_at) as latest
                   from perigee.ledger group by source, account, region) l
             left join perigee.source_status s using (source, account, region)
             where coalesce(s.observations, 0) < l.n or s.latest < l.latest",
            &[
                "insert into perigee.source_status as s (source, account, region, observations, latest, heard_at)
                 select source, account, region, count(*), max(occurred_at), max(recorded_at)
                 from perigee.ledger where $1::uuid is not null and $2::uuid is not null and $3::timestamptz is not null
                 group by source, account, region
                 on conflict (source, account, region) do update
                 set observations = greatest(s.observations, excluded.observations),
                     latest = greatest(s.latest, excluded.latest), heard_at = greatest(s.heard_at, excluded.heard_at)
                 where s.observations < excluded.observations or s.latest < excluded.latest",
            ],
        ),
    },
];
