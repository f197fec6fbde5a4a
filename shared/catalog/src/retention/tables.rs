//! The tables that retention looks through, in the order in which it does: what refers to others before the others.
//!
//! In every piece of SQL, `x` is the row that may go.

use super::policy::Kind;

/// A table of what ended.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether it has a partition for each month.
    pub(super) monthly: bool,
    /// When it ended. What has no end is never removed.
    pub(super) ended: &'static str,
    /// The type whose age counts, where types have ages of their own.
    pub(super) kind_of: Option<&'static str>,
    /// When a type's age counts, the instant before which the row may go; `o` is the type's own.
    pub(super) horizon: &'static str,
    /// Whether a hold keeps it.
    pub(super) held: Option<&'static str>,
    /// Whether it stays whatever its age.
    pub(super) stays: Option<&'static str>,
    /// What goes with it: further parts of the statement, in which `gone` is what went and `$7` is now.
    pub(super) with: &'static str,
    /// What is to be done before a partition `{leaf}` is dropped; `$1` is now.
    pub(super) before_drop: Option<&'static str>,
    /// Whether writers may refer to it without owning it, and are to be kept out.
    pub(super) shared: bool,
}

const OWN: &str = "coalesce(o.horizon, $3)";

const PLAIN: Table = Table {
    name: "",
    kind: Kind::History,
    monthly: false,
    ended: "",
    kind_of: None,
    horizon: OWN,
    held: None,
    stays: None,
    with: "",
    before_drop: None,
    shared: false,
};

const OF_RESOURCE: Option<&str> = Some("(select r.type from perigee.resources r where r.id = x.resource_id)");
const HELD_OVER_TIME: Option<&str> = Some("perigee.is_held(x.resource_id, x.valid_from, x.valid_to)");
const HELD_AT: Option<&str> = Some("perigee.is_held(x.resource_id, x.at, x.at)");

pub(super) const ALL: &[Table] = &[
    Table {
        name: "versions_closed",
        monthly: true,
        ended: "x.valid_to",
        kind_of: OF_RESOURCE,
        held: HELD_OVER_TIME,
        // What nobody documents any more is shown as it last looked.
        stays: Some(
            "(x.content = 1 and x.superseded_at is null
              and exists (select 1 from perigee.resources r where r.id = x.resource_id and r.deleted_at is null)
              and not exists (select 1 from perigee.versions_open v where v.resource_id = x.resource_id and v.content = 1)
              and not exists (select 1 from perigee.versions_closed c
                              where c.resource_id = x.resource_id and c.source = x.source and c.superseded_at is null
                                and c.content = 1 and c.valid_to > x.valid_to))",
        ),
        with: ", loose as (
            insert into perigee.documents_loose (hash, since)
            select distinct document, $7::timestamptz from gone where document is not null
            on conflict do nothing)",
        before_drop: Some(
            "insert into perigee.documents_loose (hash, since)
             select distinct document, $1::timestamptz from perigee.{leaf} where document is not null
             on conflict do nothing",
        ),
        ..PLAIN
    },
    Table {
        name: "edges_closed",
        monthly: true,
        ended: "x.valid_to",
        kind_of: Some("(select r.type from perigee.resources r where r.id = x.from_id)"),
        held: Some(
            "(perigee.is_held(x.from_id, x.valid_from, x.valid_to) or perigee.is_held(x.to_id, x.valid_from, x.valid_to))",
        ),
        ..PLAIN
    },
    Table {
        name: "shown_closed",
        monthly: true,
        ended: "x.valid_to",
        kind_of: Some("x.type"),
        held: HELD_OVER_TIME,
        ..PLAIN
    },
    Table {
        name: "health_closed",
        monthly: true,
        ended: "x.valid_to",
        kind_of: Some("x.type"),
        held: HELD_OVER_TIME,
        ..PLAIN
    },
    Table { name: "health_transitions", ended: "x.at", kind_of: OF_RESOURCE, held: HELD_AT, ..PLAIN },
    Table {
        name: "sightings",
        kind: Kind::Sightings,
        monthly: true,
        ended: "x.at",
        kind_of: OF_RESOURCE,
        held: HELD_AT,
        // Whether a resource is there depends on the last that each source saw of it, and, where one ever called it gone,
        // on all that they saw.
        stays: Some(
            "(not exists (select 1 from perigee.sightings s
                          where s.resource_id = x.resource_id and s.source = x.source and s.at > x.at)
              or exists (select 1 from perigee.resources r where r.id = x.resource_id and r.contested))",
        ),
        ..PLAIN
    },
    Table {
        name: "changes",
        kind: Kind::Changes,
        monthly: true,
        ended: "x.occurred_at",
        kind_of: Some("''"),
        // The longest age of what it touched.
        horizon: "coalesce(
            (select min(coalesce(t.horizon, $3))
             from perigee.resources r left join unnest($1::text[], $2::timestamptz[]) t (type, horizon) on t.type = r.type
             where r.id = any (x.targets || x.related)), $3)",
        held: Some(
            "exists (select 1 from unnest(x.targets || x.related) i (id)
                     where perigee.is_held(i.id, x.occurred_at, x.occurred_at))",
        ),
        ..PLAIN
    },
    Table {
        name: "change_resources",
        kind: Kind::Changes,
        monthly: true,
        ended: "x.occurred_at",
        kind_of: Some("''"),
        // As long as its change.
        horizon: "$6",
        stays: Some(
            "exists (select 1 from perigee.changes c where c.id = x.change_id and c.occurred_at = x.occurred_at)",
        ),
        ..PLAIN
    },
    Table {
        name: "findings",
        kind: Kind::Findings,
        ended: "x.at",
        held: Some("exists (select 1 from unnest(x.resources) i (id) where perigee.is_held(i.id, x.first_seen, x.at))"),
        stays: Some("x.status = 'open'"),
        with: ", statements as (delete from perigee.finding_statements s using gone where s.finding_id = gone.id)",
        ..PLAIN
    },
    Table { name: "check_results", kind: Kind::Checks, ended: "x.at", ..PLAIN },
    Table {
        name: "runs",
        kind: Kind::Runs,
        ended: "x.ended_at",
        held: Some("perigee.is_held(x.resource_id, x.created_at, x.ended_at)"),
        with: ", steps as (delete from perigee.run_steps s using gone where s.run_id = gone.id)
               , attempts as (delete from perigee.run_attempts s using gone where s.run_id = gone.id)
               , output as (delete from perigee.step_output s using gone where s.run_id = gone.id)",
        ..PLAIN
    },
    Table {
        name: "deliveries",
        kind: Kind::Deliveries,
        ended: "x.ended_at",
        held: Some("perigee.is_held(x.resource_id, x.created_at, x.ended_at)"),
        ..PLAIN
    },
    Table { name: "listings", kind: Kind::Listings, ended: "x.began", ..PLAIN },
    Table {
        name: "listing_pages",
        kind: Kind::Listings,
        ended: "x.at",
        // A listing without its pages would prove the absence of all; and what was last seen unchanged was seen there.
        stays: Some(
            "(exists (select 1 from perigee.listings l where l.id = x.listing_id)
              or not exists (select 1 from perigee.listing_pages p
                             where p.account = x.account and p.region = x.region and p.source = x.source
                               and p.type = x.type and p.page = x.page and p.at > x.at))",
        ),
        // What a page saw unchanged was seen there. The last that was seen of what is on no page any more becomes a
        // sighting, and so does all that was seen of what some source ever called gone.
        with: ", marks as materialized (
                select source, unchanged, max(at) as at from gone where unchanged is not null group by source, unchanged
            ), latest as materialized (
                select distinct p.source, m.id
                from (select distinct on (account, region, source, type, page) source, unchanged
                      from perigee.listing_pages order by account, region, source, type, page, at desc) p
                join perigee.page_sets s on s.hash = p.unchanged cross join lateral unnest(s.ids) m (id)
            ), last_seen as (
                select m.id, k.source, max(k.at) as at
                from marks k join perigee.page_sets s on s.hash = k.unchanged cross join lateral unnest(s.ids) m (id)
                where (k.source, m.id) not in (select source, id from latest)
                group by m.id, k.source
                union
                select m.id, g.source, g.at
                from gone g join perigee.page_sets s on s.hash = g.unchanged cross join lateral unnest(s.ids) m (id)
                where m.id in (select r.id from perigee.resources r where r.contested)
            ), sighted as (
                insert into perigee.sightings (resource_id, source, at, state_id, documented)
                select l.id, l.source, l.at, 0, true
                from last_seen l join perigee.resources r on r.id = l.id
                on conflict do nothing)",
        ..PLAIN
    },
    Table {
        name: "page_sets",
        kind: Kind::Listings,
        ended: "'-infinity'::timestamptz",
        stays: Some(
            "(exists (select 1 from perigee.listing_pages p where p.seen = x.hash)
              or exists (select 1 from perigee.listing_pages p where p.unchanged = x.hash))",
        ),
        shared: true,
        ..PLAIN
    },
    Table { name: "count_log", kind: Kind::Counts, monthly: true, ended: "x.at", ..PLAIN },
    Table {
        name: "count_days",
        kind: Kind::Counts,
        ended: "((x.day + 1)::timestamp at time zone 'UTC')",
        stays: Some("x.day = date '0001-01-01'"),
        // What they add up to is how many there are, so that stays, before all days.
        with: ", folded as (
            insert into perigee.count_days as c (day, account, region, type, health, delta)
            select date '0001-01-01', account, region, type, health, sum(delta)::bigint from gone
            group by account, region, type, health order by account, region, type, health
            on conflict (day, account, region, type, health) do update set delta = c.delta + excluded.delta)",
        ..PLAIN
    },
    Table { name: "rejected", kind: Kind::Rejected, ended: "x.recorded_at", ..PLAIN },
    Table { name: "ledger", kind: Kind::Ledger, ended: "x.recorded_at", ..PLAIN },
];
