-- How many there are and were, and that something was heard at all.
create unlogged table perigee_bench.deltas as
select at, account, region, type, health, sum(delta)::bigint as delta, max(at) + interval '30 seconds' as recorded_at
from (
    select v1 as at, account, region, type, '' as health, 1 as delta from perigee_bench.lives
    union all
    select gone, account, region, type, '', -1 from perigee_bench.lives where gone is not null
    union all
    select valid_from, account, region, type, health, 1 from perigee_bench.spans where health <> 'gone'
    union all
    select valid_to, account, region, type, health, -1 from perigee_bench.spans where valid_to is not null
) d
group by at, account, region, type, health
having sum(delta) <> 0;

truncate perigee.count_log, perigee.count_days, perigee.counts, perigee.count_deltas, perigee.source_status, perigee.ledger;
select perigee_bench.strip('count_log');
insert into perigee.count_log (at, account, region, type, health, delta, recorded_at)
select at, account, region, type, health, delta, recorded_at from perigee_bench.deltas order by at;
select perigee_bench.dress('count_log');
insert into perigee.count_days (day, account, region, type, health, delta)
select (at at time zone 'UTC')::date, account, region, type, health, sum(delta)::bigint
from perigee_bench.deltas group by 1, 2, 3, 4, 5;
insert into perigee.counts (account, region, type, health, count)
select account, region, type, health, sum(delta)::bigint from perigee_bench.deltas group by account, region, type, health;
insert into perigee.source_status (source, account, region, observations, latest, heard_at)
select 'config', account, region, 3 * count(*), max(v3), max(v3) + interval '30 seconds'
from perigee_bench.lives group by account, region;
insert into perigee.ledger (key, source, account, region, occurred_at, recorded_at)
select sha256(convert_to('ledger/' || n, 'UTF8')), 'config', account, region, v3, v3 + interval '30 seconds'
from perigee_bench.lives;
drop table perigee_bench.deltas, perigee_bench.spans, perigee_bench.verdicts;
