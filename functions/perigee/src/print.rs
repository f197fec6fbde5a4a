//! The only place that writes to the terminal.

use std::io::{self, ErrorKind, Write};

/// Writes `text` and a line end to standard output.
///
/// # Errors
/// When standard output cannot be written, a full disk say. A reader that went away, as `head` does, is no error:
/// the program ends there, well.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes `bytes` to standard output, as [`line`].
pub(crate) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to standard output")),
        Ok(()) => Ok(()),
    }
}

/// Writes a line for people to standard error. When even that is closed there is nobody left to tell.
pub(crate) fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}
