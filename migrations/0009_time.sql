-- What was shown of each resource and how well it was, over time; counts with a past; pages of listings that share what
-- they have in common. Names and places sort by their bytes everywhere, so that lists and cursors mean the same on every
-- server.

-- Words are looked for by trigrams. The extension may lie in any schema of the search path, or is put into ours.
create extension if not exists pg_trgm with schema perigee;

alter table perigee.resources
    alter column type type text collate "C",
    alter column account type text collate "C",
    alter column region type text collate "C",
    alter column native_id type text collate "C",
    alter column name type text collate "C",
    add column named_at timestamptz,
    add column shown_from timestamptz,
    add column shown_recorded_at timestamptz,
    add column description text,
    add column contested boolean not null default false,
    add column words text collate "C" not null default '';
comment on column perigee.resources.named_at is 'The earliest instant at which anything at all was said of it.';
comment on column perigee.resources.description is 'What its weightiest document says of it for people.';
comment on column perigee.resources.contested is 'Whether any source ever called it gone: then it matters when each of them last saw it.';
comment on column perigee.resources.shown_from is 'Since when name, tags, description and deleted_at are these; what they were before is in shown_closed.';
comment on column perigee.resources.shown_recorded_at is 'When the catalog learned that they are these.';
comment on column perigee.resources.words is 'What free words are looked for in, in lower case, a line each: name, native id, values of tags, description, aliases that are no ARNs.';

alter table perigee.documents add column description text;
comment on column perigee.documents.description is 'What the document says of itself for people: `model::Document::description`.';
update perigee.documents d
set description = left(coalesce(
    d.body #>> '{config,configuration,description}', d.body #>> '{config,configuration,Description}',
    d.body #>> '{config,description}', d.body #>> '{config,Description}'), 2000);

-- The earliest that anything was said of what is stored, as far as that is still known.
update perigee.resources r
set named_at = least(
        r.since,
        r.deleted_at,
        (select min(e.valid_from) from perigee.edges_open e where e.to_id = r.id),
        (select min(e.valid_from) from perigee.edges_closed e where e.to_id = r.id and e.superseded_at is null),
        (select min(c.occurred_at) from perigee.change_resources c where c.resource_id = r.id),
        (select min(f.at) from perigee.findings f where f.resources @> array[r.id]),
        (select min(a.first_at) from perigee.aliases a where a.resource_id = r.id)),
    description = (
        select d.description from perigee.versions_open v join perigee.documents d on d.hash = v.document
        where v.resource_id = r.id and d.description is not null
        order by v.rank desc, v.valid_from desc, v.source limit 1);
update perigee.resources r
set words = lower(concat_ws(E'\n', r.name, r.native_id,
        (select string_agg(t.value, E'\n' order by t.key collate "C") from jsonb_each_text(r.tags) t),
        r.description,
        (select string_agg(a.alias, E'\n' order by a.alias collate "C") from perigee.aliases a
         where a.resource_id = r.id and a.alias not like 'arn:%')));
update perigee.resources set named_at = recorded_at where named_at is null;
update perigee.resources r set contested = true
where r.deleted_at is not null
   or exists (select 1 from perigee.versions_open v where v.resource_id = r.id and v.content = 2)
   or exists (select 1 from perigee.versions_closed v where v.resource_id = r.id and v.content = 2);
-- What is stored of the past is worked out by `verify --repair`; until then it is shown as it is now.
update perigee.resources set shown_from = coalesce(deleted_at, named_at), shown_recorded_at = recorded_at;
alter table perigee.resources
    alter column named_at set not null,
    alter column shown_from set not null,
    alter column shown_recorded_at set not null;

drop index perigee.resources_listed;
drop index perigee.resources_by_account;
drop index perigee.resources_by_tag;
create index resources_live on perigee.resources (type, account, region, native_id, id) where deleted_at is null;
create index resources_gone on perigee.resources (type, account, region, native_id, id) where deleted_at is not null;
create index resources_by_account on perigee.resources (account, type, region, native_id, id) where deleted_at is null;
-- `like '%word%'`: the trigrams of the word say which rows to look at.
do $$
begin
    execute format(
        'create index resources_by_word on perigee.resources using gin (words %I.gin_trgm_ops)',
        (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm'));
end
$$;

create table perigee.shown_closed (
    resource_id uuid not null,
    type text collate "C" not null,
    account text collate "C" not null,
    region text collate "C" not null,
    native_id text collate "C" not null,
    name text collate "C" not null,
    tags jsonb not null,
    description text,
    words text collate "C" not null,
    deleted_at timestamptz,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    recorded_at timestamptz not null,
    end_recorded_at timestamptz not null,
    superseded_at timestamptz,
    open_ended boolean not null default false
) partition by range (valid_to);
create table perigee.shown_closed_rest partition of perigee.shown_closed default;
create index shown_closed_by_resource on perigee.shown_closed (resource_id, valid_to);
create index shown_closed_listed on perigee.shown_closed (type, account, region, native_id, resource_id);
create index shown_closed_by_account on perigee.shown_closed (account, type, region, native_id, resource_id);
create index shown_closed_by_tag on perigee.shown_closed using gin (tags jsonb_path_ops);
do $$
begin
    execute format(
        'create index shown_closed_by_word on perigee.shown_closed using gin (words %I.gin_trgm_ops)',
        (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm'));
end
$$;
comment on table perigee.shown_closed is 'What was shown of resources before it became what it is: name, tags, description and whether they were gone. Derived from the versions of all sources, partitioned by its end.';
comment on column perigee.shown_closed.open_ended is 'True for a row that had no end when it turned out to be otherwise.';

create table perigee.resource_tags (
    gone boolean not null,
    key text collate "C" not null,
    value text collate "C" not null,
    type text collate "C" not null,
    account text collate "C" not null,
    region text collate "C" not null,
    native_id text collate "C" not null,
    resource_id uuid not null,
    primary key (gone, key, value, type, account, region, native_id, resource_id)
);
create index resource_tags_by_resource on perigee.resource_tags (resource_id);
comment on table perigee.resource_tags is 'The shown tags of resources, a row each, in the order in which resources are listed: what has a tag is found in that order without looking at what has not. Keys of over 256 bytes and values of over 512 have no row.';
insert into perigee.resource_tags
select r.deleted_at is not null, t.key, t.value, r.type, r.account, r.region, r.native_id, r.id
from perigee.resources r cross join lateral jsonb_each_text(r.tags) t
where octet_length(t.key) <= 256 and octet_length(t.value) <= 512;

-- Edges are walked in the order of their far ends, so that a dense hub can be cut without reading all of it.
alter table perigee.edges_open drop constraint edges_open_pkey;
alter table perigee.edges_open add primary key (from_id, to_id, kind, source);
drop index perigee.edges_open_by_target;
create index edges_open_by_target on perigee.edges_open (to_id, from_id);

alter table perigee.health
    alter column type type text collate "C",
    alter column account type text collate "C",
    alter column region type text collate "C",
    add column native_id text collate "C" not null default '';
update perigee.health h set native_id = r.native_id from perigee.resources r where r.id = h.resource_id;
drop index perigee.health_by_word;
create index health_in_order on perigee.health (health, type, account, region, native_id, resource_id) where health is not null;
create index health_by_account on perigee.health (health, account, type, region, native_id, resource_id) where health is not null;

create table perigee.health_closed (
    resource_id uuid not null,
    type text collate "C" not null,
    account text collate "C" not null,
    region text collate "C" not null,
    native_id text collate "C" not null,
    namespace text,
    health text not null,
    status text not null,
    ready boolean not null,
    reason text not null,
    rule text,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    recorded_at timestamptz not null,
    end_recorded_at timestamptz not null
) partition by range (valid_to);
create table perigee.health_closed_rest partition of perigee.health_closed default;
create index health_closed_by_resource on perigee.health_closed (resource_id, valid_to);
create index health_closed_by_account on perigee.health_closed (health, account, valid_to);
comment on table perigee.health_closed is 'How well resources were before they became what they are, partitioned by its end. Nothing here is corrected: a late fact changes health from then on.';
insert into perigee.health_closed
select * from (
    select t.resource_id, r.type, r.account, r.region, r.native_id, null, t.health, t.status, t.ready, t.reason, t.rule,
           t.at, lead(t.at) over (partition by t.resource_id order by t.at, t.id) as valid_to, t.recorded_at,
           lead(t.recorded_at) over (partition by t.resource_id order by t.at, t.id)
    from perigee.health_transitions t join perigee.resources r on r.id = t.resource_id
) spans
where valid_to > at;

alter table perigee.count_deltas
    add column health text collate "C" not null default '',
    add column at timestamptz;
update perigee.count_deltas set at = recorded_at;
alter table perigee.count_deltas alter column at set not null;
comment on column perigee.count_deltas.health is 'Empty where resources are counted; a health where judged resources are.';
comment on column perigee.count_deltas.at is 'The instant from which on there are so many more.';
alter table perigee.counts add column health text collate "C" not null default '';
alter table perigee.counts drop constraint counts_pkey;
alter table perigee.counts
    alter column account type text collate "C",
    alter column region type text collate "C",
    alter column type type text collate "C",
    add primary key (account, region, type, health);
insert into perigee.count_deltas (account, region, type, health, delta, at, recorded_at)
select account, region, type, health, count(*), min(since), now()
from perigee.health where health is not null group by account, region, type, health;

create table perigee.count_log (
    at timestamptz not null,
    account text collate "C" not null,
    region text collate "C" not null,
    type text collate "C" not null,
    health text collate "C" not null,
    delta bigint not null,
    recorded_at timestamptz not null
) partition by range (at);
create table perigee.count_log_rest partition of perigee.count_log default;
create index count_log_by_time on perigee.count_log (at);
comment on table perigee.count_log is 'The deltas that were folded into the counts, by the instant they are true from: what a part of a day brought.';

create table perigee.count_days (
    day date not null,
    account text collate "C" not null,
    region text collate "C" not null,
    type text collate "C" not null,
    health text collate "C" not null,
    delta bigint not null,
    primary key (day, account, region, type, health)
);
comment on table perigee.count_days is 'The same, a row for each day (UTC): how many there were is how many there are less what came since.';

create table perigee.page_sets (
    hash bytea primary key,
    ids uuid[] not null
);
comment on table perigee.page_sets is 'Sets of resources that pages of listings had, by the SHA-256 of their ids in order: a page that stays as it is is stored once.';

alter table perigee.listing_pages
    add column seen bytea,
    add column unchanged bytea,
    add column source text,
    add column account text,
    add column region text,
    add column type text,
    add column at timestamptz;
insert into perigee.page_sets (hash, ids)
select distinct on (hash) hash, ids
from (select sha256(convert_to(array_to_string(p.ids, ','), 'UTF8')) as hash, p.ids from perigee.listing_pages p) sets
order by hash;
update perigee.listing_pages p
set seen = sha256(convert_to(array_to_string(p.ids, ','), 'UTF8')),
    source = coalesce(l.source, ''), account = coalesce(l.account, ''), region = coalesce(l.region, ''), type = coalesce(l.type, ''),
    at = coalesce(l.began, '-infinity')
from perigee.listing_pages q left join perigee.listings l on l.id = q.listing_id
where p.listing_id = q.listing_id and p.page = q.page and p.key = q.key;
alter table perigee.listing_pages
    drop column ids,
    alter column seen set not null,
    alter column source set not null,
    alter column account set not null,
    alter column region set not null,
    alter column type set not null,
    alter column at set not null;
create index listing_pages_by_place on perigee.listing_pages (account, region, source, at) where unchanged is not null;
comment on column perigee.listing_pages.type is 'The type of what did not change, empty where there are several.';
comment on column perigee.listing_pages.seen is 'The set of resources that the page had.';
comment on column perigee.listing_pages.unchanged is 'The set of those that looked as they were known to look: each was seen there with its document at `at`, and no sighting says so.';

create table perigee.holds (
    name text primary key,
    kind text not null check (kind in ('legal', 'incident')),
    reason text not null,
    selector text not null,
    since timestamptz,
    until timestamptz,
    created_at timestamptz not null,
    created_by text,
    released_at timestamptz
);
comment on table perigee.holds is 'What retention may not remove: the history of the resources that a selector names, over an interval.';

create or replace function perigee.make_partitions(from_month date, months integer)
returns integer
language plpgsql
as $$
declare
    parent text;
    month date;
    made integer := 0;
    child text;
begin
    foreach parent in array array['versions_closed', 'sightings', 'edges_closed', 'changes', 'change_resources',
                                  'shown_closed', 'health_closed', 'count_log'] loop
        for i in 0 .. months - 1 loop
            month := (date_trunc('month', from_month) + make_interval(months => i))::date;
            child := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
            if to_regclass('perigee.' || child) is null then
                begin
                    execute format(
                        'create table perigee.%I partition of perigee.%I for values from (%L) to (%L)',
                        child, parent,
                        (month::timestamp at time zone 'UTC'),
                        ((month + interval '1 month')::timestamp at time zone 'UTC')
                    );
                    made := made + 1;
                exception when check_violation or duplicate_table then
                    -- The default partition already holds rows of that month, or another process was first.
                    null;
                end;
            end if;
        end loop;
    end loop;
    return made;
end
$$;
