//! Signals that are yet to be told.
