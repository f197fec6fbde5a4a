//! Identity: the same resource has one id whoever saw it, and two accounts can never share one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Arn, ResourceId, ids::named, types};

/// What identifies a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ResourceKey {
    /// Who provides it: `aws`, `kubernetes` ...
    pub provider: String,
    /// The provider's partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The account or cluster it lives in.
    pub account: String,
    /// The region it lives in; `global` for global services.
    pub region: String,
    /// Its type: `AWS::EC2::Instance`, `Kubernetes::apps::Deployment`, `<Source>::<Kind>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id that every source can derive: an IAM role's name, an instance's id.
    pub native_id: String,
}

impl ResourceKey {
    /// The id: UUIDv5 of provider, partition, account, region, type and native id.
    #[must_use]
    pub fn id(&self) -> ResourceId {
        ResourceId(named(&[
            "resource",
            &self.provider,
            &self.partition,
            &self.account,
            &self.region,
            &self.kind,
            &self.native_id,
        ]))
    }
}

impl ResourceKey {
    /// Whether `name` may be kept as an alias: an ARN must name the resource itself, not a part of it (an object of
    /// the bucket, a session of the role), of which there may be millions. Other names are believed.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        Arn::parse(name).is_none_or(|arn| types::is_own_name(self, &arn))
    }
}

/// The ways in which a source may spell one resource. Every field is optional except where it was seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spelling<'a> {
    /// The account it was seen in.
    pub account: &'a str,
    /// The region it was seen in; may be empty for a global type.
    pub region: &'a str,
    /// The type, as Config spells it.
    pub kind: &'a str,
    /// The id the source uses (`resourceId`): may be an ARN, a name or an opaque id.
    pub id: Option<&'a str>,
    /// The name the source uses (`resourceName`).
    pub name: Option<&'a str>,
    /// The ARN.
    pub arn: Option<&'a str>,
}

/// The key of an AWS resource from the ways a source spells it, or `None` when the spelling holds no native id.
///
/// The rule is [`crate::ResourceType`]'s for the types of the table. For any other type: the ARN's resource part
/// after the type word, else the id, else the name. Account and region are the ARN's where it has them.
#[must_use]
pub fn aws_key(spelling: &Spelling<'_>) -> Option<ResourceKey> {
    types::key(spelling)
}

/// The key of the resource an ARN names, or `None` when it names none: the ARN has no account (an S3 bucket's), is of
/// an AWS-owned thing (`arn:aws:iam::aws:policy/...`), or its resource part has no type and id.
#[must_use]
pub fn key_from_arn(arn: &Arn<'_>) -> Option<ResourceKey> {
    types::key_from_arn(arn, &Spelling::default())
}

/// Like [`key_from_arn`], for an ARN seen in `account` and `region`: they hold where the ARN itself says nothing.
#[must_use]
pub fn key_from_arn_seen_in(arn: &Arn<'_>, account: &str, region: &str) -> Option<ResourceKey> {
    types::key_from_arn(arn, &Spelling { account, region, ..Spelling::default() })
}

/// The key of a Kubernetes object: in the cluster whose namespace `kube-system` has the UID `cluster`, its group (empty
/// or `core` for the core group), kind, namespace (none for objects of the whole cluster) and name. The version is no
/// part of it.
#[must_use]
pub fn kubernetes_key(
    cluster: &str,
    group: &str,
    kind: &str,
    namespace: Option<&str>,
    name: &str,
) -> ResourceKey {
    let group = if group.is_empty() { "core" } else { group };
    ResourceKey {
        provider: "kubernetes".to_owned(),
        partition: "kubernetes".to_owned(),
        account: cluster.to_owned(),
        region: "global".to_owned(),
        kind: format!("Kubernetes::{group}::{kind}"),
        native_id: match namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        },
    }
}
