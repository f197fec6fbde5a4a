//! `perigee lint FILE|FOLDER...`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::manifests;
use crate::{
    exit::Done,
    output::{self, Format},
};

/// What is checked.
#[derive(Debug, Args)]
pub struct Options {
    /// Files, folders, or `-` for standard input
    #[arg(value_name = "FILE", default_value = ".")]
    pub files: Vec<PathBuf>,
    /// How faults are printed
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Done> {
    let found = manifests::read(&options.files)?;
    let errors = found.errors();
    let value = json!({"items": found.faults});
    let (good, files) = (found.manifests.len(), found.files);
    output::show(options.output, &value, |_| {
        let mut lines: Vec<String> =
            found.faults.iter().map(|fault| output::clean(&fault.to_string())).collect();
        let warnings = found.faults.len() - errors;
        lines.push(format!(
            "{good} manifests in {files} files are right; {errors} errors, {warnings} warnings"
        ));
        Ok(lines.join("\n"))
    })?;
    Ok(if errors > 0 { Done::Failed } else { Done::All })
}
