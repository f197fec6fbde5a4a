//! Checks: their state and their results.
