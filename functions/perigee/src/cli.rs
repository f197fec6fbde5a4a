//! The command line: what can be typed, and nothing of what it does.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    client::Connection,
    commands::since,
    commands::{
        apply, bench, cancel, cel, changes, checks, completions, delete, deliveries, diff, digest, doctor,
        export, findings, get, graph, health, history, hold, import, ingest, init, lint, migrate, proxy,
        query, rejected, reset, retention, run, runs, schema, scrape, show, sources, up, verify,
    },
    output::Format,
};

/// Mission control for AWS accounts and Kubernetes clusters.
///
/// Without a command, `up` runs: the whole of Perigee in one process, on a database of its own.
#[derive(Debug, Parser)]
#[command(name = "perigee", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(after_help = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The options of `up`, which a bare `perigee` runs.
    #[command(flatten)]
    pub up: up::Options,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the catalog, its API and its pages from this process (the default)
    Up(up::Options),
    /// Feed AWS events and items: files, folders, or standard input
    Ingest(Remote<ingest::Options>),
    /// List the resources that a selector describes
    Query(Remote<query::Options>),
    /// List what happened, newest first
    Changes(Remote<changes::Options>),
    /// List what scanners and rules claim
    Findings(Remote<findings::Options>),
    /// Show one resource: document, names, sources
    Show(Remote<show::Options>),
    /// List the versions of a resource, latest first
    History(Remote<history::Options>),
    /// Show what differs of a resource, or of an account, between two instants
    Diff(Remote<diff::Options>),
    /// Show what is around a resource
    Graph(Remote<graph::Options>),
    /// Run a playbook, and wait for its end
    Run(Remote<run::Options>),
    /// List runs of playbooks, newest first, or show one with its steps
    Runs(Remote<runs::Options>),
    /// Ask for the end of a run
    Cancel(Remote<cancel::Options>),
    /// List what was to be told to whom, and what became of it
    Deliveries(Remote<deliveries::Options>),
    /// List checks and how they stand, or show one with how its runs went
    Checks(Remote<checks::Options>),
    /// Print the hash of the catalog's meaning
    Digest(Remote<digest::Options>),
    /// Show which sources were heard of, where, and how lately
    Sources(Remote<sources::Options>),
    /// List what scrapers list, now, and show how far that came
    Scrape(Remote<scrape::Options>),
    /// List input that was kept aside, with its reason
    Rejected(Remote<rejected::Options>),
    /// Write a small folder of manifests to begin with
    Init(init::Options),
    /// Check manifests: every field, expression, selector and reference in them
    Lint(lint::Options),
    /// Show what applying manifests would change (exit status 3 when something would)
    Plan(Remote<apply::Options>),
    /// Apply manifests: files, folders, or standard input
    Apply(Remote<apply::Options>),
    /// List manifests, or show one as it could be applied
    Get(Remote<get::Options>),
    /// Delete manifests; what they were stays among their generations
    Delete(Remote<delete::Options>),
    /// Print the JSON Schema of a kind of manifest, for editors
    Schema(schema::Options),
    /// Evaluate CEL expressions, one JSON object a line
    Cel(cel::Options),
    /// Say what is configured, reachable and permitted, and what to do about what is not
    Doctor(Remote<doctor::Options>),
    /// Say how well documents are, by the built-in rules and your own, without a server
    Health(health::Options),
    /// Bring a database to this build's schema
    Migrate(migrate::Options),
    /// Remove everything that was recorded
    Reset(Remote<reset::Options>),
    /// Remove what is past its age, or say what would go
    Retention(Remote<retention::Options>),
    /// Keep the history of some resources, whatever their age, or release it
    Hold(Remote<hold::Options>),
    /// List what retention may not remove, and why
    Holds(Remote<hold::ListOptions>),
    /// Ask whether the catalog agrees with itself, and mend what can be mended
    Verify(Remote<verify::Options>),
    /// Write the whole catalog to a file
    Export(Remote<export::Options>),
    /// Take a whole catalog from a file, into an empty one
    Import(Remote<import::Options>),
    /// Measure what this machine can do, on a database of its own
    Bench(bench::Options),
    /// Hand a browser's requests on to the deployed API, signed with your AWS credentials
    Proxy(proxy::Options),
    /// Print a completion script for a shell
    Completions(completions::Options),
}

/// A command that speaks to a running server and prints data.
#[derive(Debug, Args)]
pub struct Remote<O: Args> {
    /// The command's own.
    #[command(flatten)]
    pub options: O,
    /// Where the server is.
    #[command(flatten)]
    pub connection: Connection,
    /// How data is printed
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

/// As of which moment.
#[derive(Debug, Clone, Default, Args)]
pub struct Moment {
    /// As it was then: 2026-03-03T02:13:00Z, 2026-03-03, or, before now, 90m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// As it was known then, instead of now
    #[arg(long, value_name = "TIME")]
    pub recorded_at: Option<String>,
}

impl Moment {
    /// The API's parameters.
    pub(crate) fn query(&self) -> impl Iterator<Item = (&'static str, String)> {
        given([("at", &self.at), ("recorded_at", &self.recorded_at)])
    }
}

/// The parameters that were given, points in time among them as the API takes them.
pub(crate) fn given<const N: usize>(
    parameters: [(&'static str, &Option<String>); N],
) -> impl Iterator<Item = (&'static str, String)> {
    let given = |(name, text): (&'static str, &Option<String>)| Some((name, since(text.as_deref()?)));
    parameters.map(given).into_iter().flatten()
}

/// How much of a list.
#[derive(Debug, Clone, Copy, Args)]
pub struct Amount {
    /// How many at most
    #[arg(long, default_value_t = 100, value_name = "N", conflicts_with = "all")]
    pub limit: usize,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

impl Amount {
    /// The bound as a number.
    #[must_use]
    pub fn most(self) -> usize {
        if self.all { usize::MAX } else { self.limit }
    }
}

/// Which way a graph is walked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// To what it points at
    Out,
    /// To what points at it
    In,
    /// Both ways
    #[default]
    Both,
}

impl Direction {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Both => "both",
        }
    }
}
