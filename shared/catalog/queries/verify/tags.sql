-- Rows of tags that are missing, and those that are of no tag.
with wanted as materialized (
    select r.deleted_at is not null as gone, t.key collate "C" as key, t.value collate "C" as value, r.type, r.account,
           r.region, r.native_id, r.id as resource_id
    from perigee.resources r cross join lateral jsonb_each(r.tags) j
    cross join lateral (select j.key, j.value #>> '{}') t (key, value)
    where r.id between $1 and $2 and jsonb_typeof(j.value) = 'string'
      and octet_length(t.key) <= 256 and octet_length(t.value) <= 512
), held as materialized (
    select gone, key, value, type, account, region, native_id, resource_id
    from perigee.resource_tags where resource_id between $1 and $2
)
select resource_id::text, 'the tag ' || key || ' has no row' from (select * from wanted except select * from held) missing
union all
select resource_id::text, 'a row for the tag ' || key || ' is of no tag that it has'
from (select * from held except select * from wanted) surplus
