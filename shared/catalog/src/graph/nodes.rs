//! Resources of a walk, as they were shown at its moment.

use std::collections::BTreeMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::is_now;
use crate::{AsOf, Error, Resource, resources};

/// Resources by their ids, as they were shown. What was not there yet, or not known yet, is left out.
pub(super) async fn by_ids(
    pool: &PgPool,
    ids: &[Uuid],
    as_of: AsOf,
) -> Result<BTreeMap<Uuid, Resource>, Error> {
    if is_now(as_of) {
        return resources::by_ids(pool, ids).await;
    }
    let rows = sqlx::query_as!(
        resources::Row,
        r#"select r.id as "id!", r.provider as "provider!", r.partition as "partition!", r.account as "account!",
                  r.region as "region!", r.type as "kind!", r.native_id as "native_id!",
                  coalesce(s.name, r.native_id) as "name!", coalesce(s.tags, '{}') as "tags!",
                  r.evidence as "evidence!",
                  case when r.since <= coalesce($2, 'infinity'::timestamptz) then r.since end as "since?",
                  s.deleted_at as "deleted_at?", h.health as "health?", h.status as "health_status?",
                  h.ready as "health_ready?", h.reason as "health_reason?", h.valid_from as "health_since?"
           from perigee.resources r
               left join lateral (
                   select r.name, r.tags, r.deleted_at, r.shown_from as valid_from
                   where r.shown_from <= coalesce($2, 'infinity'::timestamptz)
                     and r.shown_recorded_at <= coalesce($3, 'infinity'::timestamptz)
                   union all
                   select c.name, c.tags, c.deleted_at, c.valid_from
                   from perigee.shown_closed c
                   where c.resource_id = r.id and c.valid_from <= coalesce($2, 'infinity'::timestamptz)
                     and case when $3::timestamptz is null then c.superseded_at is null and c.valid_to > $2
                              else c.recorded_at <= $3 and (c.superseded_at is null or c.superseded_at > $3)
                                   and (c.valid_to > coalesce($2, 'infinity'::timestamptz) or c.end_recorded_at > $3
                                        or (c.superseded_at is not null and c.open_ended)) end
                   order by 4 desc limit 1
               ) s on true
               left join lateral (
                   select n.health, n.status, n.ready, n.reason, n.since as valid_from
                   from perigee.health n
                   where n.resource_id = r.id and n.health is not null and n.since <= coalesce($2, 'infinity'::timestamptz)
                     and n.since <= coalesce($3, 'infinity'::timestamptz)
                   union all
                   select c.health, c.status, c.ready, c.reason, c.valid_from
                   from perigee.health_closed c
                   where c.resource_id = r.id and c.valid_from <= coalesce($2, 'infinity'::timestamptz)
                     and case when $3::timestamptz is null then c.valid_to > $2
                              else c.recorded_at <= $3
                                   and (c.valid_to > coalesce($2, 'infinity'::timestamptz) or c.end_recorded_at > $3) end
                   order by 5 desc limit 1
               ) h on true
           where r.id = any($1) and r.named_at <= coalesce($2, 'infinity'::timestamptz)
             and r.recorded_at <= coalesce($3, 'infinity'::timestamptz)"#,
        ids,
        as_of.at,
        as_of.recorded_at,
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("resources"))?;
    Ok(rows.into_iter().map(|row| (row.id, row.into())).collect())
}
