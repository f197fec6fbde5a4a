//! Text to manifests. A document that is wrong does not stop those beside it.

mod bounded;
mod place;
mod words;

use serde_json::Value;

use crate::{
    API_VERSION, Fault, Kind, Manifest, Metadata, Spec, check,
    parse::{bounded::MAX_BYTES, place::Place},
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
    let manifest = envelope(document).map_err(|fault| vec![fault])?;
    let mut faults = check::check(&manifest);
    for fault in &mut faults {
        fault.manifest = called(document);
    }
    if faults.iter().any(Fault::is_error) { Err(faults) } else { Ok((manifest, faults)) }
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
                // A fault within a text of several lines says which of them.
                let within = fault.line.map_or(0, |within| if block { within } else { within - 1 });
                fault.line = Some(line + within);
                fault
            };
            match envelope(&value) {
                Ok(manifest) => {
                    let found = check(&manifest);
                    if !found.iter().any(Fault::is_error) {
                        manifests.push(manifest);
                    }
                    faults.extend(found.into_iter().map(placed));
                }
                Err(fault) => faults.push(placed(fault)),
            }
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

fn envelope(document: &Value) -> Result<Manifest, Fault> {
    let Value::Object(fields) = document else {
        return Err(Fault::error("", "a manifest is a map with apiVersion, kind, metadata and spec"));
    };
    const KNOWN: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
    match fields.get("apiVersion").map(Value::as_str) {
        Some(Some(API_VERSION)) => {}
        None => {
            return Err(Fault::error("apiVersion", format!("is missing; write `apiVersion: {API_VERSION}`")));
        }
        Some(other) => {
            let other = other.unwrap_or("what is there");
            return Err(Fault::error("apiVersion", format!("`{other}` is not known; write `{API_VERSION}`")));
        }
    }
    let words = Kind::WORDS.iter().copied();
    let kind = match fields.get("kind").map(Value::as_str) {
        Some(Some(word)) => {
            Kind::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or_else(|| {
                Fault::error("kind", format!("there is no kind `{word}`{}", expr::did_you_mean(word, words)))
            })?
        }
        Some(None) => return Err(Fault::error("kind", "a kind is one word")),
        None => {
            return Err(Fault::error("kind", format!("is missing; it is one of {}", Kind::WORDS.join(", "))));
        }
    };
    if let Some(unknown) = fields.keys().find(|field| !KNOWN.contains(&field.as_str())) {
        let hint = expr::did_you_mean(unknown, KNOWN);
        return Err(Fault::error(unknown, format!("unknown field `{unknown}`{hint}")));
    }
    let metadata =
        fields.get("metadata").ok_or_else(|| Fault::error("metadata", "is missing; it holds the name"))?;
    let metadata: Metadata = serde_path_to_error::deserialize(metadata)
        .map_err(|error| words::fault("metadata", metadata, &error))?;
    let spec = fields.get("spec").ok_or_else(|| Fault::error("spec", "is missing"))?;
    let spec = Spec::read(kind, spec).map_err(|error| words::fault("spec", spec, &error))?;
    Ok(Manifest { metadata, spec })
}
