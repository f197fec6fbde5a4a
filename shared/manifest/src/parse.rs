//! Text to manifests. A document that is wrong does not stop those beside it.

mod bounded;
mod mend;
mod place;
mod words;

use serde_json::Value;

use crate::{
    API_VERSION, Fault, Kind, Manifest, Metadata, Spec, check,
    parse::{bounded::MAX_BYTES, mend::Mending, place::Place},
};

/// Reads the manifests of a text: YAML of one document or several, or JSON. `file` is what faults call it.
#[must_use]
pub fn parse(text: &str, file: &str) -> (Vec<Manifest>, Vec<Fault>) {
    read(text, file, |_| Vec::new())
}

/// Reads the manifests of a text and checks what they mean. What is refused is not among the manifests.
#[must_use]
pub fn lint(text: &str, file: &str) -> (Vec<Manifest>, Vec<Fault>) {
    read(text, file, check::check)
}

/// Reads and checks a manifest that came as JSON.
///
/// # Errors
/// Its faults, when one of them is an error.
pub fn from_json(document: &Value) -> Result<(Manifest, Vec<Fault>), Vec<Fault>> {
    let (manifest, mut faults) = one(document, check::check);
    for fault in &mut faults {
        fault.manifest = called(document);
    }
    match manifest {
        Some(manifest) => Ok((manifest, faults)),
        None => Err(faults),
    }
}

fn read(text: &str, file: &str, check: impl Fn(&Manifest) -> Vec<Fault>) -> (Vec<Manifest>, Vec<Fault>) {
    let (mut manifests, mut faults) = (Vec::new(), Vec::new());
    if text.len() > MAX_BYTES {
        let mut fault =
            Fault::error("", format!("the text has {} bytes; at most {MAX_BYTES} are read", text.len()));
        file.clone_into(&mut fault.file);
        return (manifests, vec![fault]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for document in place::documents(text) {
        let values = match bounded::value(document.text) {
            // Nothing but comments.
            Ok(Value::Null) => continue,
            Ok(Value::Array(items)) => {
                items.into_iter().enumerate().map(|(at, item)| (format!("[{at}]"), item)).collect()
            }
            Ok(value) => vec![(String::new(), value)],
            Err((line, message)) => {
                let mut fault = Fault::error("", message);
                file.clone_into(&mut fault.file);
                fault.line = Some(document.first_line + line.unwrap_or(1) - 1);
                faults.push(fault);
                continue;
            }
        };
        for (prefix, value) in values {
            let placed = |mut fault: Fault| {
                file.clone_into(&mut fault.file);
                fault.manifest = called(&value);
                let path = match (prefix.is_empty(), fault.field.is_empty()) {
                    (true, _) => fault.field.clone(),
                    (false, true) => prefix.clone(),
                    (false, false) => format!("{prefix}.{}", fault.field),
                };
                let Place { line, block } = document.place(&path);
                let escape = fault.line.and_then(|_| document.escape(line));
                if let Some(escape) = escape {
                    fault.message += &format!(
                        "; in double quotes YAML reads `{escape}` before the expression is read: write the text in \
                         single quotes"
                    );
                }
                // A fault within a text of several lines says which of them.
                let within = fault.line.map_or(0, |within| if block { within } else { within - 1 });
                fault.line = Some(if escape.is_some() { line } else { line + within });
                fault
            };
            let (manifest, found) = one(&value, &check);
            manifests.extend(manifest);
            let mut found: Vec<Fault> = found.into_iter().map(placed).collect();
            found.sort_by_key(|fault| fault.line);
            faults.extend(found);
        }
    }
    twice(&manifests, file, &mut faults);
    (manifests, faults)
}

/// Two manifests of one kind and name: which of them is meant?
fn twice(manifests: &[Manifest], file: &str, faults: &mut Vec<Fault>) {
    let mut seen = std::collections::BTreeSet::new();
    for manifest in manifests {
        if !seen.insert((manifest.kind(), manifest.name())) {
            let mut fault =
                Fault::error("metadata.name", "there are two of this kind and name; the last counts");
            fault.level = crate::Level::Warning;
            file.clone_into(&mut fault.file);
            fault.manifest = format!("{}/{}", manifest.kind(), manifest.name());
            faults.push(fault);
        }
    }
}

/// The kind and the name of a document, as far as it has them.
fn called(document: &Value) -> String {
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match (text("/kind"), text("/metadata/name")) {
        ("", name) => name.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, name) => format!("{kind}/{name}"),
    }
}

/// One manifest where it is right, and all that can be known to be wrong with it.
fn one(document: &Value, check: impl Fn(&Manifest) -> Vec<Fault>) -> (Option<Manifest>, Vec<Fault>) {
    let mut mending = Mending::default();
    let Some(manifest) = envelope(document, &mut mending) else { return (None, mending.faults) };
    let right = mending.faults.is_empty();
    mending.meaning(check(&manifest));
    let right = right && !mending.faults.iter().any(Fault::is_error);
    (right.then_some(manifest), mending.faults)
}

/// Reads a document, mended where that is needed: then it has faults.
fn envelope(document: &Value, mending: &mut Mending) -> Option<Manifest> {
    let Value::Object(fields) = document else {
        mending.fault(Fault::error("", "a manifest is a map with apiVersion, kind, metadata and spec"));
        return None;
    };
    const KNOWN: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
    let mut fields = fields.clone();
    let mut unknown = Vec::new();
    for (written, value) in fields.clone().iter().filter(|(field, _)| !KNOWN.contains(&field.as_str())) {
        let hint = expr::did_you_mean(written, KNOWN);
        unknown.push(Fault::error(written, format!("unknown field `{written}`{hint}")));
        if let Some(near) = expr::nearest(written, KNOWN).filter(|near| !fields.contains_key(*near)) {
            fields.insert(near.to_owned(), value.clone());
            mending.renamed(near.to_owned(), written.clone());
        }
    }
    let version = version(fields.get("apiVersion"));
    let (kind, of_kind) = kind(fields.get("kind"));
    let foreign = version.is_some() && kind.is_none();
    version.into_iter().for_each(|fault| mending.fault(fault));
    if foreign {
        // What is neither of ours nor called as ours are is none that went wrong.
        return None;
    }
    of_kind.into_iter().chain(unknown).for_each(|fault| mending.fault(fault));
    let metadata = match fields.get("metadata") {
        Some(metadata) => {
            mending.read("metadata", metadata, |metadata| serde_path_to_error::deserialize(metadata))
        }
        None => {
            mending.fault(Fault::error("metadata", "is missing; it holds the name"));
            None
        }
    };
    let Some(spec) = fields.get("spec") else {
        mending.fault(Fault::error("spec", "is missing"));
        return None;
    };
    let kind = kind?;
    let spec = mending.read("spec", spec, |spec| Spec::read(kind, spec))?;
    let metadata = metadata.unwrap_or_else(|| {
        mending.replaced("metadata");
        Metadata::default()
    });
    Some(Manifest { metadata, spec })
}

fn version(found: Option<&Value>) -> Option<Fault> {
    match found.map(Value::as_str) {
        Some(Some(API_VERSION)) => None,
        None => Some(Fault::error("apiVersion", format!("is missing; write `apiVersion: {API_VERSION}`"))),
        Some(other) => {
            let other = other.unwrap_or("what is there");
            Some(Fault::error("apiVersion", format!("`{other}` is not known; write `{API_VERSION}`")))
        }
    }
}

/// The kind that is written or was meant, and what is wrong with it.
fn kind(found: Option<&Value>) -> (Option<Kind>, Option<Fault>) {
    let words = || Kind::WORDS.iter().copied();
    let of = |word: &str| Kind::ALL.iter().copied().find(|kind| kind.as_str() == word);
    match found.map(Value::as_str) {
        Some(Some(word)) => match of(word) {
            Some(kind) => (Some(kind), None),
            None => {
                let message = format!("there is no kind `{word}`{}", expr::did_you_mean(word, words()));
                (expr::nearest(word, words()).and_then(of), Some(Fault::error("kind", message)))
            }
        },
        Some(None) => (None, Some(Fault::error("kind", "a kind is one word"))),
        None => {
            let message = format!("is missing; it is one of {}", Kind::WORDS.join(", "));
            (None, Some(Fault::error("kind", message)))
        }
    }
}
