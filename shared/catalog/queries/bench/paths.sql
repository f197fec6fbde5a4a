-- Every path of so many steps out of a resource, as a recursive query finds it; the answer is how many resources that is.
with recursive paths (id, path, depth) as (
    select $1::uuid, array[$1::uuid], 0
    union all
    select e.to_id, p.path || e.to_id, p.depth + 1
    from paths p
    join perigee.edges_open e on e.from_id = p.id
    where p.depth < $2 and e.to_id <> all (p.path)
)
select count(distinct id) from paths
