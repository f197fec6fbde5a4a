//! What it is measured on.

use catalog::bench::ServerFacts;
use serde::Serialize;

use crate::output;

/// A line of what the machine is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The machine, and the server that runs on it.
pub(super) fn facts(server: &ServerFacts) -> Vec<Fact> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut facts = vec![
        Fact { name: "cores", value: cores.to_string() },
        Fact { name: "memory", value: format!("{:.1} GiB", memory_mib() as f64 / 1024.0) },
        Fact { name: "processor", value: processor() },
        Fact { name: "build", value: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned() },
        Fact { name: "Postgres", value: server.version.clone() },
    ];
    facts.extend(server.settings.iter().map(|(name, value)| Fact { name, value: value.clone() }));
    facts
}

/// The machine's memory, in MiB; 0 where it does not say.
pub(super) fn memory_mib() -> u64 {
    first("/proc/meminfo", "MemTotal:")
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kib| kib / 1024)
}

/// Resident memory of a process, in MiB.
pub(super) fn resident_mib(pid: i32) -> Option<f64> {
    Some(kib_of(&format!("/proc/{pid}/status"), "VmRSS:")? / 1024.0)
}

/// What a process and those that it began have each to themselves, in MiB: what a server's sessions share is of a fixed
/// size, and would be counted by each of them.
pub(super) fn private_mib(pid: i32) -> Option<f64> {
    let mut kib = kib_of(&format!("/proc/{pid}/status"), "RssAnon:")?;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace() {
        kib += kib_of(&format!("/proc/{child}/status"), "RssAnon:").unwrap_or_default();
    }
    Some(kib / 1024.0)
}

fn kib_of(file: &str, name: &str) -> Option<f64> {
    first(file, name)?.split_whitespace().next()?.parse().ok()
}

fn processor() -> String {
    first("/proc/cpuinfo", "model name").map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |text| text.trim_start_matches([' ', ':', '\t']).to_owned(),
    )
}

/// What follows a name in a file of lines.
fn first(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim().to_owned())
}

/// The machine for people.
pub(super) fn table(facts: &[Fact]) -> String {
    output::table(["MACHINE", ""], facts.iter().map(|fact| [fact.name.to_owned(), fact.value.clone()]))
}
