//! `perigee schema KIND`

use clap::Args;
use manifest::Kind;

use crate::{exit::Done, print};

/// Of what.
#[derive(Debug, Args)]
pub struct Options {
    /// Scraper, `HealthRule`, Check, Playbook, Notification, Silence, Connection or Retention
    #[arg(value_name = "KIND", value_parser = kind)]
    pub kind: Kind,
}

/// A kind as it is typed.
pub(crate) fn kind(text: &str) -> Result<Kind, String> {
    text.parse()
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    print::line(&serde_json::to_string_pretty(&manifest::schema(options.kind))?)?;
    Ok(Done::All)
}
