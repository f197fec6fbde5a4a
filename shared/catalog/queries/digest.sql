-- One row per part of the catalog: how many rows it has, and the sums of the four quarters of their hashes.
with hashed (part, hash) as (
    select 'resource', sha256(convert_to(jsonb_build_array(
        id, evidence, name, tags, extract(epoch from since), extract(epoch from deleted_at))::text, 'UTF8'))
    from perigee.resources
    union all
    select 'version', sha256(convert_to(jsonb_build_array(
        resource_id, source, extract(epoch from valid_from), extract(epoch from valid_to), content,
        encode(document, 'hex'))::text, 'UTF8'))
    from (
        select resource_id, source, valid_from, null::timestamptz as valid_to, content, document
        from perigee.versions_open
        union all
        select resource_id, source, valid_from, valid_to, content, document
        from perigee.versions_closed where superseded_at is null
    ) versions
    union all
    select 'edge', sha256(convert_to(jsonb_build_array(
        from_id, source, kind, to_id, extract(epoch from valid_from), extract(epoch from valid_to))::text, 'UTF8'))
    from (
        select from_id, source, kind, to_id, valid_from, null::timestamptz as valid_to
        from perigee.edges_open
        union all
        select from_id, source, kind, to_id, valid_from, valid_to
        from perigee.edges_closed where superseded_at is null
    ) edges
    union all
    select 'change', sha256(convert_to(jsonb_build_array(
        id, extract(epoch from occurred_at), account, region, source, kind, category, severity, read_only, summary,
        actor, source_address, user_agent, error_code, error_message, event_id, session_id, details, targets, related,
        mentions)::text, 'UTF8'))
    from perigee.changes
    union all
    select 'finding', sha256(convert_to(jsonb_build_array(
        id, extract(epoch from at), encode(hash, 'hex'), extract(epoch from first_seen), account, region, product,
        external_id)::text, 'UTF8'))
    from perigee.findings
    union all
    select 'statement', sha256(convert_to(jsonb_build_array(
        finding_id, extract(epoch from at), encode(hash, 'hex'))::text, 'UTF8'))
    from perigee.finding_statements
)
select
    part as "part!",
    count(*) as "rows!",
    sum(('x' || encode(substr(hash, 1, 7), 'hex'))::bit(56)::bigint)::text as "a!",
    sum(('x' || encode(substr(hash, 9, 7), 'hex'))::bit(56)::bigint)::text as "b!",
    sum(('x' || encode(substr(hash, 17, 7), 'hex'))::bit(56)::bigint)::text as "c!",
    sum(('x' || encode(substr(hash, 25, 7), 'hex'))::bit(56)::bigint)::text as "d!"
from hashed
group by part
order by part
