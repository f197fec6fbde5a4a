//! How well it all is: the worst of each account, cluster, namespace or type, and the resources behind it.

use std::sync::Arc;

use ::catalog::{
    Page,
    health::{HealthBy, HealthGroup, HealthQuery, ResourceHealth},
};
use axum::extract::State;
use maud::{Markup, html};
use model::{Health, HealthState, Timestamp};
use serde::Deserialize;

use super::{Answer, layout, text, tone, with_status};
use crate::{
    App,
    input::{Params, selector},
    problem::Problem,
};

/// How many resources a page lists, and how many groups.
const LISTED: u16 = 30;
const GROUPS: usize = 60;
/// What is listed unless something else is asked for.
const NOT_WELL: &str = "health=unhealthy,warning";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthParams {
    #[serde(default = "by_account")]
    by: HealthBy,
    q: Option<String>,
    cursor: Option<String>,
}

fn by_account() -> HealthBy {
    HealthBy::Account
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    params: Result<Params<HealthParams>, Problem>,
) -> Answer {
    let Params(HealthParams { by, q, cursor }) = params?;
    let q = q.unwrap_or_else(|| NOT_WELL.to_owned());
    let groups = app.context.catalog.health_summary(by).await?;
    let read = async {
        let query =
            HealthQuery { selector: selector(Some(&q))?, limit: LISTED, cursor, ..HealthQuery::default() };
        Ok::<_, Problem>(app.context.catalog.health_list(&query).await?)
    };
    let (page, wrong) = super::or_shown(read.await)?;
    let error = wrong.as_ref().map(|problem| problem.detail.as_str());
    let now = app.context.clock.now();
    let view = View { by, q: &q, error, groups: &groups, page: page.as_ref(), now };
    Ok(with_status(view.render(), wrong.as_ref()))
}

/// What the page shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) by: HealthBy,
    pub(super) q: &'a str,
    pub(super) error: Option<&'a str>,
    pub(super) groups: &'a [HealthGroup],
    /// The resources; `None` when what was asked for cannot be read.
    pub(super) page: Option<&'a Page<ResourceHealth>>,
    pub(super) now: Timestamp,
}

const BY: [(HealthBy, &str, &str); 4] = [
    (HealthBy::Account, "account", "Accounts"),
    (HealthBy::Cluster, "cluster", "Clusters"),
    (HealthBy::Namespace, "namespace", "Namespaces"),
    (HealthBy::Type, "type", "Types"),
];

impl View<'_> {
    pub(super) fn render(&self) -> Markup {
        let next = self.page.and_then(|page| page.next.as_deref());
        let next = next.map(|cursor| {
            text::address("/health", &[("by", self.by_word()), ("q", self.q), ("cursor", cursor)])
        });
        let body = html! {
            div class="head" {
                h1 { "Health" } p class="lead" { "What rules say of resources; what none judges is not counted as healthy" }
                p class="aside" { a href="/checks" { "Checks" } }
            }
            nav class="states" aria-label="Summary by" {
                ul { @for (by, word, name) in BY { li { a href=(text::address("/health", &[("by", word)])) aria-current=[(by == self.by).then_some("true")] { (name) } } } }
            }
            (self.groups())
            section aria-labelledby="list" {
                h2 id="list" { "Resources, the worst first" }
                form action="/health" method="get" role="search" class="panel" {
                    input type="hidden" name="by" value=(self.by_word());
                    (layout::search("Search by health", self.q, self.error, &hint()))
                }
                @match self.page {
                    None => p class="none" { "Nothing was searched." },
                    Some(page) if page.items.is_empty() => p class="none" { "No resource fits." },
                    Some(page) => (rows(&page.items, self.now)),
                }
                (layout::next(next.as_deref(), "Next page"))
            }
        };
        layout::page(Some(layout::Place::Health), "Health", &body)
    }

    fn by_word(&self) -> &'static str {
        BY.iter().find(|(by, _, _)| *by == self.by).map_or("account", |(_, word, _)| word)
    }

    fn groups(&self) -> Markup {
        html! {
            @if self.groups.is_empty() { p class="none" { "No " (self.by_word()) " has anything to judge yet." } }
            @else {
                table {
                    thead {
                        tr {
                            th scope="col" { @match self.by { HealthBy::Namespace => "Namespace", HealthBy::Cluster => "Cluster", HealthBy::Type => "Type", HealthBy::Account | HealthBy::All => "Account" } }
                            th scope="col" { "Worst" }
                            th scope="col" class="num" { "Unhealthy" }
                            th scope="col" class="num wide" { "Warning" }
                            th scope="col" class="num wide" { "Healthy" }
                            th scope="col" class="num wide" { "Unknown" }
                            th scope="col" class="num wide" { "Not judged" }
                        }
                    }
                    tbody { @for group in self.groups.iter().take(GROUPS) { (self.group(group)) } }
                }
                @if self.groups.len() > GROUPS { p class="hint" { "and " (self.groups.len() - GROUPS) " that are better; " a href=(text::address("/api/v1/health/summary", &[("by", self.by_word())])) { "the API has all of them" } "." } }
            }
        }
    }

    fn group(&self, group: &HealthGroup) -> Markup {
        let counts = group.counts;
        let judged = counts.healthy + counts.unknown + counts.warning + counts.unhealthy > 0;
        let named = [("account", &group.account), ("namespace", &group.namespace), ("type", &group.kind)];
        let terms: Vec<String> = named
            .iter()
            .filter_map(|(field, value)| Some(format!("{field}=\"{}\"", value.as_deref()?)))
            .collect();
        let href = text::address("/health", &[("by", self.by_word()), ("q", &terms.join(" "))]);
        html! {
            tr {
                th scope="row" {
                    a href=(href) {
                        @match (&group.kind, &group.namespace, &group.account) {
                            (Some(kind), _, _) => (layout::kind(kind)),
                            (None, Some(namespace), _) => (text::cut(namespace, 100)),
                            (None, None, account) => (account.as_deref().unwrap_or("all")),
                        }
                    }
                    @if let (Some(_), Some(account)) = (&group.namespace, &group.account) { span class="sub" { (account) } }
                    @if let Some(worst) = group.worst.first() {
                        span class="sub" { a href={ "/resources/" (worst.state.resource) } { (text::cut(&worst.name, 80)) } " " (text::cut(&worst.state.verdict.status, 60)) }
                    }
                }
                td { @if judged { (tone::health(group.health)) } @else { span class="quiet" { "not judged" } } @if let Some(since) = group.since.filter(|_| group.health >= Health::Warning) { span class="sub" { (layout::ago(since, self.now)) } } }
                td class="num" { (text::number(counts.unhealthy)) }
                td class="num wide" { (text::number(counts.warning)) }
                td class="num wide" { (text::number(counts.healthy)) }
                td class="num wide" { (text::number(counts.unknown)) }
                td class="num wide" { (text::number(group.unjudged)) }
            }
        }
    }
}

fn hint() -> Markup {
    html! {
        "For example " code { "health=unhealthy" } " " code { "status=CrashLoopBackOff" } " " code { "namespace=shop" } " "
        code { "type=AWS::RDS::*" } ". A free word is looked for in the name, the status and the reason."
    }
}

/// Resources and how well they are, one below the other.
pub(super) fn rows(resources: &[ResourceHealth], now: Timestamp) -> Markup {
    html! { ul class="rows" { @for resource in resources { (row(resource, now)) } } }
}

fn row(resource: &ResourceHealth, now: Timestamp) -> Markup {
    let HealthState { resource: id, verdict, since, .. } = &resource.state;
    html! {
        li {
            p class="line" {
                (tone::health(verdict.health))
                a class="title" href={ "/resources/" (id) } { (text::cut(&resource.name, 160)) }
                strong class="status" { (text::cut(&verdict.status, 80)) }
                @if !verdict.ready { span class="quiet" { "not settled" } }
            }
            @if !verdict.reason.is_empty() { p class="summary" { (text::cut(&verdict.reason, 300)) } }
            p class="meta" {
                "since " (layout::ago(*since, now)) " · " (layout::kind(&resource.kind)) " · " (resource.account)
                " · " @if let Some(namespace) = &resource.namespace { (text::cut(namespace, 80)) } @else { (resource.region) }
            }
        }
    }
}
