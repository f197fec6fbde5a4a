-- Health of resources that there are not or that are elsewhere, and spans that are empty or overlap.
with spans as (
    select resource_id, since as valid_from, null::timestamptz as valid_to
    from perigee.health where resource_id between $1 and $2 and health is not null
    union all
    select resource_id, valid_from, valid_to from perigee.health_closed where resource_id between $1 and $2
), ordered as (
    select *, lead(valid_from) over (partition by resource_id order by valid_from, valid_to nulls last) as next_from from spans
)
select resource_id::text,
       case when valid_to <= valid_from then 'was so from ' || valid_from || ' to ' || valid_to
            else 'was so until ' || coalesce(valid_to::text, 'now') || ', and otherwise from ' || next_from end
from ordered where valid_to <= valid_from or coalesce(valid_to, 'infinity') > next_from
union all
select h.resource_id::text, case when r.id is null then 'there is no such resource, but it has a health'
                                 else 'its health lies under another account, region or type' end
from perigee.health h left join perigee.resources r on r.id = h.resource_id
where h.resource_id between $1 and $2
  and (h.type, h.account, h.region, h.native_id) is distinct from (r.type, r.account, r.region, r.native_id)
