//! What callers send, parsed once at the edge.

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::Operation,
    operation::{ParamLocation, add_parameters, parameters_from_schema},
};
use axum::{
    extract::{FromRequestParts, Path, Query, rejection::PathRejection},
    http::request::Parts,
};
use catalog::AsOf;
use chrono::{DateTime, SecondsFormat, TimeDelta};
use model::Timestamp;
use schemars::JsonSchema;
use selector::Selector;
use serde::{Deserialize, de::DeserializeOwned};

use crate::problem::{Kind, Problem};

/// The query string. Each set of parameters denies unknown ones, so that a typing error is not a wider answer.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let reason = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                let reason = reason.replace("unknown field", "unknown parameter");
                Err(Problem::new(
                    Kind::BadParameter,
                    reason.replace("there are no fields", "none is taken here"),
                ))
            }
        }
    }
}

impl<T: JsonSchema> OperationInput for Params<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(ctx, schema, ParamLocation::Query);
        add_parameters(ctx, operation, parameters);
    }
}

/// No parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

/// What names a resource in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Reference {
    /// An id, an alias such as an ARN, `type/native id` or `type/name`; percent-encoded.
    pub(crate) reference: String,
}

/// What names anything else in a path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Name {
    /// Its name, percent-encoded.
    pub(crate) name: String,
}

/// The one part of a path that varies.
async fn segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let read: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
    let Path(segment) = read.map_err(|error| Problem::new(Kind::BadParameter, error.body_text()))?;
    Ok(segment)
}

impl<S: Send + Sync> FromRequestParts<S> for Reference {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self { reference: segment(parts, state).await? })
    }
}

impl OperationInput for Reference {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        in_path::<Self>(ctx, operation);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self { name: segment(parts, state).await? })
    }
}

impl OperationInput for Name {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        in_path::<Self>(ctx, operation);
    }
}

fn in_path<T: JsonSchema>(ctx: &mut GenContext, operation: &mut Operation) {
    let schema = ctx.schema.subschema_for::<T>();
    let parameters = parameters_from_schema(ctx, schema, ParamLocation::Path);
    add_parameters(ctx, operation, parameters);
}

/// A whole number from 1 to `MAX`, `DEFAULT` when not said.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
pub(crate) struct Whole<const MAX: u16, const DEFAULT: u16>(pub(crate) u16);

/// How many items of a list.
pub(crate) type Limit = Whole<1000, 50>;

impl<const MAX: u16, const DEFAULT: u16> Default for Whole<MAX, DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<const MAX: u16, const DEFAULT: u16> TryFrom<u16> for Whole<MAX, DEFAULT> {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        let fits = (1..=MAX).contains(&number);
        fits.then_some(Self(number)).ok_or_else(|| format!("{number} is not between 1 and {MAX}"))
    }
}

impl<const MAX: u16, const DEFAULT: u16> JsonSchema for Whole<MAX, DEFAULT> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Whole{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "integer", "minimum": 1, "maximum": MAX, "default": DEFAULT})
    }
}

/// The selector of `q`; without one, everything.
pub(crate) fn selector(q: Option<&str>) -> Result<Selector, Problem> {
    Ok(selector::parse(q.unwrap_or_default())?)
}

/// An instant: RFC 3339, a date, or a time before now such as `90m`, `24h`, `7d`.
pub(crate) fn instant(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let read = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()).or_else(|| date(text));
    read.or_else(|| now.checked_sub_signed(duration(text)?)).ok_or_else(|| {
        let detail = format!(
            "{name}: `{text}` is no time; write it like 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d"
        );
        Problem::new(Kind::BadParameter, detail)
    })
}

/// Of which moment an answer is: `at` and `recorded_at`, neither of them in the future.
pub(crate) fn moment(at: Option<&str>, recorded_at: Option<&str>, now: Timestamp) -> Result<AsOf, Problem> {
    let past = |name, text: Option<&str>| text.map(|text| past(name, text, now)).transpose();
    Ok(AsOf { at: past("at", at)?, recorded_at: past("recorded_at", recorded_at)? })
}

/// An instant that is not in the future.
pub(crate) fn past(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let read = instant(name, text, now)?;
    if read > now {
        let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let detail = format!("{name}: `{text}` is in the future, of which nothing is known; it is {now}");
        return Err(Problem::new(Kind::BadParameter, detail));
    }
    // Before every fact, and still an instant that the database can hold.
    Ok(read.max(DateTime::UNIX_EPOCH))
}

fn date(text: &str) -> Option<Timestamp> {
    let date: chrono::NaiveDate = text.parse().ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc())
}

fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count >= 0)?;
    match unit {
        's' => TimeDelta::try_seconds(count),
        'm' => TimeDelta::try_minutes(count),
        'h' => TimeDelta::try_hours(count),
        'd' => TimeDelta::try_days(count),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
