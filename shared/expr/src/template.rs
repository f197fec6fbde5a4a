//! Text with values in it.

use serde_json::Value;

use crate::{Bindings, Error, Fault, Program, Scope};

/// How long a rendered text may be.
const MAX_RENDERED: usize = 1 << 20;

/// Text with `${{ CEL }}` in it. It is rendered in one pass: what a value brings is never read again. `$${{` stands for
/// `${{` itself.
#[derive(Debug)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value(Program),
}

impl Template {
    /// Compiles a text.
    ///
    /// # Errors
    /// When an expression in it is wrong, or a `${{` has no `}}`. The position is that in the whole text.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        while let Some((before, opening)) = source.get(at..).and_then(|rest| rest.split_once("${{")) {
            let start = source.len() - opening.len();
            if let Some(before) = before.strip_suffix('$') {
                text.push_str(before);
                text.push_str("${{");
                at = start;
                continue;
            }
            text.push_str(before);
            let Some(length) = end_of_expression(opening) else {
                return Err(Fault::at(
                    source,
                    start - 3,
                    "`${{` has no `}}`; write `$${{` for the text itself",
                ));
            };
            let inner = opening.get(..length).unwrap_or_default();
            let program = Program::compile(inner, scope).map_err(|fault| moved(source, start, fault))?;
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Value(program));
            at = start + length + 2;
        }
        text.push_str(source.get(at..).unwrap_or_default());
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text with the values in it: text as it is, an instant or a length of time as CEL writes it, anything else
    /// as JSON.
    ///
    /// # Errors
    /// When an expression has no value for these bindings, or the text grows longer than 1 MiB.
    pub fn render(&self, bindings: &Bindings) -> Result<String, Error> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(program) => match program.evaluate(bindings)? {
                    Value::String(text) => out.push_str(&text),
                    other => out.push_str(&other.to_string()),
                },
            }
            if out.len() > MAX_RENDERED {
                return Err(Error::Bound {
                    expression: crate::fault::shortened(&self.source),
                    reason: "the text grew longer than 1 MiB".to_owned(),
                });
            }
        }
        Ok(out)
    }
}

/// How many bytes lie before the `}}` that ends an expression: one that stands in no string, and closes no map.
fn end_of_expression(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'}' if depth == 0 => return (bytes.get(at + 1) == Some(&b'}')).then_some(at),
            b'}' => depth -= 1,
            b'{' => depth += 1,
            b'"' | b'\'' => at = crate::fault::end_of_string(bytes, at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// A fault of an expression, placed in the text around it.
fn moved(source: &str, start: usize, fault: Fault) -> Fault {
    let base = Fault::at(source, start, String::new());
    let column = if fault.line == 1 { base.column + fault.column - 1 } else { fault.column };
    Fault { line: base.line + fault.line - 1, column, message: fault.message }
}
