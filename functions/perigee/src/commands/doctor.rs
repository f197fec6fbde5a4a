//! `perigee doctor`: what is configured, reachable and permitted, and what to do about what is not.

#[cfg(feature = "aws")]
mod aws;
mod checks;
#[cfg(feature = "kubernetes")]
mod kubernetes;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::{
    client::Client,
    exit::Done,
    output::{self, Format},
    place::Place,
};

/// Whose health.
#[derive(Debug, Args)]
pub struct Options {
    /// Where the data lies.
    #[command(flatten)]
    pub place: Place,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    /// What was looked at.
    what: &'static str,
    state: State,
    /// What was found, and what to do about it.
    message: String,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Warn,
    Fail,
}

impl Check {
    fn ok(what: &'static str, message: impl Into<String>) -> Self {
        Self { what, state: State::Ok, message: message.into() }
    }

    fn warn(what: &'static str, message: impl Into<String>) -> Self {
        Self { what, state: State::Warn, message: message.into() }
    }

    fn fail(what: &'static str, message: impl Into<String>) -> Self {
        Self { what, state: State::Fail, message: message.into() }
    }
}

pub(crate) fn run(client: &Client, format: Format, options: &Options, has_aws: bool) -> anyhow::Result<Done> {
    let checks = checks::all(client, &options.place, has_aws)?;
    output::show(format, &json!({"items": checks}), |_| Ok(table(&checks)))?;
    let failed = checks.iter().any(|check| check.state == State::Fail);
    Ok(if failed { Done::Failed } else { Done::All })
}

fn table(checks: &[Check]) -> String {
    let rows = checks.iter().map(|check| {
        let state = match check.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        };
        [state.to_owned(), check.what.to_owned(), check.message.clone()]
    });
    output::prose(["STATE", "WHAT", "FOUND"], rows)
}
