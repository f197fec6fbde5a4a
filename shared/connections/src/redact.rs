//! Secrets, taken out of texts.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use manifest::Value;
use ports::{Secret, SecretError, Secrets};

#[cfg(test)]
mod tests;

/// What stands in a text where a secret stood.
const HIDDEN: &str = "***";

/// Parts of secrets that are shorter than this hide nothing: they would be found everywhere.
const SHORTEST_PART: usize = 8;

/// Remembers the secrets that were read for one thing to do, and takes them out of the texts that it leaves: as they
/// are, as they look in JSON, in an address and in base64, and a secret address's path and a long secret's lines by
/// themselves.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first, so that no secret hides a part of another.
    forms: Vec<String>,
}

impl Redactor {
    /// One that knows no secret.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a secret.
    pub fn add(&mut self, secret: &Secret) {
        self.add_text(secret.expose());
    }

    pub(crate) fn add_text(&mut self, text: &str) {
        self.forms.push(text.to_owned());
        self.forms.push(text.trim().to_owned());
        self.forms.push(STANDARD.encode(text));
        let json = serde_json::Value::from(text).to_string();
        self.forms.push(json.trim_matches('"').to_owned());
        let mut parts: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        let encoded = reqwest::Url::parse_with_params("http://a/", [("a", text)]).ok();
        parts.extend(encoded.as_ref().and_then(|url| url.query()?.strip_prefix("a=").map(str::to_owned)));
        if let Ok(url) = reqwest::Url::parse(text) {
            parts.push(url.as_str().to_owned());
            parts.push(url.path().to_owned());
            parts.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
            parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
            parts.extend(url.query().map(str::to_owned));
        }
        self.forms.extend(parts.into_iter().filter(|part| part.len() >= SHORTEST_PART));
        self.tidy();
    }

    /// Remembers what `other` knows.
    pub fn extend(&mut self, other: &Self) {
        self.forms.extend(other.forms.iter().cloned());
        self.tidy();
    }

    fn tidy(&mut self) {
        self.forms.retain(|form| !form.is_empty());
        self.forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.forms.dedup();
    }

    /// Reads what a value of a manifest stands for, and remembers it where it is a secret.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn read(&mut self, value: &Value, secrets: &dyn Secrets) -> Result<String, SecretError> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::Secret(reference) => {
                let secret = secrets.read(reference).await?;
                self.add(&secret);
                Ok(secret.expose().to_owned())
            }
        }
    }

    /// The text with `***` in place of every secret.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), HIDDEN));
            }
        }
        text
    }

    /// How many bytes of a text that goes on can be redacted already: neither does a secret begin in them that ends
    /// in what is to come, nor does one that is there whole reach beyond them.
    #[must_use]
    pub fn settled(&self, text: &str) -> usize {
        let longest = self.forms.first().map_or(0, String::len);
        let may_begin = |at: &usize| {
            let rest = text.get(*at..);
            rest.is_some_and(|rest| {
                self.forms.iter().any(|form| form.len() > rest.len() && form.starts_with(rest))
            })
        };
        let from = text.len().saturating_sub(longest.saturating_sub(1));
        let mut settled = (from..text.len()).find(may_begin).unwrap_or(text.len());
        // One that is whole and reaches over the end would be cut in two, and so would one that reaches over that.
        loop {
            let reaches_over = |form: &&String| {
                let first = settled.saturating_sub(form.len().saturating_sub(1));
                let starts = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with(form.as_str()));
                (first..settled).any(starts)
            };
            let over = self.forms.iter().filter(reaches_over).filter_map(|form| {
                let first = settled.saturating_sub(form.len().saturating_sub(1));
                (first..settled)
                    .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(form.as_str())))
            });
            match over.min() {
                Some(start) if settled < text.len() => settled = start,
                Some(_) | None => return settled,
            }
        }
    }

    /// The bytes as text, with `***` in place of every secret.
    #[must_use]
    pub fn redact_bytes(&self, bytes: &[u8]) -> String {
        self.redact(&String::from_utf8_lossy(bytes)).into_owned()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}
