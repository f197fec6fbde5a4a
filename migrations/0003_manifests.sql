-- Manifests: what people wrote, as it stands and as it stood.
alter table perigee.manifests rename to manifest_generations;
alter index perigee.manifests_pkey rename to manifest_generations_pkey;
alter table perigee.manifest_generations alter column body drop not null;
alter table perigee.manifest_generations drop column deleted_at;
comment on table perigee.manifest_generations is 'Every manifest as it ever stood.';
comment on column perigee.manifest_generations.body is 'Null where this generation deleted it.';

create sequence perigee.manifest_marks;
comment on sequence perigee.manifest_marks is 'Grows with every manifest that is applied or deleted: what was read at a mark is still so while the mark is the same.';

create table perigee.manifests (
    kind text not null,
    name text not null,
    generation bigint not null,
    body jsonb not null,
    applied_at timestamptz not null,
    deleted_at timestamptz,
    mark bigint not null default nextval('perigee.manifest_marks'),
    primary key (kind, name)
);
comment on table perigee.manifests is 'Every manifest as it stands; a deleted one stays, marked, so that its generations go on.';
comment on column perigee.manifests.generation is 'Counts up when the body changes, when it is deleted, and when it comes back.';
comment on column perigee.manifests.body is 'The whole document: apiVersion, kind, metadata, spec. It holds references to secrets, never secrets.';
create index manifests_marks on perigee.manifests (kind, mark);
