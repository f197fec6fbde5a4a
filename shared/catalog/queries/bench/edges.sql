-- Relations: nine or ten of each resource to older ones of its place, of which the last began with its second version, and
-- a third had another one before; five hubs that a tenth of all point at; and twelve levels of which every resource points
-- at all of the next.
truncate perigee.edges_open, perigee.edges_closed;
select perigee_bench.strip('edges_open'), perigee_bench.strip('edges_closed');
create unlogged table perigee_bench.edges as
with pointed as (
    select l.n, l.id, l.gone, l.place, l.places, l.v1, l.v2, reach.reach, k,
           floor(reach.reach * perigee_bench.draw(l.n, 20) * perigee_bench.draw(l.n, 21))::bigint as first,
           greatest(1, reach.reach / 11) as stride
    from perigee_bench.lives l
    cross join lateral (select least(l.rank, l.base) as reach) reach
    cross join lateral generate_series(0, least(reach.reach, 9 + l.n % 2) - 1) k
)
select p.id as from_id, p.gone, case when p.k = 8 then p.v2 else p.v1 end as valid_from, null::timestamptz as valid_to,
       p.place + p.places * ((p.first + p.k * p.stride) % p.reach) as target
from pointed p
union all
select p.id, p.gone, p.v1, p.v2, p.place + p.places * ((p.first + 10 * p.stride) % p.reach)
from pointed p where p.k = 0 and p.reach >= 11 and p.n % 3 = 0
union all
select l.id, l.gone, l.v1, null, hub
from perigee_bench.lives l cross join generate_series(0, 4) hub
where l.place > 4 and l.rank > 0 and perigee_bench.draw(l.n, 30 + hub::integer) < 0.1
union all
select a.id, null, a.v1, null, b.n
from perigee_bench.lives a join perigee_bench.lives b on b.level = a.level + 1;

insert into perigee.edges_open (from_id, source, kind, to_id, valid_from, recorded_at)
select e.from_id, 'config', k.relation, l.id, e.valid_from, e.valid_from + interval '30 seconds'
from perigee_bench.edges e
join perigee_bench.lives l on l.n = e.target
join perigee_bench.kinds k on k.kind = l.kind
where e.gone is null and e.valid_to is null;
insert into perigee.edges_closed (from_id, source, kind, to_id, valid_from, valid_to, recorded_at, end_recorded_at)
select e.from_id, 'config', k.relation, l.id, e.valid_from, coalesce(e.valid_to, e.gone),
       e.valid_from + interval '30 seconds', coalesce(e.valid_to, e.gone) + interval '30 seconds'
from perigee_bench.edges e
join perigee_bench.lives l on l.n = e.target
join perigee_bench.kinds k on k.kind = l.kind
where e.gone is not null or e.valid_to is not null;
drop table perigee_bench.edges;
select perigee_bench.dress('edges_open'), perigee_bench.dress('edges_closed');
