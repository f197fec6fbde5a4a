//! A question to the catalog, or an entry in it.

use catalog::{Direction, ResourceQuery, Walk};
use chrono::TimeDelta;
use manifest::kinds::playbook::{CatalogChanges, CatalogRecord, CatalogStep};
use model::{
    Actor, ActorKind, Category, Change, ChangeId, ChangeResource, Completeness, Observation, ObservationKey,
    Rank, ResourceId, ResourceKey, Role, Severity, Source,
};
use selector::Selector;
use serde_json::json;

use super::{Attempt, Outcome};
use crate::clean;

/// How many resources or changes an answer has at most.
const MOST: u16 = 100;

/// How many resources around the target are looked at.
const MOST_AROUND: u32 = 500;

/// The source of what runs record; the guard of triggers knows it.
const SOURCE: &str = "perigee";

/// Asks or records.
pub(super) async fn perform(attempt: &mut Attempt<'_>, step: &CatalogStep) -> Outcome {
    let done = if let Some(template) = &step.resources {
        resources(attempt, template.as_str()).await
    } else if let Some(changes) = &step.changes {
        changes_around(attempt, changes).await
    } else if let Some(entry) = &step.record {
        record(attempt, entry).await
    } else {
        let reason = "`catalog` says nothing to do: it has neither `resources`, `changes` nor `record`";
        Err(Fault::Wrong(reason.to_owned()))
    };
    match done {
        Ok(result) => Outcome::Completed(clean::value(&attempt.context.redactor, result)),
        Err(Fault::Wrong(reason)) => Outcome::wrong(reason),
        Err(Fault::Catalog(error)) => {
            let again = error.is_transient();
            Outcome::Failed { reason: clean::chain(&error), result: None, again }
        }
    }
}

enum Fault {
    Wrong(String),
    Catalog(catalog::Error),
}

impl From<catalog::Error> for Fault {
    fn from(error: catalog::Error) -> Self {
        Self::Catalog(error)
    }
}

type Answer = Result<serde_json::Value, Fault>;

fn selector(attempt: &Attempt<'_>, template: &str) -> Result<Selector, Fault> {
    let text = attempt.context.render(template).map_err(Fault::Wrong)?;
    selector::parse(&text).map_err(|error| Fault::Wrong(format!("`{text}`: {error}")))
}

async fn resources(attempt: &Attempt<'_>, template: &str) -> Answer {
    let selector = selector(attempt, template)?;
    let query = ResourceQuery { selector, limit: MOST, ..ResourceQuery::default() };
    let page = attempt.playbooks.catalog.resources(&query).await?;
    Ok(json!({"items": page.items, "truncated": page.next.is_some()}))
}

async fn changes_around(attempt: &Attempt<'_>, changes: &CatalogChanges) -> Answer {
    let catalog = &attempt.playbooks.catalog;
    let target = target(attempt)?;
    let selector = match &changes.selector {
        Some(template) => selector(attempt, template.as_str())?,
        None => Selector::default(),
    };
    let walk =
        Walk { direction: Direction::Both, depth: changes.depth, max_nodes: MOST_AROUND, ..Walk::default() };
    let around = catalog.graph(target, &walk).await?;
    let around: Vec<ResourceId> = around
        .map_or_else(|| vec![target], |graph| graph.nodes.iter().map(|node| node.resource.id).collect());
    let since = TimeDelta::from_std(changes.since.0).unwrap_or(TimeDelta::MAX);
    let since = attempt.playbooks.clock.now().checked_sub_signed(since).unwrap_or_default();
    let items = catalog.changes_around(&around, &selector, since, MOST).await?;
    Ok(json!({"items": items, "resources": around.len()}))
}

fn target(attempt: &Attempt<'_>) -> Result<ResourceId, Fault> {
    attempt.resource.ok_or_else(|| {
        Fault::Wrong(
            "the run has no target; give the playbook a `target`, and run it on a resource".to_owned(),
        )
    })
}

/// The key is the run's and the step's, and the instant is that of the step's first attempt: recording it again is the
/// same observation.
async fn record(attempt: &Attempt<'_>, entry: &CatalogRecord) -> Answer {
    let catalog = &attempt.playbooks.catalog;
    let target = target(attempt)?;
    let summary = attempt.context.render(entry.summary.as_str()).map_err(Fault::Wrong)?;
    let summary = summary.replace('\0', "\u{fffd}");
    let Some(detail) = catalog.resource(target).await? else {
        return Err(Fault::Wrong("the target is not in the catalog any more".to_owned()));
    };
    let resource = detail.resource;
    let run = attempt.lease.run;
    let key = ObservationKey::of(&json!({"run": run, "step": attempt.step.name}));
    let change = Change {
        id: ChangeId::of(&key, 0),
        occurred_at: attempt.began,
        account: resource.account.clone(),
        region: resource.region.clone(),
        source: SOURCE.to_owned(),
        kind: entry.kind.clone(),
        category: Category::Other,
        severity: Severity::Info,
        read_only: false,
        summary,
        actor: Some(Actor {
            kind: ActorKind::Service,
            name: SOURCE.to_owned(),
            session: Some(format!("perigee-run-{run}")),
            via: None,
            arn: None,
            account: None,
        }),
        source_address: None,
        user_agent: None,
        error_code: None,
        error_message: None,
        event_id: None,
        session_id: Some(format!("perigee-run-{run}")),
        details: json!({"run": run, "step": attempt.step.name}),
        resources: vec![ChangeResource {
            key: ResourceKey {
                provider: resource.provider,
                partition: resource.partition,
                account: resource.account.clone(),
                region: resource.region.clone(),
                kind: resource.kind,
                native_id: resource.native_id,
            },
            role: Role::Target,
        }],
        mentions: Vec::new(),
    };
    let id = change.id;
    let observation = Observation {
        key,
        source: Source::new(SOURCE, Rank::Event),
        account: resource.account,
        region: resource.region,
        occurred_at: attempt.began,
        resources: Vec::new(),
        changes: vec![change],
        findings: Vec::new(),
        completeness: Completeness::OnlyThese,
    };
    catalog.record(&[observation], attempt.playbooks.clock.now()).await?;
    Ok(json!({"change": id}))
}
