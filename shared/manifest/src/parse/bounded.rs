//! YAML as a value, bounded: aliases are paid for as if what they stand for were written again.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How long a text may be.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// How large what it says may be, with every alias written out.
const MAX_SIZE: usize = 4 << 20;
/// What a value costs beside its text.
const NODE: usize = 16;
/// How deep values may nest.
const MAX_DEPTH: usize = 60;

/// One document as a value, or the line (where it is known) and what is wrong.
pub(super) fn value(text: &str) -> Result<Value, (Option<usize>, String)> {
    let left = Cell::new(MAX_SIZE);
    let seed = Seed { left: &left, depth: 0 };
    seed.deserialize(serde_yaml_ng::Deserializer::from_str(text)).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        // The path before the message is of no use where the line is known.
        let message = message.rsplit(": ").next().unwrap_or_default();
        if message == "EndOfStream" || message.contains("EOF") {
            return (line, "the document ends too early".to_owned());
        }
        let hint = if message.contains("found character that cannot start any token") {
            "; a text that begins with @, ` or % wants quotes, and tabs cannot indent"
        } else if message.contains("mapping values are not allowed") {
            "; a text with `: ` in it wants quotes"
        } else if message.contains("did not find expected key") || message.contains("expected '-' indicator")
        {
            "; this line or one above it is indented otherwise than those beside it"
        } else if message.contains("unknown escape character") {
            "; in double quotes `\\` begins an escape of YAML's: write the text in single quotes"
        } else {
            ""
        };
        (line, format!("not YAML: {message}{hint}"))
    })
}

#[derive(Clone, Copy)]
struct Seed<'b> {
    left: &'b Cell<usize>,
    depth: usize,
}

impl Seed<'_> {
    fn pay<E: serde::de::Error>(self, size: usize) -> Result<(), E> {
        let rest = self.left.get().checked_sub(size + NODE);
        self.left.set(rest.unwrap_or(0));
        rest.map(|_| ()).ok_or_else(|| E::custom("the document is too large with its aliases written out"))
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("the document nests deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without tags")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.pay(0)?;
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.pay(0)?;
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.pay(0)?;
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.pay(0)?;
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.pay(value.len())?;
        if value.contains('\0') {
            return Err(E::custom("a text may not hold NUL"));
        }
        Ok(Value::from(value))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.pay(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.pay(0)?;
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.pay(0)?;
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(inner)? {
            let key = match key {
                Value::String(key) => key,
                Value::Bool(_) | Value::Number(_) => key.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(A::Error::custom("a key must be text"));
                }
            };
            let value = entries.next_value_seed(inner)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` is there twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
