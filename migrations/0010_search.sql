-- What searches ask of documents and relations: the shown document of a resource now or at an instant, what a value of a
-- document is (a number, a size, a length of time, an instant), and what is related to a set. The same is said in Rust by
-- `selector::literal` and `rules::selection`; tests hold the two equal.

create function perigee.bodies(resource uuid, instant timestamptz default null)
returns setof jsonb
language plpgsql stable
as $$
begin
    if instant is null then
        return query
            select d.body
            from perigee.versions_open v join perigee.documents d on d.hash = v.document
            where v.resource_id = resource and v.content = 1
            order by v.rank desc, v.valid_from desc, v.source;
    else
        return query
            select d.body
            from (
                select o.document, o.rank, o.valid_from, o.source
                from perigee.versions_open o
                where o.resource_id = resource and o.content = 1 and o.valid_from <= instant
                union all
                select c.document, c.rank, c.valid_from, c.source
                from perigee.versions_closed c
                where c.resource_id = resource and c.content = 1 and c.superseded_at is null
                    and c.valid_from <= instant and c.valid_to > instant
            ) v join perigee.documents d on d.hash = v.document
            order by v.rank desc, v.valid_from desc, v.source;
    end if;
    if not found then
        return query
            select d.body
            from perigee.versions_closed c join perigee.documents d on d.hash = c.document
            where c.resource_id = resource and c.content = 1 and c.superseded_at is null
                and (instant is null or c.valid_to <= instant)
            order by c.rank desc, c.valid_to desc, c.source limit 1;
    end if;
end
$$;
comment on function perigee.bodies is 'The documents of a resource, the weightiest source''s first, now or at an instant; where no source documents it any more, the last one.';

create function perigee.merged(shown jsonb, lesser jsonb)
returns jsonb
language sql immutable
as $$
    select lesser || shown
        || case when jsonb_typeof(shown -> 'config') = 'object' and jsonb_typeof(lesser -> 'config') = 'object'
            then jsonb_build_object('config', (lesser -> 'config') || (shown -> 'config')) else '{}' end
        || case when jsonb_typeof(shown -> 'tags') = 'object' and jsonb_typeof(lesser -> 'tags') = 'object'
            then jsonb_build_object('tags', (lesser -> 'tags') || (shown -> 'tags')) else '{}' end
        || case when jsonb_typeof(shown -> 'labels') = 'object' and jsonb_typeof(lesser -> 'labels') = 'object'
            then jsonb_build_object('labels', (lesser -> 'labels') || (shown -> 'labels')) else '{}' end
$$;
comment on function perigee.merged is 'A document with the fields that it lacks from a lesser source''s, two levels deep: `config`, `tags` and `labels` are what a document has objects in.';

create function perigee.shown(resource uuid, instant timestamptz default null)
returns jsonb
language plpgsql stable
as $$
declare
    body jsonb;
    document jsonb;
    config jsonb;
begin
    if instant is null then
        for body in
            select d.body
            from perigee.versions_open v join perigee.documents d on d.hash = v.document
            where v.resource_id = resource and v.content = 1
            order by v.rank desc, v.valid_from desc, v.source
        loop
            document := case when document is null then body else perigee.merged(document, body) end;
        end loop;
    end if;
    if document is null then
        for body in select b from perigee.bodies(resource, instant) b loop
            document := case when document is null then body else perigee.merged(document, body) end;
        end loop;
    end if;
    config := document -> 'config';
    if jsonb_typeof(config) = 'object' and not config ? 'apiVersion'
        and jsonb_typeof(config -> 'configuration') = 'object'
    then
        document := jsonb_set(document, '{config}', (config - 'configuration') || (config -> 'configuration'));
    end if;
    return document;
end
$$;
comment on function perigee.shown is 'The shown document of a resource now or at an instant: the sources'' documents merged by rank, and in `config` the settings first.';

create function perigee.elements(list jsonb)
returns setof jsonb
language sql immutable
as $$
    select e.value
    from jsonb_array_elements(case when jsonb_typeof(list) = 'array' then list else '[]' end) with ordinality e (value, place)
    order by e.place limit 1000
$$;
comment on function perigee.elements is 'The first 1000 elements of an array; none of anything else.';

create function perigee.element(list jsonb, place integer)
returns jsonb
language sql immutable
as $$ select case when jsonb_typeof(list) = 'array' then list -> place end $$;
comment on function perigee.element is 'An element of an array, from 0; null of anything else.';

create function perigee.text_of(value jsonb)
returns text
language sql immutable
as $$ select case when jsonb_typeof(value) = 'string' then value #>> '{}' end $$;
comment on function perigee.text_of is 'A JSON text; null of anything else.';

create function perigee.json_number(value jsonb)
returns double precision
language sql immutable
as $$
    select case
        when jsonb_typeof(value) <> 'number' then null
        when value::numeric = 0 then 0
        when abs(value::numeric) between 1e-300 and 1e300 then value::numeric::double precision
    end
$$;
comment on function perigee.json_number is 'A JSON number; null of anything else, and of numbers that a double cannot hold well.';

create function perigee.number_of(value jsonb)
returns double precision
language sql immutable
as $$
    select case jsonb_typeof(value)
        when 'number' then perigee.json_number(value)
        when 'string' then case
            when value #>> '{}' ~ '^[+-]?[0-9]{1,18}([.][0-9]{1,18})?$' then (value #>> '{}')::double precision
        end
    end
$$;
comment on function perigee.number_of is 'A JSON number, or a text that is one.';

create function perigee.size_of(value jsonb)
returns double precision
language sql immutable
as $$
    select p.parts[1]::double precision
        * (case when p.parts[3] = 'i' then 1024 else 1000 end)::double precision
        ^ (case p.parts[2] when 'B' then 0 when 'k' then 1 when 'K' then 1 when 'M' then 2 when 'G' then 3 when 'T' then 4 else 5 end)
    from (select regexp_match(perigee.text_of(value),
        '^([0-9]{1,15}(?:[.][0-9]{1,6})?)(?:(B)|([kKMGTP])(i?)B?)$') as found) f
    cross join lateral (select array[f.found[1], coalesce(f.found[2], f.found[3]), f.found[4]] as parts) p
    where f.found is not null
$$;
comment on function perigee.size_of is 'A text such as 10GiB, 500MB or 4k, in bytes.';

create function perigee.seconds_of(value jsonb)
returns bigint
language sql immutable
as $$
    select coalesce(f.found[1]::bigint, 0) * 604800 + coalesce(f.found[2]::bigint, 0) * 86400
        + coalesce(f.found[3]::bigint, 0) * 3600 + coalesce(f.found[4]::bigint, 0) * 60 + coalesce(f.found[5]::bigint, 0)
    from (select regexp_match(nullif(perigee.text_of(value), ''),
        '^(?:([0-9]{1,9})w)?(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?$') as found) f
    where f.found is not null
$$;
comment on function perigee.seconds_of is 'A text such as 5m or 1h30m, in seconds.';

create function perigee.instant_of(value jsonb)
returns timestamptz
language plpgsql immutable
as $$
declare
    parts text[] := regexp_match(perigee.text_of(value),
        '^([0-9]{4})-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])T((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])'
        '(?:[.]([0-9]{1,9}))?(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$');
begin
    if parts is null or parts[1] = '0000' or parts[3] = '00'
        or parts[3]::integer > extract(day from (make_date(parts[1]::integer, parts[2]::integer, 1) + interval '1 month - 1 day'))
    then
        return null;
    end if;
    return (parts[1] || '-' || parts[2] || '-' || parts[3] || ' ' || parts[4] || '.' || left(coalesce(parts[5], '0'), 6)
        || case when parts[6] = 'Z' then '+00' else parts[6] end)::timestamptz;
end
$$;
comment on function perigee.instant_of is 'A text of RFC 3339, to the microsecond.';

create function perigee.reached(starts uuid[], direction text, depth integer, most integer, instant timestamptz default null)
returns setof uuid
language plpgsql stable
as $$
declare
    found_so_far uuid[] := '{}';
    frontier uuid[] := starts;
    step integer := 0;
begin
    while step < depth and cardinality(frontier) > 0 and cardinality(found_so_far) <= most loop
        step := step + 1;
        if instant is null then
            select coalesce(array_agg(n), '{}') into frontier
            from (
                (select e.to_id as n from perigee.edges_open e where direction <> 'in' and e.from_id = any (frontier)
                 union
                 select e.from_id from perigee.edges_open e where direction <> 'out' and e.to_id = any (frontier))
                except
                select f from unnest(found_so_far) f
                limit most + 1
            ) reached;
        else
            select coalesce(array_agg(n), '{}') into frontier
            from (
                (select e.to_id as n from perigee.edges_open e
                 where direction <> 'in' and e.from_id = any (frontier) and e.valid_from <= instant
                 union
                 select e.from_id from perigee.edges_open e
                 where direction <> 'out' and e.to_id = any (frontier) and e.valid_from <= instant
                 union
                 select c.to_id from perigee.edges_closed c
                 where direction <> 'in' and c.from_id = any (frontier) and c.superseded_at is null
                     and c.valid_from <= instant and c.valid_to > instant
                 union
                 select c.from_id from perigee.edges_closed c
                 where direction <> 'out' and c.to_id = any (frontier) and c.superseded_at is null
                     and c.valid_from <= instant and c.valid_to > instant)
                except
                select f from unnest(found_so_far) f
                limit most + 1
            ) reached;
        end if;
        found_so_far := found_so_far || frontier;
    end loop;
    return query select f from unnest(found_so_far) f limit most + 1;
end
$$;
comment on function perigee.reached is 'What lies within so many relations of any of the starts, now or at an instant; a start only where a relation leads to it. At most one more than `most`, so that the caller sees a cut.';
