//! One input, cut into batches that the server takes.
//!
//! Lines are cut at line ends and never held all at once. What is not one document a line (a log file, an array, a
//! document over many lines) and too large for one request is split here, and goes on as one item a line.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
};

use events::Piece;
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use serde::de::IgnoredAny;

/// How large a batch of lines grows: many items share a transaction, and a lost answer costs little.
const BATCH_BYTES: usize = 1024 * 1024;
/// The largest body that the server takes.
const BODY_BYTES: usize = 4 * 1024 * 1024;
/// The largest document over many lines; it has to be held whole.
const WHOLE_BYTES: u64 = 1024 * 1024 * 1024;
/// The most blank lines that stand for lines before: the server reads compressed bodies up to 256 MB of text.
const BLANK_LINES: usize = 200 * 1024 * 1024;
/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How a gzip file ends, in bytes: a checksum and the length (RFC 1952).
const GZIP_END: usize = 8;

/// One request's worth of an input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Batch {
    /// What is sent. Blank lines stand at its beginning for what came before it in the input, so that the server's
    /// places are places in the input.
    pub(crate) body: Vec<u8>,
    /// Whether the body is compressed.
    pub(crate) compressed: bool,
    /// Where its items came from.
    pub(crate) origin: Origin,
}

/// Where the items of a batch came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Origin {
    /// The body is as in the input.
    Lines,
    /// The body holds these, one a line.
    Pieces(Vec<Piece>),
    /// The body stands for this item alone: all that is said of it is said of the item.
    Alone(Box<Piece>),
    /// The body stands for the end of compressed data that breaks there, and is refused as the data itself would be.
    /// What is left of the line at the break.
    Broken(Vec<u8>),
}

impl Batch {
    /// A batch before which the input has so many lines. They cost little: many of them are compressed.
    fn new(lines_before: u64, text: &[u8], origin: Origin) -> Self {
        let blank = usize::try_from(lines_before).unwrap_or(usize::MAX).min(BLANK_LINES);
        let mut body = vec![b'\n'; blank];
        body.extend(text);
        if body.len() <= BODY_BYTES {
            return Self { body, compressed: false, origin };
        }
        Self { body: compress(&body), compressed: true, origin }
    }
}

/// The batches of one input.
pub(crate) struct Cutter {
    reader: Box<dyn BufRead>,
    compressed: bool,
    /// How many bytes of text were read.
    read: u64,
    /// Whether a line with something on it was read.
    begun: bool,
    /// Lines that are not yet a batch, where they begin, and how many they are.
    lines: Vec<u8>,
    first: u64,
    count: u64,
    ready: VecDeque<Batch>,
    failed: Option<io::Error>,
    ended: bool,
}

impl Iterator for Cutter {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            if self.ended {
                return self.failed.take().map(Err);
            }
            self.advance();
        }
    }
}

impl Cutter {
    /// Looks at the input's first bytes to see whether it is compressed: a name's ending may lie.
    pub(crate) fn new(input: impl Read + 'static) -> Self {
        let mut raw = BufReader::with_capacity(256 * 1024, input);
        let compressed = raw.fill_buf().is_ok_and(|start| start.starts_with(&GZIP));
        let reader: Box<dyn BufRead> = if compressed {
            Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(raw)))
        } else {
            Box::new(raw)
        };
        let (lines, ready) = (Vec::new(), VecDeque::new());
        Self {
            reader,
            compressed,
            read: 0,
            begun: false,
            lines,
            first: 1,
            count: 0,
            ready,
            failed: None,
            ended: false,
        }
    }

    fn advance(&mut self) {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line);
        self.read += line.len() as u64;
        match read {
            Ok(0) => {
                self.flush();
                self.ended = true;
            }
            Ok(_) => self.line(line),
            Err(error) => self.broken(error, line),
        }
    }

    fn line(&mut self, line: Vec<u8>) {
        if !self.begun && !is_blank(&line) {
            self.begun = true;
            if begins_a_document(&line) {
                return self.document(line);
            }
        }
        if self.lines.len() + line.len() > BATCH_BYTES {
            self.flush();
        }
        if line.len() > BODY_BYTES {
            let number = self.first;
            self.pieces(
                events::split(&line)
                    .into_iter()
                    .map(|piece| Piece { place: shift(&piece.place, number), ..piece }),
            );
            self.first += 1;
        } else {
            self.lines.extend(line);
            self.count += 1;
        }
    }

    /// Makes a batch of the lines that are waiting.
    fn flush(&mut self) {
        let body = std::mem::take(&mut self.lines);
        if !is_blank(&body) {
            self.ready.push_back(Batch::new(self.first - 1, &body, Origin::Lines));
        }
        self.first += std::mem::take(&mut self.count);
    }

    /// Takes the rest of the input as a document that begins with `start`.
    fn document(&mut self, start: Vec<u8>) {
        let mut whole = std::mem::take(&mut self.lines);
        whole.extend(start);
        let before = whole.len();
        let read = self.reader.by_ref().take(WHOLE_BYTES).read_to_end(&mut whole);
        self.read += (whole.len() - before) as u64;
        self.ended = true;
        if let Err(error) = read {
            return self.broken(error, whole);
        }
        if whole.len() as u64 >= WHOLE_BYTES {
            self.failed = Some(io::Error::other(
                "it is one document of more than 1 GB; cut it, or write one item a line",
            ));
        } else if whole.len() <= BODY_BYTES {
            self.ready.push_back(Batch::new(0, &whole, Origin::Lines));
        } else {
            self.pieces(events::split(&whole));
        }
    }

    /// Makes batches of items that were split here.
    fn pieces(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        let (mut body, mut held, mut before) = (Vec::new(), Vec::new(), 0);
        for piece in pieces {
            let line = piece.payload.as_ref().map(|value| value.to_string().into_bytes()).unwrap_or_default();
            if line.is_empty() || line.len() >= BODY_BYTES {
                let body = compress(&piece.raw);
                self.ready.push_back(Batch {
                    body,
                    compressed: true,
                    origin: Origin::Alone(Box::new(piece)),
                });
                continue;
            }
            if body.len() + line.len() > BATCH_BYTES && !held.is_empty() {
                let held = std::mem::take(&mut held);
                let count = held.len() as u64;
                self.ready.push_back(Batch::new(before, &std::mem::take(&mut body), Origin::Pieces(held)));
                before += count;
            }
            body.extend(line);
            body.push(b'\n');
            held.push(piece);
        }
        if !held.is_empty() {
            self.ready.push_back(Batch::new(before, &body, Origin::Pieces(held)));
        }
    }

    /// Ends where the input could not be read further. Compressed data that is cut or damaged is an item that the
    /// server keeps aside with the others; anything else is the reader's failure.
    fn broken(&mut self, error: io::Error, partial: Vec<u8>) {
        self.flush();
        self.ended = true;
        let damaged = matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
        );
        if !(self.compressed && damaged) {
            self.failed = Some(error);
            return;
        }
        let body = broken_gzip(self.read, error.kind() == ErrorKind::UnexpectedEof);
        self.ready.push_back(Batch { body, compressed: true, origin: Origin::Broken(partial) });
    }
}

/// Compressed blanks that break after `length` bytes of text. Sent in place of data that does, they let the server say
/// and keep what it would of the data itself; all lines of that were sent already.
fn broken_gzip(length: u64, cut: bool) -> Vec<u8> {
    let blank = usize::try_from(length).unwrap_or(usize::MAX).min(BLANK_LINES);
    let mut body = compress(&vec![b'\n'; blank]);
    let end = body.len().saturating_sub(GZIP_END);
    if cut {
        body.truncate(end);
    } else if let Some(checksum) = body.get_mut(end) {
        *checksum ^= 0xff;
    }
    body
}

/// Whether a line is JSON that goes on in the next line.
fn begins_a_document(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail; were it to, the server would find the data cut and say so.
    drop(encoder.write_all(bytes));
    encoder.finish().unwrap_or_default()
}

/// A place within a line, as a place in the input.
fn shift(place: &str, line: u64) -> String {
    let within = place.strip_prefix("line 1").map_or(place, |rest| rest.trim_start_matches(", "));
    if within.is_empty() { format!("line {line}") } else { format!("line {line}, {within}") }
}

/// A raw item on one line: outside of texts, JSON means the same without its line ends.
pub(crate) fn one_line(raw: &[u8]) -> Vec<u8> {
    let raw = raw.trim_ascii();
    raw.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect()
}

#[cfg(test)]
mod tests;
