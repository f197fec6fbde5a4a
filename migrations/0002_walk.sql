-- A breadth-first walk over open edges with a visited set, in one round trip: a dense graph costs its size, not the
-- number of its paths. `direction` is out, in or both.
create function perigee.walk(starts uuid[], direction text, depth integer, max_nodes integer)
returns table (id uuid, distance integer)
language plpgsql stable
as $$
declare
    visited uuid[] := starts;
    frontier uuid[] := starts;
    step integer := 0;
begin
    return query select distinct s, 0 from unnest(starts) s;
    while step < depth and cardinality(frontier) > 0 and cardinality(visited) < max_nodes loop
        step := step + 1;
        select coalesce(array_agg(n order by n), '{}') into frontier
        from (
            select e.to_id as n from perigee.edges_open e where direction <> 'in' and e.from_id = any (frontier)
            union
            select e.from_id from perigee.edges_open e where direction <> 'out' and e.to_id = any (frontier)
            except
            select v from unnest(visited) v
            order by 1
            limit max_nodes - cardinality(visited) + 1
        ) reached;
        visited := visited || frontier;
        return query select f, step from unnest(frontier) f;
    end loop;
end
$$;
comment on function perigee.walk is 'Breadth-first walk over open edges; returns at most one more node than max_nodes, so that the caller sees a cut.';

-- Makes monthly partitions ahead of time. Never called by `record`; the default partitions take whatever has no month.
create function perigee.make_partitions(from_month date, months integer)
returns integer
language plpgsql
as $$
declare
    parent text;
    month date;
    made integer := 0;
    child text;
begin
    foreach parent in array array['versions_closed', 'sightings', 'edges_closed', 'changes', 'change_resources'] loop
        for i in 0 .. months - 1 loop
            month := (date_trunc('month', from_month) + make_interval(months => i))::date;
            child := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
            if to_regclass('perigee.' || child) is null then
                begin
                    execute format(
                        'create table perigee.%I partition of perigee.%I for values from (%L) to (%L)',
                        child, parent,
                        (month::timestamp at time zone 'UTC'),
                        ((month + interval '1 month')::timestamp at time zone 'UTC')
                    );
                    made := made + 1;
                exception when check_violation or duplicate_table then
                    -- The default partition already holds rows of that month, or another process was first.
                    null;
                end;
            end if;
        end loop;
    end loop;
    return made;
end
$$;
comment on function perigee.make_partitions is 'Makes monthly partitions for the months from a given one on; returns how many were made.';
