//! The command line, and every function in one process.
//!
//! `perigee up` builds the contexts of the other functions with local adapters and adds no logic of its own. Every
//! other command but `doctor`, `migrate`, `bench` and `completions` is a client of a running server: whatever the shell can
//! do, a program can do through the API. Start reading at [`cli`], then the command's file in [`commands`].

pub mod cli;
mod client;
pub mod commands;
mod exit;
mod output;
mod place;
mod print;
mod world;

use std::{pin::Pin, process::ExitCode, sync::Arc};

use clap::{Args, Parser};
use ports::Objects;

use self::{
    cli::{Cli, Command, Remote},
    client::Client,
    commands::{
        bench, changes, completions, digest, doctor, findings, graph, history, ingest, migrate, proxy, query,
        rejected, reset, show, sources, up,
    },
    exit::Done,
    output::Format,
};

/// Opens the object store of the ambient AWS credentials.
pub type OpenObjects = fn() -> Pin<Box<dyn Future<Output = Arc<dyn Objects>> + Send>>;

/// Does what the command line says. `objects` is `None` in a build without AWS.
#[must_use]
pub fn run(objects: Option<OpenObjects>) -> ExitCode {
    exit::status(&dispatch(Cli::parse(), objects))
}

fn dispatch(cli: Cli, objects: Option<OpenObjects>) -> anyhow::Result<Done> {
    match cli.command.unwrap_or(Command::Up(cli.up)) {
        Command::Up(options) => up::run(&options, objects),
        Command::Ingest(remote) => ask(&remote, ingest::run),
        Command::Query(remote) => ask(&remote, query::run),
        Command::Changes(remote) => ask(&remote, changes::run),
        Command::Findings(remote) => ask(&remote, findings::run),
        Command::Show(remote) => ask(&remote, show::run),
        Command::History(remote) => ask(&remote, history::run),
        Command::Graph(remote) => ask(&remote, graph::run),
        Command::Digest(remote) => ask(&remote, digest::run),
        Command::Sources(remote) => ask(&remote, sources::run),
        Command::Rejected(remote) => ask(&remote, rejected::run),
        Command::Reset(remote) => ask(&remote, reset::run),
        Command::Doctor(remote) => {
            ask(&remote, |client, format, options| doctor::run(client, format, options, objects.is_some()))
        }
        Command::Migrate(options) => migrate::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Proxy(options) => proxy::run(&options),
        Command::Completions(options) => completions::run(&options),
    }
}

fn ask<O: Args>(
    remote: &Remote<O>,
    command: impl FnOnce(&Client, Format, &O) -> anyhow::Result<Done>,
) -> anyhow::Result<Done> {
    command(&Client::new(&remote.connection), remote.output, &remote.options)
}

#[cfg(test)]
mod tests;
