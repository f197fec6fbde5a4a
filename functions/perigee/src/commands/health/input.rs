//! What is read: JSON lines, one JSON document over many lines, several of them, or YAML.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

/// The lists whose elements are documents: of `kubectl get`, and of AWS Config.
const LISTS: &[&str] = &["items", "configurationItems"];

/// A document, and the line where it stands.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) line: usize,
    pub(super) value: Result<Value, String>,
}

/// A file, or standard input.
#[derive(Debug)]
pub(super) struct Source(Option<PathBuf>);

impl Source {
    pub(super) fn all(files: &[PathBuf]) -> Vec<Self> {
        if files.is_empty() {
            return vec![Self(None)];
        }
        files.iter().map(|file| Self((file != Path::new("-")).then(|| file.clone()))).collect()
    }

    pub(super) fn name(&self) -> String {
        self.0.as_ref().map_or_else(|| "standard input".to_owned(), |file| file.display().to_string())
    }

    pub(super) fn items(&self) -> io::Result<Vec<Item>> {
        let bytes = match &self.0 {
            Some(file) => fs::read(file)?,
            None => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes)?;
                bytes
            }
        };
        Ok(items(&String::from_utf8_lossy(&bytes)))
    }
}

/// The documents of a text. It is JSON lines where its first line, or another, is a JSON object of its own.
pub(super) fn items(text: &str) -> Vec<Item> {
    let mut lines = numbered(text);
    let first_is_one = lines.next().is_some_and(|(_, line)| is_object(line));
    if !first_is_one {
        if let Some(items) = documents(text) {
            return items;
        }
        if !numbered(text).any(|(_, line)| is_object(line))
            && let Some(items) = yaml(text)
        {
            return items;
        }
    }
    let read = |(line, text): (usize, &str)| match serde_json::from_str(text) {
        Ok(value) => elements(line, value),
        Err(error) => vec![Item { line, value: Err(format!("the line is no JSON: {error}")) }],
    };
    numbered(text).flat_map(read).collect()
}

/// The lines that are not blank, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty())
}

fn is_object(line: &str) -> bool {
    line.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
}

/// JSON documents one after the other, each over as many lines as it likes; nothing where one is none.
fn documents(text: &str) -> Option<Vec<Item>> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut items = Vec::new();
    loop {
        let line = text.get(..stream.byte_offset()).map_or(1, |before| before.matches('\n').count() + 1);
        match stream.next() {
            Some(Ok(value)) => items.extend(elements(line, value)),
            Some(Err(_)) => return None,
            None => return Some(items),
        }
    }
}

/// YAML documents that are maps or lists; nothing where the text is no such YAML.
fn yaml(text: &str) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        match Value::deserialize(document) {
            Ok(Value::Null) => {}
            Ok(value) if value.is_object() || value.is_array() => items.extend(elements(1, value)),
            Ok(_) | Err(_) => return None,
        }
    }
    Some(items)
}

/// The elements of a list, or the document itself.
fn elements(line: usize, mut value: Value) -> Vec<Item> {
    let list = match &mut value {
        Value::Array(list) => Some(std::mem::take(list)),
        Value::Object(fields) if !fields.contains_key("resource") && !fields.contains_key("spec") => {
            LISTS.iter().find_map(|name| fields.get_mut(*name)?.as_array_mut().map(std::mem::take))
        }
        _ => None,
    };
    match list {
        Some(list) => list.into_iter().map(|value| Item { line, value: Ok(value) }).collect(),
        None => vec![Item { line, value: Ok(value) }],
    }
}
