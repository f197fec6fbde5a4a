//! What is wrong in a document is mended in a copy of it, so that what else is wrong in it is found in the same go. A
//! document that was mended is never taken.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::words;
use crate::Fault;

/// How often one document is mended at most.
const MOST: usize = 64;

/// A document's faults, and what was mended to find more of them.
#[derive(Debug, Default)]
pub(super) struct Mending {
    pub(super) faults: Vec<Fault>,
    /// Fields that were misspelt: as they should be, and as they are written.
    renamed: Vec<(String, String)>,
    /// Fields whose value is not what was written, and how many values were tried in its place.
    replaced: BTreeMap<String, usize>,
}

type Error = serde_path_to_error::Error<serde_json::Error>;

impl Mending {
    /// Reads a document that stands at `root`, mending it until it can be read.
    pub(super) fn read<T>(
        &mut self,
        root: &str,
        document: &Value,
        read: impl Fn(&Value) -> Result<T, Error>,
    ) -> Option<T> {
        let mut copy = document.clone();
        for _ in 0..MOST {
            let error = match read(&copy) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let fault = words::fault(root, &copy, &error);
            if !self.replaced.keys().any(|field| is_within(&fault.field, field)) {
                self.fault(fault);
            }
            self.mend(root, &mut copy, &error)?;
        }
        None
    }

    /// What stands at a field is not looked at any more.
    pub(super) fn replaced(&mut self, field: &str) {
        self.replaced.entry(field.to_owned()).or_default();
    }

    /// What is written as `written` is read as `meant`.
    pub(super) fn renamed(&mut self, meant: String, written: String) {
        self.renamed.push((meant, written));
    }

    /// Adds a fault; its field becomes what is written.
    pub(super) fn fault(&mut self, mut fault: Fault) {
        for (meant, written) in self.renamed.iter().rev() {
            if let Some(rest) =
                fault.field.strip_prefix(meant.as_str()).filter(|_| is_within(&fault.field, meant))
            {
                fault.field = format!("{written}{rest}");
            }
        }
        self.faults.push(fault);
    }

    /// Adds what the mended document's meaning is at fault in, without what only the mending brought.
    pub(super) fn meaning(&mut self, found: Vec<Fault>) {
        for fault in found {
            let mended = self
                .replaced
                .keys()
                .any(|field| is_within(field, &fault.field) || is_within(&fault.field, field));
            let names = ["of `params`", "of `let`", "of `steps`", "the step `", "no such parameter"];
            let follows = !self.replaced.is_empty() && names.iter().any(|name| fault.message.contains(name));
            if !mended && !follows {
                self.fault(fault);
            }
        }
    }

    /// Mends what an error tells of, or gives up.
    fn mend(&mut self, root: &str, document: &mut Value, error: &Error) -> Option<()> {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { &path };
        let inner = error.inner().to_string();
        if let Some(rest) = inner.strip_prefix("unknown field ") {
            let (name, known) = words::quoted(rest);
            let holder = match path.rsplit_once('.') {
                Some((holder, last)) if last == name => holder,
                None if path == name => "",
                _ => path,
            };
            let fields = words::at_mut(document, holder)?.as_object_mut()?;
            let value = fields.remove(name)?;
            match expr::nearest(name, known).filter(|near| !fields.contains_key(*near)) {
                Some(near) => {
                    fields.insert(near.to_owned(), value);
                    self.renamed(field(root, holder, near), field(root, holder, name));
                }
                None => self.replaced(&field(root, holder, name)),
            }
        } else if let Some(rest) = inner.strip_prefix("missing field ") {
            let (name, _) = words::quoted(rest);
            let fields = words::at_mut(document, path)?.as_object_mut()?;
            fields.insert(name.to_owned(), self.instead(&field(root, path, name), None)?);
        } else {
            let variants = inner.strip_prefix("unknown variant ").map(words::quoted);
            let meant = variants.and_then(|(word, known)| {
                let known: Vec<&str> = known.collect();
                expr::nearest(word, known.iter().copied()).or_else(|| known.first().copied())
            });
            let instead = self.instead(&field(root, "", path), meant)?;
            *words::at_mut(document, path)? = instead;
        }
        Some(())
    }

    /// A value that may fit a field: the one that was meant, then one of each sort until none is left.
    fn instead(&mut self, field: &str, meant: Option<&str>) -> Option<Value> {
        let tried = self.replaced.entry(field.to_owned()).or_default();
        *tried += 1;
        let sorts = [
            meant.map_or_else(|| json!("1m"), Value::from),
            json!("2026-03-03T02:13:00Z"),
            json!(1),
            json!(true),
            json!([]),
            json!({"env": "X"}),
            json!({}),
        ];
        sorts.into_iter().nth(*tried - 1)
    }
}

fn field(root: &str, holder: &str, name: &str) -> String {
    [root, holder, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// Whether a field is the other or a part of it.
fn is_within(field: &str, whole: &str) -> bool {
    field.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
