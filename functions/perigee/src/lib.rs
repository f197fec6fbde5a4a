//! The command line, and every function in one process.
//!
//! `perigee up` builds the contexts of the other functions with local adapters and adds no logic of its own. Every
//! other command but `cel`, `lint`, `init`, `schema`, `doctor`, `migrate`, `bench` and `completions` is a client of a running server: whatever the shell can
//! do, a program can do through the API. Start reading at [`cli`], then the command's file in [`commands`].

pub mod cli;
mod client;
pub mod commands;
mod exit;
mod output;
mod place;
mod print;
mod signals;
mod world;

use std::{pin::Pin, process::ExitCode, sync::Arc};

use clap::{Args, Parser};
use ports::Objects;

use self::{
    cli::{Cli, Command, Remote},
    client::Client,
    commands::{
        apply, bench, cancel, cel, changes, checks, completions, delete, deliveries, diff, digest, doctor,
        export, findings, get, graph, health, history, hold, import, ingest, init, lint, migrate, proxy,
        query, rejected, reset, retention, run as run_playbook, runs, schema, scrape, show, sources, up,
        verify,
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
        Command::Run(remote) => ask(&remote, run_playbook::run),
        Command::Runs(remote) => ask(&remote, runs::run),
        Command::Cancel(remote) => ask(&remote, cancel::run),
        Command::Changes(remote) => ask(&remote, changes::run),
        Command::Findings(remote) => ask(&remote, findings::run),
        Command::Show(remote) => ask(&remote, show::run),
        Command::History(remote) => ask(&remote, history::run),
        Command::Diff(remote) => ask(&remote, diff::run),
        Command::Graph(remote) => ask(&remote, graph::run),
        Command::Deliveries(remote) => ask(&remote, deliveries::run),
        Command::Checks(remote) => ask(&remote, checks::run),
        Command::Digest(remote) => ask(&remote, digest::run),
        Command::Sources(remote) => ask(&remote, sources::run),
        Command::Scrape(remote) => ask(&remote, scrape::run),
        Command::Rejected(remote) => ask(&remote, rejected::run),
        Command::Reset(remote) => ask(&remote, reset::run),
        Command::Init(options) => init::run(&options),
        Command::Lint(options) => lint::run(&options),
        Command::Plan(remote) => ask(&remote, apply::plan),
        Command::Apply(remote) => ask(&remote, apply::run),
        Command::Get(remote) => ask(&remote, get::run),
        Command::Delete(remote) => ask(&remote, delete::run),
        Command::Schema(options) => schema::run(&options),
        Command::Cel(options) => cel::run(&options),
        Command::Doctor(remote) => {
            ask(&remote, |client, format, options| doctor::run(client, format, options, objects.is_some()))
        }
        Command::Health(options) => health::run(&options),
        Command::Retention(remote) => ask(&remote, retention::run),
        Command::Hold(remote) => ask(&remote, hold::run),
        Command::Holds(remote) => ask(&remote, hold::list),
        Command::Verify(remote) => ask(&remote, verify::run),
        Command::Export(remote) => ask(&remote, export::run),
        Command::Import(remote) => ask(&remote, import::run),
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
