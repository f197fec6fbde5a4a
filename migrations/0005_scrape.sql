-- What is listed, when, and how the last listing of each shard ended: coverage is read from here.

create table perigee.scrapers (
    name text primary key,
    version text not null,
    due_at timestamptz not null,
    planned_at timestamptz,
    state text not null default 'waiting' check (state in ('waiting', 'planned', 'failed')),
    reason text not null default '',
    advice text not null default '',
    failures integer not null default 0,
    accept_deletions boolean not null default false,
    leased_until timestamptz,
    fence bigint not null default 0
);
comment on table perigee.scrapers is 'One row per scraper: when it is planned into shards next, and how the last planning ended.';
comment on column perigee.scrapers.version is 'A hash of what is to be listed: another one is due at once.';
comment on column perigee.scrapers.accept_deletions is 'A person said that the next listings may delete whatever they do not have.';
comment on column perigee.scrapers.fence is 'Grows with every lease, so that a worker whose lease ran out cannot write.';

create table perigee.shards (
    scraper text not null references perigee.scrapers (name) on delete cascade,
    account text not null,
    region text not null,
    type text not null,
    spec jsonb not null,
    state text not null default 'waiting'
        check (state in ('waiting', 'complete', 'incomplete', 'held', 'failed', 'unrecorded')),
    reason text not null default '',
    advice text not null default '',
    resources bigint not null default 0,
    pages integer not null default 0,
    missing bigint not null default 0,
    began_at timestamptz,
    ended_at timestamptz,
    completed_at timestamptz,
    due_at timestamptz,
    failures integer not null default 0,
    accept_deletions boolean not null default false,
    leased_until timestamptz,
    fence bigint not null default 0,
    primary key (scraper, account, region, type)
);
create index shards_due on perigee.shards (due_at) where due_at is not null;
comment on table perigee.shards is 'One row per partition that a scraper lists: how its last listing began and ended, what it saw, and who lists it now.';
comment on column perigee.shards.spec is 'What the provider that lists it needs to know, in its own words.';
comment on column perigee.shards.missing is 'How many resources the last listing did not have that were there before.';
comment on column perigee.shards.completed_at is 'When the last complete listing began: what its coverage is as fresh as.';
comment on column perigee.shards.due_at is 'When it is listed next; null until its scraper is planned again.';
