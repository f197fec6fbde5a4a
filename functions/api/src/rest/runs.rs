//! Playbooks and their runs.

use std::{collections::BTreeMap, sync::Arc};

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{
    Json,
    extract::{FromRequestParts, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use catalog::{
    Page,
    runs::{Chunk, Run, RunDetail, RunQuery},
};
use model::{ResourceId, RunId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use triggers::{Answer, Book, Books, Principals, Refusal, Request, Trigger};

use super::say;
use crate::{
    App,
    input::{Limit, Name, NoParams, Params, selector},
    problem::{Kind, Problem},
};

/// How long an `Idempotency-Key` may be.
const LONGEST_KEY: usize = 200;

/// The routes of playbooks and runs.
pub(super) fn routes() -> ApiRouter<Arc<App>> {
    let playbooks_say = say("listPlaybooks", "The playbooks that there are, and what they want to know");
    let start_say = say(
        "startRun",
        "Run a playbook, or see what would be run; a request that comes again is the same run",
    );
    let list_say = say("listRuns", "List runs, newest first");
    let show_say = say("getRun", "One run with its steps and their attempts");
    let output_say = say("getRunOutput", "What a step wrote, piece by piece as it comes");
    let cancel_say = say("cancelRun", "Ask for the end of a run");
    ApiRouter::new()
        .api_route("/api/v1/playbooks", get_with(playbooks, playbooks_say))
        .api_route(
            "/api/v1/playbooks/{name}/runs",
            post_with(start, |operation| {
                start_say(operation).response::<200, Json<RunDetail>>().response::<202, Json<RunDetail>>()
            }),
        )
        .api_route("/api/v1/runs", get_with(list, list_say))
        .api_route("/api/v1/runs/{id}", get_with(show, show_say))
        .api_route("/api/v1/runs/{id}/output", get_with(output, output_say))
        .api_route(
            "/api/v1/runs/{id}/cancel",
            post_with(cancel, |operation| cancel_say(operation).response::<202, Json<RunDetail>>()),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunsParams {
    /// A selector over `id`, `playbook`, `state`, `reason`, `trigger`, `requested_by`, `resource` (an id), `type`,
    /// `account`, `created_at` and `ended_at`; free words match the playbook, the reason and the resource's name.
    q: Option<String>,
    /// Only those on this resource: an id, an alias, `type/native id` or `type/name`.
    resource: Option<String>,
    /// How many items.
    #[serde(default)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OutputParams {
    /// The step.
    step: String,
    /// The piece after which to begin: the `seq` of the last that is known, or `next` of the page before.
    #[serde(default)]
    after: i64,
    /// How many pieces.
    #[serde(default)]
    limit: Limit,
}

/// What a run is wanted with.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRunBody {
    /// The resource to run it on: an id, an alias such as an ARN, `type/native id` or `type/name`.
    resource: Option<String>,
    /// The parameters. A secret is given as where it is kept, as in `{"env": "TOKEN"}`.
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    /// Only say what would be started.
    #[serde(default)]
    plan: bool,
}

/// A playbook, as far as one must know it to run it.
#[derive(Debug, Serialize, JsonSchema)]
struct PlaybookView {
    /// Its name.
    name: String,
    /// A title for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What it does.
    description: String,
    /// How often it changed.
    generation: i64,
    /// The resources it may be run on, as a selector; absent where it is run on none.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// What it wants to know.
    parameters: Vec<manifest::kinds::playbook::Parameter>,
    /// The names of its steps.
    steps: Vec<String>,
}

impl From<&Arc<Book>> for PlaybookView {
    fn from(book: &Arc<Book>) -> Self {
        let playbook = &book.playbook;
        Self {
            name: book.name.clone(),
            title: playbook.title.clone(),
            description: playbook.description.clone(),
            generation: book.generation,
            target: playbook.target.as_ref().map(|target| target.0.clone()),
            parameters: playbook.parameters.clone(),
            steps: playbook.steps.iter().map(|step| step.name.clone()).collect(),
        }
    }
}

/// What would be started.
#[derive(Debug, Serialize, JsonSchema)]
struct PlanView {
    /// Always true: nothing was started.
    plan: bool,
    /// The playbook.
    playbook: String,
    /// Its generation.
    generation: i64,
    /// The resource it would be run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<ResourceId>,
    /// The parameters, with defaults.
    parameters: Value,
    /// The steps, in order, as they are written.
    steps: Vec<manifest::kinds::playbook::Step>,
}

/// The id of a run in a path.
#[derive(Debug, Deserialize, JsonSchema)]
struct RunRef {
    id: RunId,
}

impl<S: Send + Sync> FromRequestParts<S> for RunRef {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Name { name } = Name::from_request_parts(parts, state).await?;
        name.parse().map(|id| Self { id }).map_err(|_| no_such_run(&name))
    }
}

impl aide::OperationInput for RunRef {
    fn operation_input(ctx: &mut aide::generate::GenContext, operation: &mut aide::openapi::Operation) {
        use aide::operation::{ParamLocation, add_parameters, parameters_from_schema};
        let schema = ctx.schema.subschema_for::<Self>();
        let parameters = parameters_from_schema(ctx, schema, ParamLocation::Path);
        add_parameters(ctx, operation, parameters);
    }
}

fn no_such_run(id: &str) -> Problem {
    Problem::new(Kind::NotFound, format!("There is no run `{id}`; /api/v1/runs lists them."))
}

/// All of them: there are few.
async fn playbooks(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Page<PlaybookView>>, Problem> {
    let books = Books::load(&app.context.catalog).await?;
    Ok(Json(Page { items: books.iter().map(PlaybookView::from).collect(), next: None }))
}

async fn start(
    State(app): State<Arc<App>>,
    Name { name }: Name,
    headers: HeaderMap,
    body: Result<Json<NewRunBody>, JsonRejection>,
) -> Result<Response, Problem> {
    let body = match body {
        Ok(Json(body)) => body,
        // Nothing is to be said where the playbook wants to know nothing.
        Err(JsonRejection::MissingJsonContentType(_)) if !headers.contains_key("content-type") => {
            NewRunBody::default()
        }
        Err(error) => return Err(Problem::new(Kind::BadBody, error.body_text())),
    };
    let books = Books::load(&app.context.catalog).await?;
    let book = books.get(&name).ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("There is no playbook `{name}`; /api/v1/playbooks lists them."))
    })?;
    let target = match &body.resource {
        Some(reference) => Some(app.resolve(reference).await?),
        None => None,
    };
    let now = app.context.clock.now();
    let key = key(&headers)?.unwrap_or_else(|| now.timestamp_micros().to_string());
    let trigger = Trigger::Api { key: &key, by: None };
    let request = Request { book, trigger, target, parameters: body.parameters };
    if body.plan {
        let planned = triggers::plan(&app.context.catalog, &request, now)
            .await?
            .map_err(|refusal| refused(&refusal))?;
        let view = PlanView {
            plan: true,
            playbook: planned.playbook,
            generation: planned.generation,
            resource: planned.resource,
            parameters: planned.parameters,
            steps: book.playbook.steps.clone(),
        };
        return Ok(Json(view).into_response());
    }
    let answers = triggers::start(&app.context.catalog, Principals::default(), &[request], now).await?;
    let (status, id) = match answers.into_iter().next() {
        Some(Answer::Started(id)) => (StatusCode::ACCEPTED, id),
        Some(Answer::Before(id)) => (StatusCode::OK, id),
        Some(Answer::Refused(refusal)) => return Err(refused(&refusal)),
        None => return Err(Problem::internal(anyhow::anyhow!("a request for a run had no answer"))),
    };
    Ok((status, Json(detail(&app, id).await?)).into_response())
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let read = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
    read.map(|key| Some(key.to_owned())).ok_or_else(|| {
        let detail = format!("Idempotency-Key: 1 to {LONGEST_KEY} characters of ASCII, such as a UUID.");
        Problem::new(Kind::BadParameter, detail)
    })
}

fn refused(refusal: &Refusal) -> Problem {
    let kind = match refusal {
        Refusal::AlreadyRunning(_) | Refusal::KeyUsed(_) | Refusal::Stopped(_) => Kind::Conflict,
        Refusal::NeedsTarget { .. }
        | Refusal::TakesNoTarget(_)
        | Refusal::OutOfReach { .. }
        | Refusal::Parameters(_) => Kind::BadRun,
    };
    Problem::new(kind, refusal.to_string())
}

async fn list(
    State(app): State<Arc<App>>,
    Params(RunsParams { q, resource, limit, cursor }): Params<RunsParams>,
) -> Result<Json<Page<Run>>, Problem> {
    let selector = selector(q.as_deref())?;
    let resource = match &resource {
        Some(reference) => Some(app.resolve(reference).await?),
        None => None,
    };
    let query = RunQuery { selector, resource, limit: limit.0, cursor };
    Ok(Json(app.context.catalog.runs(&query).await?))
}

async fn show(
    State(app): State<Arc<App>>,
    RunRef { id }: RunRef,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<RunDetail>, Problem> {
    Ok(Json(detail(&app, id).await?))
}

async fn detail(app: &App, id: RunId) -> Result<RunDetail, Problem> {
    app.context.catalog.run(id).await?.ok_or_else(|| no_such_run(&id.to_string()))
}

async fn output(
    State(app): State<Arc<App>>,
    RunRef { id }: RunRef,
    Params(OutputParams { step, after, limit }): Params<OutputParams>,
) -> Result<Json<Page<Chunk>>, Problem> {
    let run = detail(&app, id).await?;
    if !run.steps.iter().any(|known| known.name == step) {
        let known: Vec<&str> = run.steps.iter().map(|step| step.name.as_str()).collect();
        let detail = format!("step: the run has no step `{step}`; its steps are {}", known.join(", "));
        return Err(Problem::new(Kind::BadParameter, detail));
    }
    Ok(Json(app.context.catalog.run_output(id, &step, after, limit.0).await?))
}

/// Asks for the end; the worker that executes the run notices within seconds. Of a run that has ended, nothing changes.
async fn cancel(
    State(app): State<Arc<App>>,
    RunRef { id }: RunRef,
) -> Result<(StatusCode, Json<RunDetail>), Problem> {
    let asked = app.context.catalog.cancel_run(id, None, app.context.clock.now()).await?;
    match asked {
        None => Err(no_such_run(&id.to_string())),
        Some(true) => Ok((StatusCode::ACCEPTED, Json(detail(&app, id).await?))),
        Some(false) => {
            let run = detail(&app, id).await?;
            let detail = format!("The run has ended: it is {}.", run.run.state);
            Err(Problem::new(Kind::Conflict, detail))
        }
    }
}

impl From<triggers::Error> for Problem {
    fn from(error: triggers::Error) -> Self {
        match error {
            triggers::Error::Catalog(error) => error.into(),
        }
    }
}
