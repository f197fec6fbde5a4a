//! Base64, JSON, and the escapes of addresses.

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::{Function, Outcome, both, global, made, no_overload};
use crate::{
    budget::{Budget, Trouble},
    value::{Val, owned, to_json},
};

/// Reads base64 with and without the signs at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) const FUNCTIONS: &[Function] = &[
    global("base64.encode", 1, 1, |budget, args| match args {
        [Val::Bytes(bytes)] => made(STANDARD.encode(bytes), budget),
        [Val::Text(text)] => made(STANDARD.encode(text.as_bytes()), budget),
        _ => Err(no_overload("base64.encode", args)),
    }),
    global("base64.decode", 1, 1, |budget, args| match args {
        [Val::Text(text)] => {
            budget.made(text.len())?;
            let bytes =
                LENIENT.decode(text.as_bytes()).map_err(|_| Trouble::no_value("the text is no base64"))?;
            Ok(Val::Bytes(bytes.into()))
        }
        _ => Err(no_overload("base64.decode", args)),
    }),
    both("toJSON", 1, 1, |budget, args| match args {
        [value] => made(to_json(value, budget)?.to_string(), budget),
        _ => Err(no_overload("toJSON", args)),
    }),
    both("JSON", 1, 1, from_json),
    both("JSONArray", 1, 1, from_json),
    global("urlencode", 1, 1, |budget, args| match args {
        [Val::Text(text)] => {
            budget.made(text.len() * 3)?;
            made(escaped(text), budget)
        }
        _ => Err(no_overload("urlencode", args)),
    }),
    global("urldecode", 1, 1, |budget, args| match args {
        [Val::Text(text)] => made(unescaped(text)?, budget),
        _ => Err(no_overload("urldecode", args)),
    }),
];

fn from_json<'a>(budget: &Budget, args: &[Val<'a>]) -> Outcome<'a> {
    let [Val::Text(text)] = args else { return Err(no_overload("JSON", args)) };
    budget.made(text.len().saturating_mul(16))?;
    let json: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| Trouble::no_value(format!("the text is no JSON: {error}")))?;
    Ok(owned(&json))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn unescaped(text: &str) -> Result<String, Trouble> {
    let wrong = || Trouble::no_value("the text is not encoded as an address is");
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { return Err(wrong()) };
                let digit =
                    |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                out.push(digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low).ok_or_else(wrong)?);
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).map_err(|_| wrong())
}
