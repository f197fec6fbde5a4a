//! What an evaluation may cost.

use std::cell::Cell;

/// How many steps an evaluation may take: nodes visited, elements and pieces of text looked at.
const MAX_STEPS: u64 = 1_000_000;
/// How many bytes an evaluation may make, all in all.
const MAX_MADE: u64 = 16 << 20;
/// How many bytes of text are looked at in one step.
const BYTES_A_STEP: usize = 64;

/// Why there is no value.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// The expression has none. `&&`, `||`, `all` and `exists` may still have one.
    NoValue(String),
    /// A bound was passed. Nothing goes on after that.
    Bound(&'static str),
}

impl Trouble {
    pub(crate) fn no_value(reason: impl Into<String>) -> Self {
        Self::NoValue(reason.into())
    }
}

/// What is left to spend.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: Cell<u64>,
    made: Cell<u64>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { steps: Cell::new(MAX_STEPS), made: Cell::new(MAX_MADE) }
    }

    /// One step.
    pub(crate) fn step(&self) -> Result<(), Trouble> {
        self.steps(1)
    }

    /// So many steps.
    pub(crate) fn steps(&self, count: usize) -> Result<(), Trouble> {
        spend(&self.steps, count, "it took more than 1,000,000 steps")
    }

    /// So many bytes of text are looked at.
    pub(crate) fn read(&self, bytes: usize) -> Result<(), Trouble> {
        self.steps(bytes / BYTES_A_STEP)
    }

    /// So many bytes are made.
    pub(crate) fn made(&self, bytes: usize) -> Result<(), Trouble> {
        spend(&self.made, bytes, "it made more than 16 MiB of text and lists")
    }
}

fn spend(left: &Cell<u64>, count: usize, bound: &'static str) -> Result<(), Trouble> {
    let rest = left.get().checked_sub(u64::try_from(count).unwrap_or(u64::MAX));
    left.set(rest.unwrap_or(0));
    rest.map(|_| ()).ok_or(Trouble::Bound(bound))
}
