-- How well what is judged is, and was: most is well, one in twelve is not, and one in six was not for some hours.
create unlogged table perigee_bench.spans as
with drawn as (
    select l.*, perigee_bench.draw(n, 50) as luck, perigee_bench.draw(n, 51) as moment
    from perigee_bench.lives l where judged
), turned as (
    select d.*,
           case when gone is not null then null
                when luck < 0.03 then 'unhealthy' when luck < 0.06 then 'warning' when luck < 0.08 then 'unknown' end as now_bad,
           gone is null and luck >= 0.08 and luck < 0.25 as was_bad,
           date_trunc('second', start + (until - start) * (0.1 + 0.7 * moment)) as fell
    from drawn d
)
select t.n, t.id, t.type, t.account, t.region, t.native_id, s.*
from turned t
cross join lateral (
    select 'healthy', t.v1, case when t.gone is not null then t.gone when t.now_bad is not null or t.was_bad then t.fell end
    union all
    select t.now_bad, t.fell, null where t.now_bad is not null
    union all
    select case when t.n % 2 = 0 then 'warning' else 'unhealthy' end, t.fell, t.fell + (t.until - t.fell) * 0.1 where t.was_bad
    union all
    select 'healthy', t.fell + (t.until - t.fell) * 0.1, null where t.was_bad
    union all
    select 'gone', t.gone, null where t.gone is not null
) s (health, valid_from, valid_to);
create unlogged table perigee_bench.verdicts as
select * from (values
    ('healthy', 'healthy', 'Running', ''), ('warning', 'warning', 'Degraded', 'Part of it does not answer.'),
    ('unhealthy', 'unhealthy', 'Failed', 'It does not answer.'),
    ('unknown', 'unknown', 'Pending', 'It has not said how it is.'), ('gone', 'unknown', 'Deleted', '')
) v (word, health, status, reason);

truncate perigee.health, perigee.health_closed, perigee.health_transitions;
select perigee_bench.strip('health'), perigee_bench.strip('health_closed'), perigee_bench.strip('health_transitions');
insert into perigee.health
    (resource_id, type, account, region, native_id, health, status, ready, reason, rule, since, judged_at)
select s.id, s.type, s.account, s.region, s.native_id, v.health, v.status, true, v.reason, 'estate', s.valid_from,
       greatest(s.valid_from, perigee_bench.at() - interval '1 hour')
from perigee_bench.spans s join perigee_bench.verdicts v on v.word = s.health
where s.valid_to is null and s.health <> 'gone'
order by s.account, s.region, s.type, s.native_id;
insert into perigee.health_closed
    (resource_id, type, account, region, native_id, health, status, ready, reason, rule, valid_from, valid_to, recorded_at,
     end_recorded_at)
select s.id, s.type, s.account, s.region, s.native_id, v.health, v.status, true, v.reason, 'estate', s.valid_from, s.valid_to,
       s.valid_from + interval '40 seconds', s.valid_to + interval '40 seconds'
from perigee_bench.spans s join perigee_bench.verdicts v on v.word = s.health
where s.valid_to is not null
order by s.valid_to;
insert into perigee.health_transitions
    (resource_id, at, recorded_at, from_health, from_status, health, status, ready, reason, rule)
select s.id, s.valid_from, s.valid_from + interval '40 seconds', before.health, before.status, v.health, v.status, true, v.reason,
       case when s.health <> 'gone' then 'estate' end
from perigee_bench.spans s
join perigee_bench.verdicts v on v.word = s.health
left join perigee_bench.spans p on p.id = s.id and p.valid_to = s.valid_from
left join perigee_bench.verdicts before on before.word = p.health
order by s.valid_from;
select perigee_bench.dress('health'), perigee_bench.dress('health_closed'), perigee_bench.dress('health_transitions');
