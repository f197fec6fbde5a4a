//! gzip, undone within bounds.

use std::{borrow::Cow, io::Read};

use flate2::read::MultiGzDecoder;

use crate::{Reason, Rejection};

/// How much a compressed input may grow to, in bytes.
const MAX_INFLATED: u64 = 256 << 20;

/// How often compression is undone: a log file that was compressed again on its way.
const MAX_LAYERS: usize = 2;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An input without its compression.
#[derive(Debug)]
pub(super) struct Inflated<'a> {
    /// What could be read.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Why that is not all.
    pub(super) broken: Option<Rejection>,
    /// Where it broke, for people.
    pub(super) place: String,
}

pub(super) fn inflate(bytes: &[u8]) -> Inflated<'_> {
    inflate_within(bytes, MAX_INFLATED)
}

pub(super) fn inflate_within(bytes: &[u8], limit: u64) -> Inflated<'_> {
    let mut inflated = Inflated { bytes: Cow::Borrowed(bytes), broken: None, place: String::new() };
    for _ in 0..MAX_LAYERS {
        if !inflated.bytes.starts_with(&MAGIC) || inflated.broken.is_some() {
            break;
        }
        let mut plain = Vec::new();
        let outcome = MultiGzDecoder::new(&*inflated.bytes).take(limit + 1).read_to_end(&mut plain);
        inflated.broken = match outcome {
            Err(error) => Some(cut(plain.len(), &error)),
            Ok(_) if plain.len() as u64 > limit => Some(Rejection::new(
                Reason::TooLarge,
                format!("The compressed input grows beyond {limit} bytes; only what comes before was read"),
            )),
            Ok(_) => None,
        };
        inflated.place = format!("byte {} of the inflated input", plain.len());
        inflated.bytes = Cow::Owned(plain);
    }
    inflated
}

fn cut(read: usize, error: &std::io::Error) -> Rejection {
    let how = if error.kind() == std::io::ErrorKind::UnexpectedEof { "is cut" } else { "is broken" };
    let message = format!(
        "The gzip stream {how} after {read} bytes of text; the lines before that were taken, fetch the file again and send all of it"
    );
    Rejection::new(Reason::MalformedGzip, message)
}
