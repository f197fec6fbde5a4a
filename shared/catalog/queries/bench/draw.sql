-- Functions that draw from the seed. What is fixed for the estate is written into them, so that they are computed in line.
do $$
declare
    s perigee_bench.settings;
begin
    select * into strict s from perigee_bench.settings;
    execute format($f$
        create function perigee_bench.draw(n bigint, what integer) returns double precision
        language sql immutable parallel safe as
        'select (hashint8extended(n * 1009 + what, %s) & 9007199254740991)::double precision / 9007199254740992.0'
    $f$, s.seed);
    execute format($f$
        create function perigee_bench.at() returns timestamptz language sql immutable parallel safe as
        $g$ select timestamptz %L $g$
    $f$, s.at);
end
$$;

-- The name of the content of a version: as many as there are contents.
create function perigee_bench.hash(id uuid, version integer) returns bytea
language sql immutable parallel safe as
'select sha256(convert_to(id::text || ''/'' || version::text, ''UTF8''))';

create function perigee_bench.tags(name text, app text, env text, team text, number bigint, release text) returns jsonb
language sql immutable parallel safe as $$
    select jsonb_build_object('Name', name, 'app', app, 'cost-center', 'cc-' || 1000 + number % 60, 'env', env,
                              'owner', team || '@example.com', 'team', team)
           || case when release is null then '{}' else jsonb_build_object('release', release) end
$$;

-- What free words are looked for in.
create function perigee_bench.words(name text, native_id text, tags jsonb, description text, dns text) returns text
language sql immutable parallel safe as $$
    select lower(concat_ws(E'\n', name, native_id,
        (select string_agg(t.value, E'\n' order by t.key collate "C") from jsonb_each_text(tags) t), description, dns))
$$;
