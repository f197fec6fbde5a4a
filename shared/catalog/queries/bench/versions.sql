-- What the one source says of each resource over time.
truncate perigee.versions_open, perigee.versions_closed;
select perigee_bench.strip('versions_open'), perigee_bench.strip('versions_closed');
insert into perigee.versions_closed
    (resource_id, source, rank, valid_from, valid_to, state_id, content, document, recorded_at, end_recorded_at)
select l.id, 'config', 3, v.valid_from, v.valid_to, 0, 1, perigee_bench.hash(l.id, v.version),
       v.valid_from + interval '30 seconds', v.valid_to + interval '30 seconds'
from perigee_bench.lives l
cross join lateral (values (1, l.v1, l.v2), (2, l.v2, l.v3), (3, l.v3, l.gone)) v (version, valid_from, valid_to)
where v.valid_to is not null
order by v.valid_to;
insert into perigee.versions_open (resource_id, source, rank, valid_from, state_id, content, document, recorded_at)
select id, 'config', 3, coalesce(gone, v3), 0, case when gone is null then 1 else 2 end,
       case when gone is null then perigee_bench.hash(id, 3) end, coalesce(gone, v3) + interval '30 seconds'
from perigee_bench.lives;
select perigee_bench.dress('versions_open'), perigee_bench.dress('versions_closed');
