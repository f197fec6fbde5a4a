-- The resources as they are shown, as they were shown, by their tags, and by their other names.
create unlogged table perigee_bench.shown as
select s.*, perigee_bench.words(s.name, s.native_id, s.tags, s.description, s.dns) as words
from (
    select l.n, l.id, l.type, l.account, l.region, l.native_id, l.description, l.dns, l.v1, v.valid_from, v.valid_to, v.name,
           v.deleted_at,
           perigee_bench.tags(v.name, l.app, l.env, l.team, l.n, case when l.released then 'r' || v.version end) as tags
    from perigee_bench.lives l
    cross join lateral (
        select 1, l.name1, null::timestamptz, l.v1,
               case when l.released then l.v2 when l.renamed then l.v3 else l.gone end
        union all
        select 2, l.name1, null, l.v2, l.v3 where l.released
        union all
        select 3, l.name3, null, l.v3, l.gone where l.released or l.renamed
        union all
        select 3, l.name3, l.gone, l.gone, null where l.gone is not null
    ) v (version, name, deleted_at, valid_from, valid_to)
) s;

truncate perigee.resources, perigee.shown_closed, perigee.resource_tags, perigee.aliases;
select perigee_bench.strip('resources'), perigee_bench.strip('shown_closed'), perigee_bench.strip('resource_tags'),
       perigee_bench.strip('aliases');
insert into perigee.resources
    (id, provider, partition, account, region, type, native_id, evidence, name, tags, since, deleted_at, recorded_at, named_at,
     shown_from, shown_recorded_at, description, words, contested)
select id, 'aws', 'aws', account, region, type, native_id, 2, name, tags, v1, deleted_at, v1 + interval '30 seconds', v1,
       valid_from, valid_from + interval '30 seconds', description, words, deleted_at is not null
from perigee_bench.shown
where valid_to is null
order by account, region, type, native_id;
insert into perigee.shown_closed
    (resource_id, type, account, region, native_id, name, tags, description, words, deleted_at, valid_from, valid_to,
     recorded_at, end_recorded_at)
select id, type, account, region, native_id, name, tags, description, words, deleted_at, valid_from, valid_to,
       valid_from + interval '30 seconds', valid_to + interval '30 seconds'
from perigee_bench.shown
where valid_to is not null
order by valid_to;
insert into perigee.resource_tags (gone, key, value, type, account, region, native_id, resource_id)
select r.deleted_at is not null, t.key, t.value, r.type, r.account, r.region, r.native_id, r.id
from perigee_bench.shown r cross join lateral jsonb_each_text(r.tags) t
where r.valid_to is null;
insert into perigee.aliases (alias, resource_id, first_at, last_at)
select a.alias, l.id, l.v1, l.v3
from perigee_bench.lives l cross join lateral (values (l.arn), (l.dns)) a (alias)
where a.alias is not null;
select perigee_bench.dress('resources'), perigee_bench.dress('shown_closed'), perigee_bench.dress('resource_tags'),
       perigee_bench.dress('aliases');
drop table perigee_bench.shown;
