//! What a record means to a person: its category, its weight, one sentence, and the details worth keeping.

use model::{Actor, ActorKind, Category, ChangeResource, Role, Severity};
use serde_json::{Map, Value, json};

use super::{
    Record,
    paths::texts,
    rules::{self, Effect},
};
use crate::{bound::bound, fields::text, mask};

/// How many bytes of JSON are kept of the request, and of the response.
const MAX_PART: usize = 8 << 10;

/// The fields that are kept beside request and response.
const KEPT: &[&str] = &[
    "requestID",
    "eventType",
    "eventCategory",
    "managementEvent",
    "apiVersion",
    "vpcEndpointId",
    "sharedEventID",
    "sessionCredentialFromConsole",
    "additionalEventData",
    "serviceEventDetails",
    "insightDetails",
    "tlsDetails",
    "addendum",
];

/// Events that are worth a look whoever called them.
const NOTABLE: &[(&str, &str)] = &[
    ("cloudtrail", "StopLogging DeleteTrail UpdateTrail PutEventSelectors DeleteEventDataStore"),
    (
        "config",
        "StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel DeleteConfigRule",
    ),
    (
        "guardduty",
        "DeleteDetector DisassociateFromMasterAccount StopMonitoringMembers DeleteMembers CreateFilter",
    ),
    ("securityhub", "DisableSecurityHub"),
    (
        "iam",
        "CreateAccessKey CreateLoginProfile UpdateLoginProfile UpdateAssumeRolePolicy DeactivateMFADevice",
    ),
    (
        "iam",
        "DeleteVirtualMFADevice CreateUser CreateSAMLProvider UpdateSAMLProvider CreateOpenIDConnectProvider",
    ),
    ("iam", "AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy"),
    ("kms", "ScheduleKeyDeletion DisableKey PutKeyPolicy DeleteImportedKeyMaterial"),
    ("organizations", "LeaveOrganization RemoveAccountFromOrganization CloseAccount DetachPolicy"),
    (
        "s3",
        "PutBucketPolicy DeleteBucketPolicy PutBucketAcl DeleteBucketPublicAccessBlock DeleteBucketEncryption",
    ),
    ("s3", "DeletePublicAccessBlock DeleteAccountPublicAccessBlock"),
    (
        "ec2",
        "ModifySnapshotAttribute ModifyImageAttribute DeleteFlowLogs GetPasswordData DisableEbsEncryptionByDefault",
    ),
    ("rds", "ModifyDBSnapshotAttribute ModifyDBClusterSnapshotAttribute"),
    ("secretsmanager", "PutResourcePolicy DeleteSecret"),
    ("lambda", "AddPermission"),
    ("signin", "PasswordRecoveryRequested PasswordRecoveryCompleted"),
];

/// Events that move something into service rather than alter what it is.
const DEPLOYMENTS: &[(&str, &str)] = &[
    ("lambda", "UpdateFunctionCode PublishVersion UpdateAlias"),
    ("ecs", "UpdateService RegisterTaskDefinition"),
    ("cloudformation", "CreateStack UpdateStack DeleteStack ExecuteChangeSet"),
    ("codedeploy", "CreateDeployment"),
    ("codepipeline", "StartPipelineExecution"),
    ("codebuild", "StartBuild"),
    ("apigateway", "CreateDeployment"),
    ("ecr", "PutImage"),
];

/// Words in the names of events that are about permissions and credentials.
const PERMISSIONS: &[&str] = &[
    "Policy",
    "Permission",
    "AccessKey",
    "LoginProfile",
    "MFADevice",
    "SecurityGroupIngress",
    "SecurityGroupEgress",
    "Grant",
    "Password",
    "BucketAcl",
    "PublicAccessBlock",
];

/// What sort of change the record tells of.
pub(super) fn category(record: &Record<'_>) -> Category {
    if record.insight().is_some() {
        return Category::Notice;
    }
    if record.read_only || record.service == "signin" || record.service == "sts" {
        return Category::Access;
    }
    if among(DEPLOYMENTS, record) {
        return Category::Deployment;
    }
    let effect = rules::of(&record.service, record.event).first().map(|rule| rule.effect.with(record));
    match effect {
        _ if is(record.event, &["Put", "Set", "Enable", "Disable"]) && !permissions(record) => {
            Category::Update
        }
        Some(Effect::Create) => Category::Create,
        Some(Effect::Delete | Effect::DeleteIf(_) | Effect::DeleteUnless(_)) => Category::Delete,
        Some(Effect::Touch) => Category::Access,
        Some(Effect::Update) | None if permissions(record) => Category::Security,
        Some(Effect::Update) => Category::Update,
        None => by_verb(record.event),
    }
}

fn permissions(record: &Record<'_>) -> bool {
    PERMISSIONS.iter().any(|word| record.event.contains(word))
}

fn by_verb(event: &str) -> Category {
    const CREATE: &[&str] =
        &["Create", "Run", "Register", "Import", "Allocate", "Copy", "Restore", "Request", "Start"];
    const DELETE: &[&str] = &["Delete", "Terminate", "Deregister", "Release", "Purge"];
    const UPDATE: &[&str] = &[
        "Update",
        "Modify",
        "Put",
        "Set",
        "Attach",
        "Detach",
        "Associate",
        "Disassociate",
        "Add",
        "Remove",
        "Tag",
        "Untag",
        "Enable",
        "Disable",
        "Change",
        "Replace",
        "Reset",
        "Stop",
        "Reboot",
        "Cancel",
    ];
    if is(event, CREATE) {
        Category::Create
    } else if is(event, DELETE) {
        Category::Delete
    } else if is(event, UPDATE) {
        Category::Update
    } else {
        Category::Other
    }
}

/// Whether an event's name begins with one of these verbs.
pub(super) fn is(event: &str, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| {
        event
            .strip_prefix(verb)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_uppercase()))
    })
}

fn among(table: &[(&str, &str)], record: &Record<'_>) -> bool {
    table.iter().any(|(service, events)| {
        *service == record.service && events.split(' ').any(|event| event == record.event)
    })
}

/// How much the record matters.
pub(super) fn severity(record: &Record<'_>, actor: Option<&Actor>) -> Severity {
    let refused = record.error.is_some_and(|code| {
        ["AccessDenied", "UnauthorizedOperation", "Client.UnauthorizedOperation"]
            .iter()
            .any(|c| code.starts_with(c))
    });
    if record.insight().is_some() {
        return Severity::Medium;
    }
    if record.event == "ConsoleLogin" {
        let root = actor.is_some_and(|actor| actor.kind == ActorKind::Root);
        return if root || record.sign_in_failed() { Severity::Medium } else { Severity::Info };
    }
    if record.altered() && (among(NOTABLE, record) || opens_to_the_world(record)) {
        return Severity::Medium;
    }
    if refused { Severity::Low } else { Severity::Info }
}

/// Whether a security group was opened to every address.
fn opens_to_the_world(record: &Record<'_>) -> bool {
    let open =
        |path: &str| texts(record.request, path).iter().any(|range| matches!(*range, "0.0.0.0/0" | "::/0"));
    record.event.starts_with("AuthorizeSecurityGroupIngress")
        && (open("cidrIp")
            || open("ipPermissions.ipRanges.cidrIp")
            || open("ipPermissions.ipv6Ranges.cidrIpv6"))
}

/// One sentence: who called what on what, and how it ended.
pub(super) fn sentence(record: &Record<'_>, actor: Option<&Actor>, resources: &[ChangeResource]) -> String {
    if let Some(insight) = record.insight() {
        let kind = text(insight, &["insightType"]).unwrap_or("insight");
        let state = text(insight, &["state"]).unwrap_or("told").to_lowercase();
        return mask::text(&format!("CloudTrail saw {} called unusually: {kind}, {state}", record.event));
    }
    let who = actor.map_or_else(|| "somebody".to_owned(), ToString::to_string);
    if record.event == "ConsoleLogin" {
        let what = if record.sign_in_failed() {
            "failed to sign in to the console"
        } else {
            "signed in to the console"
        };
        return mask::text(&format!("{who} {what}"));
    }
    let mut targets: Vec<&str> = Vec::new();
    for target in resources.iter().filter(|touched| touched.role == Role::Target) {
        if !targets.contains(&target.key.native_id.as_str()) {
            targets.push(&target.key.native_id);
        }
    }
    let on = match &*targets {
        [] => String::new(),
        [one] => format!(" on {one}"),
        [first, rest @ ..] => format!(" on {first} and {} more", rest.len()),
    };
    let ended = record.error.map_or_else(String::new, |code| format!(", which failed with {code}"));
    let by_service = actor.is_none_or(|actor| actor.kind == ActorKind::Service);
    let did = if by_service && record.event_type() == Some("AwsServiceEvent") {
        format!("{} reported {}", record.service, record.event)
    } else {
        format!("{who} called {}", record.event)
    };
    let open = if opens_to_the_world(record) { ", opening it to every address" } else { "" };
    mask::text(&format!("{did}{on}{open}{ended}"))
}

/// What is kept of the record: masked first, then bounded, so that no secret is cut in half and missed.
pub(super) fn details(record: &Record<'_>) -> Value {
    let mut details = Map::new();
    let mut keep = |name: &str, part: &Value| {
        if part.is_null() || part.as_object().is_some_and(Map::is_empty) {
            return;
        }
        let mut part = json!({ name: part });
        mask::call(&record.service, record.event, &mut part);
        let part = part.get_mut(name).map(Value::take).unwrap_or_default();
        details.insert(name.to_owned(), bound(part, MAX_PART));
    };
    keep("eventSource", record.part("eventSource"));
    keep("requestParameters", record.part("requestParameters"));
    keep("responseElements", record.part("responseElements"));
    for name in KEPT {
        keep(name, record.part(name));
    }
    if let Some(session) = record.whole.pointer("/userIdentity/sessionContext/attributes") {
        keep("session", session);
    }
    Value::Object(details)
}
