-- The core: who exists (resources), what each source said of them over time (versions, documents, sightings, edges),
-- what happened (changes), what is claimed (findings), what was taken in (ledger, listings), and what the world is
-- told (outbox). Everything is written by `catalog::record` in one transaction; nothing here has a trigger.

create schema if not exists perigee;

create table perigee.ledger (
    key bytea primary key,
    source text not null,
    account text not null,
    region text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null
);
comment on table perigee.ledger is 'One row per observation ever recorded; the key is the SHA-256 of its canonical payload.';

create table perigee.resources (
    id uuid primary key,
    provider text not null,
    partition text not null,
    account text not null,
    region text not null,
    type text not null,
    native_id text not null,
    evidence smallint not null,
    name text not null,
    tags jsonb not null,
    since timestamptz,
    deleted_at timestamptz,
    recorded_at timestamptz not null
);
create index resources_listed on perigee.resources (type, account, region, native_id, id);
create index resources_by_account on perigee.resources (account, type, region, native_id, id);
create index resources_by_tag on perigee.resources using gin (tags jsonb_path_ops);
create index resources_by_name on perigee.resources (name);
create index resources_by_native_id on perigee.resources (native_id);
comment on table perigee.resources is 'Identity of every resource, and the current answer derived from its open versions: name, tags, since, deleted_at.';
comment on column perigee.resources.evidence is '0 named by a document, 1 named by an event, 2 documented; it only grows.';
comment on column perigee.resources.since is 'The earliest instant at which any source saw it there.';

create table perigee.documents (
    hash bytea primary key,
    mask_set smallint not null,
    name text,
    tags jsonb not null,
    body jsonb not null
);
comment on table perigee.documents is 'Content-addressed masked documents; the hash covers the document and its relations. Reached only through a scoped row.';

create table perigee.versions_open (
    resource_id uuid not null,
    source text not null,
    rank smallint not null,
    valid_from timestamptz not null,
    state_id bigint not null,
    content smallint not null,
    document bytea,
    recorded_at timestamptz not null,
    primary key (resource_id, source)
);
comment on table perigee.versions_open is 'What each source says of a resource now: the run that has no end.';
comment on column perigee.versions_open.content is '0 there, document unknown; 1 there, with document; 2 gone.';
comment on column perigee.versions_open.state_id is 'The source''s own order of states of one instant; the lowest bigint marks a fact derived from a listing.';

create table perigee.versions_closed (
    resource_id uuid not null,
    source text not null,
    rank smallint not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    state_id bigint not null,
    content smallint not null,
    document bytea,
    recorded_at timestamptz not null,
    end_recorded_at timestamptz not null,
    superseded_at timestamptz,
    open_ended boolean not null default false
) partition by range (valid_to);
create table perigee.versions_closed_rest partition of perigee.versions_closed default;
create index versions_closed_by_resource on perigee.versions_closed (resource_id, source, valid_to);
comment on table perigee.versions_closed is 'Runs that ended, partitioned by their end. A corrected run stays, marked superseded_at; open_ended marks one that had no end when it was corrected.';

create table perigee.sightings (
    resource_id uuid not null,
    source text not null,
    at timestamptz not null,
    state_id bigint not null,
    documented boolean not null,
    primary key (resource_id, source, at)
) partition by range (at);
create table perigee.sightings_rest partition of perigee.sightings default;
comment on table perigee.sightings is 'Facts that begin no version: the same was seen again. They decide where a version resumes when a late fact lands before them.';
comment on column perigee.sightings.documented is 'True when the document itself was seen again, false when the resource was only seen to be there.';

create table perigee.edges_open (
    from_id uuid not null,
    source text not null,
    kind text not null,
    to_id uuid not null,
    valid_from timestamptz not null,
    recorded_at timestamptz not null,
    primary key (from_id, source, kind, to_id)
);
create index edges_open_by_target on perigee.edges_open (to_id);
comment on table perigee.edges_open is 'Relations that hold now, as the source of the starting resource says.';

create table perigee.edges_closed (
    from_id uuid not null,
    source text not null,
    kind text not null,
    to_id uuid not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    recorded_at timestamptz not null,
    end_recorded_at timestamptz not null,
    superseded_at timestamptz,
    open_ended boolean not null default false
) partition by range (valid_to);
create table perigee.edges_closed_rest partition of perigee.edges_closed default;
create index edges_closed_by_source on perigee.edges_closed (from_id, source, valid_to);
create index edges_closed_by_target on perigee.edges_closed (to_id, valid_to);
comment on table perigee.edges_closed is 'Relations that ended, partitioned by their end.';

create table perigee.aliases (
    alias text not null,
    resource_id uuid not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (alias, resource_id)
);
create index aliases_by_resource on perigee.aliases (resource_id);
comment on table perigee.aliases is 'Other names of resources: ARNs, opaque ids, DNS names. Not unique; the latest claim wins, then the smallest id.';

create table perigee.changes (
    id uuid not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    account text not null,
    region text not null,
    source text not null,
    kind text not null,
    category text not null,
    severity text not null,
    read_only boolean not null,
    summary text not null,
    actor jsonb,
    actor_name text,
    source_address text,
    user_agent text,
    error_code text,
    error_message text,
    event_id text,
    session_id text,
    details jsonb not null,
    targets uuid[] not null,
    related uuid[] not null,
    mentions text[] not null,
    primary key (id, occurred_at)
) partition by range (occurred_at);
create table perigee.changes_rest partition of perigee.changes default;
create index changes_by_time on perigee.changes (occurred_at desc, id desc);
create index changes_by_kind on perigee.changes (kind, occurred_at desc, id desc);
create index changes_by_account on perigee.changes (account, occurred_at desc, id desc);
create index changes_by_actor on perigee.changes (actor_name, occurred_at desc, id desc) where actor_name is not null;
comment on table perigee.changes is 'What happened, with who did it. Insert-only.';

create table perigee.change_resources (
    resource_id uuid not null,
    occurred_at timestamptz not null,
    change_id uuid not null,
    primary key (resource_id, occurred_at, change_id)
) partition by range (occurred_at);
create table perigee.change_resources_rest partition of perigee.change_resources default;
comment on table perigee.change_resources is 'Which changes touched a resource, in time order.';

create table perigee.findings (
    id uuid primary key,
    at timestamptz not null,
    hash bytea not null,
    first_seen timestamptz not null,
    account text not null,
    region text not null,
    product text not null,
    external_id text not null,
    kind text not null,
    title text not null,
    description text not null,
    severity text not null,
    status text not null,
    details jsonb not null,
    resources uuid[] not null,
    recorded_at timestamptz not null
);
create index findings_by_time on perigee.findings (at desc, id desc);
create index findings_by_resource on perigee.findings using gin (resources);
comment on table perigee.findings is 'Claims as they stand: the latest statement by (at, hash).';

create table perigee.finding_statements (
    finding_id uuid not null,
    at timestamptz not null,
    hash bytea not null,
    severity text not null,
    status text not null,
    title text not null,
    recorded_at timestamptz not null,
    primary key (finding_id, at, hash)
);
comment on table perigee.finding_statements is 'Every statement about a finding: its history.';

create table perigee.listings (
    id uuid primary key,
    source text not null,
    rank smallint not null,
    account text not null,
    region text not null,
    type text not null,
    began timestamptz not null,
    grace_seconds integer not null,
    pages integer not null,
    count bigint not null,
    complete boolean not null,
    recorded_at timestamptz not null
);
create index listings_complete on perigee.listings (account, region, type, began) where complete;
comment on table perigee.listings is 'Closed listings of one partition. A complete one proves the absence of what it does not have.';

create table perigee.listing_pages (
    listing_id uuid not null,
    page integer not null,
    key bytea not null,
    ids uuid[] not null,
    primary key (listing_id, page, key)
);
comment on table perigee.listing_pages is 'The resources that each page of a listing saw.';

create table perigee.outbox (
    id uuid primary key,
    kind text not null,
    subject uuid not null,
    occurred_at timestamptz not null,
    payload jsonb not null,
    recorded_at timestamptz not null,
    sent_at timestamptz
);
create index outbox_unsent on perigee.outbox (recorded_at, id) where sent_at is null;
comment on table perigee.outbox is 'Signals, written in the transaction that made them true and delivered at least once.';

create table perigee.rejected (
    id uuid primary key,
    origin text not null,
    place text not null,
    reason text not null,
    message text not null,
    size bigint not null,
    hash bytea not null,
    recorded_at timestamptz not null
);
create index rejected_by_time on perigee.rejected (recorded_at desc, id desc);
comment on table perigee.rejected is 'Input that could not be taken: why, where it stood, and its hash. Its bytes stay with the sender.';

create table perigee.source_status (
    source text not null,
    account text not null,
    region text not null,
    observations bigint not null,
    latest timestamptz not null,
    heard_at timestamptz not null,
    primary key (source, account, region)
);
comment on table perigee.source_status is 'Coverage and freshness: what was heard, from where, until when.';

create table perigee.count_deltas (
    account text not null,
    region text not null,
    type text not null,
    delta bigint not null,
    recorded_at timestamptz not null
);
comment on table perigee.count_deltas is 'How many resources came or went, insert-only; folded into counts by maintenance.';

create table perigee.counts (
    account text not null,
    region text not null,
    type text not null,
    count bigint not null,
    primary key (account, region, type)
);
comment on table perigee.counts is 'How many resources there were when the deltas were last folded.';

create table perigee.manifests (
    kind text not null,
    name text not null,
    generation bigint not null,
    body jsonb not null,
    applied_at timestamptz not null,
    deleted_at timestamptz,
    primary key (kind, name, generation)
);
comment on table perigee.manifests is 'What people wrote, every generation of it.';
