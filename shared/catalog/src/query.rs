//! What can be asked.

use model::{ResourceId, Timestamp};
use selector::Selector;

use crate::Direction;

/// What became of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was recorded now.
    New,
    /// It had been recorded before; nothing changed.
    Duplicate,
}

/// Of which moment an answer is. By default it is of now, as it is known now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// The instant at which it was true.
    pub at: Option<Timestamp>,
    /// What was known at this instant, instead of now.
    pub recorded_at: Option<Timestamp>,
}

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceQuery {
    /// Fields: `id`, `type`, `account`, `region`, `name`, `native_id`, `provider`, `evidence`, `tags.KEY`.
    pub selector: Selector,
    /// Also those that were proven gone.
    pub include_deleted: bool,
    /// Of which moment.
    pub as_of: AsOf,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Which changes to list. Newest first.
#[derive(Debug, Clone, Default)]
pub struct ChangeQuery {
    /// Fields: `kind`, `category`, `severity`, `account`, `region`, `source`, `actor`, `event_id`, `session_id`,
    /// `error_code`, `read_only`; words match the summary.
    pub selector: Selector,
    /// Only those that touched this resource.
    pub resource: Option<ResourceId>,
    /// Only those at or after this instant.
    pub since: Option<Timestamp>,
    /// Only those before this instant.
    pub until: Option<Timestamp>,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// Which findings to list. Latest statement first.
#[derive(Debug, Clone, Default)]
pub struct FindingQuery {
    /// Fields: `product`, `kind`, `severity`, `status`, `account`, `region`; words match the title.
    pub selector: Selector,
    /// Only those about this resource.
    pub resource: Option<ResourceId>,
    /// As they were stated at a moment: severity, status and title. The rest of them is as it is now.
    pub as_of: AsOf,
    /// How many at most; bounded to 1000.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// How far to walk.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Which way.
    pub direction: Direction,
    /// How many steps; bounded to 10.
    pub depth: u32,
    /// How many resources at most; bounded to 5000.
    pub max_nodes: u32,
}
