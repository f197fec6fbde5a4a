//! Events in.

use std::sync::Arc;

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{MediaType, Operation, ReferenceOr, RequestBody},
};
use axum::{
    Json, RequestExt,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::StatusCode,
};
use intake::Report;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    App,
    input::Params,
    problem::{Kind, Problem},
};

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsParams {
    /// Where the events come from, for people and for `/rejected`: a file's name, say.
    origin: Option<String>,
}

/// A body of events.
#[derive(Debug)]
pub(crate) struct Events(Bytes);

pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Params(EventsParams { origin }): Params<EventsParams>,
    Events(bytes): Events,
) -> Result<Json<Report>, Problem> {
    let origin = origin.as_deref().map_or("POST /api/v1/events", str::trim);
    if origin.is_empty() || origin.chars().count() > 500 || origin.contains(char::is_control) {
        let detail = "origin: give 1 to 500 characters, none of them a control character, or leave it out";
        return Err(Problem::new(Kind::BadParameter, detail));
    }
    Ok(Json(app.context.intake.take(origin, &bytes).await?))
}

impl<S: Send + Sync> FromRequest<S> for Events {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _state: &S) -> Result<Self, Problem> {
        DefaultBodyLimit::max(MAX_BODY).apply(&mut request);
        let read: Result<Bytes, _> = request.extract().await;
        match read {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {
                Err(Problem::new(Kind::BadBody, "The body is empty; send one JSON document, or one a line."))
            }
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = "At most 4 MB are taken at once. Send fewer lines a request (`perigee ingest` splits by \
                              itself); a single larger event comes through S3.";
                Err(Problem::new(Kind::TooLarge, detail))
            }
            Err(_) => Err(Problem::new(Kind::BadBody, "The body ended before it was whole; send it again.")),
        }
    }
}

impl OperationInput for Events {
    fn operation_input(_ctx: &mut GenContext, operation: &mut Operation) {
        let content = ["application/json", "application/x-ndjson", "application/gzip"]
            .map(|kind| (kind.to_owned(), MediaType::default()))
            .into_iter()
            .collect();
        let description = "EventBridge envelopes, CloudTrail records and log files, Config items and notifications, \
                           findings, alarms, wrapped by SNS or SQS or not.";
        let body = RequestBody {
            description: Some(description.to_owned()),
            content,
            required: true,
            ..RequestBody::default()
        };
        operation.request_body = Some(ReferenceOr::Item(body));
    }
}
