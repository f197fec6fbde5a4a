//! The EventBridge envelope, read leniently: a part that is missing matters only to those who need it.

use model::Timestamp;
use serde_json::Value;

use crate::{Reason, Rejection, place, time};

/// What every EventBridge event has around its detail.
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
#[derive(Debug, Clone)]
pub(crate) struct Envelope<'a> {
    /// `aws.ec2`, or the word of whoever sent it.
    pub(crate) source: &'a str,
    /// What kind of event it is.
    pub(crate) detail_type: &'a str,
    /// The names in `resources`, ARNs as a rule.
    pub(crate) resources: Vec<&'a str>,
    /// What happened.
    pub(crate) detail: &'a Value,
    /// All of it.
    pub(crate) whole: &'a Value,
}

impl<'a> Envelope<'a> {
    /// Reads an envelope.
    ///
    /// # Errors
    /// [`Reason::MissingField`] when `detail`, `source` or `detail-type` is missing or of the wrong type.
    pub(crate) fn read(payload: &'a Value) -> Result<Self, Rejection> {
        let word =
            |name: &str| payload.get(name).and_then(Value::as_str).ok_or_else(|| missing(name, "a string"));
        let detail =
            payload.get("detail").filter(|d| d.is_object()).ok_or_else(|| missing("detail", "an object"))?;
        let resources = payload.get("resources").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            source: word("source")?,
            detail_type: word("detail-type")?,
            resources: resources.filter_map(Value::as_str).collect(),
            detail,
            whole: payload,
        })
    }

    /// The event's own id. Data, not identity.
    pub(crate) fn id(&self) -> Option<&'a str> {
        self.whole.get("id").and_then(Value::as_str)
    }

    /// The account the event happened in.
    ///
    /// # Errors
    /// [`Reason::NoAccount`] when it is missing or not twelve digits.
    pub(crate) fn account(&self) -> Result<&'a str, Rejection> {
        place::account("The event", &[self.text("account")])
    }

    /// The region the event happened in.
    ///
    /// # Errors
    /// [`Reason::NoRegion`] when it is missing or cannot be a region.
    pub(crate) fn region(&self) -> Result<&'a str, Rejection> {
        place::region("The event", &[self.text("region")])
    }

    /// When the event happened: the envelope's `time`.
    ///
    /// # Errors
    /// [`Reason::NoTime`], [`Reason::FutureTime`].
    pub(crate) fn time(&self, now: Timestamp) -> Result<Timestamp, Rejection> {
        let value = self.whole.get("time").unwrap_or(&Value::Null);
        time::occurred("The event", &[("time", value)], now)
    }

    /// A text of the envelope, `None` when it is missing, empty or something else.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.whole.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

fn missing(name: &str, kind: &str) -> Rejection {
    Rejection::new(
        Reason::MissingField,
        format!("The EventBridge event has no `{name}`, which must be {kind}"),
    )
}
