//! Errors as RFC 9457 problem details.
//!
//! A problem tells the caller what is wrong and the way out; what went wrong inside travels beside it, as the
//! response's [`Cause`], to be logged once by [`crate::observe`], and never leaves the process.

use std::sync::Arc;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{MediaType, Operation, Response as Documented, SchemaObject, StatusCode as DocumentedStatus},
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

/// What is wrong with a request, or with us.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// What is wrong here, and the way out.
    pub(crate) detail: String,
    /// The column of the selector that is wrong, from 1.
    pub(crate) column: Option<usize>,
    /// What is wrong with the manifests that were sent.
    faults: Vec<manifest::Fault>,
    cause: Option<Cause>,
}

/// What went wrong inside, for the log only.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) text: Arc<str>,
    /// Whether it passes by itself, as a database that starts does: nobody needs to be called.
    pub(crate) passes: bool,
}

macro_rules! kinds {
    ($($variant:ident = $word:literal, $status:ident, $title:literal;)+) => {
        /// The sorts of problems: the type's last word, the status, the title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $($variant),+ }

        impl Kind {
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

kinds! {
    BadParameter = "bad-parameter", BAD_REQUEST, "A query parameter cannot be read";
    BadSelector = "bad-selector", BAD_REQUEST, "The search cannot be read";
    BadCursor = "bad-cursor", BAD_REQUEST, "The cursor cannot be read";
    BadBody = "bad-body", BAD_REQUEST, "The body cannot be read";
    BadRun = "bad-run", UNPROCESSABLE_ENTITY, "The playbook cannot be run so";
    Conflict = "conflict", CONFLICT, "That cannot be done as things stand";
    BadManifest = "bad-manifest", UNPROCESSABLE_ENTITY, "A manifest is refused";
    Unauthorized = "unauthorized", UNAUTHORIZED, "A token is needed";
    ForeignHost = "foreign-host", FORBIDDEN, "This server answers only under a loopback name";
    ForeignOrigin = "foreign-origin", FORBIDDEN, "Writes from other sites are refused";
    NotHere = "not-here", FORBIDDEN, "This server does not do that";
    NotFound = "not-found", NOT_FOUND, "There is no such thing";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "This address does not take that method";
    Expired = "expired", GONE, "That is kept no longer";
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The database cannot answer now";
    TooSlow = "too-slow", SERVICE_UNAVAILABLE, "The answer took too long";
}

/// A problem as it is sent: RFC 9457, `application/problem+json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct ProblemBody<'a> {
    /// A stable name of the sort of problem: `urn:perigee:problem:` and a word.
    r#type: String,
    /// The sort of problem, for a person.
    title: &'a str,
    /// The status of the response.
    status: u16,
    /// What is wrong here, and the way out.
    detail: &'a str,
    /// The column of the selector that is wrong, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// What is wrong with the manifests that were sent.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    faults: &'a [manifest::Fault],
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), column: None, faults: Vec::new(), cause: None }
    }

    /// One that is our fault: `cause` goes to the log.
    pub(crate) fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let detail = "The request may be right; the server could not do it. Its log says why.";
        Self::new(Kind::Internal, detail).caused_by(cause)
    }

    /// One that passes by itself.
    fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        let detail = "Nothing was lost: send the request again in a few seconds. If it stays so, `perigee doctor` \
                      says what is wrong with the database.";
        Self::new(Kind::Unavailable, detail).caused_by(cause).passing()
    }

    /// Before the first migration is done, which `perigee up` does itself.
    fn preparing(cause: impl Into<anyhow::Error>) -> Self {
        let detail = "The catalog is being prepared: send the request again in a few seconds. If it stays so, run \
                      `perigee migrate`.";
        Self::new(Kind::Unavailable, detail).caused_by(cause).passing()
    }

    /// One that passes once somebody has done what the error's own sentence says.
    fn operators(error: catalog::Error) -> Self {
        Self::new(Kind::Unavailable, sentence(&error.to_string())).caused_by(error)
    }

    fn caused_by(mut self, cause: impl Into<anyhow::Error>) -> Self {
        let cause: anyhow::Error = cause.into();
        self.cause = Some(Cause { text: format!("{cause:#}").into(), passes: false });
        self
    }

    fn passing(mut self) -> Self {
        self.cause = self.cause.map(|cause| Cause { passes: true, ..cause });
        self
    }

    pub(crate) fn selector(column: usize, message: &str) -> Self {
        let detail = format!("column {column}: {message}");
        Self { column: Some(column), ..Self::new(Kind::BadSelector, detail) }
    }

    /// Manifests that are refused; the first error is told where there is room for one only.
    pub(crate) fn manifests(faults: Vec<manifest::Fault>) -> Self {
        let errors = faults.iter().filter(|fault| fault.is_error());
        let more = match errors.clone().count() {
            0 | 1 => String::new(),
            count => format!(" ({} more)", count - 1),
        };
        let first = errors.clone().next().map(ToString::to_string).unwrap_or_default();
        Self { faults, ..Self::new(Kind::BadManifest, format!("{first}{more}")) }
    }

    /// Adds to a response what belongs to the problem whatever the body says.
    pub(crate) fn dress(&self, mut response: Response) -> Response {
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        if self.kind.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if self.kind == Kind::Unauthorized {
            let challenge = HeaderValue::from_static("Basic realm=\"Perigee\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(cause.clone());
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            r#type: format!("urn:perigee:problem:{}", self.kind.word()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            column: self.column,
            faults: &self.faults,
        };
        let content_type = HeaderValue::from_static("application/problem+json");
        self.dress(([(header::CONTENT_TYPE, content_type)], Json(body)).into_response())
    }
}

impl From<catalog::Error> for Problem {
    fn from(error: catalog::Error) -> Self {
        match error {
            catalog::Error::BadCursor => Self::new(Kind::BadCursor, error.to_string()),
            catalog::Error::BadSelector { column, message } => Self::selector(column, &message),
            catalog::Error::NotMigrated => Self::preparing(error),
            catalog::Error::Expired { .. } => Self::new(Kind::Expired, sentence(&error.to_string())),
            catalog::Error::Import { .. } => Self::new(Kind::BadBody, error.to_string()),
            catalog::Error::NotEmpty { .. } | catalog::Error::Hold { .. } => {
                Self::new(Kind::Conflict, sentence(&error.to_string()))
            }
            error @ (catalog::Error::DiskFull(_)
            | catalog::Error::ForeignTables
            | catalog::Error::NewerSchema { .. }) => Self::operators(error),
            error if error.is_transient() => Self::unavailable(error),
            error => Self::internal(error),
        }
    }
}

impl From<intake::Error> for Problem {
    fn from(error: intake::Error) -> Self {
        match &error {
            intake::Error::Record { source, .. } if matches!(**source, catalog::Error::DiskFull(_)) => {
                let detail = sentence(&source.to_string());
                Self::new(Kind::Unavailable, detail).caused_by(error)
            }
            intake::Error::Record { source, .. } if matches!(**source, catalog::Error::NotMigrated) => {
                Self::preparing(error)
            }
            intake::Error::Record { source, .. } if source.is_transient() => Self::unavailable(error),
            intake::Error::Body { source: ports::ObjectError::Unavailable { .. }, .. } => {
                Self::unavailable(error)
            }
            intake::Error::Record { .. } | intake::Error::Body { .. } => Self::internal(error),
        }
    }
}

/// An error's text as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

impl From<selector::ParseError> for Problem {
    fn from(error: selector::ParseError) -> Self {
        Self::selector(error.column, &error.message)
    }
}

impl OperationOutput for Problem {
    type Inner = Self;

    fn operation_response(ctx: &mut GenContext, _operation: &mut Operation) -> Option<Documented> {
        let json_schema = ctx.schema.subschema_for::<ProblemBody<'_>>();
        let schema = Some(SchemaObject { json_schema, example: None, external_docs: None });
        let body = MediaType { schema, ..MediaType::default() };
        Some(Documented {
            description: "What is wrong, and the way out (RFC 9457)".to_owned(),
            content: [("application/problem+json".to_owned(), body)].into_iter().collect(),
            ..Documented::default()
        })
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<DocumentedStatus>, Documented)> {
        Self::operation_response(ctx, operation).map(|response| (None, response)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_pass_by_itself_is_an_error_of_the_log() {
        let passes = |problem: Problem| problem.cause.map(|cause| cause.passes);
        assert_eq!(passes(catalog::Error::NotMigrated.into()), Some(true));
        assert_eq!(passes(catalog::Error::Contended.into()), Some(true));
        assert_eq!(passes(catalog::Error::ForeignTables.into()), Some(false));
        assert_eq!(passes(Problem::internal(anyhow::anyhow!("a fault"))), Some(false));
        assert_eq!(passes(Problem::new(Kind::BadCursor, "no cursor")), None);
    }
}
