//! What every main needs: telemetry, configuration, the Lambda entry.

pub mod config;
#[cfg(feature = "lambda")]
pub mod lambda;
mod pump;
pub mod telemetry;
pub mod wake;

pub use pump::{PumpError, pump};
