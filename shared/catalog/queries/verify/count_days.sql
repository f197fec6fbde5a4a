-- What the days brought, beside what was folded of it.
with days as (
    select account, region, type, health, sum(delta) as n from perigee.count_days group by account, region, type, health
)
select concat_ws(' ', account, region, type, nullif(health, '')),
       'the days add up to ' || coalesce(d.n, 0) || ', and there were ' || coalesce(c.count, 0)
from days d full join perigee.counts c using (account, region, type, health)
where coalesce(d.n, 0) <> coalesce(c.count, 0)
