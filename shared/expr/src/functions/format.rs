//! `"...".format([...])`.

use super::strings::spoken;
use crate::{
    budget::{Budget, Trouble},
    value::{Val, double_text},
};

/// How many digits behind the point may be asked for.
const MAX_PRECISION: usize = 100;

/// Writes values into a text: `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x`, `%X`, and `%%` for the sign itself.
pub(super) fn format(template: &str, values: &[Val<'_>], budget: &Budget) -> Result<String, Trouble> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut clause = chars.next().ok_or_else(|| wrong("the text ends with a single %"))?;
        if clause == '%' {
            out.push('%');
            continue;
        }
        let mut precision = None;
        if clause == '.' {
            let mut digits = String::new();
            clause = loop {
                match chars.next() {
                    Some(digit) if digit.is_ascii_digit() => digits.push(digit),
                    Some(other) => break other,
                    None => return Err(wrong("a precision wants a letter behind it")),
                }
            };
            let digits = digits.parse().ok().filter(|digits| *digits <= MAX_PRECISION);
            precision = Some(digits.ok_or_else(|| wrong("a precision is a number up to 100"))?);
        }
        let value = values.next().ok_or_else(|| wrong("there are fewer values than places"))?;
        let text = clause_of(clause, precision, value, budget)?;
        budget.made(text.len())?;
        out.push_str(&text);
    }
    Ok(out)
}

fn wrong(why: &str) -> Trouble {
    Trouble::no_value(format!("format(): {why}"))
}

fn clause_of(
    clause: char,
    precision: Option<usize>,
    value: &Val<'_>,
    budget: &Budget,
) -> Result<String, Trouble> {
    let refuse = || wrong(&format!("%{clause} is not for {}", value.described()));
    Ok(match (clause, value) {
        ('s', value) => spoken(value, budget)?,
        ('d', Val::Int(number)) => number.to_string(),
        ('d', Val::Uint(number)) => number.to_string(),
        ('d', Val::Double(number)) if !number.is_finite() => double_text(*number),
        ('f' | 'e', value) => {
            #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
            let number = match value {
                Val::Double(number) => *number,
                Val::Int(number) => *number as f64,
                Val::Uint(number) => *number as f64,
                _ => return Err(refuse()),
            };
            let precision = precision.unwrap_or(6);
            if !number.is_finite() {
                double_text(number)
            } else if clause == 'f' {
                format!("{number:.precision$}")
            } else {
                scientific(number, precision)
            }
        }
        ('b', Val::Bool(value)) => u8::from(*value).to_string(),
        ('b' | 'o' | 'x' | 'X', Val::Int(number)) => {
            let sign = if *number < 0 { "-" } else { "" };
            format!("{sign}{}", radix(clause, number.unsigned_abs()))
        }
        ('b' | 'o' | 'x' | 'X', Val::Uint(number)) => radix(clause, *number),
        ('x' | 'X', Val::Text(text)) => hexadecimal(clause, text.as_bytes(), budget)?,
        ('x' | 'X', Val::Bytes(bytes)) => hexadecimal(clause, bytes, budget)?,
        ('d' | 'b' | 'o' | 'x' | 'X', _) => return Err(refuse()),
        _ => return Err(wrong(&format!("there is no %{clause}"))),
    })
}

fn radix(clause: char, number: u64) -> String {
    match clause {
        'b' => format!("{number:b}"),
        'o' => format!("{number:o}"),
        'x' => format!("{number:x}"),
        _ => format!("{number:X}"),
    }
}

fn hexadecimal(clause: char, bytes: &[u8], budget: &Budget) -> Result<String, Trouble> {
    use std::fmt::Write as _;

    budget.made(bytes.len() * 2)?;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let written = if clause == 'x' { write!(out, "{byte:02x}") } else { write!(out, "{byte:02X}") };
        written.map_err(|_| wrong("the bytes could not be written"))?;
    }
    Ok(out)
}

fn scientific(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |rest| ("-", rest));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}
