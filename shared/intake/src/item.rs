//! The pure half: bytes become items.

use std::collections::BTreeSet;

use events::{ObjectPointer, Piece, Reading, Reason, Rejection};
use model::{ContentHash, Observation, Timestamp};

use crate::scope;

/// An input smaller than this is read where it stands; a larger one is handed to a thread that may be busy.
const SMALL: usize = 64 * 1024;

/// One item of an input.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) origin: Origin,
    pub(crate) meaning: Meaning,
}

/// Where an item stood, and what `/rejected` keeps of it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The input's place in the call.
    pub(crate) input: usize,
    /// The piece's place in the input.
    pub(crate) index: u64,
    /// For people.
    pub(crate) place: String,
    /// The size of its bytes.
    pub(crate) size: usize,
    /// The hash of its bytes.
    pub(crate) hash: ContentHash,
}

/// What an item turned out to be.
#[derive(Debug)]
pub(crate) enum Meaning {
    Observed(Box<Observation>),
    Ignored,
    Elsewhere(ObjectPointer),
    Rejected { reason: &'static str, message: String },
}

impl From<Rejection> for Meaning {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected { reason: rejection.reason.as_str(), message: rejection.message }
    }
}

/// Cuts bytes into pieces, away from the runtime's threads when that takes long.
pub(crate) async fn split(bytes: Vec<u8>) -> Vec<Piece> {
    if bytes.len() <= SMALL { events::split(&bytes) } else { aside(move || events::split(&bytes)).await }
}

/// What is needed to read pieces.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    /// The input that the pieces are of.
    pub(crate) input: usize,
    /// Where the pieces lie, when not in the input itself: the piece that points there, and the object.
    pub(crate) body: Option<(Origin, String)>,
    /// Bounds the times that are believed.
    pub(crate) now: Timestamp,
    /// The accounts of this catalog.
    pub(crate) accounts: Option<BTreeSet<String>>,
}

impl Reader {
    /// Reads pieces, of which the first is the `first`th of its input.
    pub(crate) async fn read(&self, first: u64, pieces: Vec<Piece>) -> Vec<Item> {
        let size: usize = pieces.iter().map(|piece| piece.raw.len()).sum();
        let reader = self.clone();
        let all = move || (first..).zip(pieces).map(|(index, piece)| reader.item(index, piece)).collect();
        if size <= SMALL { all() } else { aside(all).await }
    }

    fn item(&self, index: u64, piece: Piece) -> Item {
        let Piece { place, raw, payload } = piece;
        let (size, hash) = (raw.len(), ContentHash::of_bytes(&raw));
        let (index, place) = match &self.body {
            Some((pointer, object)) => (pointer.index, join(&[&pointer.place, object, &place])),
            None => (index, place),
        };
        let meaning = match payload.and_then(|payload| events::read(&payload, self.now)) {
            Ok(Reading::Observed(observation)) => self.within_scope(observation),
            Ok(Reading::Ignored(_)) => Meaning::Ignored,
            Ok(Reading::Elsewhere(pointer)) if self.body.is_none() => Meaning::Elsewhere(pointer),
            Ok(Reading::Elsewhere(pointer)) => Rejection::new(
                Reason::NoBody,
                format!("it points on to s3://{}/{}, and a body that was fetched is not followed further; send that object itself", pointer.bucket, pointer.key),
            )
            .into(),
            Err(rejection) => rejection.into(),
        };
        Item { origin: Origin { input: self.input, index, place, size, hash }, meaning }
    }

    fn within_scope(&self, mut observation: Box<Observation>) -> Meaning {
        let Some(ours) = &self.accounts else { return Meaning::Observed(observation) };
        match scope::restrict(&mut observation, ours) {
            Ok(()) => Meaning::Observed(observation),
            Err(rejection) => rejection.into(),
        }
    }
}

/// Joins the parts of a place that say something.
fn join(parts: &[&str]) -> String {
    let said: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    said.join(", ")
}

/// Runs work that takes long on a thread of its own. A panic in it goes on here.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
