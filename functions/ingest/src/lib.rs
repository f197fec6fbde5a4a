//! Normalises events to observations.
