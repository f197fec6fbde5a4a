//! Resources with their health, now or as they were.

use model::Timestamp;
use sqlx::{Postgres, QueryBuilder};

/// Adds `resources r left join health h`, as they are now or were at an instant. What no rule judged has no health.
pub(crate) fn push_world(sql: &mut QueryBuilder<Postgres>, at: Option<Timestamp>) {
    let Some(at) = at else {
        sql.push(
            "perigee.resources r left join perigee.health h on h.resource_id = r.id and h.health is not null",
        );
        return;
    };
    sql.push(
        "(select n.id, n.provider, n.partition, n.account, n.region, n.type, n.native_id, n.evidence, n.since,
                 case when n.shown_from <= x.at then n.name else s.name end as name,
                 case when n.shown_from <= x.at then n.tags else s.tags end as tags,
                 case when n.shown_from <= x.at then n.words else s.words end as words,
                 case when n.shown_from <= x.at then n.deleted_at else s.deleted_at end as deleted_at
          from (select ",
    );
    sql.push_bind(at).push(
        "::timestamptz as at) x cross join perigee.resources n
          left join perigee.shown_closed s on s.resource_id = n.id and s.superseded_at is null
              and s.valid_from <= x.at and s.valid_to > x.at and n.shown_from > x.at
          where n.named_at <= x.at and (n.shown_from <= x.at or s.resource_id is not null)) r
         left join lateral (
             select o.health, o.status, o.ready, o.reason, o.since from perigee.health o
             where o.resource_id = r.id and o.health is not null and o.since <= ",
    );
    sql.push_bind(at).push(
        " union all
             select c.health, c.status, c.ready, c.reason, c.valid_from from perigee.health_closed c
             where c.resource_id = r.id and c.valid_from <= ",
    );
    sql.push_bind(at).push(" and c.valid_to > ").push_bind(at).push(" limit 1) h on true");
}
