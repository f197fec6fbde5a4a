-- When each resource came to be, changed and went, and what it was called meanwhile. A resource n lies in place n % places,
-- as the (n / places)th of it; the first two fifths of a place are what the others point at, so they are the older.
create unlogged table perigee_bench.lives as
with drawn as (
    select s.*, k.type, k.judged, k.arn, k.dns as has_dns, s.n % g.places as place, s.n / g.places as rank,
           g.places, g.base, (g.resources + g.places - 1) / g.places as ranks,
           case when s.n >= g.resources - 12 * g.width then (s.n - (g.resources - 12 * g.width)) / g.width end as level
    from perigee_bench.seeds s
    join perigee_bench.kinds k on k.kind = s.kind
    cross join perigee_bench.settings g
), born as (
    select d.*,
           date_trunc('hour', perigee_bench.at()) - make_interval(hours => (24 * case
               when level is not null then 150
               when rank < base then 400 - 200 * rank::double precision / base
               else 199 - 108 * least(1, (rank - base)::double precision / greatest(1, 0.95 * (ranks - base)))
                    - 90 * greatest(0, (rank - base)::double precision / greatest(1, ranks - base) - 0.95) / 0.05
           end)::integer) as v1
    from drawn d
), begun as (
    select b.*, greatest(v1, perigee_bench.at() - interval '90 days') as start, perigee_bench.at() as until from born b
), changed as (
    select b.*,
           date_trunc('second', start + (until - start) * (0.05 + 0.40 * perigee_bench.draw(n, 1))) as v2,
           date_trunc('second', start + (until - start) * (0.50 + 0.40 * perigee_bench.draw(n, 2))) as v3
    from begun b
)
select n, id, kind, type, account, region, native_id, name as name1, app, env, team, place, rank, places, base, level,
       judged, v1, v2, v3, start, until,
       case when rank >= base and level is null and perigee_bench.draw(n, 3) < 0.03
            then date_trunc('second', v3 + (until - v3) * (0.1 + 0.8 * perigee_bench.draw(n, 4))) end as gone,
       perigee_bench.draw(n, 5) < 0.12 as released,
       perigee_bench.draw(n, 6) < 0.02 as renamed,
       case when perigee_bench.draw(n, 6) < 0.02 then name || '-blue' else name end as name3,
       case when perigee_bench.draw(n, 7) < 0.3 then format('%s %s for the %s team, on call in %s',
            (array['Serves','Stores','Moves','Watches','Signs','Indexes','Caches','Reconciles'])[1 + floor(8 * perigee_bench.draw(n, 8))::integer],
            (array['orders','payments','invoices','sessions','search results','shipments','ledgers','reports','profiles','images',
                   'recommendations','audit trails'])[1 + floor(12 * perigee_bench.draw(n, 9))::integer],
            team, env) end as description,
       replace(replace(replace(arn, '<id>', native_id), '<region>', region), '<account>', account) as arn,
       case when has_dns then native_id || '-' || left(md5(id::text), 8) || '.' || region || '.example.net' end as dns
from changed;
alter table perigee_bench.lives add primary key (n);
analyze perigee_bench.lives;
analyze perigee_bench.kinds;
