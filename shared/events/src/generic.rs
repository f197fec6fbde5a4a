//! Any other envelope: a change on the resources it names.

use model::{Category, Rank, Role, Severity, Source, Spelling, Timestamp, aws_key};

use crate::{
    Reading, Rejection,
    bound::bound,
    build::{Draft, MAX_TEXT, clip},
    cloudtrail::type_of_id,
    envelope::Envelope,
    fields::text,
    mask,
    related::Related,
};

/// How many bytes of JSON are kept of the detail.
const MAX_DETAIL: usize = 16 << 10;

/// Reads an envelope of which we know only that it is one. What it lists as its resources it is about; what its
/// detail names is related.
///
/// # Errors
/// What the envelope lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let (account, region) = (envelope.account()?, envelope.region()?);
    let source = Source::new(&stream(envelope.source), Rank::Event);
    let mut draft = Draft::new(envelope.whole, source, account, region, envelope.time(now)?);
    let mut change = draft.change(&clip(envelope.detail_type, MAX_TEXT), category(envelope.detail_type));
    let state = text(envelope.detail, &["status", "state", "Status", "State", "jobRunState"]);
    if state.is_some_and(|state| state.to_ascii_uppercase().contains("FAIL")) {
        change.severity = Severity::Low;
    }
    let state = state.map_or_else(String::new, |state| format!(": {state}"));
    change.summary = clip(&format!("{} from {}{state}", envelope.detail_type, envelope.source), MAX_TEXT);
    change.event_id = envelope.id().map(str::to_owned);
    let mut details = envelope.detail.clone();
    mask::details(&mut details);
    change.details = bound(details, MAX_DETAIL);
    for name in &envelope.resources {
        draft.name(&mut change, name, Role::Target);
    }
    let of_aws = envelope.source.starts_with("aws.");
    let mut related = Related::default();
    related.walk(envelope.detail, &|_, id| {
        let kind = type_of_id(id).filter(|_| of_aws)?;
        aws_key(&Spelling { account, region, kind, id: Some(id), ..Spelling::default() })
    });
    let role = related.role(&change);
    related.tell(&mut draft, &mut change, role);
    draft.record(change);
    Ok(draft.finish())
}

/// Services end the names of such events alike.
fn category(detail_type: &str) -> Category {
    let ends = |words: &[&str]| words.iter().any(|word| detail_type.ends_with(word));
    if ends(&["State Change", "Status Change", "State-change Notification"]) {
        Category::State
    } else {
        Category::Other
    }
}

/// The stream's name: AWS services by their own word, everybody else as they call themselves.
pub(crate) fn stream(source: &str) -> String {
    source.strip_prefix("aws.").unwrap_or(source).to_owned()
}
