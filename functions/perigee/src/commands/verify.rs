//! `perigee verify`

use std::io::BufRead;

use anyhow::Context;
use catalog::{
    Catalog, ConnectOptions,
    verify::{Checked, Fault, Told},
};
use clap::Args;
use ports::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{read, word};
use crate::{
    client::{Client, explain},
    exit::Done,
    output::{self, Format},
};

/// What of it, and where.
#[derive(Debug, Args)]
pub struct Options {
    /// Mend what follows from something else: what is shown, tags, counts, edges to nowhere
    #[arg(long)]
    pub repair: bool,
    /// Look through this database itself, without a server
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// What was told.
#[derive(Debug, Default)]
struct Report {
    faults: Vec<Fault>,
    checks: Vec<Checked>,
    ended: Option<(i64, i64)>,
    failed: Option<String>,
}

impl Report {
    fn hear(&mut self, told: Told) {
        match told {
            Told::Progress { .. } => {}
            Told::Fault(fault) => self.faults.push(fault),
            Told::Checked(checked) => self.checks.push(checked),
            Told::Done { faults, repaired } => self.ended = Some((faults, repaired)),
            Told::Failed { reason } => self.failed = Some(reason),
        }
    }
}

pub(crate) fn run(client: &Client, format: Format, options: &Options) -> anyhow::Result<Done> {
    let mut report = Report::default();
    match &options.database_url {
        Some(url) => directly(url, options.repair, &mut report)?,
        None => {
            let path = if options.repair { "/verify/repair" } else { "/verify" };
            let lines = if options.repair {
                client.stream_post(path, std::io::empty()).map_err(explain)?
            } else {
                client.stream(path).map_err(explain)?
            };
            for line in lines.lines() {
                let line = line.context("the server went away before it was done")?;
                report.hear(read(&serde_json::from_str(&line)?)?);
            }
        }
    }
    if let Some(reason) = report.failed {
        anyhow::bail!("the catalog could not be looked through: {reason}");
    }
    let (faults, repaired) = report.ended.context("the server went away before it was done")?;
    let answer = json!({
        "faults": faults, "repaired": repaired, "items": report.faults, "checks": report.checks,
    });
    output::show(format, &answer, table)?;
    Ok(if faults == 0 { Done::All } else { Done::Failed })
}

fn directly(url: &str, repair: bool, report: &mut Report) -> anyhow::Result<()> {
    let options = ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let catalog = Catalog::connect(&options)?;
        catalog.check().await?;
        let (to, mut from) = mpsc::channel(100);
        let verifying = tokio::spawn(async move { catalog.verify(repair, SystemClock.now(), to).await });
        while let Some(told) = from.recv().await {
            report.hear(told);
        }
        verifying.await??;
        Ok(())
    })
}

fn table(answer: &Value) -> anyhow::Result<String> {
    let part = |name: &str| answer.get(name).cloned().unwrap_or_default();
    let checks: Vec<Checked> = read(&part("checks"))?;
    let faults: Vec<Fault> = read(&part("items"))?;
    let rows = checks.into_iter().map(|checked| {
        let [rows, faults, repaired] =
            [checked.rows, checked.faults, checked.repaired].map(|n| n.to_string());
        [checked.check, rows, faults, repaired, checked.what]
    });
    let mut text = output::prose(["CHECK", "ROWS", "FAULTS", "MENDED", "WHAT"], rows);
    if !faults.is_empty() {
        let rows =
            faults.into_iter().map(|fault| [fault.check, word(&fault.severity), fault.id, fault.detail]);
        text = format!("{text}\n\n{}", output::prose(["FAULT", "HOW BAD", "OF", "WHAT"], rows));
    }
    let number = |name: &str| part(name).as_i64().unwrap_or_default();
    let end = match (number("faults"), number("repaired")) {
        (0, _) => "The catalog agrees with itself.".to_owned(),
        (faults, 0) => format!("{faults} faults; --repair mends what follows from something else."),
        (faults, repaired) => format!("{faults} faults; {repaired} rows were mended. Verify again."),
    };
    Ok(format!("{text}\n{end}"))
}
