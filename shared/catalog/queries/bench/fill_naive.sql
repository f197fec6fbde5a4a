insert into perigee_bench.naive
select v.resource_id, v.source, v.valid_from, v.valid_to, v.recorded_at, d.name, d.tags, d.body
from (
    select resource_id, source, valid_from, null::timestamptz as valid_to, recorded_at, document from perigee.versions_open
    union all
    select resource_id, source, valid_from, valid_to, recorded_at, document from perigee.versions_closed
    where superseded_at is null
) v
left join perigee.documents d on d.hash = v.document
where (hashtextextended(v.resource_id::text, 0) & 1048575) < 1048576 * $1
