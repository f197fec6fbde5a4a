//! What is being deployed and run: CloudFormation, the `CodePipeline` family, and Step Functions.

mod cloudformation;

use model::{Actor, ActorKind, Arn, Category, Severity, Timestamp};
use serde_json::Value;

use crate::envelope::Envelope;
use crate::event::{Event, sentence};
use crate::fields::{field, pick, text};
use crate::{Reading, Reason, Rejection, generic};

/// Reads an event of one of these services.
///
/// # Errors
/// What the event lacks: account, region, time, the name of what it is about.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let kind = envelope.detail_type;
    match envelope.source {
        "aws.cloudformation" => cloudformation::read(envelope, now),
        "aws.codepipeline" if kind.ends_with("Execution State Change") => codepipeline(envelope, now),
        "aws.codebuild" if kind.starts_with("CodeBuild Build") => codebuild(envelope, now),
        "aws.codedeploy" if kind.contains("State-change") => codedeploy(envelope, now),
        "aws.states" if kind == "Step Functions Execution Status Change" => step_functions(envelope, now),
        _ => generic::read(envelope, now),
    }
}

/// How much a state matters, in the words of all these services.
fn severity(state: &str) -> Severity {
    match state {
        "FAILED" | "FAILURE" | "FAULT" | "TIMED_OUT" | "CLIENT_ERROR" => Severity::High,
        "ABORTED" | "STOPPED" | "STOP" | "CANCELED" | "CANCELLED" | "SUPERSEDED" => Severity::Low,
        _ => Severity::Info,
    }
}

/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>
fn codepipeline(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin("codepipeline", Category::Deployment, envelope, None, now)?;
    let name = text(detail, &["pipeline"]).ok_or_else(|| missing("pipeline"))?;
    let state = text(detail, &["state"]).ok_or_else(|| missing("state"))?;
    if let Some(key) = event.key("AWS::CodePipeline::Pipeline", name) {
        event.target(&key, &envelope.resources);
    }
    let place: Vec<String> = [("stage", "stage"), ("action", "action")]
        .iter()
        .filter_map(|(field, noun)| Some(format!(", {noun} {}", text(detail, &[field])?)))
        .collect();
    let result = field(detail, &["execution-result"]);
    event.failure(result.and_then(|result| text(result, &["external-execution-summary"])));
    event.change.error_code = result.and_then(|result| text(result, &["error-code"])).map(sentence);
    event.summary(severity(state), &format!("Pipeline {name}{}: {state}", place.concat()));
    event.details(detail.clone());
    Ok(event.done())
}

/// The variables of a build's environment stay out: they hold secrets in plain text more often than not.
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html>
fn codebuild(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin("codebuild", Category::Deployment, envelope, None, now)?;
    let name = text(detail, &["project-name"]).ok_or_else(|| missing("project-name"))?;
    if let Some(key) = event.key("AWS::CodeBuild::Project", name) {
        event.target(&key, &[]);
    }
    let status = text(detail, &["build-status", "completed-phase-status"]).unwrap_or("unknown");
    let more = field(detail, &["additional-information"]).unwrap_or(&Value::Null);
    event.change.actor = text(more, &["initiator"]).map(initiator);
    let phase =
        text(detail, &["completed-phase"]).map_or_else(String::new, |phase| format!(", phase {phase}"));
    event.summary(severity(status), &format!("Build of {name}{phase}: {status}"));
    let mut details = pick(
        detail,
        &[
            "build-id",
            "build-status",
            "current-phase",
            "completed-phase",
            "completed-phase-status",
            "completed-phase-context",
            "completed-phase-duration-seconds",
        ],
    );
    if let Value::Object(details) = &mut details {
        let kept = pick(
            more,
            &["build-number", "initiator", "build-start-time", "source-version", "logs", "phases"],
        );
        details.extend(kept.as_object().cloned().unwrap_or_default());
    }
    event.details(details);
    Ok(event.done())
}

/// A pipeline, a rule or a user, in the spelling `codepipeline/NAME`, `rule/NAME`, `NAME`.
fn initiator(name: &str) -> Actor {
    let kind = if name.contains('/') { ActorKind::Service } else { ActorKind::Unknown };
    Actor { kind, name: sentence(name), session: None, via: None, arn: None, account: None }
}

/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html>
fn codedeploy(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin("codedeploy", Category::Deployment, envelope, None, now)?;
    let application = text(detail, &["application"]).ok_or_else(|| missing("application"))?;
    let state = text(detail, &["state"]).ok_or_else(|| missing("state"))?;
    let group = text(detail, &["deploymentGroup"]);
    if let Some(group) = group {
        let id = format!("{application}/{group}");
        if let Some(key) = event.key("AWS::CodeDeploy::DeploymentGroup", &id) {
            event.target(&key, &[]);
        }
    }
    event.relate(event.key("AWS::CodeDeploy::Application", application));
    let instance = text(detail, &["instanceId"]).map(|id| id.rsplit('/').next().unwrap_or(id));
    event.relate(instance.and_then(|id| event.key("AWS::EC2::Instance", id)));
    let deployment = text(detail, &["deploymentId"]).unwrap_or("?");
    let on = instance.map_or_else(String::new, |id| format!(" on {id}"));
    let group = group.map_or_else(String::new, |group| format!(" to {group}"));
    event.summary(severity(state), &format!("Deployment {deployment} of {application}{group}{on}: {state}"));
    event.details(detail.clone());
    Ok(event.done())
}

/// What an execution was given and gave back stays out: it is business data. The instant is the execution's own.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
fn step_functions(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let status = text(detail, &["status"]).ok_or_else(|| missing("status"))?;
    let own = if status == "RUNNING" { "/startDate" } else { "/stopDate" };
    let mut event = Event::begin("states", Category::State, envelope, Some(own), now)?;
    let machine = text(detail, &["stateMachineArn"]).map(str::to_owned);
    let machine = machine.or_else(|| machine_of(text(detail, &["executionArn"])?));
    let machine = machine.ok_or_else(|| missing("stateMachineArn"))?;
    if let Some(key) = event.key("AWS::StepFunctions::StateMachine", &machine) {
        event.target(&key, &[&machine]);
    }
    event.failure(text(detail, &["cause"]));
    event.change.error_code = text(detail, &["error"]).map(sentence);
    let name = text(detail, &["name"]).unwrap_or("?");
    let machine = machine.rsplit(':').next().unwrap_or(&machine);
    event.summary(severity(status), &format!("Execution {name} of {machine}: {status}"));
    event.details(pick(
        detail,
        &["executionArn", "name", "status", "startDate", "stopDate", "error", "cause"],
    ));
    Ok(event.done())
}

/// The state machine of `arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME`, or of an express execution.
fn machine_of(execution: &str) -> Option<String> {
    let Arn { partition, region, account, resource, .. } = Arn::parse(execution)?;
    let name = resource.strip_prefix("execution:").or_else(|| resource.strip_prefix("express:"))?;
    let name = name.split(':').next()?;
    Some(format!("arn:{partition}:states:{region}:{account}:stateMachine:{name}"))
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("The event has no `detail.{name}`"))
}
