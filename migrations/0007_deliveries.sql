-- Deliveries: one row for each notification, signal and channel. A row is claimed by one sender at a time; what a sender is
-- about to send is written down before it sends it, and what came of it after.

create table perigee.deliveries (
    id uuid primary key,
    notification text not null,
    generation bigint not null,
    channel text not null,
    signal_id uuid not null,
    kind text not null,
    subject uuid not null,
    occurred_at timestamptz not null,
    payload jsonb not null,
    resource_id uuid,
    snapshot jsonb not null,
    same text not null,
    state text not null,
    reason text not null,
    detail text not null,
    created_at timestamptz not null,
    wait_until timestamptz,
    due_at timestamptz,
    fence bigint not null default 0,
    attempts integer not null default 0,
    title text,
    body text,
    ended_at timestamptz,
    late_seconds bigint,
    constraint deliveries_due_while_pending check ((state = 'pending') = (due_at is not null))
);
create index deliveries_due on perigee.deliveries (due_at, id) where state = 'pending';
create index deliveries_by_time on perigee.deliveries (created_at desc, id desc);
create index deliveries_by_resource on perigee.deliveries (resource_id, created_at desc, id desc) where resource_id is not null;
create index deliveries_by_notification on perigee.deliveries (notification, created_at desc, id desc);
create index deliveries_same on perigee.deliveries (same, ended_at desc) where state in ('pending', 'sent');
create index deliveries_ended on perigee.deliveries (ended_at) where ended_at is not null;
comment on table perigee.deliveries is 'What was to be told to whom, and what became of it. None is dropped: what is not sent says why.';
comment on column perigee.deliveries.id is 'UUIDv5 of notification, signal and channel; also the Idempotency-Key of every attempt.';
comment on column perigee.deliveries.generation is 'Of the notification, when it matched.';
comment on column perigee.deliveries.snapshot is 'What expressions saw when it matched (masked, as the catalog is), so that texts tell of the event and not of later.';
comment on column perigee.deliveries.same is 'Hash of notification, channel, subject and state: two of one hash tell the same.';
comment on column perigee.deliveries.reason is 'A word; detail is the sentence.';
comment on column perigee.deliveries.wait_until is 'Until when waitFor has it wait before it looks again; null without waitFor.';
comment on column perigee.deliveries.due_at is 'When a sender may claim it; while one has it, when the claim runs out. Null once it has ended.';
comment on column perigee.deliveries.fence is 'Counts the claims. A sender writes only while this is the number of its own claim.';
comment on column perigee.deliveries.late_seconds is 'How long after it should have been it was sent: after the event, and waitFor.';

create table perigee.delivery_attempts (
    delivery_id uuid not null references perigee.deliveries on delete cascade,
    attempt integer not null,
    fence bigint not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    outcome text,
    status integer,
    detail text not null default '',
    primary key (delivery_id, attempt)
);
create index delivery_attempts_open on perigee.delivery_attempts (delivery_id) where ended_at is null;
comment on table perigee.delivery_attempts is 'The journal: a row is committed before a request is sent, and its outcome after. One without an end was cut.';
comment on column perigee.delivery_attempts.outcome is 'sent, failed, or cut: the sender was lost, and whether the channel took it is not known.';
comment on column perigee.delivery_attempts.status is 'The HTTP status, where there was an answer.';
