//! ECS: tasks, container instances, services and their deployments.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html>
//!
//! A task's event shows the whole task, so it is a document. A stopped task stays a document, with `lastStatus`
//! STOPPED, why it stopped and its exit codes: that is what people look for, and ECS itself still shows it for an hour.

use std::collections::BTreeSet;

use model::{Arn, Category, Document, Relation, ResourceFact, ResourceKey, Severity, Sighting, Timestamp};
use serde_json::{Value, json};

use crate::envelope::Envelope;
use crate::event::{Event, other_names};
use crate::fields::{field, items, number, pick, tags, text};
use crate::{Reading, Reason, Rejection, generic};

/// The stream.
const SOURCE: &str = "ecs";

/// The stream of deployments.
const DEPLOYMENTS: &str = "ecs-deployment";

const CLUSTER: &str = "AWS::ECS::Cluster";
const SERVICE: &str = "AWS::ECS::Service";

/// Reads an event of source `aws.ecs`.
///
/// # Errors
/// What the event lacks: account, region, time, the ARN of the task or container instance.
pub(crate) fn read(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    match envelope.detail_type {
        "ECS Task State Change" => task(envelope, now),
        "ECS Container Instance State Change" => container_instance(envelope, now),
        "ECS Service Action" => service(envelope, Category::State, "/createdAt", now),
        "ECS Deployment State Change" => service(envelope, Category::Deployment, "/updatedAt", now),
        _ => generic::read(envelope, now),
    }
}

fn task(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin(SOURCE, Category::State, envelope, Some("/updatedAt"), now)?;
    let arn = text(detail, &["taskArn"]).ok_or_else(|| missing("taskArn"))?;
    let key = event.key("AWS::ECS::Task", arn).ok_or_else(|| missing("taskArn"))?;
    event.target(&key, &[arn]);
    let service = service_of(&event, detail);
    let relations = [
        relation("is contained in cluster", by_arn(&event, CLUSTER, detail, "clusterArn")),
        relation(
            "is associated with task definition",
            by_arn(&event, "AWS::ECS::TaskDefinition", detail, "taskDefinitionArn"),
        ),
        relation(
            "is attached to container instance",
            by_arn(&event, "AWS::ECS::ContainerInstance", detail, "containerInstanceArn"),
        ),
        relation("is contained in service", service.clone()),
        relation(
            "contains network interface",
            attached(&event, detail, "networkInterfaceId", "AWS::EC2::NetworkInterface"),
        ),
        relation("is contained in subnet", attached(&event, detail, "subnetId", "AWS::EC2::Subnet")),
    ];
    event.relate(service);
    see(&mut event, &key, arn, relations, detail);

    let status = text(detail, &["lastStatus"]).unwrap_or("unknown");
    let reason = text(detail, &["stoppedReason"]).filter(|_| status == "STOPPED");
    let severity = if status == "STOPPED" { stop_severity(detail) } else { Severity::Info };
    event.failure(reason.filter(|_| severity >= Severity::Medium));
    let group = text(detail, &["group"]).unwrap_or("no group");
    let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    event.summary(severity, &format!("Task of {group} is {status}{why}"));
    event.details(json!({
        "lastStatus": status,
        "desiredStatus": field(detail, &["desiredStatus"]),
        "stopCode": field(detail, &["stopCode"]),
        "containers": items(detail, &["containers"]).iter().map(container).collect::<Vec<_>>(),
    }));
    Ok(event.done())
}

/// What a change keeps of a container: the document has the rest.
fn container(container: &Value) -> Value {
    pick(container, &["name", "image", "lastStatus", "exitCode", "reason"])
}

/// A task that could not start, or of which a container failed, is worth a look, and so is one that its scheduler took
/// for unhealthy; one that a person, a scaling or a deployment stopped is not, whatever it exits with when told to.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>
fn stop_severity(detail: &Value) -> Severity {
    let failed = items(detail, &["containers"])
        .iter()
        .any(|c| number(c, &["exitCode"]).is_some_and(|code| code != 0.0));
    let reason = text(detail, &["stoppedReason"]).unwrap_or_default();
    match text(detail, &["stopCode"]).unwrap_or_default() {
        "TaskFailedToStart" => Severity::High,
        "EssentialContainerExited" if failed => Severity::High,
        "SpotInterruption" | "TerminationNotice" => Severity::Low,
        "UserInitiated" => Severity::Info,
        _ if reason.contains("health checks") => Severity::Medium,
        // Deployments stop the tasks of the old revision by scaling it in.
        _ if failed && !reason.starts_with("Scaling activity initiated") => Severity::Medium,
        _ => Severity::Info,
    }
}

/// An instance whose status is INACTIVE is no longer part of its cluster and is gone for ECS.
fn container_instance(envelope: &Envelope<'_>, now: Timestamp) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let mut event = Event::begin(SOURCE, Category::State, envelope, Some("/updatedAt"), now)?;
    let arn = text(detail, &["containerInstanceArn"]).ok_or_else(|| missing("containerInstanceArn"))?;
    let key = event.key("AWS::ECS::ContainerInstance", arn).ok_or_else(|| missing("containerInstanceArn"))?;
    event.target(&key, &[arn]);
    let instance = text(detail, &["ec2InstanceId"]).and_then(|id| event.key("AWS::EC2::Instance", id));
    let relations = [
        relation("is contained in cluster", by_arn(&event, CLUSTER, detail, "clusterArn")),
        relation("is attached to instance", instance.clone()),
    ];
    event.relate(instance);
    let status = text(detail, &["status"]).unwrap_or("unknown");
    if status == "INACTIVE" {
        event.see(&key, Sighting::Deleted);
    } else {
        see(&mut event, &key, arn, relations, detail);
    }
    let lost = status == "ACTIVE" && field(detail, &["agentConnected"]) == Some(&Value::Bool(false));
    let (severity, agent) =
        if lost { (Severity::Medium, ", and its agent is disconnected") } else { (Severity::Info, "") };
    event.summary(severity, &format!("Container instance is {status}{agent}"));
    event.details(pick(detail, &["status", "agentConnected", "ec2InstanceId", "statusReason"]));
    Ok(event.done())
}

/// What happened to a service, or to a deployment of it. No event shows a whole service, but how its last deployment
/// went and what last kept it from its tasks are documents, each of its own stream, beside what Config shows: nobody
/// else tells that without being asked.
fn service(
    envelope: &Envelope<'_>,
    category: Category,
    time: &str,
    now: Timestamp,
) -> Result<Reading, Rejection> {
    let detail = envelope.detail;
    let stream = if category == Category::Deployment { DEPLOYMENTS } else { SOURCE };
    let mut event = Event::begin(stream, category, envelope, Some(time), now)?;
    let state = service_state(category, detail);
    for arn in envelope.resources.iter().filter(|arn| arn.contains(":service/")) {
        if let Some(key) = event.key(SERVICE, arn) {
            event.target(&key, &[arn]);
            if let Some(state) = &state {
                event.document(&key, Document { config: state.clone(), ..Document::default() });
            }
        }
    }
    event.relate(by_arn(&event, CLUSTER, detail, "clusterArn"));
    for arn in items(detail, &["containerInstanceArns"]).iter().filter_map(Value::as_str) {
        event.relate(event.key("AWS::ECS::ContainerInstance", arn));
    }
    let severity = match text(detail, &["eventType"]).unwrap_or_default() {
        "ERROR" => Severity::High,
        "WARN" => Severity::Medium,
        _ => Severity::Info,
    };
    let name = text(detail, &["eventName"]).unwrap_or("an event");
    let reason = text(detail, &["reason"]).unwrap_or_default();
    let named = envelope.resources.first().and_then(|arn| arn.rsplit('/').next()).unwrap_or("?");
    event.failure((severity == Severity::High).then_some(reason));
    event.summary(severity, format!("Service {named}: {name} {reason}").trim());
    event.details(detail.clone());
    Ok(event.done())
}

/// What a service's event tells of its state. That it is steady is the same document however often it is said.
fn service_state(category: Category, detail: &Value) -> Option<Value> {
    let name = text(detail, &["eventName"])?;
    if category == Category::Deployment {
        return Some(json!({ "deployment": {
            "id": field(detail, &["deploymentId"]),
            "state": name.trim_start_matches("SERVICE_DEPLOYMENT_"),
            "reason": field(detail, &["reason"]),
            "updatedAt": field(detail, &["updatedAt"]),
        }}));
    }
    match text(detail, &["eventType"]) {
        Some("ERROR" | "WARN") => {
            Some(json!({ "action": pick(detail, &["eventName", "eventType", "reason", "createdAt"]) }))
        }
        _ if name.ends_with("STEADY_STATE") => Some(json!({ "action": { "eventName": name } })),
        _ => None,
    }
}

/// The document of a task or container instance. ECS counts the states of each in `version`.
fn see<const N: usize>(
    event: &mut Event,
    key: &ResourceKey,
    arn: &str,
    relations: [Option<Relation>; N],
    detail: &Value,
) {
    let document = Document {
        name: text(detail, &["group"]).map(str::to_owned),
        tags: tags(field(detail, &["tags"])),
        config: detail.clone(),
        relations: BTreeSet::from_iter(relations.into_iter().flatten()),
        ..Document::default()
    };
    event.draft.fact(ResourceFact {
        key: key.clone(),
        aliases: other_names(key, &[arn]),
        state_id: detail.get("version").and_then(Value::as_i64).unwrap_or(0),
        sighting: Sighting::Documented(Box::new(document)),
    });
}

fn relation(kind: &str, to: Option<ResourceKey>) -> Option<Relation> {
    to.map(|to| Relation { kind: kind.to_owned(), to })
}

fn by_arn(event: &Event, kind: &str, detail: &Value, name: &str) -> Option<ResourceKey> {
    event.key(kind, text(detail, &[name])?)
}

/// The service of a task: its group is `service:NAME`, its cluster the task's.
fn service_of(event: &Event, detail: &Value) -> Option<ResourceKey> {
    let name = text(detail, &["group"])?.strip_prefix("service:")?;
    let cluster = Arn::parse(text(detail, &["clusterArn"])?)?;
    let Arn { partition, service, region, account, resource } = cluster;
    let cluster = resource.strip_prefix("cluster/")?;
    event.key(SERVICE, &format!("arn:{partition}:{service}:{region}:{account}:service/{cluster}/{name}"))
}

/// What a task's network attachment names, in its list of `{name, value}`.
fn attached(event: &Event, detail: &Value, name: &str, kind: &str) -> Option<ResourceKey> {
    let attachments = items(detail, &["attachments"]).iter().flat_map(|one| items(one, &["details"]));
    let value = attached_value(attachments, name)?;
    event.key(kind, value)
}

fn attached_value<'a>(mut details: impl Iterator<Item = &'a Value>, name: &str) -> Option<&'a str> {
    details.find(|detail| text(detail, &["name"]) == Some(name)).and_then(|detail| text(detail, &["value"]))
}

fn missing(name: &str) -> Rejection {
    Rejection::new(Reason::MissingField, format!("The ECS event has no `detail.{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_as_severe_as_its_cause() {
        let stop = |code: &str, reason: &str, exit: i32| {
            stop_severity(&json!({
                "stopCode": code, "stoppedReason": reason, "containers": [{"exitCode": 0}, {"exitCode": exit}],
            }))
        };
        let scheduler = "ServiceSchedulerInitiated";
        let scaling = "Scaling activity initiated by (deployment ecs-svc/2903817746520118431)";
        assert_eq!(
            stop(scheduler, "Task failed ELB health checks in (target-group x)", 143),
            Severity::Medium
        );
        assert_eq!(stop(scheduler, "Task failed container health checks", 0), Severity::Medium);
        assert_eq!(stop(scheduler, "Service shop: something else", 1), Severity::Medium);
        assert_eq!(stop(scheduler, scaling, 143), Severity::Info);
        assert_eq!(stop("", scaling, 137), Severity::Info);
        assert_eq!(stop("", "", 1), Severity::Medium);
        assert_eq!(stop("UserInitiated", "Task stopped by user", 143), Severity::Info);
        assert_eq!(stop("EssentialContainerExited", "Essential container in task exited", 1), Severity::High);
        assert_eq!(stop("EssentialContainerExited", "Essential container in task exited", 0), Severity::Info);
    }
}
