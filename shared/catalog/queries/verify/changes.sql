-- Resources of changes that there are not, and changes that their resources do not know.
select c.resource_id || ' ' || c.change_id, 'there is no such change'
from perigee.change_resources c
where c.resource_id between $1 and $2
  and not exists (select 1 from perigee.changes h where h.id = c.change_id and h.occurred_at = c.occurred_at)
union all
select i.id || ' ' || c.id, 'the change is not found by this resource'
from perigee.changes c cross join lateral (select distinct u.id from unnest(c.targets || c.related) u (id)) i
where c.id between $1 and $2
  and not exists (select 1 from perigee.change_resources r
                  where r.resource_id = i.id and r.occurred_at = c.occurred_at and r.change_id = c.id)
