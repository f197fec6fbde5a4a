//! Any other envelope: a change on the resources it names.

use model::{Category, Rank, Role, Source, Timestamp};

use crate::{Reading, Rejection, build::Draft, envelope::Envelope, mask};

/// Reads an envelope of which we know only that it is one.
///
/// # Errors
/// What the envelope lacks: account, region, time.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let mut draft = Draft::new(
        envelope.whole,
        Source::new(&stream(envelope.source), Rank::Event),
        envelope.account()?,
        envelope.region()?,
        envelope.time(now)?,
    );
    let mut change = draft.change(envelope.detail_type, Category::Other);
    change.event_id = envelope.id().map(str::to_owned);
    change.summary = mask::text(&format!("{} from {}", envelope.detail_type, envelope.source));
    let mut details = envelope.detail.clone();
    mask::details(&mut details);
    change.details = details;
    for name in &envelope.resources {
        draft.name(&mut change, name, Role::Target);
    }
    draft.record(change);
    Ok(draft.finish())
}

/// The stream's name: AWS services by their own word, everybody else as they call themselves.
pub(crate) fn stream(source: &str) -> String {
    source.strip_prefix("aws.").unwrap_or(source).to_owned()
}
