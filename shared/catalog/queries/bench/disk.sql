with naive as (
    select pg_total_relation_size('perigee_bench.naive') as bytes, count(*) as versions,
           coalesce(avg(octet_length(body::text)), 0) as text
    from perigee_bench.naive
), stored as (
    select coalesce(sum(pg_total_relation_size(t.relid)), 0)::bigint as bytes
    from pg_partition_tree('perigee.versions_closed') t
), versions as (
    select (select count(*) from perigee.versions_open)
           + (select count(*) from perigee.versions_closed where superseded_at is null) as number
)
select (select count(*) from perigee.resources),
       pg_database_size(current_database()) - naive.bytes,
       stored.bytes + pg_total_relation_size('perigee.versions_open') + pg_total_relation_size('perigee.documents'),
       (naive.bytes * (versions.number::double precision / greatest(1, naive.versions)))::bigint,
       (naive.text * versions.number)::bigint
from naive, stored, versions
