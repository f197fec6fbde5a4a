-- Runs of one source that overlap, leave a gap, are empty, or do not end in an open one. What retention removed leaves
-- no gap: it ended before the horizon.
with runs as (
    select resource_id, source, valid_from, null::timestamptz as valid_to
    from perigee.versions_open where resource_id between $1 and $2
    union all
    select resource_id, source, valid_from, valid_to
    from perigee.versions_closed where resource_id between $1 and $2 and superseded_at is null
), next as (
    select *, lead(valid_from) over (partition by resource_id, source order by valid_from, valid_to nulls last) as next_from
    from runs
)
select n.resource_id || ' ' || n.source,
       case
           when n.valid_to <= n.valid_from then 'the version from ' || n.valid_from || ' ends at ' || n.valid_to
           when n.valid_to is null then 'open since ' || n.valid_from || ', and another begins at ' || n.next_from
           when n.next_from is null then 'ended at ' || n.valid_to || ', and none is open'
           when n.next_from < n.valid_to then 'the version until ' || n.valid_to || ' overlaps the one from ' || n.next_from
           else 'nothing from ' || n.valid_to || ' to ' || n.next_from
       end
from next n
where n.valid_to <= n.valid_from
   or (n.valid_to is null and n.next_from is not null)
   or (n.valid_to is not null and n.next_from is distinct from n.valid_to
       and not (n.next_from > n.valid_to and exists (
           select 1 from perigee.horizons h left join perigee.resources r on r.id = n.resource_id
           where h.kind = 'history' and h.at >= n.next_from and h.type in ('', r.type))))
