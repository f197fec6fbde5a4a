-- Three documents a resource. A twentieth of a document differs from one version to the next.
truncate perigee.documents;
select perigee_bench.strip('documents');
insert into perigee.documents (hash, mask_set, name, description, tags, body)
select perigee_bench.hash(d.id, d.version), 1, d.name, d.description, d.tags,
       format(k.document, d.native_id, d.name, d.account, d.region, left(md5(d.id::text), 16), right(md5(d.id::text), 16),
              d.n % 240, d.tags::text, md5(d.id::text || d.version),
              case when d.description is null then '' else format('"description":"%s",', d.description) end)::jsonb
from (
    select l.n, l.id, l.kind, l.native_id, l.account, l.region, v.version, l.description,
           case when v.version = 3 then l.name3 else l.name1 end as name,
           perigee_bench.tags(case when v.version = 3 then l.name3 else l.name1 end, l.app, l.env, l.team, l.n,
                              case when l.released then 'r' || v.version end) as tags
    from generate_series(1, 3) v (version) cross join perigee_bench.lives l
) d
join perigee_bench.kinds k on k.kind = d.kind;
select perigee_bench.dress('documents');
