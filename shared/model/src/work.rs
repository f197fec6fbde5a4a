//! Words of what Perigee does by itself: runs and their steps, deliveries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::words;

words!(
    /// Where a run stands.
    RunState, Unknown {
        /// It begins at an instant to come.
        Scheduled = "scheduled",
        /// Somebody must approve it first.
        AwaitingApproval = "awaiting_approval",
        /// A worker has it, or will at once.
        Running = "running",
        /// Nothing is to be done before an instant or an event.
        Waiting = "waiting",
        /// Every step that had to be done was done.
        Completed = "completed",
        /// A step failed, or the run took too long.
        Failed = "failed",
        /// Somebody, or a guard, stopped it; the reason says which.
        Cancelled = "cancelled",
        /// An effect was cut by a crash, and whether it took place cannot be known.
        Unknown = "unknown",
    }
);

impl RunState {
    /// True when nothing more will happen in the run.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Unknown)
    }
}

words!(
    /// Where a step of a run stands.
    StepState, Unknown {
        /// It has not begun.
        Pending = "pending",
        /// An attempt is under way.
        Running = "running",
        /// It waits for an instant: its own, or that of the next attempt.
        Waiting = "waiting",
        /// It was done.
        Completed = "completed",
        /// It failed, with no attempt left.
        Failed = "failed",
        /// Its condition did not hold, or a step it needs did not complete.
        Skipped = "skipped",
        /// The run was cancelled before or while it ran.
        Cancelled = "cancelled",
        /// A crash cut it, and whether its effect took place cannot be known.
        Unknown = "unknown",
    }
);

impl StepState {
    /// True when nothing more will happen in the step.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Skipped | Self::Cancelled | Self::Unknown)
    }
}

words!(
    /// Where a delivery stands.
    DeliveryState, Failed {
        /// It waits: for `waitFor`, or for the next attempt.
        Pending = "pending",
        /// The channel took it.
        Sent = "sent",
        /// It was not sent, for a reason that was foreseen: a silence, a repeat, a recovery, its age.
        Suppressed = "suppressed",
        /// No attempt succeeded, and none is left.
        Failed = "failed",
    }
);

words!(
    /// How a synthetic probe went.
    CheckState, Unknown {
        /// It passed.
        Passing = "passing",
        /// It failed.
        Failing = "failing",
        /// It has not run, or could not be run.
        Unknown = "unknown",
    }
);
