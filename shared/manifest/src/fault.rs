//! What is wrong with a manifest.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It may be meant so.
    Warning,
    /// The manifest is refused.
    Error,
}

/// What is wrong with a manifest: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// How bad it is.
    pub level: Level,
    /// The file; empty where the text came from none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The line in the file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The kind and the name of the manifest, where they are known: `Playbook/restart`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// The field: `spec.cases[1].if`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Fault {
    /// An error at a field.
    #[must_use]
    pub fn error(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            file: String::new(),
            line: None,
            manifest: String::new(),
            field: field.into(),
            message: message.into(),
        }
    }

    /// A warning at a field.
    #[must_use]
    pub fn warning(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(field, message) }
    }

    /// Whether the manifest is refused for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
        }
        if let Some(line) = self.line {
            if self.file.is_empty() {
                f.write_str("line ")?;
            }
            write!(f, "{line}:")?;
        }
        if !self.file.is_empty() || self.line.is_some() {
            f.write_str(" ")?;
        }
        if self.level == Level::Warning {
            f.write_str("warning: ")?;
        }
        if !self.manifest.is_empty() {
            write!(f, "{}: ", self.manifest)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}
