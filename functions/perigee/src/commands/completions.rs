//! `perigee completions SHELL`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{cli::Cli, exit::Done, print};

/// For which shell.
#[derive(Debug, Args)]
pub struct Options {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "perigee", &mut script);
    print::bytes(&script)?;
    Ok(Done::All)
}
