//! What exists: search, counts, list.

use std::{collections::BTreeMap, sync::Arc};

use ::catalog::{Count, Page, Resource, ResourceQuery};
use axum::extract::State;
use maud::{Markup, html};
use model::{Evidence, Timestamp};
use selector::{Node, Op, Pattern, Selector, Term};
use serde::Deserialize;

use super::{Answer, layout, text, with_status};
use crate::{
    App,
    input::{Limit, Params, selector},
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogParams {
    #[serde(default)]
    q: String,
    #[serde(default)]
    include_deleted: bool,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<CatalogParams>, Problem>,
) -> Answer {
    let Params(CatalogParams { q, include_deleted, cursor }) = params?;
    let catalog = &app.context.catalog;
    let counts = catalog.counts().await?;
    let first = cursor.is_none();
    let (selector, mut wrong) = match selector(Some(&q)) {
        Ok(selector) => (selector, None),
        Err(problem) => (Selector::default(), Some(problem)),
    };
    let mut page = Page { items: Vec::new(), next: None };
    if wrong.is_none() {
        let query = ResourceQuery {
            selector: selector.clone(),
            include_deleted,
            limit: Limit::default().0,
            cursor,
            ..ResourceQuery::default()
        };
        match catalog.resources(&query).await.map_err(Problem::from) {
            Ok(found) => page = found,
            Err(problem) if problem.column.is_some() => wrong = Some(problem),
            Err(problem) => return Err(problem.into()),
        }
    }
    let error = wrong.as_ref().map(|problem| problem.detail.as_str());
    let now = app.context.clock.now();
    let view =
        View { q: &q, selector: &selector, error, include_deleted, counts: &counts, page: &page, first, now };
    Ok(with_status(view.render(), wrong.as_ref()))
}

/// What the page shows.
pub(super) struct View<'a> {
    pub(super) q: &'a str,
    pub(super) selector: &'a Selector,
    pub(super) error: Option<&'a str>,
    pub(super) include_deleted: bool,
    pub(super) counts: &'a [Count],
    pub(super) page: &'a Page<Resource>,
    /// Whether this is the first page of the list.
    pub(super) first: bool,
    pub(super) now: Timestamp,
}

/// Values of one facet before the rest is folded away.
const SHOWN_FACETS: usize = 8;
const FOLDED_FACETS: usize = 60;

impl View<'_> {
    pub(super) fn render(&self) -> Markup {
        let unasked = self.q.trim().is_empty() && !self.include_deleted && self.first;
        let body = if unasked && self.counts.is_empty() && self.page.items.is_empty() {
            nothing_yet()
        } else {
            self.body()
        };
        layout::page(Some(layout::Place::Resources), "Resources", &body)
    }

    fn body(&self) -> Markup {
        let total = self.counts.iter().map(|count| count.count).sum();
        html! {
            div class="head" {
                h1 { "Resources" }
                p class="lead" { (text::counted(total, "resource")) " known and not deleted" }
            }
            form action="/resources" method="get" role="search" class="panel" {
                (layout::search("Search resources", self.q, self.error, &hint()))
                label class="check" {
                    input type="checkbox" name="include_deleted" value="true" checked[self.include_deleted];
                    "Include deleted"
                }
            }
            div class="columns" {
                (self.facets())
                section aria-labelledby="list" {
                    h2 id="list" class="sr" { "Resources" }
                    (self.list())
                    (layout::next(self.next().as_deref(), "Next page"))
                }
            }
        }
    }

    /// How many there are by type, account and region. Each is a link that narrows the search to it.
    fn facets(&self) -> Markup {
        html! {
            aside class="facets" aria-label="Counts" {
                (self.facet("Types", "type", |count| &count.kind))
                (self.facet("Accounts", "account", |count| &count.account))
                (self.facet("Regions", "region", |count| &count.region))
            }
        }
    }

    fn facet(&self, title: &str, field: &str, value: impl Fn(&Count) -> &String) -> Markup {
        let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
        for count in self.counts {
            *totals.entry(value(count)).or_default() += count.count;
        }
        let mut totals: Vec<_> = totals.into_iter().collect();
        totals.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
        let (shown, folded) = totals.split_at(totals.len().min(SHOWN_FACETS));
        html! {
            @if !totals.is_empty() {
                section {
                    h2 { (title) }
                    ul { @for (value, count) in shown { (self.choice(field, value, *count)) } }
                    @if !folded.is_empty() {
                        details {
                            summary { (folded.len()) " more" }
                            ul { @for (value, count) in folded.iter().take(FOLDED_FACETS) { (self.choice(field, value, *count)) } }
                            @if folded.len() > FOLDED_FACETS { p class="hint" { "and " (folded.len() - FOLDED_FACETS) " with fewer" } }
                        }
                    }
                }
            }
        }
    }

    fn choice(&self, field: &str, value: &str, count: i64) -> Markup {
        let chosen = self.selector.conjuncts().iter().any(|node| is_choice(node, field, Some(value)));
        let href = self.address(&toggled(self.selector, field, value, chosen), None);
        html! {
            li {
                a href=(href) aria-current=[chosen.then_some("true")] {
                    span class="value" { @if field == "type" { (layout::kind(value)) } @else { (value) } }
                    span class="count" { (text::number(count)) }
                }
            }
        }
    }

    fn list(&self) -> Markup {
        if self.error.is_some() {
            return html! { p class="none" { "Nothing was searched." } };
        }
        if self.page.items.is_empty() {
            return html! {
                div class="none" {
                    p { "No resource fits this search." }
                    @if !self.include_deleted {
                        p { a href=(text::address("/resources", &[("q", self.q), ("include_deleted", "true")])) { "Search the deleted ones, too" } }
                    }
                }
            };
        }
        html! {
            table {
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Type" }
                        th scope="col" class="wide" { "Account" }
                        th scope="col" class="wide" { "Region" }
                        th scope="col" class="wide" { "Since" }
                        th scope="col" { "State" }
                    }
                }
                tbody { @for resource in &self.page.items { (self.row(resource)) } }
            }
        }
    }

    fn row(&self, resource: &Resource) -> Markup {
        html! {
            tr {
                th scope="row" {
                    a href={ "/resources/" (resource.id) } { (resource.name) }
                    @if resource.native_id != resource.name { span class="sub" { (resource.native_id) } }
                    span class="sub narrow" { (resource.account) " · " (resource.region) }
                }
                td { (layout::kind(&resource.kind)) }
                td class="wide account" { (resource.account) }
                td class="wide region" { (resource.region) }
                td class="wide" {
                    @if let Some(since) = resource.since { (layout::ago(since, self.now)) } @else { span class="quiet account" { "not known" } }
                }
                td { (state(resource)) @if let Some(now) = &resource.health { " " (super::tone::health(now.health)) } }
            }
        }
    }

    fn next(&self) -> Option<String> {
        Some(self.address(self.q, Some(self.page.next.as_deref()?)))
    }

    fn address(&self, q: &str, cursor: Option<&str>) -> String {
        let deleted = if self.include_deleted { "true" } else { "" };
        text::address(
            "/resources",
            &[("q", q), ("include_deleted", deleted), ("cursor", cursor.unwrap_or_default())],
        )
    }
}

/// What is known of a resource's being there.
pub(super) fn state(resource: &Resource) -> Markup {
    match (resource.deleted_at, resource.evidence) {
        (Some(_), _) => layout::badge("gone", "Deleted"),
        (None, Evidence::Document) => layout::badge("good", "Documented"),
        (None, Evidence::Event) => layout::badge("plain", "Seen in events"),
        (None, Evidence::Reference) => layout::badge("plain", "Only referenced"),
    }
}

fn hint() -> Markup {
    html! {
        "Terms side by side must all hold: " code { "type=AWS::EC2::*" } " " code { "region=eu-west-1,us-east-1" } " "
        code { "tags.env!=prod" } " " code { "name=\"a b*\"" } ". A free word is looked for in names and ids."
    }
}

pub(super) fn nothing_yet() -> Markup {
    html! {
        div class="empty" {
            h1 { "Nothing here yet" }
            p { "The catalog fills as events come in. Feed it CloudTrail records, EventBridge events or Config items:" }
            pre { code { "perigee ingest FILE..." } }
            p { "Or start the server with a small sample shop to look around in:" }
            pre { code { "perigee up --sample" } }
            p class="hint" { "Input that could not be taken is listed, with its reason, under " a href="/rejected" { "Rejected" } "." }
        }
    }
}

/// Whether a node is the choice of `value` (or of any value) of a facet.
fn is_choice(node: &Node, field: &str, value: Option<&str>) -> bool {
    match node.as_term() {
        Some(Term::Compare { field: path, op: Op::Equal, values, .. }) if path.is(field) => {
            match (values.as_slice(), value) {
                ([Pattern::Exact(held)], Some(value)) => held == value,
                (_, value) => value.is_none(),
            }
        }
        Some(Term::Compare { .. } | Term::Matches { .. } | Term::Word(_) | Term::Call { .. }) | None => false,
    }
}

/// The search with the choice made, or taken back.
fn toggled(selector: &Selector, field: &str, value: &str, chosen: bool) -> String {
    let mut nodes: Vec<_> =
        selector.conjuncts().iter().filter(|node| !is_choice(node, field, None)).cloned().collect();
    if !chosen {
        nodes.push(Node::Term(Term::equals(field, value)));
    }
    Selector { nodes }.to_string()
}
