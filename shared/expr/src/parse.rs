//! Text to syntax tree, with the size and the depth of the text bounded before the parser sees it.

use std::borrow::Cow;

use cel::{Env, IdedExpr, parser::ParseErrors};

use crate::{Fault, Scope, fault::end_of_string};

/// How long an expression may be.
const MAX_BYTES: usize = 16 * 1024;
/// How many words and signs an expression may have.
const MAX_TOKENS: usize = 4_000;
/// How deep brackets and conditions may nest.
pub(crate) const MAX_DEPTH: usize = 60;
/// Longer expressions are parsed on a stack of their own: the parser calls itself for every level.
const SMALL: usize = 24;
const STACK_BYTES: usize = 128 << 20;

/// A syntax tree, and where its nodes stand.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: IdedExpr,
    pub(crate) positions: cel::common::ast::SourceInfo,
    /// What stands for `let` in the tree.
    pub(crate) alias: Option<String>,
}

/// Parses an expression and gives its tree to `then`, on a stack that is large enough for both.
pub(crate) fn with_tree<T: Send>(
    source: &str,
    scope: &Scope,
    then: impl FnOnce(Tree) -> Result<T, Fault> + Send,
) -> Result<T, Fault> {
    if source.len() > MAX_BYTES {
        return Err(Fault::at(
            source,
            0,
            format!("the expression has {} bytes; at most {MAX_BYTES} are allowed", source.len()),
        ));
    }
    if source.trim().is_empty() {
        return Err(Fault::at(source, 0, "the expression is empty"));
    }
    let tokens = scan(source)?;
    let alias = scope.variables.contains_key("let").then(|| unused_word(source));
    let work = move || {
        let text = match &alias {
            Some(alias) => Cow::Owned(renamed(source, alias)),
            None => Cow::Borrowed(source),
        };
        let (root, positions) = Env::default()
            .parser()
            .enable_ident_escape_syntax(true)
            .parse_with_source_info(&text)
            .map_err(|errors| syntax(source, &errors))?;
        then(Tree { root, positions, alias })
    };
    if tokens <= SMALL {
        return work();
    }
    std::thread::scope(|threads| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(threads, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(Fault::at(source, 0, "the expression could not be parsed")),
        }
    })
}

/// Counts words and signs, and refuses what nests too deep.
fn scan(source: &str) -> Result<usize, Fault> {
    let bytes = source.as_bytes();
    let (mut at, mut tokens, mut depth, mut conditions) = (0, 0, 0_usize, 0_usize);
    while let Some(byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'"' | b'\'' => at = end_of_string(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes.iter().skip(at).position(|b| *b == b'\n').map_or(bytes.len(), |line| at + line);
                tokens -= usize::from(tokens > 0);
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'?' => conditions += 1,
            byte if is_word(*byte) => {
                while bytes.get(at + 1).is_some_and(|next| is_word(*next)) {
                    at += 1;
                }
            }
            byte if byte.is_ascii_whitespace() => tokens -= usize::from(tokens > 0),
            _ => {}
        }
        at += 1;
        tokens += 1;
        if depth + conditions > MAX_DEPTH + 20 || depth > MAX_DEPTH {
            return Err(Fault::at(
                source,
                start,
                format!("the expression nests deeper than {MAX_DEPTH} levels"),
            ));
        }
        if tokens > MAX_TOKENS {
            return Err(Fault::at(
                source,
                start,
                format!("the expression has more than {MAX_TOKENS} words and signs"),
            ));
        }
    }
    Ok(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A word as long as `let` that the text does not have.
fn unused_word(source: &str) -> String {
    ('a'..='z')
        .flat_map(|first| ('a'..='z').map(move |second| format!("_{first}{second}")))
        .find(|word| !source.contains(word.as_str()))
        .unwrap_or_else(|| "___".to_owned())
}

/// The text with another word where `let` stands as a variable: the language keeps the word `let` for itself.
fn renamed(source: &str, alias: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = String::with_capacity(source.len());
    let (mut at, mut copied) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => at = end_of_string(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes.iter().skip(at).position(|b| *b == b'\n').map_or(bytes.len(), |line| at + line);
            }
            byte if is_word(*byte) => {
                let start = at;
                while bytes.get(at + 1).is_some_and(|next| is_word(*next)) {
                    at += 1;
                }
                let field = bytes.get(..start).unwrap_or_default().trim_ascii_end().ends_with(b".");
                if source.get(start..=at) == Some("let") && !field {
                    out.push_str(source.get(copied..start).unwrap_or_default());
                    out.push_str(alias);
                    copied = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(source.get(copied..).unwrap_or_default());
    out
}

/// The first thing that the parser says, at its place.
fn syntax(source: &str, errors: &ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else {
        return Fault::at(source, 0, "the expression is no CEL");
    };
    Fault {
        line: usize::try_from(first.pos.0).unwrap_or(1).max(1),
        column: usize::try_from(first.pos.1).unwrap_or(1).max(1),
        message: format!("not a CEL expression: {}", plainly(&first.msg)),
    }
}

/// What the parser says, without the words of its trade.
fn plainly(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message).replace("'<EOF>'", "the end");
    let message = message.split(" expecting ").next().unwrap_or_default();
    for start in ["mismatched input ", "extraneous input ", "no viable alternative at input "] {
        if let Some(rest) = message.strip_prefix(start) {
            return format!("{rest} is not expected here");
        }
    }
    match message.strip_prefix("token recognition error at: ") {
        Some(rest) if rest.starts_with("'=") => "`=` is not expected here; equality is `==`".to_owned(),
        Some(rest) => format!("{rest} is not expected here"),
        None => message.to_owned(),
    }
}
