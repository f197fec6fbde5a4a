//! The types: per type, the native id that every source can derive, and how its ARN looks.

use crate::{Arn, ResourceKey, Spelling};

/// The rule of one AWS resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    /// The type as AWS Config spells it.
    pub name: &'static str,
}

/// Every type with a rule of its own.
pub const TYPES: &[ResourceType] = &[];

/// The rule of a type, if it has one of its own.
#[must_use]
pub fn known_type(name: &str) -> Option<&'static ResourceType> {
    TYPES.iter().find(|t| t.name == name)
}

/// The type of an ARN's service and resource word: `("ec2", "instance")` is `AWS::EC2::Instance`.
#[must_use]
pub fn type_of_service_resource(_service: &str, _word: &str) -> Option<&'static ResourceType> {
    None
}

pub(crate) fn key(spelling: &Spelling<'_>) -> Option<ResourceKey> {
    Some(ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: spelling.account.to_owned(),
        region: spelling.region.to_owned(),
        kind: spelling.kind.to_owned(),
        native_id: spelling.id?.to_owned(),
    })
}

pub(crate) fn key_from_arn(_arn: &Arn<'_>) -> Option<ResourceKey> {
    None
}
