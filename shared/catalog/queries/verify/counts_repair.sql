-- Adds what is missing from the counts, or takes what is too much.
with kept as (
    select account, region, type, health, sum(n) as n
    from (select account, region, type, health, count as n from perigee.counts
          union all
          select account, region, type, health, delta from perigee.count_deltas) k
    group by account, region, type, health
), there as (
    select account, region, type, '' as health, count(*) as n
    from perigee.resources where deleted_at is null group by account, region, type
    union all
    select account, region, type, health, count(*)
    from perigee.health where health is not null group by account, region, type, health
)
insert into perigee.count_deltas (account, region, type, health, delta, at, recorded_at)
select account, region, type, health, coalesce(there.n, 0) - coalesce(kept.n, 0), $3, $3
from kept full join there using (account, region, type, health)
where coalesce(kept.n, 0) <> coalesce(there.n, 0) and $1::uuid is not null and $2::uuid is not null
