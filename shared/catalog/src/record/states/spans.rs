//! What is shown of a resource over time, from what every source says of it: a pure function of facts, so the order in
//! which they came does not matter.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use model::{
    ContentHash, Timestamp,
    timeline::{Content, Run},
};
use serde_json::{Value, json};

/// What a list shows of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Value,
}

/// Labels by the hashes of their documents.
pub(crate) type Labels = BTreeMap<ContentHash, Label>;

/// All that one source says of a resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Voice {
    pub(crate) rank: i16,
    /// In the order of time, without gaps.
    pub(crate) runs: Vec<Run>,
    /// When the same was seen again, and the source's order of states then, in the order of time.
    pub(crate) sightings: Vec<(Timestamp, i64)>,
}

/// All that is said of a resource.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) native_id: String,
    pub(crate) named_at: Timestamp,
    /// By source.
    pub(crate) voices: BTreeMap<String, Voice>,
}

/// What is shown of a resource at an instant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) tags: Value,
    pub(crate) description: Option<String>,
    /// When it was proven gone; none while it is there.
    pub(crate) deleted_at: Option<Timestamp>,
}

/// A state over `[from, to)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) to: Option<Timestamp>,
    pub(crate) state: State,
}

impl History {
    /// Whether any source ever called it gone.
    pub(crate) fn is_contested(&self) -> bool {
        let gone = |run: &Run| run.fact.content == Content::Deleted;
        self.voices.values().any(|voice| voice.runs.iter().any(gone))
    }
}

impl State {
    /// What is shown of a resource of which only the name is known.
    pub(crate) fn bare(native_id: &str) -> Self {
        Self { name: native_id.to_owned(), tags: json!({}), description: None, deleted_at: None }
    }

    /// What free words are looked for in: a line each, in lower case.
    pub(crate) fn words<'a>(
        &'a self,
        native_id: &'a str,
        aliases: impl IntoIterator<Item = &'a str>,
    ) -> String {
        let tags: BTreeMap<&str, &str> = self
            .tags
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .collect();
        let lines: Vec<&str> = [self.name.as_str(), native_id]
            .into_iter()
            .chain(tags.into_values())
            .chain(self.description.as_deref())
            .chain(aliases.into_iter().filter(|alias| !alias.starts_with("arn:")))
            .collect();
        lines.join("\n").to_lowercase()
    }
}

/// A source's word that counts at an instant, the weightiest first.
pub(crate) struct Word<'a> {
    pub(crate) rank: i16,
    pub(crate) from: Timestamp,
    pub(crate) source: &'a str,
    pub(crate) label: Option<&'a Label>,
}

/// Name, tags and description of a resource from the words of its sources, each from the weightiest that has it.
pub(crate) fn shown(native_id: &str, words: &mut [Word<'_>]) -> State {
    words.sort_by_key(|word| (Reverse((word.rank, word.from)), word.source));
    let labels = || words.iter().filter_map(|word| word.label);
    let tags = labels().map(|label| &label.tags).find(|tags| **tags != json!({}));
    State {
        name: labels().find_map(|label| label.name.clone()).unwrap_or_else(|| native_id.to_owned()),
        tags: tags.cloned().unwrap_or_else(|| json!({})),
        description: labels().find_map(|label| label.description.clone()),
        deleted_at: None,
    }
}

/// What is shown over time, without gaps from the first word on; neighbours differ.
pub(crate) fn spans(history: &History, labels: &Labels) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for at in instants(history) {
        let state = state_at(history, labels, at);
        match spans.last_mut() {
            Some(last) if last.state == state => {}
            last => {
                if let Some(last) = last {
                    last.to = Some(at);
                }
                spans.push(Span { from: at, to: None, state });
            }
        }
    }
    spans
}

/// When what is shown may change.
fn instants(history: &History) -> BTreeSet<Timestamp> {
    let contested = history.is_contested();
    let begun = history.voices.values().flat_map(|voice| voice.runs.iter().map(|run| run.from));
    // Only where some source says "gone" does it matter when others saw the same again.
    let seen = history.voices.values().filter(|_| contested).flat_map(|voice| voice.sightings.iter());
    begun.chain(seen.map(|(at, _)| *at)).chain([history.named_at]).collect()
}

fn state_at(history: &History, labels: &Labels, at: Timestamp) -> State {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut documented = false;
    for (source, voice) in &history.voices {
        let Some(run) = run_at(voice, at) else { continue };
        let label = match run.fact.content {
            Content::Document(hash) => {
                documented = true;
                labels.get(&hash)
            }
            Content::Present | Content::Deleted => None,
        };
        words.push(Word { rank: voice.rank, from: run.from, source, label });
    }
    if !documented {
        words.extend(last_document(history, labels, at));
    }
    State { deleted_at: gone_since(history, at), ..shown(&history.native_id, &mut words) }
}

fn run_at(voice: &Voice, at: Timestamp) -> Option<&Run> {
    let after = voice.runs.partition_point(|run| run.from <= at);
    voice.runs[..after].last()
}

/// What nobody documents any more is shown as it last looked.
fn last_document<'a>(history: &'a History, labels: &'a Labels, at: Timestamp) -> Option<Word<'a>> {
    let ended = history.voices.iter().flat_map(|(source, voice)| {
        voice.runs.iter().filter_map(move |run| match run.fact.content {
            Content::Document(hash) => {
                let to = run.to.filter(|to| *to <= at)?;
                Some((voice.rank, to, Reverse(source.as_str()), hash))
            }
            Content::Present | Content::Deleted => None,
        })
    });
    let (rank, from, Reverse(source), hash) =
        ended.max_by_key(|(rank, to, source, _)| (*rank, *to, *source))?;
    Some(Word { rank, from, source, label: labels.get(&hash) })
}

/// A resource is gone when a source that calls it gone said so after the last that any other source saw of it; it is
/// gone since the earliest such word. Words of one instant are ordered by state id, then rank; deletion wins a tie.
fn gone_since(history: &History, at: Timestamp) -> Option<Timestamp> {
    let current = || history.voices.values().filter_map(|voice| Some((voice, run_at(voice, at)?)));
    let seen = current()
        .filter(|(_, run)| run.fact.content != Content::Deleted)
        .map(|(voice, run)| {
            let (last, state_id) = facts(voice, run, at).last().unwrap_or((run.from, run.fact.state_id));
            (last, state_id, voice.rank)
        })
        .max();
    current()
        .filter(|(_, run)| run.fact.content == Content::Deleted)
        .flat_map(|(voice, run)| facts(voice, run, at).map(|(said, state_id)| (said, state_id, voice.rank)))
        .filter(|word| seen.is_none_or(|seen| *word >= seen))
        .map(|(said, _, _)| said)
        .min()
}

/// The facts of a run up to an instant: that it began, and when the same was seen again.
fn facts<'a>(voice: &'a Voice, run: &'a Run, at: Timestamp) -> impl Iterator<Item = (Timestamp, i64)> + 'a {
    let first = voice.sightings.partition_point(|(seen, _)| *seen < run.from);
    let after = voice.sightings.partition_point(|(seen, _)| *seen <= at);
    let seen = voice.sightings[first..after.max(first)].iter().copied();
    std::iter::once((run.from, run.fact.state_id)).chain(seen)
}

/// When a resource came and went, as +1 and -1.
pub(crate) fn comings(spans: &[Span]) -> Vec<(Timestamp, i64)> {
    let mut there = false;
    let mut comings = Vec::new();
    for span in spans {
        let is = span.state.deleted_at.is_none();
        if is != there {
            comings.push((span.from, if is { 1 } else { -1 }));
        }
        there = is;
    }
    comings
}
