//! Running a playbook from a page: its form, what is wrong with what was filled in, and the run that it starts.

mod fields;

pub(super) use fields::Given;

use std::sync::Arc;

use ::catalog::Resource;
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use manifest::Playbook;
use maud::{Markup, html};
use model::{ResourceId, RunId, Timestamp};
use serde::Deserialize;
use triggers::{Answer as Started, Book, Books, Principals, Refusal, Request, Trigger};

use super::{Answer, layout, text};
use crate::{
    App, form,
    input::{Name, Params},
    problem::{Kind, Problem},
};

/// The kind of manifest.
const KIND: &str = "Playbook";

/// Who asks, where a form of a page was sent: there are no accounts of people yet.
pub(super) const WHO: &str = "a person, on the pages";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormParams {
    /// The resource to run it on.
    #[serde(default)]
    resource: String,
}

/// The form of a playbook.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    name: Result<Name, Problem>,
    params: Result<Params<FormParams>, Problem>,
) -> Answer {
    let (Name { name }, Params(FormParams { resource })) = (name?, params?);
    let book = book(&app, &name).await?;
    let target = target(&app, &resource).await?;
    let (given, now) = (Given::default(), app.context.clock.now());
    let view = View {
        name: &name,
        playbook: &book.playbook,
        target: target.as_ref(),
        given: &given,
        now,
        refused: None,
    };
    Ok(view.render().into_response())
}

/// Starts a run as a form says. The form's key makes sending it again the same run.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    name: Result<Name, Problem>,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let Name { name } = name?;
    let too_large = |_| Problem::new(Kind::TooLarge, "A form may have 64 kB.");
    let given = Given::read(form::fields(&body.map_err(too_large)?)?)?;
    let book = book(&app, &name).await?;
    let target = target(&app, &given.resource).await?;
    let now = app.context.clock.now();
    let request = Request {
        book: &book,
        trigger: Trigger::Api { key: &given.key, by: Some(WHO) },
        target: target.as_ref().map(|target| target.id),
        parameters: given.parameters(&book.playbook),
    };
    let answers = triggers::start(&app.context.catalog, Principals::default(), &[request], now).await;
    let answer = answers?.pop();
    let refused = match answer {
        Some(Started::Started(id) | Started::Before(id)) => return Ok(shown(id)),
        Some(Started::Refused(refusal)) => refusal,
        None => return Err(Problem::internal(anyhow::anyhow!("one request had no answer")).into()),
    };
    let view = View {
        name: &name,
        playbook: &book.playbook,
        target: target.as_ref(),
        given: &given,
        now,
        refused: Some(&refused),
    };
    Ok((status(&refused), view.render()).into_response())
}

fn shown(id: RunId) -> Response {
    Redirect::to(&format!("/runs/{id}")).into_response()
}

fn status(refused: &Refusal) -> StatusCode {
    match refused {
        Refusal::AlreadyRunning(_) | Refusal::KeyUsed(_) | Refusal::Stopped(_) => StatusCode::CONFLICT,
        Refusal::NeedsTarget { .. }
        | Refusal::TakesNoTarget(_)
        | Refusal::OutOfReach { .. }
        | Refusal::Parameters(_) => StatusCode::BAD_REQUEST,
    }
}

async fn book(app: &App, name: &str) -> Result<Arc<Book>, Problem> {
    let books = Books::load(&app.context.catalog).await?;
    books.get(name).cloned().ok_or_else(|| {
        let detail =
            format!("No playbook is called `{}`; /manifests?kind=Playbook lists them.", text::cut(name, 100));
        Problem::new(Kind::NotFound, detail)
    })
}

async fn target(app: &App, reference: &str) -> Result<Option<Resource>, Problem> {
    if reference.trim().is_empty() {
        return Ok(None);
    }
    let id = app.resolve(reference.trim()).await?;
    Ok(app.context.catalog.resource(id).await?.map(|detail| detail.resource))
}

/// A playbook that may be run.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) name: String,
    pub(super) playbook: Playbook,
}

/// The playbooks that may be run on a resource: two questions, however many playbooks there are.
pub(super) async fn offered(app: &App, id: ResourceId) -> Result<Vec<Offer>, Problem> {
    let mut aimed = Vec::new();
    for stored in app.context.catalog.manifests(KIND).await? {
        // What this build cannot read, it cannot run; /manifests says so.
        let Ok(playbook) = stored.spec::<Playbook>() else { continue };
        let selector = playbook.target.as_ref().and_then(|target| selector::parse(target.as_str()).ok());
        if let Some(selector) = selector {
            aimed.push((selector, Offer { name: stored.name, playbook }));
        }
    }
    if aimed.is_empty() {
        return Ok(Vec::new());
    }
    let (selectors, offers): (Vec<_>, Vec<_>) = aimed.into_iter().unzip();
    let places = app.context.catalog.described_by(id, &selectors).await?;
    Ok(places.into_iter().filter_map(|place| offers.get(place).cloned()).collect())
}

/// What the page shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) name: &'a str,
    pub(super) playbook: &'a Playbook,
    pub(super) target: Option<&'a Resource>,
    pub(super) given: &'a Given,
    pub(super) now: Timestamp,
    /// Why no run was started with what was given.
    pub(super) refused: Option<&'a Refusal>,
}

impl View<'_> {
    pub(super) fn render(&self) -> Markup {
        let Self { name, playbook, .. } = self;
        let title = playbook.title.as_deref().unwrap_or(name);
        let body = html! {
            nav class="crumbs" aria-label="Breadcrumb" {
                @match self.target {
                    Some(target) => a href={ "/resources/" (target.id) } { (text::cut(&target.name, 120)) },
                    None => a href="/manifests?kind=Playbook" { "Playbooks" },
                }
            }
            div class="head" { h1 { (text::cut(title, 200)) } }
            @if let Some(target) = self.target { p class="lead" { "On " (layout::kind(&target.kind)) " " a href={ "/resources/" (target.id) } { (text::cut(&target.name, 120)) } } }
            (self.refusal())
            section class="panel" aria-label="Run it" { (form(name, playbook, self.target.map(|target| target.id), self.given, self.faults(), "p", self.now)) }
        };
        layout::page(Some(layout::Place::Runs), &format!("Run {title}"), &body)
    }

    fn faults(&self) -> &[String] {
        match self.refused {
            Some(Refusal::Parameters(faults)) => faults,
            Some(_) | None => &[],
        }
    }

    /// What is wrong with the whole, and what of it belongs to no field.
    fn refusal(&self) -> Markup {
        let Some(refused) = self.refused else { return html! {} };
        let other = match refused {
            Refusal::AlreadyRunning(id) | Refusal::KeyUsed(id) => Some(id),
            Refusal::NeedsTarget { .. }
            | Refusal::TakesNoTarget(_)
            | Refusal::OutOfReach { .. }
            | Refusal::Parameters(_)
            | Refusal::Stopped(_) => None,
        };
        let loose = self.faults().iter().filter(|fault| fields::of(self.playbook, fault).is_none());
        html! {
            div class="banner" role="alert" {
                @match refused {
                    Refusal::Parameters(_) => { p { "No run was started: mend what is marked below." } @for fault in loose { p { (layout::coded(&text::cut(fault, 400))) } } },
                    refused => p { "No run was started: " (layout::coded(&text::cut(&refused.to_string(), 400))) "." },
                }
                @if let Some(id) = other { p { a href={ "/runs/" (id) } { "Show that run" } } }
            }
        }
    }
}

/// The form of a playbook, alone or among others: `prefix` keeps its ids apart from theirs.
pub(super) fn form(
    name: &str,
    playbook: &Playbook,
    target: Option<ResourceId>,
    given: &Given,
    faults: &[String],
    prefix: &str,
    now: Timestamp,
) -> Markup {
    // A new form is a new run; the same form sent twice is one.
    let key = format!("page-{}", now.timestamp_micros());
    html! {
        form action={ "/playbooks/" (text::segment(name)) "/runs" } method="post" class="play" {
            @if !playbook.description.is_empty() { p class="summary" { (text::cut(&playbook.description, 600)) } }
            input type="hidden" name="key" value=(key);
            @if let Some(id) = target { input type="hidden" name="resource" value=(id); }
            @else if playbook.target.is_some() {
                div class="field" {
                    label for={ (prefix) "-resource" } { "Resource" }
                    input id={ (prefix) "-resource" } type="text" name="resource" value=(given.resource) placeholder="id, ARN or type/name" required autocomplete="off" spellcheck="false";
                }
            }
            @for (place, parameter) in playbook.parameters.iter().enumerate() { (fields::field(parameter, given, faults, &format!("{prefix}-{place}"))) }
            p { button type="submit" { "Run" } }
        }
    }
}
