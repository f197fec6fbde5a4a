//! What AWS Config says of itself.

use aws_sdk_config::{
    Client,
    types::{
        AggregatedSourceStatus, ConfigurationRecorder, ConfigurationRecorderStatus, RecordingFrequency,
        RecordingGroup, RecordingMode, RecordingStrategyType, ResourceType,
    },
};
use ports::{AggregatedSource, CloudError, Recorder, Records};

use super::{refused, some};

/// More pages than an aggregator of ten thousand accounts has.
const MAX_PAGES: usize = 10_000;

/// The recorder of an account and region. Those of services, which record for themselves, are not it.
pub(super) async fn describe(config: &Client) -> Result<Option<Recorder>, CloudError> {
    let described = config.describe_configuration_recorders().send().await;
    let described = described.map_err(refused("config:DescribeConfigurationRecorders"))?;
    let recorders = described.configuration_recorders.unwrap_or_default();
    let Some(recorder) = recorders.into_iter().find(|recorder| recorder.service_principal.is_none()) else {
        return Ok(None);
    };
    let status = config.describe_configuration_recorder_status().send().await;
    let status = status.map_err(refused("config:DescribeConfigurationRecorderStatus"))?;
    let mut statuses = status.configuration_recorders_status.unwrap_or_default().into_iter();
    let status = statuses.find(|status| status.name == recorder.name && status.service_principal.is_none());
    Ok(Some(read(recorder, status.as_ref())))
}

fn read(recorder: ConfigurationRecorder, status: Option<&ConfigurationRecorderStatus>) -> Recorder {
    let (daily, daily_unless) = frequency(recorder.recording_mode);
    let error = |status: &ConfigurationRecorderStatus| {
        let parts = [status.last_error_code.as_deref(), status.last_error_message.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    };
    Recorder {
        name: recorder.name.unwrap_or_default(),
        recording: status.is_some_and(|status| status.recording),
        last_status: status
            .and_then(|status| status.last_status.as_ref())
            .map_or_else(String::new, |status| status.as_str().to_ascii_uppercase()),
        last_error: status.map_or_else(String::new, error),
        started_at: status.and_then(|status| status.last_start_time).map(|at| at.secs()),
        records: recorder.recording_group.map_or(Records::Nothing, records),
        daily,
        daily_unless,
    }
}

/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>
fn records(group: RecordingGroup) -> Records {
    let strategy = group.recording_strategy.and_then(|strategy| strategy.use_only);
    let excluded = group.exclusion_by_resource_types.and_then(|excluded| excluded.resource_types);
    match strategy {
        Some(RecordingStrategyType::ExclusionByResourceTypes) => {
            Records::AllBut(names(excluded.unwrap_or_default()))
        }
        Some(RecordingStrategyType::InclusionByResourceTypes) => {
            Records::Only(names(group.resource_types.unwrap_or_default()))
        }
        _ if group.all_supported => Records::All { global: group.include_global_resource_types },
        _ => Records::Only(names(group.resource_types.unwrap_or_default())),
    }
}

/// Whether it records once a day, and the types for which that is the other way round.
fn frequency(mode: Option<RecordingMode>) -> (bool, Vec<String>) {
    let Some(mode) = mode else { return (false, Vec::new()) };
    let own = mode.recording_frequency;
    let overrides = mode.recording_mode_overrides.unwrap_or_default();
    let other = overrides.into_iter().filter(|other| other.recording_frequency != own);
    (own == RecordingFrequency::Daily, names(other.flat_map(|other| other.resource_types)))
}

fn names(types: impl IntoIterator<Item = ResourceType>) -> Vec<String> {
    types.into_iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// The accounts and regions of an aggregator.
pub(super) async fn aggregated(config: &Client, name: &str) -> Result<Vec<AggregatedSource>, CloudError> {
    const ACTION: &str = "config:DescribeConfigurationAggregatorSourcesStatus";
    let mut sources = Vec::new();
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let asked = config
            .describe_configuration_aggregator_sources_status()
            .configuration_aggregator_name(name)
            .limit(100)
            .set_next_token(token.clone());
        let answer = asked.send().await.map_err(refused(ACTION))?;
        sources.extend(answer.aggregated_source_status_list.unwrap_or_default().into_iter().map(source));
        let next = some(answer.next_token);
        if next.is_none() {
            return Ok(sources);
        }
        if next == token {
            break;
        }
        token = next;
    }
    Err(CloudError::Unavailable { action: ACTION.to_owned(), message: "the list repeats itself".to_owned() })
}

fn source(status: AggregatedSourceStatus) -> AggregatedSource {
    let error = [status.last_error_code, status.last_error_message];
    AggregatedSource {
        account: status.source_id.unwrap_or_default(),
        region: status.aws_region.unwrap_or_default(),
        status: status.last_update_status.map_or_else(String::new, |status| status.as_str().to_owned()),
        error: error.into_iter().flatten().collect::<Vec<_>>().join(": "),
    }
}
