//! One resource: how well it is, what it is, what happened to it and around it, what it is connected to, how it looked.

mod around;
mod health;
mod moment;

pub(super) use around::Around;

use std::{collections::BTreeMap, sync::Arc};

use ::catalog::{
    AsOf, Change, ChangeQuery, Direction, Finding, FindingQuery, Graph, HistoryQuery, Page, Resource,
    ResourceDetail, VersionState, Walk,
    checks::Check,
    health::{HealthChange, ResourceHealth},
    runs::{Run, RunQuery},
};
use axum::{extract::State, response::IntoResponse};
use chrono::TimeDelta;
use maud::{Markup, html};
use model::{Difference, FindingStatus, ResourceId, Severity, Timestamp};
use selector::Selector;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Answer,
    catalog::state,
    changes::writes_only,
    feed, layout,
    playbooks::{self, Offer},
    text,
};
use crate::{
    App,
    history::{self, HistoryItem},
    input::{self, Params, Reference},
    problem::Problem,
    rest::no_such_resource,
};

const CHANGES: u16 = 15;
const VERSIONS: u16 = 10;
const FINDINGS: u16 = 25;
const TRANSITIONS: u16 = 12;
const RUNS: u16 = 6;
/// How many resources around it are read, and how many of them are shown as its relations.
const NEIGHBOURS: u32 = 400;
const RELATED: usize = 150;
/// The differences of a version that are shown, and how much of each value.
const MAX_DIFFERENCES: usize = 40;
const MAX_VALUE: usize = 160;
/// How much of the document is printed, in characters.
const MAX_DOCUMENT: usize = 24_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceParams {
    /// Where the list of versions goes on.
    versions: Option<String>,
    /// As of which instant, and as known at which.
    at: Option<String>,
    recorded_at: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    reference: Result<Reference, Problem>,
    params: Result<Params<ResourceParams>, Problem>,
) -> Answer {
    let (Reference { reference }, Params(ResourceParams { versions, at, recorded_at })) =
        (reference?, params?);
    let now = app.context.clock.now();
    // What a form sends empty was not asked for.
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let as_of = input::moment(given(&at).as_deref(), given(&recorded_at).as_deref(), now)?;
    let catalog = &app.context.catalog;
    let id = app.resolve_as_of(&reference, as_of).await?;
    let Some(detail) = catalog.resource_at(id, as_of).await? else {
        return Err(app.not_known_then(&reference, id, as_of).await?.into());
    };
    let health = match as_of.at {
        Some(at) => catalog.health_at(id, at).await?,
        None => catalog.health_of(id).await?,
    };
    let transitions = catalog.transitions_by(id, as_of.at, TRANSITIONS, None).await?;
    let changes = ChangeQuery {
        selector: writes_only(Selector::default(), false),
        resource: Some(id),
        until: as_of.at.map(|at| at + TimeDelta::microseconds(1)),
        limit: CHANGES,
        ..ChangeQuery::default()
    };
    let changes = catalog.changes(&changes).await?;
    let findings = FindingQuery { resource: Some(id), as_of, limit: FINDINGS, ..FindingQuery::default() };
    let findings = catalog.findings(&findings).await?;
    let versions = HistoryQuery { as_of, limit: VERSIONS, cursor: versions, ..HistoryQuery::of(id) };
    let history = history::versions(catalog, &versions).await?;
    let present = if as_of.is_now() {
        Some(Present::read(&app, id, health.as_ref(), &transitions.items).await?)
    } else {
        None
    };
    let graph = match &present {
        Some(present) => present.graph.clone(),
        None => catalog.surroundings(id, as_of).await?,
    };
    let graph = graph.ok_or_else(|| no_such_resource(&reference))?;
    let view = View {
        detail: &detail,
        as_of,
        health: health.as_ref(),
        transitions: &transitions,
        around: present.as_ref().and_then(|present| present.around.as_ref()),
        checks: present.as_ref().map_or(&[], |present| &present.checks),
        runs: present.as_ref().map(|present| &present.runs),
        playbooks: present.as_ref().map_or(&[], |present| &present.playbooks),
        changes: &changes,
        findings: &findings,
        graph: &graph,
        history: &history,
        now,
    };
    Ok(view.render().into_response())
}

/// What is shown of a resource only as it is now.
#[derive(Debug)]
struct Present {
    graph: Option<Graph>,
    around: Option<Around>,
    checks: Vec<Check>,
    runs: Page<Run>,
    playbooks: Vec<Offer>,
}

impl Present {
    async fn read(
        app: &App,
        id: ResourceId,
        health: Option<&ResourceHealth>,
        transitions: &[HealthChange],
    ) -> Result<Self, Problem> {
        let catalog = &app.context.catalog;
        let walk = Walk { direction: Direction::Both, depth: around::STEPS, max_nodes: NEIGHBOURS };
        let graph = catalog.graph(id, walk).await?;
        let around = match &graph {
            Some(graph) => Around::read(catalog, health, transitions, graph, id).await?,
            None => None,
        };
        let checks = catalog.checks_of(id, app.context.clock.now()).await?;
        let runs = RunQuery { resource: Some(id), limit: RUNS, ..RunQuery::default() };
        let runs = catalog.runs(&runs).await?;
        let playbooks = playbooks::offered(app, id).await?;
        Ok(Self { graph, around, checks, runs, playbooks })
    }
}

/// What the page shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) detail: &'a ResourceDetail,
    /// As of which moment.
    pub(super) as_of: AsOf,
    /// How well it is, where a rule judges it.
    pub(super) health: Option<&'a ResourceHealth>,
    pub(super) transitions: &'a Page<HealthChange>,
    /// What changed around it, where it is not well.
    pub(super) around: Option<&'a Around>,
    pub(super) checks: &'a [Check],
    /// Not of the past.
    pub(super) runs: Option<&'a Page<Run>>,
    /// What may be run on it.
    pub(super) playbooks: &'a [Offer],
    pub(super) changes: &'a Page<Change>,
    pub(super) findings: &'a Page<Finding>,
    /// The resource, its neighbours and theirs.
    pub(super) graph: &'a Graph,
    pub(super) history: &'a Page<HistoryItem>,
    pub(super) now: Timestamp,
}

impl View<'_> {
    pub(super) fn render(&self) -> Markup {
        let resource = &self.detail.resource;
        let (id, now) = (resource.id, self.now);
        let body = html! {
            nav class="crumbs" aria-label="Breadcrumb" {
                a href="/resources" { "Resources" } " / "
                a href=(text::address("/resources", &[("q", &format!("type={}", resource.kind))])) { (resource.kind) }
            }
            div class="head" { h1 { (resource.name) } (state(resource)) }
            (moment::banner(self.as_of, id, now))
            @if let Some(at) = resource.deleted_at {
                p class="banner" role="note" { strong { "Deleted " (text::ago(at, self.now)) } " (" (text::second(at)) " UTC). What follows is how it was." }
            }
            @if let Some(health) = self.health { (health::banner(health, now)) }
            (self.facts())
            @if let Some(around) = self.around { (around.render(now)) }
            (health::offered(self.playbooks, id, now))
            (self.findings())
            div class="split" {
                div { (self.changes()) (self.versions()) }
                div { @if let Some(runs) = self.runs { (health::ran(runs, id, now)) } (health::checked(self.checks, now)) (health::history(self.transitions, id, now)) (self.relations()) }
            }
            (self.document())
            (moment::form(self.as_of, id))
        };
        layout::page(Some(layout::Place::Resources), &resource.name, &body)
    }

    fn facts(&self) -> Markup {
        let Resource { id, kind, native_id, account, region, since, tags, .. } = &self.detail.resource;
        html! {
            section class="panel" aria-label="Facts" {
                dl class="facts grid" {
                    div { dt { "Type" } dd { (layout::kind(kind)) } }
                    div { dt { "Account" } dd class="mono" { (account) } }
                    div { dt { "Region" } dd { (region) } }
                    div { dt { "Native id" } dd class="mono" { (native_id) } }
                    div { dt { "Since" } dd { @if let Some(since) = since { (layout::time(*since, self.now)) } @else { "not known" } } }
                    div { dt { "Id" } dd class="mono" { (id) } }
                    @if !self.detail.aliases.is_empty() {
                        div class="wide-fact" { dt { "Also known as" } dd class="mono" { @for alias in self.detail.aliases.iter().take(20) { span class="alias" { (alias) } } } }
                    }
                    @if !tags.is_empty() {
                        div class="wide-fact" {
                            dt { "Tags" }
                            dd { ul class="tags" { @for (key, value) in tags { li { (tag(key, value)) } } } }
                        }
                    }
                }
            }
        }
    }

    fn findings(&self) -> Markup {
        html! {
            @if !self.findings.items.is_empty() {
                section aria-labelledby="findings" {
                    h2 id="findings" { "Findings" }
                    ul class="rows" { @for finding in &self.findings.items { (self.finding(finding)) } }
                }
            }
        }
    }

    fn finding(&self, finding: &Finding) -> Markup {
        html! {
            li {
                p class="line" {
                    (layout::badge(finding_tone(finding), finding.severity.as_str()))
                    strong { (text::cut(&finding.title, 200)) }
                    (layout::badge("plain", finding.status.as_str()))
                }
                p class="meta" { (finding.product) " · " (finding.kind) " · updated " (layout::ago(finding.updated_at, self.now)) }
                @if !finding.description.is_empty() && finding.description != finding.title { p class="summary" { (text::cut(&finding.description, 400)) } }
            }
        }
    }

    fn changes(&self) -> Markup {
        let id = self.detail.resource.id.to_string();
        let all = text::address("/changes", &[("resource", &id), ("read_only", "true")]);
        html! {
            section aria-labelledby="changes" {
                h2 id="changes" { "Changes" }
                @if self.changes.items.is_empty() { p class="none" { "No change on it was recorded." } }
                @else { (feed::feed(&self.changes.items.iter().collect::<Vec<_>>(), feed::Under::Resource(self.detail.resource.id), self.now)) }
                p class="after" { a href=(all) { "All changes, reads included" } }
            }
        }
    }

    /// Relations by kind; the way they point is said in words.
    fn relations(&self) -> Markup {
        let here = self.detail.resource.id;
        let names: BTreeMap<ResourceId, &Resource> =
            self.graph.nodes.iter().map(|node| (node.resource.id, &node.resource)).collect();
        let mut groups: BTreeMap<(bool, &str), Vec<&Resource>> = BTreeMap::new();
        let mut shown = 0;
        for edge in &self.graph.edges {
            let (inward, far) = match (edge.from_id == here, edge.to_id == here) {
                (true, _) => (false, edge.to_id),
                (false, true) => (true, edge.from_id),
                (false, false) => continue,
            };
            if let Some(resource) = names.get(&far) {
                shown += 1;
                if shown <= RELATED {
                    groups.entry((inward, &edge.kind)).or_default().push(resource);
                }
            }
        }
        // Neighbours are met before their neighbours: where there is one of those, none of these is missing.
        let met_all = !self.graph.truncated || self.graph.nodes.iter().any(|node| node.distance > 1);
        html! {
            section aria-labelledby="relations" {
                h2 id="relations" { "Relations" }
                @if groups.is_empty() { p class="none" { "None is known." } }
                @for ((inward, kind), mut far) in groups {
                    @let () = { far.sort_by_key(|resource| (&resource.kind, &resource.name, resource.id)); far.dedup_by_key(|resource| resource.id) };
                    div class="relation" {
                        h3 { @if inward { span class="arrow" aria-hidden="true" { "←" } (kind) span class="sr" { " this, from" } } @else { span class="arrow" aria-hidden="true" { "→" } (kind) } }
                        ul {
                            @for resource in far {
                                li class=[resource.deleted_at.map(|_| "gone")] {
                                    a href={ "/resources/" (resource.id) } { (resource.name) } span class="sub" { (layout::kind(&resource.kind)) }
                                    @if resource.native_id != resource.name { span class="sub" { (text::cut(&resource.native_id, 80)) } }
                                }
                            }
                        }
                    }
                }
                @if shown > RELATED || !met_all { p class="hint" { "There are more; " code { "perigee graph" } " shows them." } }
            }
        }
    }

    fn versions(&self) -> Markup {
        let id = self.detail.resource.id.to_string();
        let next = self.history.next.as_deref();
        let [at, recorded_at] = moment::parameters(self.as_of);
        let older = next.map(|cursor| {
            let parameters = [("versions", cursor), ("at", &*at), ("recorded_at", &*recorded_at)];
            text::address(&format!("/resources/{id}"), &parameters)
        });
        html! {
            section aria-labelledby="versions" {
                h2 id="versions" { "Versions" }
                @if self.history.items.is_empty() { p class="none" { "No source has told that it was there." } }
                ol class="versions" { @for item in &self.history.items { (self.version(item)) } }
                (layout::next(older.as_deref(), "Older versions"))
            }
        }
    }

    fn version(&self, HistoryItem { version, diff }: &HistoryItem) -> Markup {
        let said = match version.state {
            VersionState::Present => "there; its document is not known",
            VersionState::Documented if diff.is_none() => "first document",
            VersionState::Documented => "document changed",
            VersionState::Deleted => "gone",
        };
        html! {
            li {
                p class="line" {
                    a href=(moment::address(self.detail.resource.id, version.from)) { (layout::time(version.from, self.now)) }
                    @if version.to.is_none() && self.as_of.is_now() { (layout::badge("good", "current")) }
                }
                p class="meta" { (version.source) ": " (said) @if let Some(to) = version.to { ", until " (text::minute(to)) } }
                @if let Some(diff) = diff { (differences(diff)) }
            }
        }
    }

    fn document(&self) -> Markup {
        let id = self.detail.resource.id;
        let [at, recorded_at] = moment::parameters(self.as_of);
        let document = serde_json::to_string_pretty(&self.detail.document).unwrap_or_default();
        let cut = document.chars().nth(MAX_DOCUMENT).is_some();
        let sources: Vec<_> = self.detail.sources.iter().map(|version| version.source.as_str()).collect();
        html! {
            section aria-labelledby="document" {
                h2 id="document" { "Document" }
                @if self.detail.document.is_null() { p class="none" { "No source has shown how it looks." } }
                @else {
                    details class="document" {
                        summary { "Show the document" @if !sources.is_empty() { span class="quiet" { " from " (sources.join(", ")) } } }
                        pre role="group" tabindex="0" aria-label="Document" { code { (text::cut(&document, MAX_DOCUMENT)) } }
                    }
                    @if cut { p class="hint" { "It is long; " a href=(text::address(&format!("/api/v1/resources/{id}"), &[("at", &*at), ("recorded_at", &*recorded_at)])) { "the API has all of it" } "." } }
                }
            }
        }
    }
}

fn tag(key: &str, value: &str) -> Markup {
    html! { span class="tag" { span class="key" { (text::cut(key, 100)) } @if !value.is_empty() { span class="val" { (text::cut(value, 100)) } } } }
}

fn finding_tone(finding: &Finding) -> &'static str {
    match (finding.status, finding.severity) {
        (FindingStatus::Resolved | FindingStatus::Suppressed, _) => "plain",
        (FindingStatus::Open, Severity::High | Severity::Critical) => "bad",
        (FindingStatus::Open, Severity::Medium) => "warn",
        (FindingStatus::Open, Severity::Low | Severity::Info) => "plain",
    }
}

/// What changed: path, old, new.
fn differences(differences: &[Difference]) -> Markup {
    let (shown, rest) = differences.split_at(differences.len().min(MAX_DIFFERENCES));
    html! {
        @if differences.is_empty() { p class="meta" { "The document is the same; its relations changed." } }
        @else {
            table class="diff" {
                thead { tr { th scope="col" { "Where" } th scope="col" { "Old" } th scope="col" { "New" } } }
                tbody {
                    @for Difference { path, before, after } in shown {
                        tr {
                            th scope="row" { @if path.is_empty() { "the whole document" } @else { (breakable(path)) } }
                            td { (side("old", before.as_ref())) }
                            td { (side("new", after.as_ref())) }
                        }
                    }
                }
            }
            @if !rest.is_empty() { p class="hint" { "and " (rest.len()) " more places" } }
        }
    }
}

/// A path that may break after its dots and before its brackets.
fn breakable(path: &str) -> Markup {
    html! { @for (index, part) in path.split('.').enumerate() { @if index > 0 { "." wbr; } (part) } }
}

fn side(class: &str, value: Option<&Value>) -> Markup {
    html! {
        @match value {
            None => span class="quiet" { "none" },
            Some(Value::String(text)) => code class=(class) { (text::cut(text, MAX_VALUE)) },
            Some(value) => code class=(class) { (text::cut(&value.to_string(), MAX_VALUE)) },
        }
    }
}
