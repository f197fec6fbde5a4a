-- Whether each resource is gone, from the open versions and sightings as they are written now.
with voice as (
    select resource_id, source, rank, valid_from, state_id, content
    from perigee.versions_open
    where resource_id = any ($1)
),
-- The last that any source saw of it which does not call it gone.
seen as (
    select distinct on (v.resource_id) v.resource_id, f.at, f.state_id, v.rank
    from voice v
    cross join lateral (
        select v.valid_from as at, v.state_id
        union all
        (select s.at, s.state_id from perigee.sightings s
         where s.resource_id = v.resource_id and s.source = v.source and s.at >= v.valid_from
         order by s.at desc limit 1)
    ) f
    where v.content <> 2
    order by v.resource_id, f.at desc, f.state_id desc, v.rank desc
),
-- The earliest word after that of a source that does.
gone as (
    select v.resource_id, min(f.at) as at
    from voice v
    left join seen on seen.resource_id = v.resource_id
    cross join lateral (
        select v.valid_from as at, v.state_id
        union all
        select s.at, s.state_id from perigee.sightings s
        where s.resource_id = v.resource_id and s.source = v.source
          and s.at >= greatest(v.valid_from, coalesce(seen.at, '-infinity'))
    ) f
    where v.content = 2
      and (seen.resource_id is null or (f.at, f.state_id, v.rank) >= (seen.at, seen.state_id, seen.rank))
    group by v.resource_id
),
decided as (
    select w.id, gone.at
    from unnest($1::uuid[]) w (id)
    left join gone on gone.resource_id = w.id
),
updated as (
    update perigee.resources r
    set deleted_at = decided.at
    from decided
    where r.id = decided.id and r.deleted_at is distinct from decided.at
)
select id as "id!", at as "deleted_at?" from decided
