//! What happened, over time.

use std::sync::Arc;

use ::catalog::{Change, ChangeQuery, Page, Resource};
use axum::extract::State;
use maud::{Markup, html};
use model::Timestamp;
use selector::{Node, Selector, Term};
use serde::Deserialize;

use super::{Answer, feed, histogram::Histogram, layout, text, with_status};
use crate::{
    App,
    input::{Params, Whole},
    problem::{Kind, Problem},
    rest::ChangeFilter,
};

/// How many changes a page lists, and how many the bars count.
pub(super) const LISTED: u16 = 25;
const COUNTED: u16 = 1000;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangesParams {
    #[serde(default)]
    pub(super) q: String,
    #[serde(default)]
    pub(super) resource: String,
    #[serde(default)]
    pub(super) since: String,
    #[serde(default)]
    pub(super) until: String,
    #[serde(default)]
    pub(super) read_only: bool,
    #[serde(default)]
    pub(super) cursor: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<ChangesParams>, Problem>,
) -> Answer {
    let Params(params) = params?;
    let (found, wrong) = match read(&app, &params).await {
        Ok(found) => (found, None),
        Err(problem) if is_askers(problem.kind) => (Found::default(), Some(problem)),
        Err(problem) => return Err(problem.into()),
    };
    let error = wrong.as_ref().map(|problem| problem.detail.as_str());
    let view = View { params: &params, error, found: &found, now: app.context.clock.now() };
    Ok(with_status(view.render(), wrong.as_ref()))
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The resource that was asked for.
    pub(super) resource: Option<Resource>,
    /// A page of the changes.
    pub(super) listed: Vec<Change>,
    /// Where the next page begins.
    pub(super) next: Option<String>,
    /// When the latest changes happened, those of other pages too, and whether they failed; at most [`COUNTED`].
    pub(super) counted: Vec<(Timestamp, bool)>,
}

async fn read(app: &App, params: &ChangesParams) -> Result<Found, Problem> {
    let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let filter = ChangeFilter {
        q: given(&params.q),
        resource: given(&params.resource),
        since: given(&params.since),
        until: given(&params.until),
    };
    let query = filter.query(app, Whole(LISTED), given(&params.cursor)).await?;
    let query = ChangeQuery { selector: writes_only(query.selector, params.read_only), ..query };
    let catalog = &app.context.catalog;
    let resource = match query.resource {
        Some(id) => catalog.resource(id).await?.map(|detail| detail.resource),
        None => None,
    };
    let Page { items: listed, next } = catalog.changes(&query).await?;
    let all = catalog.changes(&ChangeQuery { limit: COUNTED, cursor: None, ..query }).await?;
    let counted = all.items.iter().map(|change| (change.occurred_at, change.error_code.is_some())).collect();
    Ok(Found { resource, listed, next, counted })
}

/// Whether a problem is shown under what was asked, rather than instead of the page.
fn is_askers(kind: Kind) -> bool {
    matches!(kind, Kind::BadSelector | Kind::BadParameter | Kind::NotFound)
}

/// Leaves out calls that altered nothing, unless they are asked for.
pub(super) fn writes_only(mut selector: Selector, also_reads: bool) -> Selector {
    let named = selector.terms().iter().any(|term| term.field().is_some_and(|field| field.is("read_only")));
    if !also_reads && !named {
        selector.nodes.push(Node::Term(Term::equals("read_only", "false")));
    }
    selector
}

/// What the page shows.
pub(super) struct View<'a> {
    pub(super) params: &'a ChangesParams,
    pub(super) error: Option<&'a str>,
    pub(super) found: &'a Found,
    pub(super) now: Timestamp,
}

const SPANS: [(&str, &str); 5] = [
    ("", "All time"),
    ("1h", "Last hour"),
    ("24h", "Last 24 hours"),
    ("7d", "Last 7 days"),
    ("30d", "Last 30 days"),
];

impl View<'_> {
    pub(super) fn render(&self) -> Markup {
        let body = html! {
            div class="head" {
                h1 { "Changes" }
                p class="lead" { "What happened, newest first" }
            }
            (self.form())
            @if let Some(resource) = &self.found.resource {
                p class="lead" { "On " (layout::kind(&resource.kind)) " " a href={ "/resources/" (resource.id) } { (resource.name) } }
            }
            @if let Some(histogram) = Histogram::of(&self.found.counted) {
                (histogram.render())
                @if self.found.counted.len() >= usize::from(COUNTED) {
                    p class="hint" { "The bars count the latest " (text::number(COUNTED.into())) " changes; narrow the search to count them all." }
                }
            }
            (self.list())
            (layout::next(self.next().as_deref(), "Older changes"))
        };
        layout::page(Some(layout::Place::Changes), "Changes", &body)
    }

    fn form(&self) -> Markup {
        let params = self.params;
        let other = !params.since.is_empty() && SPANS.iter().all(|(value, _)| *value != params.since);
        html! {
            form action="/changes" method="get" role="search" class="panel" {
                (layout::search("Search changes", &params.q, self.error, &hint()))
                div class="fields" {
                    div class="field" {
                        label for="resource" { "Resource" }
                        input id="resource" type="text" name="resource" value=(params.resource) placeholder="id, ARN or type/name" autocomplete="off" spellcheck="false";
                    }
                    div class="field" {
                        label for="since" { "Since" }
                        select id="since" name="since" {
                            @for (value, name) in SPANS { option value=(value) selected[params.since == value] { (name) } }
                            @if other { option value=(params.since) selected { (params.since) } }
                        }
                    }
                    label class="check" {
                        input type="checkbox" name="read_only" value="true" checked[params.read_only];
                        "Show read-only calls"
                    }
                }
            }
        }
    }

    fn list(&self) -> Markup {
        if self.error.is_some() {
            return html! { p class="none" { "Nothing was searched." } };
        }
        if self.found.listed.is_empty() {
            let everything = ChangesParams { read_only: true, cursor: String::new(), ..self.params.clone() };
            return html! {
                div class="none" {
                    p { "No change fits." }
                    @if !self.params.read_only { p { a href=(address(&everything)) { "Show read-only calls, too" } } }
                }
            };
        }
        html! {
            @for (title, changes) in groups(&self.found.listed) {
                section class="group" {
                    h2 { (title) " " span class="count" { (changes.len()) span class="sr" { " on this page" } } }
                    (feed::feed(&changes, feed::Under::Date, self.now))
                }
            }
        }
    }

    fn next(&self) -> Option<String> {
        let cursor = self.found.next.clone()?;
        Some(address(&ChangesParams { cursor, ..self.params.clone() }))
    }
}

fn address(params: &ChangesParams) -> String {
    let ChangesParams { q, resource, since, until, read_only, cursor } = params;
    let read_only = if *read_only { "true" } else { "" };
    let parameters = [
        ("q", q.as_str()),
        ("resource", resource),
        ("since", since),
        ("until", until),
        ("read_only", read_only),
        ("cursor", cursor),
    ];
    text::address("/changes", &parameters)
}

/// The changes by hour when the page spans a day or two, else by day.
fn groups(changes: &[Change]) -> Vec<(String, Vec<&Change>)> {
    let times = changes.iter().map(|change| change.occurred_at);
    let span = times.clone().max().zip(times.min()).map_or(0, |(last, first)| (last - first).num_hours());
    let format = if span < 48 { "%A %-d %B %Y, %H:00" } else { "%A %-d %B %Y" };
    let mut groups: Vec<(String, Vec<&Change>)> = Vec::new();
    for change in changes {
        let title = change.occurred_at.format(format).to_string();
        match groups.last_mut() {
            Some((last, members)) if *last == title => members.push(change),
            Some(_) | None => groups.push((title, vec![change])),
        }
    }
    groups
}

fn hint() -> Markup {
    html! {
        "For example " code { "actor=deploy*" } " " code { "kind=RunInstances,TerminateInstances" } " " code { "error_code=*" }
        " " code { "category=security" } ". A free word is looked for in the summary."
    }
}
