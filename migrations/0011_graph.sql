-- Walks, paths, changes of sets of resources, and repeats of the same change.

-- What a walk reads of a relation lies in the indexes, so that it does not look at the tables.
alter table perigee.edges_open drop constraint edges_open_pkey;
drop index perigee.edges_open_by_target;
alter table perigee.edges_open
    alter column kind type text collate "C",
    alter column source type text collate "C",
    add primary key (from_id, to_id, kind, source) include (valid_from);
create index edges_open_by_target on perigee.edges_open (to_id, from_id, kind) include (valid_from);
alter table perigee.edges_closed
    alter column kind type text collate "C",
    alter column source type text collate "C";
drop index perigee.edges_closed_by_target;
create index edges_closed_by_start on perigee.edges_closed (from_id, valid_to, to_id, kind) include (valid_from, superseded_at, source);
create index edges_closed_by_target on perigee.edges_closed (to_id, valid_to, from_id, kind) include (valid_from, superseded_at);

-- The relations of a moment. A query is planned as if it named the tables itself, so that their indexes serve it.
create function perigee.edges_as_of(instant timestamptz, known timestamptz)
returns table (from_id uuid, to_id uuid, kind text, source text, valid_from timestamptz, valid_to timestamptz)
language sql stable
as $$
    select o.from_id, o.to_id, o.kind, o.source, o.valid_from, null::timestamptz
    from perigee.edges_open o
    where (instant is null or o.valid_from <= instant) and (known is null or o.recorded_at <= known)
    union all
    select c.from_id, c.to_id, c.kind, c.source, c.valid_from,
           case when known is not null and (c.end_recorded_at > known or (c.superseded_at is not null and c.open_ended))
                then null else c.valid_to end
    from perigee.edges_closed c
    where (instant is not null or known is not null)
      and c.valid_from <= coalesce(instant, 'infinity')
      and case when known is null then c.superseded_at is null and c.valid_to > instant
               else c.recorded_at <= known and (c.superseded_at is null or c.superseded_at > known)
                    and (c.valid_to > coalesce(instant, 'infinity') or c.end_recorded_at > known
                         or (c.superseded_at is not null and c.open_ended)) end
$$;
comment on function perigee.edges_as_of is 'The relations that held at an instant (null: that hold now), as it was known at another (null: as it is known now).';

create function perigee.neighbours(
    nodes uuid[], outward boolean, instant timestamptz, known timestamptz, each integer, most integer
)
returns table (ord integer, id uuid, kind text)
language plpgsql stable rows 10000
set jit = off
as $$
#variable_conflict use_column
begin
    if instant is null and known is null and outward then
        return query
        select n.ord::integer, e.to_id, e.kind
        from unnest(nodes) with ordinality n (id, ord)
            cross join lateral (
                select o.to_id, o.kind from perigee.edges_open o
                where o.from_id = n.id order by o.to_id, o.kind limit each
            ) e
        limit most;
    elsif instant is null and known is null then
        return query
        select n.ord::integer, e.from_id, e.kind
        from unnest(nodes) with ordinality n (id, ord)
            cross join lateral (
                select o.from_id, o.kind from perigee.edges_open o
                where o.to_id = n.id order by o.from_id, o.kind limit each
            ) e
        limit most;
    elsif known is null and outward then
        return query
        select n.ord::integer, e.to_id, e.kind
        from unnest(nodes) with ordinality n (id, ord)
            cross join lateral (
                (select o.to_id, o.kind from perigee.edges_open o
                 where o.from_id = n.id and o.valid_from <= instant order by o.to_id, o.kind limit each)
                union all
                (select c.to_id, c.kind from perigee.edges_closed c
                 where c.from_id = n.id and c.valid_from <= instant and c.valid_to > instant
                   and c.superseded_at is null limit each)
            ) e
        limit most;
    elsif known is null then
        return query
        select n.ord::integer, e.from_id, e.kind
        from unnest(nodes) with ordinality n (id, ord)
            cross join lateral (
                (select o.from_id, o.kind from perigee.edges_open o
                 where o.to_id = n.id and o.valid_from <= instant order by o.from_id, o.kind limit each)
                union all
                (select c.from_id, c.kind from perigee.edges_closed c
                 where c.to_id = n.id and c.valid_from <= instant and c.valid_to > instant
                   and c.superseded_at is null limit each)
            ) e
        limit most;
    elsif outward then
        return query
        select n.ord::integer, e.to_id, e.kind
        from unnest(nodes) with ordinality n (id, ord)
            cross join lateral (
                select o.to_id, o.kind from perigee.edges_as_of(instant, known) o where o.from_id = n.id limit each
            ) e
        limit most;
    else
        return query
        select n.ord::integer, e.from_id, e.kind
        from unnest(nodes) with ordinality n (id, ord)
            cross join lateral (
                select o.from_id, o.kind from perigee.edges_as_of(instant, known) o where o.to_id = n.id limit each
            ) e
        limit most;
    end if;
end
$$;
comment on function perigee.neighbours is 'The far ends of the relations of many resources, one way: for each resource (`ord` says which) at most `each`, in order, all together at most `most`. What is too much is not read.';

-- How the walks below follow a relation: as `direction` says (1), the other way round (-1) or not at all (0).
create function perigee.turn(kind text, kinds text[], prefixes text[], turns smallint[])
returns smallint
language sql immutable
as $$
    select case
        when kinds is not null and kind <> all (kinds) then 0::smallint
        else coalesce(
            (select p.turn from unnest(prefixes, turns) p (prefix, turn)
             where starts_with(kind, p.prefix) order by length(p.prefix) desc limit 1), 1::smallint)
        end
$$;
comment on function perigee.turn is 'Whether relations of a kind are followed as told (1), the other way round (-1) or not (0): by the longest prefix that the kind begins with; 1 where none does.';

-- One step of a walk: what is reached from a part of the frontier that was not met before, with what it was reached
-- from, in the order of that, then of ids.
create function perigee.step(
    part uuid[], visited uuid[], direction text, kinds text[], prefixes text[], turns smallint[],
    instant timestamptz, known timestamptz, room integer, reads integer, breadth integer,
    out reached uuid[], out reached_from integer[], out read integer, out cut boolean
)
language plpgsql stable
set jit = off
as $$
declare
    plain boolean := kinds is null and prefixes is null;
    -- So many of one resource are enough to fill the room, whichever were met before, if each has one relation.
    each integer := least(case when plain then breadth * greatest(100, room + cardinality(visited)) else 20000 end, reads);
    outward boolean := direction <> 'in' or prefixes is not null;
    inward boolean := direction <> 'out' or prefixes is not null;
begin
    with raw as materialized (
        select n.ord, n.id, n.kind, true as outward
        from perigee.neighbours(part, true, instant, known, each, reads) n where outward
        union all
        select n.ord, n.id, n.kind, false
        from perigee.neighbours(part, false, instant, known, each, reads) n where inward
    ),
    ways as materialized (
        select k.kind, perigee.turn(k.kind, kinds, prefixes, turns) as turn
        from (select distinct r.kind from raw r where not plain) k
    ),
    good as (
        select r.ord, r.id from raw r where plain
        union all
        select r.ord, r.id from raw r join ways w on w.kind = r.kind
        where not plain
          and ((direction <> 'in' and w.turn = case when r.outward then 1 else -1 end)
               or (direction <> 'out' and w.turn = case when r.outward then -1 else 1 end))
    ),
    fresh as (
        select f.id, min(f.ord) as ord
        from (select g.id, g.ord from good g union all select v, 0 from unnest(visited) v) f
        group by f.id having min(f.ord) > 0
        order by 2, 1 limit room
    )
    select (select coalesce(array_agg(f.id order by f.ord, f.id), '{}') from fresh f),
           (select coalesce(array_agg(f.ord order by f.ord, f.id), '{}') from fresh f),
           count(*),
           count(*) >= reads or case when count(*) >= each then
               exists (select from raw r group by r.ord, r.outward having count(*) >= each) else false end
    into reached, reached_from, read, cut
    from raw;
end
$$;
comment on function perigee.step is 'One step of a walk from a part of its frontier: at most `room` resources that are not among `visited`, each with the place in `part` of the first that leads to it; how many relations were read, and whether some may have been left unread. `breadth` is how many relations are expected between two resources.';

-- All that is one step from the resources at the places from `began` on; a thousand at a time, so that the time is seen.
create function perigee.level(
    visited uuid[], began integer, direction text, kinds text[], prefixes text[], turns smallint[],
    instant timestamptz, known timestamptz, room integer, reads integer, until timestamptz,
    out reached uuid[], out reached_from integer[], out read integer, out truncated text
)
language plpgsql stable
as $$
declare
    ended integer := cardinality(visited);
    done integer := began - 1;
    one record;
begin
    reached := '{}';
    reached_from := '{}';
    read := 0;
    while truncated is null and done < ended loop
        one := perigee.step(visited[done + 1 : least(done + 1000, ended)], visited || reached, direction, kinds, prefixes,
                            turns, instant, known, room - cardinality(reached) + 1, reads - read, 1);
        read := read + one.read;
        if one.cut and cardinality(reached) + cardinality(one.reached) <= room and read < reads then
            one := perigee.step(visited[done + 1 : least(done + 1000, ended)], visited || reached, direction, kinds,
                                prefixes, turns, instant, known, room - cardinality(reached) + 1, reads - read, 16);
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
        done := done + 1000;
    end loop;
    reached := reached[1 : room];
    reached_from := reached_from[1 : room];
end
$$;
comment on function perigee.level is 'One level of a walk: what is one step from the resources at the places of `visited` from `began` on and is not among them, with the places of what it was reached from.';

drop function perigee.walk(uuid[], text, integer, integer);
create function perigee.walk(
    starts uuid[], direction text, depth integer, max_nodes integer, kinds text[], prefixes text[], turns smallint[],
    instant timestamptz, known timestamptz, max_reads integer, milliseconds integer,
    out ids uuid[], out distances integer[], out truncated text
)
language plpgsql stable
as $$
declare
    until timestamptz := clock_timestamp() + make_interval(secs => milliseconds / 1000.0);
    began integer := 1;
    ended integer;
    distance integer := 0;
    left_to_read integer := max_reads;
    one record;
begin
    select coalesce(array_agg(s.id order by s.id), '{}') into ids from (select distinct u.id from unnest(starts) u (id)) s;
    if cardinality(ids) > max_nodes then
        ids := ids[1 : max_nodes];
        truncated := 'nodes';
    end if;
    distances := array_fill(0, array[cardinality(ids)]);
    while truncated is null and distance < depth and began <= cardinality(ids) loop
        ended := cardinality(ids);
        distance := distance + 1;
        one := perigee.level(ids, began, direction, kinds, prefixes, turns, instant, known,
                             max_nodes - ended, left_to_read, until);
        ids := ids || one.reached;
        distances := distances || array_fill(distance, array[cardinality(one.reached)]);
        left_to_read := left_to_read - one.read;
        truncated := one.truncated;
        began := ended + 1;
    end loop;
end
$$;
comment on function perigee.walk is 'Breadth-first walk with a visited set from a set of resources: what it meets, the nearest first, and how many steps away it is. `truncated` says which bound ended it: nodes, edges or time.';

create function perigee.paths(
    start uuid, goal uuid, direction text, depth integer, max_nodes integer, kinds text[], prefixes text[],
    turns smallint[], instant timestamptz, known timestamptz, max_reads integer, milliseconds integer,
    out there uuid[], out there_from integer[], out back uuid[], out back_from integer[], out meeting uuid[],
    out truncated text
)
language plpgsql stable
as $$
declare
    until timestamptz := clock_timestamp() + make_interval(secs => milliseconds / 1000.0);
    there_began integer := 1;
    back_began integer := 1;
    there_cut boolean := false;
    back_cut boolean := false;
    forth boolean;
    backwards text := case direction when 'out' then 'in' when 'in' then 'out' else direction end;
    steps integer := 0;
    left_to_read integer := max_reads;
    one record;
begin
    there := array[start];
    back := array[goal];
    there_from := array[0];
    back_from := array[0];
    meeting := '{}';
    if start = goal then
        meeting := array[start];
        return;
    end if;
    -- The side whose last level is the smaller goes on, or the other where that would be cut. A side whose last level
    -- is empty has come to its end: then there is no path.
    while cardinality(meeting) = 0 and steps < depth and not (there_cut and back_cut)
          and there_began <= cardinality(there) and back_began <= cardinality(back) loop
        forth := back_cut or (not there_cut
                 and cardinality(there) - there_began + there_began / 2 <= cardinality(back) - back_began + back_began / 2);
        if forth then
            one := perigee.level(there, there_began, direction, kinds, prefixes, turns, instant, known,
                                 max_nodes - cardinality(there) - cardinality(back), left_to_read / 2, until);
            meeting := array(select m from unnest(one.reached) m intersect select b from unnest(back[back_began :]) b order by 1);
        else
            one := perigee.level(back, back_began, backwards, kinds, prefixes, turns, instant, known,
                                 max_nodes - cardinality(there) - cardinality(back), left_to_read / 2, until);
            meeting := array(select m from unnest(one.reached) m intersect select t from unnest(there[there_began :]) t order by 1);
        end if;
        left_to_read := left_to_read - one.read;
        if one.truncated is not null and cardinality(meeting) = 0 then
            -- What lies beyond a level of which only a part is known may be nearer than it seems: it is let go.
            truncated := one.truncated;
            there_cut := there_cut or forth or truncated = 'time';
            back_cut := back_cut or not forth or truncated = 'time';
        else
            steps := steps + 1;
            if forth then
                there_began := cardinality(there) + 1;
                there := there || one.reached;
                there_from := there_from || one.reached_from;
            else
                back_began := cardinality(back) + 1;
                back := back || one.reached;
                back_from := back_from || one.reached_from;
            end if;
        end if;
    end loop;
    -- The levels that were kept are whole, so only the last may have missed other meetings.
    if cardinality(meeting) > 0 then
        truncated := one.truncated;
    end if;
end
$$;
comment on function perigee.paths is 'Breadth-first from both ends until they meet: what was met from either side, each with the place of what it was reached from (0 for the end itself), and where they met. `truncated` says which bound cut a level.';

create function perigee.relations_among(
    ids uuid[], kinds text[], instant timestamptz, known timestamptz, each integer, most integer
)
returns table (from_id uuid, to_id uuid, kind text, source text, valid_from timestamptz, valid_to timestamptz)
language plpgsql stable
set jit = off
-- The set of ids is hashed, however few the planner thinks they are.
set enable_nestloop = off
as $$
#variable_conflict use_column
begin
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
            left join (select u.id from unnest(ids) u (id)) far on far.id = e.to_id
        where (far.id is not null and (kinds is null or e.kind = any (kinds))) or e.place > each
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
            left join (select u.id from unnest(ids) u (id)) far on far.id = e.to_id
        where (far.id is not null and (kinds is null or e.kind = any (kinds))) or e.place > each
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
            left join (select u.id from unnest(ids) u (id)) far on far.id = e.to_id
        where (far.id is not null and (kinds is null or e.kind = any (kinds))) or e.place > each
        limit most;
    end if;
end
$$;
comment on function perigee.relations_among is 'The relations among resources that are among the first `each` of their start, at most `most`. A row without `to_id` says that its start has more than that.';

create function perigee.relations_between(
    starts uuid[], ends uuid[], kinds text[], instant timestamptz, known timestamptz, most integer
)
returns table (from_id uuid, to_id uuid, kind text, source text, valid_from timestamptz, valid_to timestamptz)
language plpgsql stable
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    select e.*
    from unnest(starts) s (id) cross join unnest(ends) f (id)
        cross join lateral (
            select * from perigee.edges_as_of(instant, known) i where i.from_id = s.id and i.to_id = f.id offset 0
        ) e
    where kinds is null or e.kind = any (kinds)
    limit most;
end
$$;
comment on function perigee.relations_between is 'The relations from some resources to others, found pair by pair: for starts that have too many to read them all.';

-- Changes of a set of resources are looked for among the newest changes of all, then resource by resource.
create index change_resources_by_time on perigee.change_resources (occurred_at desc, change_id desc, resource_id);

create function perigee.changes_touching(
    ids uuid[], before timestamptz, before_id uuid, since timestamptz, most integer
)
returns table (occurred_at timestamptz, change_id uuid)
language plpgsql stable
set jit = off
-- Which months are looked at is known only with the instants.
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    last_at timestamptz := before;
    last_id uuid := before_id;
    oldest timestamptz;
    floor timestamptz;
    months integer := 1;
    look integer := 1000;
    looked integer := 0;
    missing integer := most;
    got integer;
    one record;
begin
    -- Among the newest changes of all: a set that much happens to is there. That is worth a look of about the price of
    -- asking resource by resource.
    while looked < least(32000, 8 * cardinality(ids)) and missing > 0 loop
        select count(*) as seen, (array_agg(w.occurred_at order by w.occurred_at, w.change_id))[1] as at,
               (array_agg(w.change_id order by w.occurred_at, w.change_id))[1] as id
        into one
        from (
            select t.occurred_at, t.change_id from perigee.change_resources t
            where (t.occurred_at, t.change_id) < (last_at, last_id) and t.occurred_at <= last_at
              and t.occurred_at >= since
            order by t.occurred_at desc, t.change_id desc limit look
        ) w;
        if one.seen = 0 then
            return;
        end if;
        -- The resources of one change lie side by side; those of the last are read to the end.
        return query
        select distinct t.occurred_at, t.change_id
        from perigee.change_resources t join (select distinct u.id from unnest(ids) u (id)) s on s.id = t.resource_id
        where (t.occurred_at, t.change_id) < (last_at, last_id) and t.occurred_at <= last_at
          and (t.occurred_at, t.change_id) >= (one.at, one.id) and t.occurred_at >= one.at
        order by 1 desc, 2 desc limit missing;
        get diagnostics got = row_count;
        missing := missing - got;
        if one.seen < look then
            return;
        end if;
        last_at := one.at;
        last_id := one.id;
        looked := looked + look;
        look := look * 2;
    end loop;
    -- Resource by resource, a few months at a time.
    select min(t.occurred_at) into oldest from perigee.change_resources t where t.occurred_at >= since;
    while missing > 0 and last_at > oldest loop
        floor := greatest(date_trunc('month', least(last_at, now())) - make_interval(months => months - 1), since);
        return query
        select distinct t.occurred_at, t.change_id
        from (select distinct u.id from unnest(ids) u (id)) s
            cross join lateral (
                select c.occurred_at, c.change_id from perigee.change_resources c
                where c.resource_id = s.id and (c.occurred_at, c.change_id) < (last_at, last_id)
                  and c.occurred_at <= last_at and c.occurred_at >= floor
                order by c.occurred_at desc, c.change_id desc limit missing
            ) t
        order by 1 desc, 2 desc limit missing;
        get diagnostics got = row_count;
        missing := missing - got;
        exit when floor <= since;
        last_at := floor;
        last_id := '00000000-0000-0000-0000-000000000000';
        months := months * 2;
    end loop;
end
$$;
comment on function perigee.changes_touching is 'The newest changes before a given one that touched any of a set of resources, each once, at most `most`.';

-- Repeats: what is the same but for its time and details has one fingerprint.
create function perigee.fingerprint(
    account text, region text, source text, kind text, actor jsonb, error_code text, targets uuid[]
)
returns uuid
language sql immutable parallel safe
as $$
    select encode(substr(sha256(convert_to(concat_ws(E'\x1f', account, region, source, kind, coalesce(actor::text, ''),
        coalesce(error_code, ''), (select string_agg(t::text, ',' order by t) from unnest(targets) t)), 'UTF8')), 1, 16),
        'hex')::uuid
$$;
alter table perigee.changes add column fingerprint uuid
    generated always as (perigee.fingerprint(account, region, source, kind, actor, error_code, targets)) stored;
comment on column perigee.changes.fingerprint is 'The same for changes that differ only in when they happened and in their details: account, region, source, kind, actor, error code and targets.';
create index changes_by_fingerprint on perigee.changes (fingerprint, occurred_at desc, id desc);
