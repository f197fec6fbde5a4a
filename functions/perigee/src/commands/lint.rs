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
        lines.push(summary(good, files, errors, warnings));
        Ok(lines.join("\n"))
    })?;
    Ok(if errors > 0 { Done::Failed } else { Done::All })
}

fn summary(good: usize, files: usize, errors: usize, warnings: usize) -> String {
    let [manifests, files, errors, warnings] =
        [(good, "manifest"), (files, "file"), (errors, "error"), (warnings, "warning")]
            .map(|(number, one)| output::count(number, one));
    let are = if good == 1 { "is" } else { "are" };
    format!("{manifests} in {files} {are} right; {errors}, {warnings}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_spoken_of_as_one() {
        assert_eq!(summary(1, 1, 1, 1), "1 manifest in 1 file is right; 1 error, 1 warning");
        assert_eq!(summary(4, 1, 0, 2), "4 manifests in 1 file are right; 0 errors, 2 warnings");
        assert_eq!(summary(0, 2, 1, 0), "0 manifests in 2 files are right; 1 error, 0 warnings");
    }
}
