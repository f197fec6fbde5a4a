//! `perigee ingest [FILE ...]`: files in pieces to the server, and what became of them.
//!
//! [`files`] says what the arguments mean, [`cut`] turns one input into batches that the server takes, [`send`]
//! sends a batch until it is taken, [`tally`] counts. Sending a file again is always safe: what was taken counts as
//! duplicate.

mod cut;
mod files;
mod progress;
mod send;
mod tally;

use std::{fs::File, io::Write, path::PathBuf};

use anyhow::Context;
use clap::Args;

use self::{
    cut::Cutter,
    files::Source,
    progress::Progress,
    send::Sender,
    tally::{FileTally, Tally},
};
use crate::{
    client::Client,
    exit::Done,
    output::{self, Format},
    print,
};

/// What to take.
#[derive(Debug, Args)]
pub struct Options {
    /// Files (`.json`, `.jsonl`, gzipped or not), folders, patterns such as `logs/*.json.gz`; `-`, or nothing, is
    /// standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the raw items that were rejected to this file
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let sources = files::expand(&options.files)?;
    let mut rejects = options.rejects.as_deref().map(create).transpose()?;
    let progress = Progress::new(sources.iter().filter_map(Source::size).sum());
    let mut sender = Sender::new(client);
    let mut tally = Tally::default();
    for source in &sources {
        let mut file = FileTally::new(source.name());
        let taken = take(source, &mut sender, &progress, rejects.as_mut(), &mut file);
        tally.add(file);
        if let Err(error) = taken {
            progress.finish();
            print::note(&tally.stopped());
            return Err(error);
        }
    }
    progress.finish();
    output::show(format, &tally.json(), |_| Ok(tally.text()))?;
    Ok(if tally.is_whole() { Done::All } else { Done::Partly })
}

fn create(path: &std::path::Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot write the rejected items to {}", path.display()))
}

/// Sends one source. A source that cannot be read ends there, and says so in its tally; an error is the server's.
fn take(
    source: &Source,
    sender: &mut Sender<'_>,
    progress: &Progress,
    mut rejects: Option<&mut File>,
    file: &mut FileTally,
) -> anyhow::Result<()> {
    let name = source.name();
    progress.start(&name);
    let batches = match source.open() {
        Ok(reader) => Cutter::new(progress.watch(reader)),
        Err(error) => {
            file.unreadable = Some(error.to_string());
            return Ok(());
        }
    };
    for batch in batches {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                file.unreadable = Some(error.to_string());
                break;
            }
        };
        let refused = file.add(sender.send(&name, &batch)?, &batch);
        progress.note(file);
        if let Some(rejects) = rejects.as_deref_mut() {
            write_rejects(rejects, &refused)?;
        }
    }
    Ok(())
}

/// One rejected item a line, as it came; JSON over several lines is joined to one.
fn write_rejects(rejects: &mut File, refused: &[Vec<u8>]) -> anyhow::Result<()> {
    let mut text = Vec::new();
    for raw in refused {
        text.extend(cut::one_line(raw));
        text.push(b'\n');
    }
    rejects.write_all(&text).context("cannot write the rejected items")
}
