//! A bar on the terminal while it takes long.

use std::io::{IsTerminal, Read, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::tally::FileTally;

/// A bar over all inputs; nothing where there is no terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar over so many bytes; zero means that nobody knows how many.
    pub(crate) fn new(bytes: u64) -> Self {
        let target =
            if stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target((bytes > 0).then_some(bytes), target);
        let template = if bytes > 0 {
            "{bar:30} {bytes}/{total_bytes} {eta} {prefix} {msg}"
        } else {
            "{spinner} {bytes} {prefix} {msg}"
        };
        // The template is ours; should it be wrong, the plain bar does.
        Self(bar.with_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        ))
    }

    /// The next input begins.
    pub(crate) fn start(&self, name: &str) {
        self.0.set_prefix(name.to_owned());
        self.0.set_message("");
    }

    /// Counts what is read.
    pub(crate) fn watch(&self, reader: Box<dyn Read>) -> impl Read + 'static {
        self.0.wrap_read(reader)
    }

    /// Shows how far the input is.
    pub(crate) fn note(&self, file: &FileTally) {
        self.0.set_message(format!("items {}, rejected {}", file.report.total, file.report.rejected));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
