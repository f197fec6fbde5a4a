-- What the estate is made from: a place to keep it in, the functions that draw from the seed, the types. The tables get
-- their indexes back when they are full.
drop schema if exists perigee_bench cascade;
create schema perigee_bench;

create table perigee_bench.settings (
    resources bigint not null,
    places bigint not null,
    base bigint not null,
    width bigint not null,
    seed bigint not null,
    at timestamptz not null
);

create table perigee_bench.kinds (
    kind smallint primary key,
    type text not null,
    judged boolean not null,
    dns boolean not null,
    arn text not null,
    relation text not null,
    document text not null
);

create unlogged table perigee_bench.seeds (
    n bigint not null,
    id uuid not null,
    kind smallint not null,
    account text not null,
    region text not null,
    native_id text not null,
    name text not null,
    app text not null,
    env text not null,
    team text not null
);

create table perigee_bench.indexes (
    relation text not null,
    create_sql text not null
);

-- Takes the indexes off a table and remembers how they were made.
create function perigee_bench.strip(relation text) returns void
language plpgsql as $$
declare
    one record;
begin
    for one in
        select i.relname as name, con.conname as key,
               replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') as definition,
               pg_get_constraintdef(con.oid) as key_definition
        from pg_index x
        join pg_class i on i.oid = x.indexrelid
        left join pg_constraint con on con.conindid = x.indexrelid and con.contype in ('p', 'u')
        where x.indrelid = ('perigee.' || relation)::regclass
        order by x.indisprimary desc, i.relname
    loop
        if one.key is not null then
            insert into perigee_bench.indexes values
                (relation, format('alter table perigee.%I add constraint %I %s', relation, one.key, one.key_definition));
            execute format('alter table perigee.%I drop constraint %I', relation, one.key);
        else
            insert into perigee_bench.indexes values (relation, one.definition);
            execute format('drop index perigee.%I', one.name);
        end if;
    end loop;
end
$$;

-- Puts them on again.
create function perigee_bench.dress(dressed text) returns void
language plpgsql as $$
declare
    one record;
begin
    for one in select create_sql from perigee_bench.indexes where relation = dressed loop
        execute one.create_sql;
    end loop;
    delete from perigee_bench.indexes where relation = dressed;
end
$$;
