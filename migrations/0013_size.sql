-- What catalogs of a million resources asked for.

-- What was shown before is found by what it was called, and in the order of its names.
create index shown_closed_by_name on perigee.shown_closed (name, resource_id);
create index shown_closed_by_native_id on perigee.shown_closed (native_id);

-- What the days that are kept do not tell of was there before all of them. Then both ways to count say the same.
insert into perigee.count_days as d (day, account, region, type, health, delta)
select date '0001-01-01', account, region, type, health, sum(n)::bigint
from (
    select account, region, type, health, count as n from perigee.counts
    union all
    select account, region, type, health, -delta from perigee.count_days
) k
group by account, region, type, health
having sum(n) <> 0
on conflict (day, account, region, type, health) do update set delta = d.delta + excluded.delta;

create function perigee.is_early(instant date)
returns boolean
language sql stable
as $$
    select coalesce(instant - (select min(day) from perigee.count_days where day > date '0001-01-01')
                    < (select max(day) from perigee.count_days) - instant, false)
$$;
comment on function perigee.is_early is 'Whether a day is nearer to the first that counts are kept of than to the last: then less is to be added up from the beginning than to be taken away from what there is.';

-- All that is one step from the resources at the places from `began` on: a few of them at a time, as many as have about
-- four thousand relations, so that little is read beyond what there is room for, and the time is seen.
create or replace function perigee.level(
    visited uuid[], began integer, direction text, kinds text[], prefixes text[], turns smallint[],
    instant timestamptz, known timestamptz, room integer, reads integer, until timestamptz,
    out reached uuid[], out reached_from integer[], out read integer, out truncated text
)
language plpgsql stable
as $$
declare
    ended integer := cardinality(visited);
    done integer := began - 1;
    few integer := 16;
    part uuid[];
    one record;
begin
    reached := '{}';
    reached_from := '{}';
    read := 0;
    while truncated is null and done < ended loop
        part := visited[done + 1 : least(done + few, ended)];
        one := perigee.step(part, visited || reached, direction, kinds, prefixes, turns, instant, known,
                            room - cardinality(reached) + 1, reads - read, 1);
        read := read + one.read;
        if one.cut and cardinality(reached) + cardinality(one.reached) <= room and read < reads then
            one := perigee.step(part, visited || reached, direction, kinds, prefixes, turns, instant, known,
                                room - cardinality(reached) + 1, reads - read, 16);
            read := read + one.read;
        end if;
        if cardinality(reached) + cardinality(one.reached) > room then
            truncated := 'nodes';
        elsif one.cut then
            truncated := 'edges';
        elsif clock_timestamp() > until then
            truncated := 'time';
        end if;
        reached_from := reached_from || array(select done + f from unnest(one.reached_from) f);
        reached := reached || one.reached;
        done := done + cardinality(part);
        few := least(1000, 2 * few, greatest(16, few * 4000 / greatest(one.read, 1)));
    end loop;
    reached := reached[1 : room];
    reached_from := reached_from[1 : room];
end
$$;

-- The set of ids is looked up in a hash, however few the planner thinks they are.
create or replace function perigee.relations_among(
    ids uuid[], kinds text[], instant timestamptz, known timestamptz, each integer, most integer
)
returns table (from_id uuid, to_id uuid, kind text, source text, valid_from timestamptz, valid_to timestamptz)
language plpgsql stable
set jit = off
as $$
#variable_conflict use_column
begin
    -- A subquery under `or` is hashed, however few the planner thinks the ids are.
    if instant is null and known is null then
        return query
        select e.from_id, case when e.place <= each then e.to_id end, e.kind, e.source, e.valid_from, null::timestamptz
        from unnest(ids) n (id)
            cross join lateral (
                select o.*, row_number() over () as place
                from (
                    select i.from_id, i.to_id, i.kind, i.source, i.valid_from from perigee.edges_open i
                    where i.from_id = n.id order by i.to_id, i.kind limit each + 1
                ) o
            ) e
        where e.place > each or (e.to_id in (select u.id from unnest(ids) u (id)) and (kinds is null or e.kind = any (kinds)))
        limit most;
    elsif known is null then
        return query
        select e.from_id, case when e.place <= each then e.to_id end, e.kind, e.source, e.valid_from, e.valid_to
        from unnest(ids) n (id)
            cross join lateral (
                select o.*, row_number() over () as place
                from (
                    (select i.from_id, i.to_id, i.kind, i.source, i.valid_from, null::timestamptz as valid_to
                     from perigee.edges_open i
                     where i.from_id = n.id and i.valid_from <= instant order by i.to_id, i.kind limit each + 1)
                    union all
                    (select i.from_id, i.to_id, i.kind, i.source, i.valid_from, i.valid_to from perigee.edges_closed i
                     where i.from_id = n.id and i.valid_from <= instant and i.valid_to > instant
                       and i.superseded_at is null
                     limit each + 1)
                ) o
            ) e
        where e.place > each or (e.to_id in (select u.id from unnest(ids) u (id)) and (kinds is null or e.kind = any (kinds)))
        limit most;
    else
        return query
        select e.from_id, case when e.place <= each then e.to_id end, e.kind, e.source, e.valid_from, e.valid_to
        from unnest(ids) n (id)
            cross join lateral (
                select o.*, row_number() over () as place
                from (
                    select i.* from perigee.edges_as_of(instant, known) i where i.from_id = n.id limit each + 1
                ) o
            ) e
        where e.place > each or (e.to_id in (select u.id from unnest(ids) u (id)) and (kinds is null or e.kind = any (kinds)))
        limit most;
    end if;
end
$$;

-- Answers are small, and a page is waited for by a person: workers and compiled expressions take longer to start than it
-- takes to read one. Who may not say so for the database leaves it as it is.
do $$
begin
    execute format('alter database %I set max_parallel_workers_per_gather = 0', current_database());
    execute format('alter database %I set jit = off', current_database());
exception when insufficient_privilege then
    raise notice 'the settings of the database are left as they are';
end
$$;
