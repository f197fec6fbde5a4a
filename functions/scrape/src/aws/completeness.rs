//! Whether what AWS Config lists is everything: what its recorder records, and how that went.

use catalog::shards::Shard;
use model::Timestamp;
use ports::{Cloud, Recorder, Records};

use super::spec::{Covered, spellings};
use crate::{Fault, Verdict};

/// Config shows a change a few minutes after it happened; facts newer than this are never deleted by a listing.
pub(super) const GRACE_SECONDS: i32 = 900;

/// The same for types that are recorded once a day: a day, and an hour for the recording itself.
const DAILY_GRACE_SECONDS: i32 = 25 * 3_600;

/// Types that are recorded in a region only where the recorder includes global types.
/// <https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html>
pub(super) const GLOBAL_TYPES: &[&str] =
    &["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];

/// What is known of a shard's recorder when its listing begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// The recorder of the account and region.
    Recorder(Option<Recorder>),
    /// The aggregator's word on the account and region: how its last update went, and why it failed.
    Aggregated(Option<(String, String)>),
}

/// Asks for it.
///
/// # Errors
/// What AWS says.
pub(super) async fn ask(
    cloud: &dyn Cloud,
    shard: &Shard,
    via: &str,
    aggregator: Option<&str>,
) -> Result<State, Fault> {
    let Some(aggregator) = aggregator else { return Ok(State::Recorder(cloud.recorder(via).await?)) };
    let sources = cloud.aggregated(via, aggregator).await?;
    let mut own = sources.into_iter().filter(|source| source.account == shard.account);
    let of_region =
        |region: &str| region == shard.region || region.is_empty() || shard.region == super::plan::GLOBAL;
    let found = own.find(|source| of_region(&source.region));
    Ok(State::Aggregated(found.map(|source| (source.status, source.error))))
}

impl State {
    /// Facts newer than this many seconds are not deleted by the listing.
    pub(super) fn grace_seconds(&self, kind: &str) -> i32 {
        match self {
            // An aggregator does not say how often its sources record.
            Self::Aggregated(_) => DAILY_GRACE_SECONDS,
            Self::Recorder(recorder) => {
                let daily = recorder.as_ref().is_some_and(|recorder| {
                    let is_daily = |kind: &str| {
                        recorder.daily != recorder.daily_unless.iter().any(|other| other == kind)
                    };
                    spellings(kind).into_iter().any(is_daily)
                });
                if daily { DAILY_GRACE_SECONDS } else { GRACE_SECONDS }
            }
        }
    }

    /// Whether a list that has `seen` resources of the shard's type is everything, given that it began at `began`.
    pub(super) fn verdict(&self, shard: &Shard, via: &str, seen: usize, began: Timestamp) -> Verdict {
        let place = format!("{} {via}", shard.account);
        match self {
            Self::Recorder(None) => Verdict::Unrecorded {
                reason: format!("AWS Config has no recorder in {place}"),
                advice: turn_on(via),
            },
            Self::Recorder(Some(recorder)) => of_recorder(recorder, &shard.kind, &place, via, began),
            Self::Aggregated(status) => of_aggregator(status.as_ref(), shard, seen),
        }
    }
}

fn of_recorder(recorder: &Recorder, kind: &str, place: &str, via: &str, began: Timestamp) -> Verdict {
    if let Some((reason, advice)) = why_not_recording(recorder, place, via) {
        return Verdict::Unrecorded { reason, advice };
    }
    if !spellings(kind).into_iter().all(|kind| records(&recorder.records, kind)) {
        return Verdict::Unrecorded {
            reason: format!("the recorder {} in {place} does not record {kind}", recorder.name),
            advice: format!("add {kind} to what it records, or leave it out of the scraper's `types`"),
        };
    }
    if recorder.last_status != "SUCCESS" {
        let why =
            if recorder.last_error.is_empty() { String::new() } else { format!(": {}", recorder.last_error) };
        return Verdict::Incomplete {
            reason: format!(
                "the last recording of the recorder {} in {place} is {}{why}",
                recorder.name,
                if recorder.last_status.is_empty() { "not known" } else { &recorder.last_status }
            ),
            advice: "see to the recorder's role and its delivery channel".to_owned(),
        };
    }
    let grace = i64::from(GRACE_SECONDS);
    if recorder.started_at.is_some_and(|started| started > began.timestamp() - grace) {
        return Verdict::Incomplete {
            reason: format!(
                "the recorder {} in {place} was started just now and may still be taking stock",
                recorder.name
            ),
            advice: String::new(),
        };
    }
    Verdict::Complete
}

/// Why a recorder records nothing at all, and what to do.
pub(super) fn why_not_recording(recorder: &Recorder, place: &str, via: &str) -> Option<(String, String)> {
    (!recorder.recording).then(|| {
        (
            format!("the recorder {} of AWS Config in {place} is stopped", recorder.name),
            format!(
                "start it: `aws configservice start-configuration-recorder --configuration-recorder-name {} --region {via}`",
                recorder.name
            ),
        )
    })
}

/// What to do where there is no recorder.
pub(super) fn turn_on(region: &str) -> String {
    format!(
        "turn AWS Config on in {region} for all types: `aws configservice subscribe --region {region} ...`"
    )
}

/// Whether a recorder records a type.
fn records(records: &Records, kind: &str) -> bool {
    match records {
        Records::Nothing => false,
        Records::All { global } => *global || !GLOBAL_TYPES.contains(&kind),
        Records::Only(kinds) => kinds.iter().any(|own| own == kind),
        Records::AllBut(kinds) => !kinds.iter().any(|own| own == kind),
    }
}

/// Which types a recorder covers.
pub(super) fn covered(records: &Records) -> Covered {
    match records {
        Records::Nothing => Covered::Nothing,
        Records::All { global: true } => Covered::AllBut(Vec::new()),
        Records::All { global: false } => {
            Covered::AllBut(GLOBAL_TYPES.iter().map(|kind| (*kind).to_owned()).collect())
        }
        Records::Only(kinds) => Covered::These(kinds.clone()),
        Records::AllBut(kinds) => Covered::AllBut(kinds.clone()),
    }
}

fn of_aggregator(status: Option<&(String, String)>, shard: &Shard, seen: usize) -> Verdict {
    let place = format!("{} {}", shard.account, shard.region);
    let incomplete = |reason: String, advice: &str| Verdict::Incomplete { reason, advice: advice.to_owned() };
    match status {
        None => incomplete(
            format!("the aggregator does not collect from {place}"),
            "add the account and the region to the aggregator, and authorise it there",
        ),
        Some((status, why)) if status != "SUCCEEDED" => incomplete(
            format!("the aggregator's last update from {place} is {status}: {why}"),
            "see whether the account authorises the aggregator",
        ),
        // What is not recorded cannot be queried, so a list that has something is of a type that is recorded.
        Some(_) if seen > 0 => Verdict::Complete,
        Some(_) => incomplete(
            format!(
                "the aggregator has no {} in {place}, and it cannot say whether the recorder there still records them",
                shard.kind
            ),
            "a scraper without `aggregator`, with a role in that account, can tell",
        ),
    }
}
