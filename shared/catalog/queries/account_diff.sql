-- The next resources of an account of which a version began or ended in between. Those that are gone are listed by type
-- first, so every type is looked up in turn. A version that began in between ended the one before it, unless it was the
-- first of its source.
with recursive kinds as (
    (select type from perigee.resources where deleted_at is not null and type >= $4 order by type limit 1)
    union all
    select (select r.type from perigee.resources r where r.deleted_at is not null and r.type > k.type
            order by r.type limit 1)
    from kinds k where k.type is not null
)
select l.id as "id!", l.type as "kind!", l.region as "region!", l.native_id as "native_id!"
from (
    (select r.id, r.type, r.region, r.native_id
     from perigee.resources r
     cross join lateral (
         select 1 from (
             select 1 from perigee.versions_open v
             where v.resource_id = r.id and v.valid_from > $2 and v.valid_from <= $3
             union all
             select 1 from perigee.versions_closed v
             where v.resource_id = r.id and v.superseded_at is null and v.valid_to > $2
               and (v.valid_to <= $3 or v.valid_from > $2 and v.valid_from <= $3)
         ) v limit 1
     ) moved
     where r.account = $1 and r.deleted_at is null and (r.type, r.region, r.native_id, r.id) > ($4, $5, $6, $7)
     order by r.type, r.region, r.native_id, r.id limit $8)
    union all
    (select r.id, r.type, r.region, r.native_id
     from kinds k
     cross join lateral (
         select r.id, r.type, r.region, r.native_id
         from perigee.resources r
         cross join lateral (
             select 1 from (
                 select 1 from perigee.versions_open v
                 where v.resource_id = r.id and v.valid_from > $2 and v.valid_from <= $3
                 union all
                 select 1 from perigee.versions_closed v
                 where v.resource_id = r.id and v.superseded_at is null and v.valid_to > $2
                   and (v.valid_to <= $3 or v.valid_from > $2 and v.valid_from <= $3)
             ) v limit 1
         ) moved
         where r.type = k.type and r.account = $1 and r.deleted_at is not null
           and (r.type, r.region, r.native_id, r.id) > ($4, $5, $6, $7)
         order by r.type, r.region, r.native_id, r.id limit $8
     ) r
     order by r.type, r.region, r.native_id, r.id limit $8)
) l
order by l.type, l.region, l.native_id, l.id limit $8
