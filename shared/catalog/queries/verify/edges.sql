-- Edges while their source did not document the resource, as far as versions reach back; and edges that overlap
-- themselves.
with edges as materialized (
    select from_id, source, kind, to_id, valid_from, 'infinity'::timestamptz as valid_to
    from perigee.edges_open where from_id between $1 and $2
    union all
    select from_id, source, kind, to_id, valid_from, valid_to
    from perigee.edges_closed where from_id between $1 and $2 and superseded_at is null
), versions as materialized (
    select resource_id, source, valid_from, 'infinity'::timestamptz as valid_to, content
    from perigee.versions_open where resource_id between $1 and $2
    union all
    select resource_id, source, valid_from, valid_to, content
    from perigee.versions_closed where resource_id between $1 and $2 and superseded_at is null
), reached as (
    select e.from_id, e.source, e.kind, e.to_id, e.valid_from, e.valid_to,
           min(v.valid_from) as covered_from, max(v.valid_to) as covered_to,
           coalesce(bool_and(v.content = 1), false) as documented
    from edges e
    left join versions v
      on v.resource_id = e.from_id and v.source = e.source and v.valid_from < e.valid_to and v.valid_to > e.valid_from
    group by e.from_id, e.source, e.kind, e.to_id, e.valid_from, e.valid_to
), excused as (
    select r.*, (select max(h.at) from perigee.horizons h left join perigee.resources o on o.id = r.from_id
                 where h.kind = 'history' and h.type in ('', o.type)) as horizon
    from reached r
    where not r.documented or r.covered_from > r.valid_from or r.covered_to < r.valid_to or r.valid_to <= r.valid_from
), ordered as (
    select *, lead(valid_from) over (partition by from_id, source, kind, to_id order by valid_from, valid_to) as next_from
    from edges
)
select from_id || ' ' || kind || ' ' || to_id,
       source || ' says so from ' || valid_from || ' to ' || valid_to || ', and did not document the resource all that time'
from excused
where valid_to <= valid_from
   or not coalesce(valid_to <= horizon, false)
      and (not documented or covered_to < valid_to or covered_from > greatest(valid_from, horizon))
union all
select from_id || ' ' || kind || ' ' || to_id,
       source || ' says so until ' || valid_to || ', and again from ' || next_from
from ordered
where next_from < valid_to
