//! What a script writes: read as it comes, kept in the catalog in pieces, bounded, without secrets.

use std::{convert::Infallible, sync::PoisonError, time::Duration};

use catalog::runs::{Kept, NewChunk, Written};
use connections::Redactor;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStderr, ChildStdout},
    time::{Instant, timeout_at},
};

use super::{Attempt, KEPT};
use crate::clean;

/// How much output of a step is kept; what is more is counted.
const MOST: i64 = 1 << 20;

/// How often what came is written to the catalog.
const EVERY: Duration = Duration::from_millis(500);

/// How much is read at once.
const READ: usize = 8192;

/// How much is written at once at most.
const PIECE: usize = 64 * 1024;

/// The output of one attempt.
#[derive(Debug)]
pub(super) struct Output<'a> {
    attempt: &'a Attempt<'a>,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    pending: Vec<NewChunk>,
    /// How many of them may have been written: nothing is put behind their text any more.
    offered: usize,
    kept: Kept,
    next_write: Instant,
}

/// One of the two streams.
#[derive(Debug)]
struct Stream<R> {
    name: &'static str,
    pipe: Option<R>,
    /// Bytes that end within a character.
    bytes: Vec<u8>,
    /// Text whose end may be the beginning of a secret.
    held: String,
    tail: Tail,
}

/// The last of a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    pub(super) text: String,
    /// True when there was more before it.
    pub(super) cut: bool,
}

impl<'a> Output<'a> {
    pub(super) fn new(attempt: &'a Attempt<'a>, pipes: Option<(ChildStdout, ChildStderr)>) -> Self {
        let (stdout, stderr) = pipes.unzip();
        Self {
            attempt,
            stdout: Stream::new("stdout", stdout),
            stderr: Stream::new("stderr", stderr),
            pending: Vec::new(),
            offered: 0,
            kept: *attempt.output.lock().unwrap_or_else(PoisonError::into_inner),
            next_write: Instant::now() + EVERY,
        }
    }

    /// Reads and writes until both streams end. May be dropped and called again.
    pub(super) async fn pump(&mut self) {
        let (mut out, mut err) = (vec![0; READ], vec![0; READ]);
        while self.stdout.pipe.is_some() || self.stderr.pipe.is_some() {
            let read = timeout_at(self.next_write, async {
                tokio::select! {
                    read = read(&mut self.stdout.pipe, &mut out) => (true, read),
                    read = read(&mut self.stderr.pipe, &mut err) => (false, read),
                }
            });
            let redactor = &self.attempt.context.redactor;
            let piece = match read.await {
                Ok((true, count)) => self.stdout.take(out.get(..count).unwrap_or_default(), redactor),
                Ok((false, count)) => self.stderr.take(err.get(..count).unwrap_or_default(), redactor),
                Err(_) => {
                    self.write().await;
                    continue;
                }
            };
            if let Some((stream, text)) = piece {
                self.keep(stream, &text);
            }
            if self.pending.iter().map(|chunk| chunk.text.len()).sum::<usize>() >= PIECE {
                self.write().await;
            }
        }
    }

    /// Reads and writes for as long as it is let.
    pub(super) async fn pump_forever(&mut self) -> Infallible {
        self.pump().await;
        std::future::pending().await
    }

    /// Writes what is left.
    pub(super) async fn close(&mut self) {
        let redactor = &self.attempt.context.redactor;
        let rest = [self.stdout.finish(redactor), self.stderr.finish(redactor)];
        for (stream, text) in rest.into_iter().flatten() {
            self.keep(stream, &text);
        }
        // Three times: the output matters less than what became of the step, which is written after it.
        for _ in 0..3 {
            self.write().await;
            if self.pending.is_empty() {
                return;
            }
        }
    }

    pub(super) fn stdout(&self) -> Tail {
        self.stdout.tail.clone()
    }

    pub(super) fn stderr(&self) -> Tail {
        self.stderr.tail.clone()
    }

    /// How many bytes are not kept.
    pub(super) fn dropped(&self) -> i64 {
        self.kept.dropped
    }

    /// A value without secrets.
    pub(super) fn clean(&self, value: Value) -> Value {
        clean::value(&self.attempt.context.redactor, value)
    }

    /// Takes a piece into what is to be written, as far as there is room.
    fn keep(&mut self, stream: &'static str, text: &str) {
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        let room = usize::try_from(MOST - self.kept.bytes).unwrap_or_default();
        let (kept, _) = clean::head(text, room);
        self.kept.bytes += length(kept);
        self.kept.dropped += length(text) - length(kept);
        if !kept.is_empty() {
            self.append(stream, kept);
        }
        *self.attempt.output.lock().unwrap_or_else(PoisonError::into_inner) = self.kept;
    }

    fn append(&mut self, stream: &'static str, text: &str) {
        let open = self.pending.len() > self.offered;
        match self.pending.last_mut() {
            Some(last) if open && last.stream == stream && last.text.len() + text.len() <= PIECE => {
                last.text.push_str(text);
            }
            Some(_) | None => {
                self.kept.chunks += 1;
                let at = self.attempt.playbooks.clock.now();
                self.pending.push(NewChunk { seq: self.kept.chunks, stream, at, text: text.to_owned() });
            }
        }
    }

    async fn write(&mut self) {
        self.next_write = Instant::now() + EVERY;
        if self.pending.is_empty() && self.kept.dropped == 0 {
            return;
        }
        self.offered = self.pending.len();
        let Attempt { playbooks, lease, step, attempt, .. } = self.attempt;
        let written =
            playbooks.catalog.add_output(lease, &step.name, *attempt, &self.pending, self.kept).await;
        match written {
            // Whoever lost the lease is about to be dropped, and its output with it.
            Ok(Written::Yes | Written::LeaseLost) => {
                self.pending.clear();
                self.offered = 0;
            }
            Err(error) => tracing::debug!(
                run.id = %lease.run,
                "The output of step {} is kept back for now: {}", step.name, clean::chain(&error)
            ),
        }
    }
}

/// Reads some bytes; 0 at the end, which also closes the pipe. Never, where it is closed.
async fn read<R: AsyncRead + Unpin>(pipe: &mut Option<R>, into: &mut [u8]) -> usize {
    let Some(open) = pipe else { return std::future::pending().await };
    // A pipe that cannot be read is at its end.
    let count = open.read(into).await.unwrap_or(0);
    if count == 0 {
        *pipe = None;
    }
    count
}

impl<R> Stream<R> {
    fn new(name: &'static str, pipe: Option<R>) -> Self {
        Self { name, pipe, bytes: Vec::new(), held: String::new(), tail: Tail::default() }
    }

    /// Takes bytes as they came; gives the text that is certain to hold no secret, and no part of one.
    fn take(&mut self, bytes: &[u8], redactor: &Redactor) -> Option<(&'static str, String)> {
        self.bytes.extend_from_slice(bytes);
        let whole = whole_characters(&self.bytes);
        let taken: Vec<u8> = self.bytes.drain(..whole).collect();
        self.held.push_str(&String::from_utf8_lossy(&taken));
        let settled = redactor.settled(&self.held);
        let text: String = self.held.drain(..settled).collect();
        self.give(&text, redactor)
    }

    fn finish(&mut self, redactor: &Redactor) -> Option<(&'static str, String)> {
        let bytes = std::mem::take(&mut self.bytes);
        self.held.push_str(&String::from_utf8_lossy(&bytes));
        let text = std::mem::take(&mut self.held);
        self.give(&text, redactor)
    }

    fn give(&mut self, text: &str, redactor: &Redactor) -> Option<(&'static str, String)> {
        if text.is_empty() {
            return None;
        }
        let text = clean::text(redactor, text);
        self.tail.add(&text);
        Some((self.name, text))
    }
}

impl Tail {
    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        if self.text.len() > KEPT {
            let (last, _) = clean::tail(&self.text, KEPT);
            self.text = last.to_owned();
            self.cut = true;
        }
    }
}

/// How many bytes are whole characters, or can never become one.
fn whole_characters(bytes: &[u8]) -> usize {
    let mut checked = 0;
    loop {
        match std::str::from_utf8(bytes.get(checked..).unwrap_or_default()) {
            Ok(_) => return bytes.len(),
            Err(error) => match error.error_len() {
                Some(wrong) => checked += error.valid_up_to() + wrong,
                None => return checked + error.valid_up_to(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
