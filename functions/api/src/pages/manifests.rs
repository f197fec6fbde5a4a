//! What people wrote: manifests by kind, and one of them as YAML.

use std::{error::Error, sync::Arc};

use ::catalog::{Page, manifests::Stored};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::IntoResponse,
};
use maud::{Markup, html};
use model::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Answer, layout, text};
use crate::{
    App,
    input::{NoParams, Params},
    problem::{Kind, Problem},
};

/// How many manifests a page lists.
const LISTED: u16 = 100;
/// How much of a manifest is printed, in characters.
const MAX_YAML: usize = 30_000;

/// The kinds in the order of the page, and what each is for.
const KINDS: [(&str, &str); 8] = [
    ("Scraper", "what is listed, and how often"),
    ("HealthRule", "how well a resource is"),
    ("Check", "probes that ask as a user would"),
    ("Playbook", "procedures, and what starts them"),
    ("Notification", "who is told of what"),
    ("Silence", "who is not told for a while"),
    ("Connection", "where an API is, and with which credentials it is reached"),
    ("Retention", "how long what is no longer so is kept"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManifestsParams {
    #[serde(default)]
    kind: String,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<ManifestsParams>, Problem>,
) -> Answer {
    let Params(ManifestsParams { kind, cursor }) = params?;
    if !kind.is_empty() && KINDS.iter().all(|(known, _)| *known != kind) {
        return Err(no_such_kind(&kind).into());
    }
    let chosen = Some(kind.as_str()).filter(|kind| !kind.is_empty());
    let page = app.context.catalog.manifest_page(chosen, LISTED, cursor.as_deref()).await?;
    Ok(render(&kind, &page, app.context.clock.now()).into_response())
}

pub(super) fn render(chosen: &str, page: &Page<Stored>, now: Timestamp) -> Markup {
    let next = page.next.as_deref();
    let next = next.map(|cursor| text::address("/manifests", &[("kind", chosen), ("cursor", cursor)]));
    let body = html! {
        div class="head" { h1 { "Manifests" } p class="lead" { "What people wrote; " code { "perigee apply" } " changes it" } }
        nav class="states" aria-label="Kinds" {
            ul {
                li { a href="/manifests" aria-current=[chosen.is_empty().then_some("true")] { "All" } }
                @for (kind, _) in KINDS { li { a href=(text::address("/manifests", &[("kind", kind)])) aria-current=[(chosen == kind).then_some("true")] { (kind) } } }
            }
        }
        @if page.items.is_empty() {
            div class="none" {
                p { "None is applied" @if !chosen.is_empty() { " of this kind" } "." }
                p { "Begin one with " code { "perigee init " (if chosen.is_empty() { "Playbook" } else { chosen }) } "." }
            }
        }
        @for stored in page.items.chunk_by(|a, b| a.kind == b.kind) { (group(stored, now)) }
        (layout::next(next.as_deref(), "More manifests"))
    };
    layout::page(None, "Manifests", &body)
}

/// Manifests of one kind.
fn group(stored: &[Stored], now: Timestamp) -> Markup {
    let kind = stored.first().map_or("", |stored| stored.kind.as_str());
    let purpose = KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, purpose)| purpose);
    html! {
        section aria-label=(kind) {
            h2 { (kind) " " span class="quiet" { (purpose) } }
            ul class="rows" {
                @for stored in stored {
                    li {
                        p class="line" {
                            a class="title" href={ "/manifests/" (kind) "/" (text::segment(&stored.name)) } { (text::cut(&stored.name, 160)) }
                            @if fault(stored).is_some() { (layout::badge("bad", "cannot be read")) }
                        }
                        p class="meta" { "generation " (stored.generation) " · applied " (layout::ago(stored.applied_at, now)) }
                    }
                }
            }
        }
    }
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    params: Result<Params<NoParams>, Problem>,
) -> Answer {
    let Path((kind, name)) = path.map_err(|error| Problem::new(Kind::BadParameter, error.body_text()))?;
    let Params(NoParams {}) = params?;
    let (kind, _) = KINDS.iter().find(|(known, _)| *known == kind).ok_or_else(|| no_such_kind(&kind))?;
    let found = app.context.catalog.manifest(kind, &name).await?.ok_or_else(|| {
        let detail =
            format!("No {kind} is called `{}`; /manifests?kind={kind} lists them.", text::cut(&name, 100));
        Problem::new(Kind::NotFound, detail)
    })?;
    Ok(render_one(&found, app.context.clock.now()).into_response())
}

pub(super) fn render_one(stored: &Stored, now: Timestamp) -> Markup {
    let kind = stored.kind.as_str();
    let yaml = serde_yaml_ng::to_string(&stored.body).unwrap_or_default();
    let path = text::segment(&stored.name);
    let body = html! {
        nav class="crumbs" aria-label="Breadcrumb" {
            a href="/manifests" { "Manifests" } " / " a href=(text::address("/manifests", &[("kind", kind)])) { (kind) }
        }
        div class="head" { h1 { (text::cut(&stored.name, 200)) } p class="lead" { "generation " (stored.generation) ", applied " (layout::ago(stored.applied_at, now)) } }
        @if let Some(fault) = fault(stored) { p class="banner" role="note" { "This build cannot read it, so it does nothing: " (text::cut(&fault, 400)) } }
        (ways_on(kind, &stored.name, &path))
        pre class="yaml" role="group" tabindex="0" aria-label="Manifest" { code { (text::cut(&yaml, MAX_YAML)) } }
        @if yaml.chars().nth(MAX_YAML).is_some() { p class="hint" { "It is long; " code { "perigee get " (kind) " " (stored.name) } " prints all of it." } }
    };
    layout::page(None, &stored.name, &body)
}

/// What it led to.
fn ways_on(kind: &str, name: &str, path: &str) -> Markup {
    let of = |page: &str, field: &str| text::address(page, &[("q", &format!("{field}=\"{name}\""))]);
    html! {
        @match kind {
            "Playbook" => p class="after" { a href=(of("/runs", "playbook")) { "Its runs" } " · " a href={ "/playbooks/" (path) "/runs" } { "Run it" } },
            "Notification" => p class="after" { a href=(of("/deliveries", "notification")) { "Its deliveries" } },
            "HealthRule" => p class="after" { a href=(of("/health", "rule")) { "What it judged" } },
            "Check" => p class="after" { a href={ "/checks/" (path) } { "Its results" } },
            "Scraper" => p class="after" { a href="/sources" { "What it covers" } },
            _ => {},
        }
    }
}

/// Why this build cannot read it: another build applied it.
fn fault(stored: &Stored) -> Option<String> {
    match stored.kind.as_str() {
        "Scraper" => read::<manifest::Scraper>(stored),
        "HealthRule" => read::<manifest::HealthRule>(stored),
        "Check" => read::<manifest::Check>(stored),
        "Playbook" => read::<manifest::Playbook>(stored),
        "Notification" => read::<manifest::Notification>(stored),
        "Silence" => read::<manifest::Silence>(stored),
        "Connection" => read::<manifest::Connection>(stored),
        "Retention" => read::<manifest::Retention>(stored),
        other => Some(format!("it knows no kind `{other}`")),
    }
}

fn read<T: DeserializeOwned>(stored: &Stored) -> Option<String> {
    let error = stored.spec::<T>().err()?;
    Some(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

fn no_such_kind(kind: &str) -> Problem {
    let kinds = KINDS.map(|(kind, _)| kind).join(", ");
    let detail = format!("There is no kind `{}`; the kinds are {kinds}.", text::cut(kind, 100));
    Problem::new(Kind::NotFound, detail)
}
