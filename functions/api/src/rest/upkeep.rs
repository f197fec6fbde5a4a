//! Keeping house: what goes and what is held, whether the catalog agrees with itself, and moving it.
//!
//! What may take long is answered line by line, as it goes: the first line says at once that it began.

use std::sync::Arc;

use aide::{
    OperationOutput,
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, post_with},
    },
};
use axum::{
    Json,
    body::Body,
    extract::{State, rejection::JsonRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use catalog::{
    Page,
    holds::{Hold, NewHold},
    retention::{Budget, Horizon, Plan, Removed},
    transfer::Imported,
    verify::Told,
};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{say, system::say_text};
use crate::{
    App,
    input::{Name, NoParams, Params},
    problem::{Kind, Problem},
};

/// The type of what is answered line by line.
const LINES: &str = "application/x-ndjson";
/// How long the name and the reason of a hold may be, in characters.
const NAME_LENGTH: usize = 63;
const REASON_LENGTH: usize = 1000;

/// The routes of upkeep.
pub(super) fn routes() -> ApiRouter<Arc<App>> {
    let plan_say = say("planRetention", "What retention would remove now, and what holds keep");
    let run_say =
        say("runRetention", "Remove what is past its age, within a bounded time (local servers only)");
    let holds_say = say("listHolds", "What retention may not remove, and why");
    let hold_say = say("makeHold", "Keep the history of the resources that a selector names");
    let release_say = say("releaseHold", "Release a hold, named by its name");
    let verify_say = |id, summary| say_text(id, summary, LINES);
    let verify_only =
        verify_say("verify", "Whether the catalog agrees with itself: faults and checks, a line each");
    let repair = verify_say("repair", "As verify, and what can be mended is mended (local servers only)");
    let export_say = say_text("export", "The whole catalog as lines of JSON", LINES);
    let import_say = say_text(
        "import",
        "Take a whole catalog, as export writes it, into an empty one (local servers only)",
        LINES,
    );
    ApiRouter::new()
        .api_route("/api/v1/retention", get_with(plan, plan_say))
        .api_route("/api/v1/retention/run", post_with(run, run_say))
        .api_route("/api/v1/holds", get_with(holds, holds_say).post_with(hold, hold_say))
        .api_route("/api/v1/holds/{name}", delete_with(release, release_say))
        .api_route("/api/v1/verify", get_with(verify, verify_only))
        .api_route("/api/v1/verify/repair", post_with(mend, repair))
        .api_route("/api/v1/export", get_with(export, export_say))
        .api_route("/api/v1/import", post_with(import, import_say))
}

/// What retention would remove, and from when on history is whole.
#[derive(Debug, Serialize, JsonSchema)]
struct RetentionPlan {
    #[serde(flatten)]
    plan: Plan,
    /// From which instant on history is whole: what was removed until now.
    horizon: Horizon,
}

async fn plan(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<RetentionPlan>, Problem> {
    let context = &app.context;
    let plan = context.catalog.retention_plan(context.clock.now()).await?;
    Ok(Json(RetentionPlan { plan, horizon: context.catalog.horizon().await? }))
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunRetention {
    /// Look at everything again, however lately it was looked at. Without it, go on where the last call stopped.
    #[serde(default)]
    fresh: bool,
}

async fn run(
    State(app): State<Arc<App>>,
    body: Result<Json<RunRetention>, JsonRejection>,
) -> Result<Json<Removed>, Problem> {
    app.only_local("Retention")?;
    let Json(RunRetention { fresh }) = read(body)?;
    // Well below the time limit of an answer.
    let budget = Budget { slices: 100_000, time: std::time::Duration::from_secs(10) };
    let removed = app.context.catalog.retain(app.context.clock.now(), fresh, budget).await?;
    tracing::info!(
        done = removed.done,
        rows = removed.rows.values().sum::<i64>(),
        "Removed what is past its age"
    );
    Ok(Json(removed))
}

async fn holds(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Page<Hold>>, Problem> {
    Ok(Json(Page { items: app.context.catalog.holds().await?, next: None }))
}

async fn hold(
    State(app): State<Arc<App>>,
    body: Result<Json<NewHold>, JsonRejection>,
) -> Result<Json<Hold>, Problem> {
    let Json(new) = read(body)?;
    let wrong = |detail: &str| Err(Problem::new(Kind::BadBody, detail));
    if new.name.is_empty() || new.name.chars().count() > NAME_LENGTH || new.name.chars().any(char::is_control)
    {
        return wrong("name: a hold has a name of at most 63 characters");
    }
    if new.reason.trim().is_empty() || new.reason.chars().count() > REASON_LENGTH || new.reason.contains('\0')
    {
        return wrong("reason: say why, in at most 1000 characters");
    }
    if new.selector.trim().is_empty() {
        return wrong("selector: say which resources; `account=*` names all of them");
    }
    if new.since.zip(new.until).is_some_and(|(since, until)| since >= until) {
        return wrong("until: does not lie after `since`");
    }
    let made = app.context.catalog.hold(&new, app.context.clock.now()).await?;
    made.map(Json).ok_or_else(|| {
        let detail =
            format!("A hold named `{}` is in force already; release it, or use another name.", new.name);
        Problem::new(Kind::Conflict, detail)
    })
}

/// A hold was released.
#[derive(Debug, Serialize, JsonSchema)]
struct Released {
    /// Its name.
    released: String,
}

async fn release(
    State(app): State<Arc<App>>,
    Name { name }: Name,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Released>, Problem> {
    if app.context.catalog.release_hold(&name, app.context.clock.now()).await? {
        return Ok(Json(Released { released: name }));
    }
    let shown: String = name.chars().take(200).collect();
    let detail = format!("No hold named `{shown}` is in force; GET /api/v1/holds lists them.");
    Err(Problem::new(Kind::NotFound, detail))
}

async fn verify(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Lines, Problem> {
    app.context.catalog.check().await?;
    Ok(looked_through(&app, false))
}

async fn mend(State(app): State<Arc<App>>) -> Result<Lines, Problem> {
    app.only_local("Repair")?;
    app.context.catalog.check().await?;
    Ok(looked_through(&app, true))
}

fn looked_through(app: &App, repair: bool) -> Lines {
    let (to, from) = mpsc::channel(100);
    let (catalog, now) = (app.context.catalog.clone(), app.context.clock.now());
    tokio::spawn(async move {
        let began = Told::Progress { done: 0, of: 0 };
        drop(to.send(began).await);
        if let Err(error) = catalog.verify(repair, now, to.clone()).await {
            tracing::error!(%error, "Could not look through the catalog: {error}");
            drop(to.send(Told::Failed { reason: error.to_string() }).await);
        }
    });
    Lines::of(from)
}

async fn export(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Lines, Problem> {
    app.context.catalog.check().await?;
    let (to, from) = mpsc::channel(8);
    let (catalog, now) = (app.context.catalog.clone(), app.context.clock.now());
    tokio::spawn(async move {
        if let Err(error) = catalog.export(now, to).await {
            // The last line is missing, so that what was sent is known to be cut.
            tracing::error!(%error, "Could not export the catalog: {error}");
        }
    });
    Ok(Lines(Body::from_stream(received(from).map(Ok::<_, std::convert::Infallible>))))
}

/// What is told of an import, a line each.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Importing {
    /// It was begun.
    Begun {},
    /// It is done.
    Imported(Imported),
    /// Nothing was imported.
    Failed { reason: String },
}

async fn import(State(app): State<Arc<App>>, body: Body) -> Result<Lines, Problem> {
    app.only_local("Import")?;
    app.context.catalog.check().await?;
    let (told, from) = mpsc::channel(4);
    let (to, pieces) = mpsc::channel(8);
    let (catalog, now) = (app.context.catalog.clone(), app.context.clock.now());
    tokio::spawn(async move {
        let mut body = body.into_data_stream();
        while let Some(Ok(piece)) = body.next().await {
            // Read to its end whatever became of it: who sends it looks at the answer only then.
            drop(to.send(piece.to_vec()).await);
        }
    });
    tokio::spawn(async move {
        drop(told.send(Importing::Begun {}).await);
        let end = match catalog.import(pieces, now).await {
            Ok(imported) => {
                tracing::info!(rows = imported.rows, "Imported a catalog");
                Importing::Imported(imported)
            }
            Err(error) => {
                tracing::warn!(%error, "Imported nothing: {error}");
                Importing::Failed { reason: error.to_string() }
            }
        };
        drop(told.send(end).await);
    });
    Ok(Lines::of(from))
}

/// An answer of lines of JSON, sent as they come.
#[derive(Debug)]
struct Lines(Body);

impl Lines {
    fn of<T: Serialize + Send + 'static>(from: mpsc::Receiver<T>) -> Self {
        let line = |told: T| {
            let mut line = serde_json::to_vec(&told)?;
            line.push(b'\n');
            Ok::<_, serde_json::Error>(line)
        };
        Self(Body::from_stream(received(from).map(line)))
    }
}

impl IntoResponse for Lines {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(LINES))], self.0).into_response()
    }
}

impl OperationOutput for Lines {
    type Inner = Self;
}

/// What comes through a channel, as a stream.
fn received<T>(from: mpsc::Receiver<T>) -> impl stream::Stream<Item = T> {
    stream::unfold(from, |mut from| async move { from.recv().await.map(|one| (one, from)) })
}

fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<Json<T>, Problem> {
    body.map_err(|error| Problem::new(Kind::BadBody, error.body_text()))
}

impl App {
    /// Refuses what only a server of one's own does.
    fn only_local(&self, what: &str) -> Result<(), Problem> {
        if self.context.config.local {
            return Ok(());
        }
        let detail = format!(
            "{what} can be asked for only from a local server (`perigee up`). Elsewhere use the command with \
             --database-url; retention goes on by itself."
        );
        Err(Problem::new(Kind::NotHere, detail))
    }
}
