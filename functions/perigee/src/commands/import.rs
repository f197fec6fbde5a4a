//! `perigee import FILE`

use std::{io::Read, path::PathBuf};

use anyhow::{Context, bail};
use catalog::transfer::Imported;
use clap::Args;
use ports::{Clock, SystemClock};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    export::{last_line, open, reader, refuse_other_compression},
    read,
};
use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// Wherefrom, and whereto.
#[derive(Debug, Args)]
pub struct Options {
    /// What `perigee export` wrote; one that ends in .gz is compressed, and `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write to this database itself, without a server
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    refuse_other_compression(&options.file)?;
    let from = reader(&options.file)?;
    let imported = match &options.database_url {
        Some(url) => serde_json::to_value(directly(url, from)?)?,
        None => {
            let told = last_line(client.stream_post("/import", from).map_err(explain)?)?;
            if let Some(reason) = told.pointer("/failed/reason").and_then(Value::as_str) {
                bail!("nothing was imported: {reason}");
            }
            told.get("imported").cloned().context("the server went away before it was done")?
        }
    };
    output::show(format, &imported, |imported| {
        let imported: Imported = read(imported)?;
        let tables = imported.tables.values().filter(|rows| **rows > 0).count();
        Ok(format!(
            "Imported {} rows of {tables} tables. `perigee digest` is that of the other catalog.",
            imported.rows
        ))
    })?;
    Ok(Done::All)
}

fn directly(url: &str, mut from: Box<dyn Read + Send>) -> anyhow::Result<Imported> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let (to, pieces) = mpsc::channel(8);
    let reading = std::thread::spawn(move || -> std::io::Result<()> {
        loop {
            let mut piece = vec![0; 64 * 1024];
            let read = from.read(&mut piece)?;
            piece.truncate(read);
            if read == 0 || to.blocking_send(piece).is_err() {
                return Ok(());
            }
        }
    });
    let imported =
        runtime.block_on(async { anyhow::Ok(open(url).await?.import(pieces, SystemClock.now()).await?) });
    if let Ok(read) = reading.join() {
        read.context("cannot read the export")?;
    }
    imported.context("nothing was imported")
}
