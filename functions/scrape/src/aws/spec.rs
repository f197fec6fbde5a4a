//! What a shard of AWS has to know.

use model::known_type;
use serde::{Deserialize, Serialize};

/// How a shard is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "through", rename_all = "snake_case")]
pub(super) enum Spec {
    /// With advanced queries of AWS Config.
    Config {
        /// The region that is asked.
        via: String,
        /// How many resources Config said there are when the shard was planned.
        expected: u64,
    },
    /// With the tagging API, because Config does not record.
    Tagging {
        /// Why not.
        reason: String,
        /// What to do about it.
        advice: String,
        /// Types that are not wanted from here, because Config records them.
        unless: Covered,
        /// The scraper's own choice of types; all when empty.
        types: Vec<String>,
    },
}

/// Which types Config covers, so that the tagging API need not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Covered {
    /// None.
    Nothing,
    /// These.
    These(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Covered {
    /// Whether Config covers a type.
    pub(super) fn has(&self, kind: &str) -> bool {
        let among = |kinds: &[String]| kinds.iter().any(|own| own == kind);
        match self {
            Self::Nothing => false,
            Self::These(kinds) => among(kinds),
            Self::AllBut(kinds) => !among(kinds),
        }
    }
}

/// The type as the catalog knows it. Config has two for some: a search domain is `AWS::Elasticsearch::Domain` and
/// `AWS::OpenSearch::Domain`.
pub(super) fn canonical(kind: &str) -> &str {
    known_type(kind).map_or(kind, |known| known.name)
}

/// Every type under which Config may list what the catalog knows as one.
pub(super) fn spellings(kind: &str) -> Vec<&str> {
    let Some(known) = known_type(kind) else { return vec![kind] };
    let others = known.also.iter().copied().filter(|name| name.starts_with("AWS::"));
    std::iter::once(known.name).chain(others).collect()
}

/// Whether a type is among those that were written, where `*` stands for any text. All are when none is written.
pub(super) fn is_wanted(kind: &str, patterns: &[String]) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, kind))
}

fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, tail)) = rest.split_once(part) else { return false };
        rest = tail;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let is = |pattern: &str, kind: &str| matches(pattern, kind);
        assert!(is("AWS::EC2::*", "AWS::EC2::Instance"));
        assert!(is("*::Instance", "AWS::EC2::Instance"));
        assert!(is("AWS::*::In*ce", "AWS::EC2::Instance"));
        assert!(is("*", "AWS::EC2::Instance"));
        assert!(!is("AWS::EC2", "AWS::EC2::Instance"));
        assert!(!is("AWS::RDS::*", "AWS::EC2::Instance"));
        assert!(!is("AWS::EC2::Inst*Instance", "AWS::EC2::Instance"));
    }

    #[test]
    fn every_type_is_wanted_where_none_is_written() {
        assert!(is_wanted("AWS::EC2::Instance", &[]));
        assert!(!is_wanted("AWS::EC2::Instance", &["AWS::RDS::*".to_owned()]));
    }
}
