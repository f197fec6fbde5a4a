//! The command line, and every function in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    perigee::run(OBJECTS)
}

/// Where bodies that do not fit an event are read: S3, when this build has AWS in it and `up` is told to use it.
#[cfg(feature = "aws")]
const OBJECTS: Option<perigee::OpenObjects> =
    Some(|| Box::pin(async { std::sync::Arc::new(aws::Objects::from_env().await) as _ }));

#[cfg(not(feature = "aws"))]
const OBJECTS: Option<perigee::OpenObjects> = None;
