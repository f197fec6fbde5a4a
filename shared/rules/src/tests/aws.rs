//! The rules of AWS, in every spelling that the same state comes in.

use model::Health::{self, Healthy, Unhealthy, Unknown, Warning};
use serde_json::{Value, json};

use super::judged;

const NOW: &str = "2026-03-03T02:13:00Z";

/// Document, health, status, settled.
type Row = (Value, Health, &'static str, bool);

fn hold(kind: &str, rows: &[Row]) {
    for (config, health, status, ready) in rows {
        let verdict = judged(kind, config.clone(), NOW);
        let got = (verdict.health, verdict.status.as_str(), verdict.ready);
        assert_eq!(got, (*health, *status, *ready), "{kind} {config}: {}", verdict.reason);
    }
}

#[test]
fn instances_are_as_well_as_their_state_and_their_checks() {
    let running = json!({"code": 16, "name": "running"});
    hold(
        "AWS::EC2::Instance",
        &[
            (json!({"state": running}), Healthy, "Running", true),
            (json!({"State": {"Name": "running"}}), Healthy, "Running", true),
            (json!({"state": "running"}), Healthy, "Running", true),
            (
                json!({"state": running, "systemStatus": {"status": "impaired"}}),
                Unhealthy,
                "SystemCheckFailed",
                true,
            ),
            (
                json!({"State": {"Name": "running"}, "InstanceStatus": {"Status": "impaired"}}),
                Unhealthy,
                "InstanceCheckFailed",
                true,
            ),
            (
                json!({"state": running, "instanceStatus": {"status": "initializing"}}),
                Healthy,
                "Initializing",
                false,
            ),
            (
                json!({"state": {"name": "stopped"}, "stateTransitionReason": "User initiated"}),
                Unknown,
                "Stopped",
                true,
            ),
            (
                json!({"state": {"name": "stopped"}, "stateReason": {"code": "Server.InternalError", "message": "host failed"}}),
                Unhealthy,
                "Stopped",
                true,
            ),
            (json!({"state": {"name": "shutting-down"}}), Unknown, "ShuttingDown", false),
            (json!({}), Unknown, "Unknown", true),
        ],
    );
}

#[test]
fn an_instance_that_stays_pending_becomes_unhealthy_by_time_alone() {
    let pending = json!({"state": {"name": "pending"}, "launchTime": "2026-03-03T02:00:00.000Z"});
    let before = judged("AWS::EC2::Instance", pending.clone(), "2026-03-03T02:09:59Z");
    assert_eq!((before.health, before.until), (Unknown, "2026-03-03T02:10:00Z".parse().ok()));
    let after = judged("AWS::EC2::Instance", pending, "2026-03-03T02:10:00Z");
    assert_eq!((after.health, after.until), (Unhealthy, None));
}

#[test]
fn databases_are_as_well_as_their_status_says() {
    hold(
        "AWS::RDS::DBInstance",
        &[
            (json!({"dBInstanceStatus": "available"}), Healthy, "Available", true),
            (json!({"DBInstanceStatus": "available"}), Healthy, "Available", true),
            (json!({"dBInstanceStatus": "storage-full"}), Unhealthy, "StorageFull", true),
            (
                json!({"dBInstanceStatus": "incompatible-parameters"}),
                Unhealthy,
                "IncompatibleParameters",
                true,
            ),
            (json!({"dBInstanceStatus": "stopped"}), Unknown, "Stopped", true),
            (json!({"dBInstanceStatus": "modifying"}), Healthy, "Modifying", false),
            (json!({"DBInstanceStatus": "rebooting"}), Warning, "Rebooting", false),
            (json!({"dBInstanceStatus": "creating"}), Unknown, "Creating", false),
        ],
    );
    hold("AWS::RDS::DBCluster", &[(json!({"Status": "available"}), Healthy, "Available", true)]);
}

#[test]
fn services_run_the_tasks_that_they_should() {
    let described = |running: u64, desired: u64, state: &str| {
        json!({
            "status": "ACTIVE", "runningCount": running, "desiredCount": desired, "pendingCount": 0,
            "deployments": [
                {"status": "PRIMARY", "rolloutState": state, "rolloutStateReason": "because"},
                {"status": "ACTIVE", "rolloutState": "COMPLETED"},
            ],
        })
    };
    let impaired = json!({"eventName": "SERVICE_TASK_START_IMPAIRED", "reason": "no luck", "createdAt": "2026-03-03T02:00:00Z"});
    hold(
        "AWS::ECS::Service",
        &[
            (described(3, 3, "COMPLETED"), Healthy, "Running", true),
            (described(2, 3, "COMPLETED"), Warning, "TooFewTasks", false),
            (described(0, 3, "COMPLETED"), Unhealthy, "NoTasksRunning", false),
            (described(3, 3, "FAILED"), Unhealthy, "DeploymentFailed", true),
            (described(3, 3, "IN_PROGRESS"), Healthy, "Deploying", false),
            (described(1, 3, "IN_PROGRESS"), Warning, "Deploying", false),
            (described(0, 0, "COMPLETED"), Unknown, "ScaledToZero", true),
            (json!({"Status": "ACTIVE", "RunningCount": 1, "DesiredCount": 1}), Healthy, "Running", true),
            (json!({"status": "DRAINING"}), Unknown, "Draining", false),
            (json!({"DesiredCount": 2}), Healthy, "Active", true),
            (json!({"DesiredCount": 2, "action": impaired}), Unhealthy, "TaskStartImpaired", false),
            (
                json!({"DesiredCount": 2, "action": impaired,
                "deployment": {"state": "COMPLETED", "updatedAt": "2026-03-03T02:10:00Z"}}),
                Healthy,
                "Active",
                true,
            ),
            (
                json!({"DesiredCount": 2, "deployment": {"state": "FAILED", "reason": "x"}}),
                Unhealthy,
                "DeploymentFailed",
                true,
            ),
        ],
    );
}

#[test]
fn tasks_say_why_they_stopped() {
    hold(
        "AWS::ECS::Task",
        &[
            (json!({"lastStatus": "RUNNING", "healthStatus": "HEALTHY"}), Healthy, "Running", true),
            (json!({"lastStatus": "RUNNING", "healthStatus": "UNHEALTHY"}), Unhealthy, "Unhealthy", false),
            (json!({"LastStatus": "PENDING"}), Unknown, "Pending", false),
            (
                json!({"lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
                "containers": [{"exitCode": 0}, {"exitCode": 137}]}),
                Unhealthy,
                "EssentialContainerExited",
                true,
            ),
            (
                json!({"lastStatus": "STOPPED", "stopCode": "ServiceSchedulerInitiated",
                "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/1)", "containers": [{"exitCode": 143}]}),
                Unknown,
                "Stopped",
                true,
            ),
            (
                json!({"lastStatus": "STOPPED", "stopCode": "SpotInterruption"}),
                Warning,
                "SpotInterruption",
                true,
            ),
        ],
    );
}

#[test]
fn a_task_that_stopped_because_it_was_asked_to_is_not_unhealthy() {
    let stopped = |code: &str, told: &str| {
        json!({"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stopCode": code, "stoppedReason": told,
            "containers": [{"exitCode": 137}]})
    };
    let stopping = json!({"lastStatus": "RUNNING", "desiredStatus": "STOPPED", "healthStatus": "UNHEALTHY"});
    hold(
        "AWS::ECS::Task",
        &[
            (stopped("UserInitiated", "Error: wrong release, taken back"), Unknown, "Stopped", true),
            (stopped("UserInitiated", "for the health checks of tonight"), Unknown, "Stopped", true),
            (
                stopped("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)"),
                Unknown,
                "Stopped",
                true,
            ),
            (
                stopped("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group web)"),
                Unhealthy,
                "HealthCheckFailed",
                true,
            ),
            (stopped("TaskFailedToStart", "no capacity"), Unhealthy, "TaskFailedToStart", true),
            (stopping, Unknown, "Stopping", false),
        ],
    );
}

#[test]
fn functions_can_be_invoked_and_updated() {
    hold(
        "AWS::Lambda::Function",
        &[
            (json!({"state": "Active", "lastUpdateStatus": "Successful"}), Healthy, "Active", true),
            (json!({"State": "Pending", "StateReason": "creating"}), Unknown, "Pending", false),
            (
                json!({"State": "Failed", "StateReasonCode": "EniLimitExceeded"}),
                Unhealthy,
                "EniLimitExceeded",
                true,
            ),
            (
                json!({"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no image"}),
                Warning,
                "UpdateFailed",
                true,
            ),
            (json!({"State": "Active", "LastUpdateStatus": "InProgress"}), Healthy, "Updating", false),
            (json!({"state": {"value": "Inactive"}}), Healthy, "Inactive", true),
            (json!({"Configuration": {"State": "Failed"}}), Unhealthy, "Failed", true),
        ],
    );
}

#[test]
fn alarms_speak_in_every_spelling() {
    hold(
        "AWS::CloudWatch::Alarm",
        &[
            (json!({"stateValue": "OK"}), Healthy, "OK", true),
            (json!({"StateValue": "ALARM", "StateReason": "too many"}), Unhealthy, "Alarm", true),
            (json!({"state": "INSUFFICIENT_DATA", "reason": "no data"}), Unknown, "InsufficientData", true),
            (json!({"state": {"value": "ALARM"}}), Unhealthy, "Alarm", true),
        ],
    );
}

#[test]
fn stacks_tables_and_certificates_say_it_in_a_word() {
    hold(
        "AWS::CloudFormation::Stack",
        &[
            (json!({"StackStatus": "CREATE_COMPLETE"}), Healthy, "CreateComplete", true),
            (json!({"stackStatus": "UPDATE_ROLLBACK_COMPLETE"}), Warning, "UpdateRollbackComplete", true),
            (json!({"stackStatus": "ROLLBACK_COMPLETE"}), Unhealthy, "RollbackComplete", true),
            (json!({"stackStatus": "UPDATE_IN_PROGRESS"}), Healthy, "UpdateInProgress", false),
            (json!({"stackStatus": "DELETE_FAILED"}), Unhealthy, "DeleteFailed", true),
        ],
    );
    hold("AWS::DynamoDB::Table", &[(json!({"tableStatus": "ACTIVE"}), Healthy, "Active", true)]);
    let certificate = json!({"status": "ISSUED", "notAfter": "2026-03-20T00:00:00Z"});
    let early = judged("AWS::ACM::Certificate", certificate.clone(), NOW);
    assert_eq!((early.health, early.until), (Healthy, "2026-03-10T00:00:00Z".parse().ok()));
    let soon = judged("AWS::ACM::Certificate", certificate.clone(), "2026-03-10T00:00:00Z");
    assert_eq!((soon.status.as_str(), soon.health), ("ExpiresSoon", Warning));
    let late = judged("AWS::ACM::Certificate", certificate, "2026-03-20T00:00:00Z");
    assert_eq!((late.status.as_str(), late.health), ("Expired", Unhealthy));
}
