//! Changes, findings and signals: rows that are inserted once and never touched again.

use std::collections::BTreeMap;

use model::{Change, ContentHash, Finding, FindingId, Role, Timestamp};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, array_literal, record::plan::Plan};

/// Writes the changes and what they touched.
pub(crate) async fn changes(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<(), Error> {
    if plan.changes.is_empty() {
        return Ok(());
    }
    insert_changes(db, &plan.changes, now).await?;
    let mut touched: Vec<(Uuid, Timestamp, Uuid)> = plan
        .changes
        .iter()
        .flat_map(|c| c.resources.iter().map(|r| (r.key.id().into(), c.occurred_at, c.id.into())))
        .collect();
    touched.sort_unstable();
    touched.dedup();
    let resources: Vec<Uuid> = touched.iter().map(|(resource, _, _)| *resource).collect();
    let instants: Vec<Timestamp> = touched.iter().map(|(_, at, _)| *at).collect();
    let changes: Vec<Uuid> = touched.iter().map(|(_, _, change)| *change).collect();
    sqlx::query!(
        r#"insert into perigee.change_resources (resource_id, occurred_at, change_id)
           select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[])
           on conflict do nothing"#,
        &resources,
        &instants,
        &changes,
    )
    .execute(db)
    .await
    .map_err(Error::writing("change resources"))?;
    Ok(())
}

fn column<T>(changes: &[&Change], field: impl Fn(&Change) -> T) -> Vec<T> {
    changes.iter().map(|change| field(change)).collect()
}

fn touched(change: &Change, role: Role) -> String {
    let ids: Vec<_> = change.resources.iter().filter(|r| r.role == role).map(|r| r.key.id()).collect();
    array_literal(ids.iter())
}

async fn insert_changes(db: &mut PgConnection, changes: &[&Change], now: Timestamp) -> Result<(), Error> {
    let actors = column(changes, |c| c.actor.as_ref().and_then(|actor| serde_json::to_value(actor).ok()));
    sqlx::query!(
        r#"insert into perigee.changes
               (id, occurred_at, account, region, source, kind, category, severity, read_only, summary, actor,
                actor_name, source_address, user_agent, error_code, error_message, event_id, session_id, details,
                targets, related, mentions, recorded_at)
           select id, occurred_at, account, region, source, kind, category, severity, read_only, summary, actor,
                  actor_name, source_address, user_agent, error_code, error_message, event_id, session_id, details,
                  targets::uuid[], related::uuid[], array(select jsonb_array_elements_text(mentions)), $23
           from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::boolean[], $10::text[], $11::jsonb[], $12::text[], $13::text[], $14::text[],
                       $15::text[], $16::text[], $17::text[], $18::text[], $19::jsonb[], $20::text[], $21::text[],
                       $22::jsonb[])
                w (id, occurred_at, account, region, source, kind, category, severity, read_only, summary, actor,
                   actor_name, source_address, user_agent, error_code, error_message, event_id, session_id, details,
                   targets, related, mentions)
           on conflict do nothing"#,
        &column(changes, |c| Uuid::from(c.id)),
        &column(changes, |c| c.occurred_at),
        &column(changes, |c| c.account.clone()),
        &column(changes, |c| c.region.clone()),
        &column(changes, |c| c.source.clone()),
        &column(changes, |c| c.kind.clone()),
        &column(changes, |c| c.category.as_str().to_owned()),
        &column(changes, |c| c.severity.as_str().to_owned()),
        &column(changes, |c| c.read_only),
        &column(changes, |c| c.summary.clone()),
        &actors as _,
        &column(changes, |c| c.actor.as_ref().map(|actor| actor.name.clone())) as _,
        &column(changes, |c| c.source_address.clone()) as _,
        &column(changes, |c| c.user_agent.clone()) as _,
        &column(changes, |c| c.error_code.clone()) as _,
        &column(changes, |c| c.error_message.clone()) as _,
        &column(changes, |c| c.event_id.clone()) as _,
        &column(changes, |c| c.session_id.clone()) as _,
        &column(changes, |c| c.details.clone()),
        &column(changes, |c| touched(c, Role::Target)),
        &column(changes, |c| touched(c, Role::Related)),
        &column(changes, |c| json!(c.mentions)),
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("changes"))?;
    Ok(())
}

/// Writes the statements of findings; the latest by (instant, content) is the finding's state.
pub(crate) async fn findings(db: &mut PgConnection, plan: &Plan<'_>, now: Timestamp) -> Result<(), Error> {
    if plan.findings.is_empty() {
        return Ok(());
    }
    let statements: BTreeMap<(FindingId, Timestamp, ContentHash), &Finding> = plan
        .findings
        .iter()
        .map(|finding| ((finding.id, finding.at, statement_hash(finding)), *finding))
        .collect();
    insert_statements(db, &statements, now).await?;
    let mut latest: BTreeMap<FindingId, (ContentHash, &Finding, Timestamp)> = BTreeMap::new();
    for ((id, _, hash), finding) in statements {
        // The map is in order, so a later statement of the same finding replaces the earlier.
        let first_seen =
            latest.get(&id).map_or(finding.first_seen, |(_, _, held)| (*held).min(finding.first_seen));
        latest.insert(id, (hash, finding, first_seen));
    }
    upsert_findings(db, &latest, now).await
}

fn statement_hash(finding: &Finding) -> ContentHash {
    let mut resources: Vec<String> = finding.resources.iter().map(|key| key.id().to_string()).collect();
    resources.sort();
    ContentHash::of_json(&json!([
        finding.status.as_str(),
        finding.severity.as_str(),
        finding.kind,
        finding.title,
        finding.description,
        finding.details,
        resources,
    ]))
}

async fn insert_statements(
    db: &mut PgConnection,
    statements: &BTreeMap<(FindingId, Timestamp, ContentHash), &Finding>,
    now: Timestamp,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = statements.keys().map(|(id, _, _)| Uuid::from(*id)).collect();
    let instants: Vec<Timestamp> = statements.keys().map(|(_, at, _)| *at).collect();
    let hashes: Vec<Vec<u8>> = statements.keys().map(|(_, _, hash)| hash.0.to_vec()).collect();
    let severities: Vec<String> = statements.values().map(|f| f.severity.as_str().to_owned()).collect();
    let statuses: Vec<String> = statements.values().map(|f| f.status.as_str().to_owned()).collect();
    let titles: Vec<String> = statements.values().map(|f| f.title.clone()).collect();
    sqlx::query!(
        r#"insert into perigee.finding_statements (finding_id, at, hash, severity, status, title, recorded_at)
           select *, $7 from unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::text[], $5::text[], $6::text[])
           on conflict do nothing"#,
        &ids,
        &instants,
        &hashes,
        &severities,
        &statuses,
        &titles,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("finding statements"))?;
    Ok(())
}

async fn upsert_findings(
    db: &mut PgConnection,
    latest: &BTreeMap<FindingId, (ContentHash, &Finding, Timestamp)>,
    now: Timestamp,
) -> Result<(), Error> {
    let text = |field: fn(&Finding) -> &str| -> Vec<String> {
        latest.values().map(|(_, finding, _)| field(finding).to_owned()).collect()
    };
    let ids: Vec<Uuid> = latest.keys().map(|id| Uuid::from(*id)).collect();
    let instants: Vec<Timestamp> = latest.values().map(|(_, finding, _)| finding.at).collect();
    let hashes: Vec<Vec<u8>> = latest.values().map(|(hash, _, _)| hash.0.to_vec()).collect();
    let first_seen: Vec<Timestamp> = latest.values().map(|(_, _, first_seen)| *first_seen).collect();
    let details: Vec<&Value> = latest.values().map(|(_, finding, _)| &finding.details).collect();
    let resources: Vec<String> = latest
        .values()
        .map(|(_, finding, _)| {
            let mut ids: Vec<_> = finding.resources.iter().map(model::ResourceKey::id).collect();
            ids.sort_unstable();
            ids.dedup();
            array_literal(ids.iter())
        })
        .collect();
    sqlx::query!(
        r#"insert into perigee.findings as f
               (id, at, hash, first_seen, account, region, product, external_id, kind, title, description, severity,
                status, details, resources, recorded_at)
           select id, at, hash, first_seen, account, region, product, external_id, kind, title, description, severity,
                  status, details, resources::uuid[], $16
           from unnest($1::uuid[], $2::timestamptz[], $3::bytea[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::text[])
                w (id, at, hash, first_seen, account, region, product, external_id, kind, title, description, severity,
                   status, details, resources)
           on conflict (id) do update set
               first_seen = least(f.first_seen, excluded.first_seen),
               at = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.at else f.at end,
               hash = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.hash else f.hash end,
               kind = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.kind else f.kind end,
               title = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.title else f.title end,
               description = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.description else f.description end,
               severity = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.severity else f.severity end,
               status = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.status else f.status end,
               details = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.details else f.details end,
               resources = case when (excluded.at, excluded.hash) > (f.at, f.hash) then excluded.resources else f.resources end"#,
        &ids,
        &instants,
        &hashes,
        &first_seen,
        &text(|f| &f.account),
        &text(|f| &f.region),
        &text(|f| &f.product),
        &text(|f| &f.external_id),
        &text(|f| &f.kind),
        &text(|f| &f.title),
        &text(|f| &f.description),
        &text(|f| f.severity.as_str()),
        &text(|f| f.status.as_str()),
        &details as _,
        &resources,
        now,
    )
    .execute(db)
    .await
    .map_err(Error::writing("findings"))?;
    Ok(())
}
