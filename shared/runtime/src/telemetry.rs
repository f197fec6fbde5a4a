//! Logs: one line each on standard error, as people read them or as programs do.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt, util::SubscriberInitExt};

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Compact,
    /// For CloudWatch and other programs: one JSON object a line.
    Json,
}

/// What is logged where nothing else is asked for. The database's notices tell nothing that we do not know.
const DEFAULT: &str = "info,sqlx::postgres::notice=warn";

/// Sends the program's logs to standard error. `RUST_LOG` says what is logged; `info` unless it is set. What it says
/// wrongly is named in the log, and the rest holds. A second call changes nothing.
pub fn init(format: Format) {
    let (filter, mistake) = filter(crate::config::var("RUST_LOG").as_deref());
    let initialised = match format {
        Format::Compact => {
            let ansi = stderr().is_terminal() && crate::config::var("NO_COLOR").is_none();
            fmt().compact().with_env_filter(filter).with_writer(stderr).with_ansi(ansi).finish().try_init()
        }
        Format::Json => {
            fmt().json().flatten_event(true).with_env_filter(filter).with_writer(stderr).finish().try_init()
        }
    };
    if initialised.is_ok()
        && let Some(mistake) = mistake
    {
        tracing::warn!("RUST_LOG was not understood, info is logged: {mistake}");
    }
}

/// The filter that `RUST_LOG` asks for, and what it got wrong.
fn filter(wanted: Option<&str>) -> (EnvFilter, Option<String>) {
    match wanted.map(EnvFilter::try_new) {
        None => (EnvFilter::new(DEFAULT), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(mistake)) => (EnvFilter::new(DEFAULT), Some(mistake.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_is_info_unless_a_good_one_is_asked_for() {
        let said = |wanted| {
            let (filter, mistake) = filter(wanted);
            (filter.to_string(), mistake.is_some())
        };
        assert_eq!(said(None), ("sqlx::postgres::notice=warn,info".to_owned(), false));
        assert_eq!(said(Some("warn,catalog=debug")), ("catalog=debug,warn".to_owned(), false));
        assert_eq!(said(Some("catalog=loud")), ("sqlx::postgres::notice=warn,info".to_owned(), true));
    }

    #[test]
    fn a_second_call_changes_nothing() {
        init(Format::Compact);
        init(Format::Json);
    }
}
