-- What a catalog without content addressing would keep: a row a version, the document in it.
drop table if exists perigee_bench.naive;
create table perigee_bench.naive (
    resource_id uuid not null,
    source text not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    recorded_at timestamptz not null,
    name text,
    tags jsonb,
    body jsonb,
    primary key (resource_id, source, valid_from)
);
