//! `perigee export FILE`

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use catalog::{Catalog, ConnectOptions};
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use ports::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    client::{Client, explain},
    exit::{Done, Usage},
    output::{self, Format},
};

/// Whereto, and from where.
#[derive(Debug, Args)]
pub struct Options {
    /// The file; one that ends in .gz is compressed, and `-` is standard output
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Read this database itself, without a server
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    refuse_other_compression(&options.file)?;
    let to_terminal = options.file == Path::new("-");
    // A file of that name is replaced only by a whole one.
    let partial = options.file.with_added_extension("partial");
    let written = if to_terminal {
        write(client, options, &mut io::stdout().lock())
    } else {
        let file = File::create(&partial).with_context(|| format!("cannot write {}", partial.display()))?;
        let written = if is_gzip(&options.file) {
            let mut out = GzEncoder::new(BufWriter::new(file), Compression::fast());
            write(client, options, &mut out).and_then(|written| {
                out.finish()?.flush()?;
                Ok(written)
            })
        } else {
            let mut out = BufWriter::new(file);
            write(client, options, &mut out).and_then(|written| {
                out.flush()?;
                Ok(written)
            })
        };
        written.inspect_err(|_| drop(std::fs::remove_file(&partial)))
    };
    let lines = written?;
    if to_terminal {
        return Ok(Done::All);
    }
    std::fs::rename(&partial, &options.file)
        .with_context(|| format!("cannot write {}", options.file.display()))?;
    let done = json!({"file": options.file, "lines": lines});
    output::show(format, &done, |_| {
        Ok(format!(
            "Exported {lines} lines to {}. Signals that wait to be told are not among them.",
            options.file.display()
        ))
    })?;
    Ok(Done::All)
}

/// Writes an export and says how many lines it has.
fn write(client: &Client, options: &Options, out: &mut dyn Write) -> anyhow::Result<u64> {
    let mut seen = Seen::default();
    match &options.database_url {
        Some(url) => directly(url, &mut seen, out)?,
        None => {
            let mut from = client.stream("/export").map_err(explain)?;
            let mut piece = vec![0; 64 * 1024];
            loop {
                let read = from.read(&mut piece).context("the server went away before it was done")?;
                if read == 0 {
                    break;
                }
                seen.write(piece.get(..read).unwrap_or_default(), out)?;
            }
        }
    }
    if !seen.last.starts_with(b"{\"perigee\":\"end\"") {
        bail!("the export was cut; the log of the server says why");
    }
    Ok(seen.lines)
}

/// What was written: how many lines, and the last of them.
#[derive(Default)]
struct Seen {
    lines: u64,
    last: Vec<u8>,
    ended: bool,
}

impl Seen {
    fn write(&mut self, piece: &[u8], out: &mut dyn Write) -> anyhow::Result<()> {
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            if std::mem::take(&mut self.ended) {
                self.last.clear();
            }
            // The beginning tells what a line is.
            let room = 64_usize.saturating_sub(self.last.len());
            self.last.extend(line.iter().take(room));
            if line.ends_with(b"\n") {
                self.lines += 1;
                self.ended = true;
            }
        }
        out.write_all(piece).context("cannot write the export")
    }
}

fn directly(url: &str, seen: &mut Seen, out: &mut dyn Write) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let catalog = open(url).await?;
        let (to, mut from) = mpsc::channel(8);
        let exporting = tokio::spawn(async move { catalog.export(SystemClock.now(), to).await });
        while let Some(piece) = from.recv().await {
            seen.write(&piece, out)?;
        }
        exporting.await??;
        Ok(())
    })
}

/// A catalog that is reached without a server.
pub(super) async fn open(url: &str) -> anyhow::Result<Catalog> {
    let catalog =
        Catalog::connect(&ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false })?;
    catalog.check().await?;
    Ok(catalog)
}

pub(super) fn is_gzip(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "gz")
}

pub(super) fn refuse_other_compression(file: &Path) -> Result<(), Usage> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some(other @ ("zst" | "xz" | "bz2" | "zip")) => {
            Err(Usage(format!("perigee reads and writes .gz, not .{other}; use `-` and a program for that")))
        }
        Some(_) | None => Ok(()),
    }
}

/// What an answer of many lines says last.
pub(super) fn last_line(from: impl BufRead) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    for line in from.lines() {
        last = serde_json::from_str(&line.context("the server went away before it was done")?)?;
    }
    Ok(last)
}

/// Opens an export to be read.
pub(super) fn reader(file: &Path) -> anyhow::Result<Box<dyn Read + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(if is_gzip(file) {
        Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(opened)))
    } else {
        Box::new(opened)
    })
}
