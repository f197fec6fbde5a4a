-- Runs: executions of playbooks. A run is a row that a worker claims for a while; what a worker is about to do is written
-- down before it does it, and what came of it after, each write only while the worker still holds the claim.

create table perigee.run_specs (
    hash bytea primary key,
    spec jsonb not null
);
comment on table perigee.run_specs is 'Playbooks as they were when a run of them began, by the hash of their content: a run keeps to its own.';

create table perigee.runs (
    id uuid primary key,
    playbook text not null,
    generation bigint not null,
    spec bytea not null,
    trigger text not null,
    trigger_key text not null,
    cause jsonb,
    requested_by text,
    resource_id uuid,
    parameters jsonb not null,
    depth integer not null,
    state text not null,
    reason text not null,
    occurred_at timestamptz not null,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    deadline timestamptz not null,
    due_at timestamptz,
    worker text,
    fence bigint not null default 0,
    cancel_requested_at timestamptz,
    cancel_requested_by text
);
create unique index runs_live on perigee.runs (playbook, resource_id) nulls not distinct where ended_at is null;
create index runs_due on perigee.runs (due_at, id) where ended_at is null;
create index runs_by_time on perigee.runs (created_at desc, id desc);
create index runs_by_playbook on perigee.runs (playbook, created_at desc, id desc);
create index runs_by_resource on perigee.runs (resource_id, created_at desc, id desc) where resource_id is not null;
comment on table perigee.runs is 'Executions of playbooks, and triggers that a guard kept from being executed. At most one of a playbook and a target is live.';
comment on column perigee.runs.trigger is 'signal, schedule or api.';
comment on column perigee.runs.trigger_key is 'The id of the signal, the instant of the schedule, or the caller''s Idempotency-Key.';
comment on column perigee.runs.cause is 'The signal as it was, where one began the run.';
comment on column perigee.runs.parameters is 'As they were admitted. Of a secret there is only where it is kept.';
comment on column perigee.runs.depth is 'How many runs led to this one, each by the signal of its end.';
comment on column perigee.runs.deadline is 'Until the first claim: when it is too old to begin. After it: when it has taken too long.';
comment on column perigee.runs.due_at is 'When a worker may claim it; while a worker has it, when the claim runs out. Null once it has ended.';
comment on column perigee.runs.fence is 'Counts the claims. A worker writes only while this is the number of its own claim.';

create table perigee.run_steps (
    run_id uuid not null,
    position integer not null,
    name text not null,
    state text not null,
    reason text not null default '',
    attempts integer not null default 0,
    failures integer not null default 0,
    due_at timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    result jsonb,
    output_chunks bigint not null default 0,
    output_bytes bigint not null default 0,
    output_dropped bigint not null default 0,
    primary key (run_id, position),
    unique (run_id, name)
);
comment on table perigee.run_steps is 'The steps of runs as they stand.';
comment on column perigee.run_steps.failures is 'Attempts that are known to have failed; those that a crash cut do not count.';
comment on column perigee.run_steps.output_dropped is 'Bytes of output beyond what is kept.';

create table perigee.run_attempts (
    run_id uuid not null,
    step text not null,
    attempt integer not null,
    fence bigint not null,
    worker text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    outcome text,
    reason text not null default '',
    primary key (run_id, step, attempt)
);
comment on table perigee.run_attempts is 'The journal: a row is committed before an attempt has any effect, and its outcome after. One without an outcome was cut.';
comment on column perigee.run_attempts.outcome is 'completed, failed, cancelled, unknown, or cut: the worker was lost, and another did it again.';

create table perigee.step_output (
    run_id uuid not null,
    step text not null,
    seq bigint not null,
    attempt integer not null,
    stream text not null,
    at timestamptz not null,
    text text not null,
    primary key (run_id, step, seq)
);
comment on table perigee.step_output is 'What scripts wrote, in pieces as they came, without the secrets that the step was given.';

create table perigee.playbook_schedules (
    playbook text not null,
    position integer not null,
    every text not null,
    next_at timestamptz not null,
    primary key (playbook, position)
);
create index playbook_schedules_due on perigee.playbook_schedules (next_at);
comment on table perigee.playbook_schedules is 'When each schedule of each playbook fires next.';
