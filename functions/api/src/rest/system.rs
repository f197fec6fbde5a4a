//! The server itself: alive, measured, described, emptied.

use std::sync::Arc;

use aide::{
    OperationOutput,
    openapi::{MediaType, ReferenceOr, Response as Documented, StatusCode},
    transform::TransformOperation,
};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use catalog::Catalog;
use intake::Report;
use model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    App, VERSION,
    input::{NoParams, Params},
    meter::{self, Gauges},
    problem::{Kind, Problem},
};

/// The server and its database answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Healthz {
    /// Always `ok`; a problem is sent otherwise.
    status: &'static str,
    /// The build that answers.
    version: &'static str,
}

pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Result<Json<Healthz>, Problem> {
    app.context.catalog.check().await?;
    Ok(Json(Healthz { status: "ok", version: VERSION }))
}

/// A hash of the catalog's meaning: equal for equal catalogs, however they came to be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Digest {
    /// 64 hex digits.
    digest: String,
}

pub(crate) async fn digest(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Digest>, Problem> {
    Ok(Json(Digest { digest: app.context.catalog.digest().await? }))
}

pub(crate) async fn openapi(State(app): State<Arc<App>>) -> Result<Text, Problem> {
    Ok(Text { content_type: "application/json", text: app.openapi.get().cloned().unwrap_or_default() })
}

/// A body that is text already. [`say_text`] documents it.
#[derive(Debug)]
pub(crate) struct Text {
    content_type: &'static str,
    text: String,
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type))], self.text).into_response()
    }
}

impl OperationOutput for Text {
    type Inner = Self;
}

/// Names an operation that answers with text of `content_type`, and says what it does.
pub(super) fn say_text(
    id: &'static str,
    summary: &'static str,
    content_type: &'static str,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    move |mut operation| {
        let content = [(content_type.to_owned(), MediaType::default())].into_iter().collect();
        let answer = Documented { description: summary.to_owned(), content, ..Documented::default() };
        let responses = operation.inner_mut().responses.get_or_insert_default();
        responses.responses.insert(StatusCode::Code(200), ReferenceOr::Item(answer));
        operation.id(id).summary(summary)
    }
}

/// Answers while the database does not, too: that is when somebody looks.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Text, Problem> {
    let read = what_there_is(&app.context.catalog, app.context.clock.now()).await;
    if let Err(error) = &read {
        tracing::warn!(%error, "Served metrics without the catalog's: {error}");
    }
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(Text { content_type, text: meter::text(VERSION, &app.meter, read.as_ref().ok()) })
}

async fn what_there_is(catalog: &Catalog, now: Timestamp) -> Result<Gauges, catalog::Error> {
    Ok(Gauges {
        counts: catalog.counts().await?,
        sources: catalog.sources().await?,
        tally: catalog.tally(now).await?,
        waiting: catalog.signals_waiting().await?,
        now,
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// The word `reset`: everything that was recorded goes.
    confirm: String,
    /// Load the sample estate afterwards.
    #[serde(default)]
    sample: bool,
}

/// The catalog was emptied.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResetDone {
    /// What became of the sample's events, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Report>,
}

pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    body: Result<Json<Reset>, JsonRejection>,
) -> Result<Json<ResetDone>, Problem> {
    let context = &app.context;
    if !context.config.local {
        let detail = "Only a local server (`perigee up`) can be reset through the API. Elsewhere drop the schema \
                      `perigee` and run `perigee migrate`.";
        return Err(Problem::new(Kind::NotHere, detail));
    }
    let Json(Reset { confirm, sample }) =
        body.map_err(|error| Problem::new(Kind::BadBody, error.body_text()))?;
    if confirm != "reset" {
        let detail = "This removes everything that was recorded. To do so, send {\"confirm\": \"reset\"}.";
        return Err(Problem::new(Kind::BadBody, detail));
    }
    let events = match &context.sample {
        Some(events) if sample => Some(events()),
        None if sample => {
            return Err(Problem::new(Kind::NotHere, "This server was built without the sample estate."));
        }
        Some(_) | None => None,
    };
    context.catalog.reset().await?;
    tracing::info!(sample, "Removed everything that was recorded");
    let sample = match events {
        Some(events) => Some(context.intake.take_payloads("the sample estate", &events).await?),
        None => None,
    };
    Ok(Json(ResetDone { sample }))
}
