-- The outbox is pumped by several at once: a claim says who is at it, and until when.
alter table perigee.outbox add column claimed_until timestamptz;
comment on column perigee.outbox.claimed_until is 'A pump is telling it until then; after that, another may. Null before the first.';
create index outbox_sent on perigee.outbox (sent_at) where sent_at is not null;
