-- Ten changes a resource over ninety days, in the order of time; a few resources have most of them. One in ten names a
-- second resource.
truncate perigee.changes, perigee.change_resources;
select perigee_bench.strip('changes'), perigee_bench.strip('change_resources');
create unlogged table perigee_bench.calls as
select * from (values
    ('CreateTags', 'update', 'info'), ('DeleteTags', 'update', 'info'), ('ModifyInstanceAttribute', 'update', 'low'),
    ('StartInstances', 'state', 'info'), ('StopInstances', 'state', 'low'), ('RunInstances', 'create', 'info'),
    ('UpdateFunctionCode20150331v2', 'deployment', 'info'), ('UpdateFunctionConfiguration20150331v2', 'update', 'low'),
    ('UpdateService', 'deployment', 'info'), ('RegisterTaskDefinition', 'deployment', 'info'),
    ('PutMetricAlarm', 'update', 'info'), ('CloudWatch Alarm State Change', 'state', 'medium'),
    ('AuthorizeSecurityGroupIngress', 'security', 'medium'), ('RevokeSecurityGroupIngress', 'security', 'low'),
    ('AttachRolePolicy', 'security', 'high'), ('PutRolePolicy', 'security', 'high'), ('UpdateAssumeRolePolicy', 'security', 'high'),
    ('PutBucketPolicy', 'security', 'high'), ('PutBucketLifecycle', 'update', 'info'), ('ModifyDBInstance', 'update', 'medium'),
    ('RebootDBInstance', 'state', 'medium'), ('ECS Task State Change', 'state', 'info'), ('EC2 Instance State-change Notification', 'state', 'info'),
    ('UpdateAutoScalingGroup', 'update', 'info'), ('SetDesiredCapacity', 'update', 'info'), ('PutRetentionPolicy', 'update', 'info'),
    ('PutParameter', 'update', 'info'), ('RotateSecret', 'security', 'info'), ('AssumeRole', 'access', 'info'),
    ('ConsoleLogin', 'access', 'low'), ('GetObject', 'access', 'info'), ('Decrypt', 'access', 'info')
) c (kind, category, severity);
create unlogged table perigee_bench.numbered as
select row_number() over () - 1 as number, c.* from perigee_bench.calls c;

create unlogged table perigee_bench.happened as
select c.i, c.at, l.id, l.account, l.region, l.name1 as name, c.kind, c.category, c.severity, c.person, c.related
from (
    select i, perigee_bench.at() - interval '90 days' + interval '90 days' * (i::double precision / (10 * g.resources)) as at,
           (floor(g.resources * perigee_bench.draw(i, 40) ^ 3)::bigint * 7919 + 13) % g.resources as n,
           call.kind, call.category, call.severity, floor(500 * perigee_bench.draw(i, 42) ^ 2)::integer as person,
           case when i % 10 = 0 then i % g.places end as related
    from perigee_bench.settings g
    cross join lateral generate_series(0, 10 * g.resources - 1) i
    join perigee_bench.numbered call on call.number = floor(32 * perigee_bench.draw(i, 41))::bigint
) c
join perigee_bench.lives l on l.n = c.n
where c.at >= l.v1 and (l.gone is null or c.at < l.gone);

insert into perigee.changes
    (id, occurred_at, recorded_at, account, region, source, kind, category, severity, read_only, summary, actor, actor_name,
     source_address, user_agent, error_code, event_id, session_id, details, targets, related, mentions)
select md5('change' || h.i)::uuid, h.at, h.at + interval '20 seconds', h.account, h.region, 'cloudtrail', h.kind, h.category,
       h.severity, h.category = 'access', format('%s on %s', h.kind, h.name),
       jsonb_build_object('kind', 'role', 'name', 'Operator-' || h.person % 40, 'session', format('person-%s@example.com', h.person)),
       'Operator-' || h.person % 40, format('192.0.2.%s', h.person % 250), 'aws-cli/2.31.0',
       case when h.i % 37 = 0 then 'AccessDenied' end, md5('event' || h.i)::uuid::text, format('person-%s@example.com', h.person),
       jsonb_build_object('request', jsonb_build_object('resource', h.name, 'dryRun', false, 'clientToken', md5(h.i::text))),
       array[h.id], case when h.related is null or r.id = h.id then '{}' else array[r.id] end, '{}'
from perigee_bench.happened h left join perigee_bench.lives r on r.n = h.related
order by h.i;
insert into perigee.change_resources (resource_id, occurred_at, change_id)
select t.id, h.at, md5('change' || h.i)::uuid
from perigee_bench.happened h
left join perigee_bench.lives r on r.n = h.related
cross join lateral (select h.id union select r.id where r.id is not null) t (id);
drop table perigee_bench.happened, perigee_bench.calls, perigee_bench.numbered;
select perigee_bench.dress('changes'), perigee_bench.dress('change_resources');
