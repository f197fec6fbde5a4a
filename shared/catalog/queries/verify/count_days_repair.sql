-- What no day tells of was there before all days.
with days as (
    select account, region, type, health, sum(delta) as n from perigee.count_days group by account, region, type, health
)
insert into perigee.count_days as c (day, account, region, type, health, delta)
select date '0001-01-01', account, region, type, health, coalesce(c.count, 0) - coalesce(d.n, 0)
from days d full join perigee.counts c using (account, region, type, health)
where coalesce(d.n, 0) <> coalesce(c.count, 0)
  and $1::uuid is not null and $2::uuid is not null and $3::timestamptz is not null
on conflict (day, account, region, type, health) do update set delta = c.delta + excluded.delta
