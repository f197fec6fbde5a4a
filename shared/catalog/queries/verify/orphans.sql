-- Rows of resources that there are not.
select o.resource_id::text, 'there is no such resource, but it has ' || o.what
from (
    select resource_id, 'an open version' as what from perigee.versions_open where resource_id between $1 and $2
    union all
    select resource_id, 'a closed version' from perigee.versions_closed where resource_id between $1 and $2
    union all
    select resource_id, 'a sighting' from perigee.sightings where resource_id between $1 and $2
    union all
    select resource_id, 'the alias ' || alias from perigee.aliases where resource_id between $1 and $2
    union all
    select resource_id, 'a shown state' from perigee.shown_closed where resource_id between $1 and $2
    union all
    select resource_id, 'a change' from perigee.change_resources where resource_id between $1 and $2
) o
where not exists (select 1 from perigee.resources r where r.id = o.resource_id)
group by o.resource_id, o.what
