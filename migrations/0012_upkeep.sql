-- Keeping house: what retention may remove and has removed, what holds keep, and documents that nothing refers to.

alter table perigee.documents add column heard_at timestamptz not null default now();
comment on column perigee.documents.heard_at is 'When `record` last wrote it or found it there, to the hour: a document is collected only long after, so that none goes while a version of it is being written.';

create table perigee.documents_loose (
    hash bytea primary key,
    since timestamptz not null
);
create index documents_loose_by_time on perigee.documents_loose (since);
comment on table perigee.documents_loose is 'Documents of versions that retention removed. Those that nothing else refers to a day later are collected.';

create table perigee.hold_resources (
    hold text not null references perigee.holds (name),
    resource_id uuid not null,
    primary key (resource_id, hold)
);
create index hold_resources_by_hold on perigee.hold_resources (hold);
comment on table perigee.hold_resources is 'The resources that each hold keeps: those that its selector matched when it was made, and whatever it matched since. None leaves before the hold is released.';

create function perigee.is_held(resource uuid, began timestamptz, ended timestamptz)
returns boolean
language sql stable
as $$
    select exists (
        select 1 from perigee.hold_resources k join perigee.holds h on h.name = k.hold
        where k.resource_id = resource and h.released_at is null
          and (h.since is null or h.since <= ended) and (h.until is null or h.until >= began))
$$;
comment on function perigee.is_held is 'Whether a hold keeps what is known of a resource over an interval.';

create table perigee.retention_lock (
    holder boolean primary key
);
insert into perigee.retention_lock values (true);
comment on table perigee.retention_lock is 'One row, locked by whoever removes history and by whoever makes a hold: never both at once.';

create table perigee.retention_walks (
    relation text primary key,
    next_block bigint not null,
    began_at timestamptz not null,
    ended_at timestamptz
);
comment on table perigee.retention_walks is 'How far each table was looked through for what may go, in blocks; where a slice ends, the next begins.';

create table perigee.horizons (
    kind text not null,
    type text collate "C" not null,
    at timestamptz not null,
    removed_at timestamptz not null,
    primary key (kind, type)
);
comment on table perigee.horizons is 'From which instant on each kind of history is whole: what ended before was removed.';
comment on column perigee.horizons.type is 'Empty for what is so of all; a type of resources whose own age is another.';

-- Which deleted resources are past their age.
create index resources_by_end on perigee.resources (deleted_at) where deleted_at is not null;
-- Which page sets nothing refers to any more.
create index listing_pages_by_seen on perigee.listing_pages (seen);
create index listing_pages_by_unchanged on perigee.listing_pages (unchanged) where unchanged is not null;
create index listing_pages_by_order on perigee.listing_pages (account, region, source, type, page, at);

-- A partition goes between readers, never before one: while it would have to wait, those who come later would wait for
-- it, so it gives up at once and is tried again.
create function perigee.drop_partition(parent text, child text)
returns boolean
language plpgsql
as $$
begin
    perform set_config('lock_timeout', '100ms', true);
    execute format('alter table perigee.%I detach partition perigee.%I', parent, child);
    execute format('drop table perigee.%I', child);
    return true;
exception when lock_not_available then
    return false;
end
$$;
comment on function perigee.drop_partition is 'Detaches and drops a partition; false where somebody was reading, and nothing happened.';

-- Which resources some source ever called gone: all that was seen of those is kept.
create index resources_contested on perigee.resources (id) where contested;
