-- Health of resources, as rules judge it, and synthetic probes. None of it is part of the digest: it is derived, by
-- time too. A row that is due is claimed by one judge at a time.

create table perigee.health (
    resource_id uuid primary key,
    type text not null,
    account text not null,
    region text not null,
    namespace text,
    health text,
    level smallint generated always as (
        case health when 'healthy' then 0 when 'unknown' then 1 when 'warning' then 2 when 'unhealthy' then 3 end
    ) stored,
    status text not null default '',
    ready boolean not null default true,
    reason text not null default '',
    rule text,
    until timestamptz,
    since timestamptz,
    judged_at timestamptz,
    due_at timestamptz,
    due_since timestamptz
);
create index health_due on perigee.health (due_at) where due_at is not null;
create index health_listed on perigee.health (level desc, since desc, resource_id desc) where level is not null;
create index health_by_word on perigee.health (health, account) where health is not null;
create index health_by_rule on perigee.health (rule, resource_id) where rule is not null;
comment on table perigee.health is 'How well each resource is that a rule judges. What no rule judges has no row, or one without a health that is due.';
comment on column perigee.health.level is 'The order of worst-of: 0 healthy, 1 unknown, 2 warning, 3 unhealthy; null before the first judgement.';
comment on column perigee.health.namespace is 'The Kubernetes namespace, of what lies in one.';
comment on column perigee.health.since is 'Since when health and status are these.';
comment on column perigee.health.due_at is 'When it is to be judged again; null when only a new document or rule can change the verdict.';
comment on column perigee.health.due_since is 'When what makes it due came to be: a version, an edit of a rule. Null where time itself makes it due, at due_at.';

create table perigee.health_transitions (
    id bigint generated always as identity primary key,
    resource_id uuid not null,
    at timestamptz not null,
    recorded_at timestamptz not null,
    from_health text,
    from_status text,
    health text not null,
    status text not null,
    ready boolean not null,
    reason text not null,
    rule text,
    until timestamptz
);
create index health_transitions_by_resource on perigee.health_transitions (resource_id, at desc, id desc);
create index health_transitions_by_time on perigee.health_transitions (at desc, id desc);
comment on table perigee.health_transitions is 'Every change of health or status, insert-only. The end of a resource is one to unknown, `Deleted`.';
comment on column perigee.health_transitions.at is 'When it came to be so; recorded_at is when it was judged.';

create table perigee.checks (
    id uuid primary key,
    name text not null unique,
    generation bigint not null,
    target text not null,
    resource text,
    resource_id uuid,
    state text not null,
    reason text not null,
    since timestamptz not null,
    failures integer not null default 0,
    told boolean not null default false,
    ran_at timestamptz,
    status integer,
    latency_ms double precision,
    due_at timestamptz not null,
    lease_seconds integer not null,
    leased_until timestamptz,
    fence bigint not null default 0
);
create index checks_due on perigee.checks (due_at);
create index checks_by_resource on perigee.checks (resource_id) where resource_id is not null;
comment on table perigee.checks is 'Where each synthetic probe stands. Its manifest says what it does; a row goes with its manifest.';
comment on column perigee.checks.failures is 'How many times in a row it failed.';
comment on column perigee.checks.told is 'True from the signal that it failed to the one that it recovered.';
comment on column perigee.checks.fence is 'Counts the claims: a result is taken from the last one only.';

create table perigee.check_results (
    check_id uuid not null,
    at timestamptz not null,
    state text not null,
    status integer,
    latency_ms double precision,
    reason text not null,
    primary key (check_id, at) include (state, latency_ms)
);
create index check_results_by_time on perigee.check_results (at);
comment on table perigee.check_results is 'How each run of a probe went, for a week.';

create table perigee.marks (
    name text primary key,
    mark text not null,
    noted_at timestamptz not null
);
comment on table perigee.marks is 'What the functions took note of: a mark that differs from what is there now means work.';
