//! What every main needs: telemetry, configuration, the Lambda entry.

pub mod config;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod telemetry;
