//! The values of CEL. What comes from a document is borrowed from it, never copied.

mod compare;
mod json;
mod key;
mod typed;

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

pub(crate) use compare::{compare, equal};
pub(crate) use json::{double_text, from_json, owned, text_of, to_json};
pub(crate) use key::Key;
pub(crate) use typed::{from_typed, to_typed};

use crate::functions::net::Network;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Val<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'a>),
    Bytes(Arc<[u8]>),
    /// A list that an expression made.
    List(Arc<Vec<Self>>),
    /// A list in a document.
    Items(&'a [Json]),
    /// A map that an expression made.
    Map(Arc<Dict<'a>>),
    /// An object in a document.
    Object(&'a serde_json::Map<String, Json>),
    /// Nanoseconds.
    Duration(i64),
    Time(DateTime<Utc>),
    Type(Text<'a>),
    Optional(Option<Arc<Self>>),
    Net(Network),
}

/// A map that an expression made.
pub(crate) type Dict<'a> = BTreeMap<Key<'a>, Val<'a>>;

/// Text that is borrowed from a document, or shared.
#[derive(Debug, Clone)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Shared(Arc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl<'a> Val<'a> {
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::Shared(text.into()))
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    pub(crate) fn map(entries: Dict<'a>) -> Self {
        Self::Map(Arc::new(entries))
    }

    pub(crate) fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The name of its type, as `type()` gives it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) | Self::Items(_) => "list",
            Self::Map(_) | Self::Object(_) => "map",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Time(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Net(Network::Address(_)) => "net.IP",
            Self::Net(Network::Block { .. }) => "net.CIDR",
        }
    }

    /// What it is, in a sentence.
    pub(crate) fn described(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Uint(_) => "a uint",
            Self::Double(_) => "a double",
            Self::Text(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::List(_) | Self::Items(_) => "a list",
            Self::Map(_) | Self::Object(_) => "a map",
            Self::Duration(_) => "a duration",
            Self::Time(_) => "a timestamp",
            Self::Type(_) => "a type",
            Self::Optional(_) => "an optional value",
            Self::Net(_) => "a network address",
        }
    }

    /// How many elements a list or a map has.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.len()),
            Self::Items(items) => Some(items.len()),
            Self::Map(entries) => Some(entries.len()),
            Self::Object(object) => Some(object.len()),
            _ => None,
        }
    }

    /// The elements of a list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.as_ref().clone()),
            Self::Items(items) => Some(items.iter().map(from_json).collect()),
            _ => None,
        }
    }

    /// One element of a list.
    pub(crate) fn item(&self, at: usize) -> Option<Self> {
        match self {
            Self::List(items) => items.get(at).cloned(),
            Self::Items(items) => items.get(at).map(from_json),
            _ => None,
        }
    }

    /// The entries of a map, by key.
    pub(crate) fn entries(&self) -> Option<Vec<(Self, Self)>> {
        match self {
            Self::Map(entries) => {
                Some(entries.iter().map(|(key, value)| (key.value(), value.clone())).collect())
            }
            Self::Object(object) => Some(
                object
                    .iter()
                    .map(|(key, value)| (Self::Text(Text::Borrowed(key)), from_json(value)))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The value of a text key of a map; nothing also where this is no map.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Object(object) => object.get(name).map(from_json),
            Self::Map(entries) => entries.get(&Key::borrowed(name)).cloned(),
            _ => None,
        }
    }

    /// The value of a key of a map.
    pub(crate) fn entry(&self, key: &Key<'_>) -> Option<Self> {
        match self {
            Self::Object(object) => key.as_text().and_then(|name| object.get(name)).map(from_json),
            Self::Map(entries) => entries.get(key).cloned(),
            _ => None,
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self, Self::Map(_) | Self::Object(_))
    }
}
