-- The role that the functions sign in as. It owns the catalog; on Aurora it signs in by IAM and has no password.
do $$
begin
    if not exists (select from pg_roles where rolname = 'perigee') then
        create role perigee login;
    end if;
    if exists (select from pg_roles where rolname = 'rds_iam') then
        grant rds_iam to perigee;
    end if;
    execute format('grant perigee to %I', current_user);
    execute format('grant create, connect on database %I to perigee', current_database());
end
$$;
