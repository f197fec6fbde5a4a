-- Three documents a resource. A twentieth of a document differs from one version to the next.
truncate perigee.documents;
select perigee_bench.strip('documents');
insert into perigee.documents (hash, mask_set, name, description, tags, body)
select perigee_bench.hash(d.id, d.version), 1, d.name, d.description, d.tags,
       format(k.document, d.native_id, d.name, d.account, d.region, left(d.digits, 16), right(d.digits, 16), d.n % 240,
              d.tags::text, md5(d.digits || d.version),
              case when d.description is null then '' else format('"description":"%s",', d.description) end)::jsonb
from (
    select l.n, l.id, l.kind, l.native_id, l.account, l.region, v.version, l.description, name.name, md5(l.id::text) as digits,
           perigee_bench.tags(name.name, l.app, l.env, l.team, l.n, case when l.released then 'r' || v.version end) as tags
    from generate_series(1, 3) v (version)
    cross join perigee_bench.lives l
    cross join lateral (select case when v.version = 3 then l.name3 else l.name1 end as name) name
    -- Keeps the planner from working out the tags wherever they are named.
    offset 0
) d
join perigee_bench.kinds k on k.kind = d.kind;
select perigee_bench.dress('documents');
