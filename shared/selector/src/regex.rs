//! Regular expressions that mean the same to Postgres and to Rust, and cost bounded time in both.
//!
//! A pattern is read, what the two engines see differently is refused, and one text is written out of the rest that
//! both take: no groups that capture, no classes but lists of characters, every sign by its number.

use std::sync::OnceLock;

use regex_syntax::ast::{
    AssertionKind, Ast, ClassPerlKind, ClassSet, ClassSetItem, Flag, FlagsItemKind, GroupKind,
    RepetitionKind, RepetitionRange, parse::ParserBuilder,
};

/// The longest pattern, in characters.
pub const MAX_PATTERN: usize = 200;
/// How often a counted repetition may repeat, those around it included.
const MAX_REPEATED: u32 = 100;
/// How many states a pattern may have, about.
const MAX_STATES: u32 = 2000;
const MAX_NEST: u32 = 20;

const ALLOWED: &str = "allowed are characters, `.`, `[a-z]`, `[^a]`, `\\d`, `\\w`, `\\s`, `|`, `( )`, `*`, `+`, `?`, \
                       `{2,5}`, `^`, `$`, and `(?i)` at the start";

/// A pattern, found anywhere in a text; the case of letters counts, unless it begins with `(?i)`.
#[derive(Debug, Clone)]
pub struct Regex {
    source: String,
    portable: String,
    /// Made when it is first looked for in memory: a search in SQL needs none.
    compiled: OnceLock<Option<regex::Regex>>,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regex {}

impl Regex {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is not allowed in it, and what is.
    pub fn new(source: &str) -> Result<Self, String> {
        let length = source.chars().count();
        if length > MAX_PATTERN {
            return Err(format!("the pattern has {length} characters; at most {MAX_PATTERN} are allowed"));
        }
        let (ignore_case, rest) = source.strip_prefix("(?i)").map_or((false, source), |rest| (true, rest));
        let ast = ParserBuilder::new()
            .nest_limit(MAX_NEST)
            .build()
            .parse(rest)
            .map_err(|error| format!("the pattern cannot be read: {}; {ALLOWED}", error.kind()))?;
        let mut writer = Writer { ignore_case, text: String::new() };
        let size = writer.write(&ast)?;
        if size.states > MAX_STATES {
            return Err("the pattern is too large; use smaller counts, or fewer of them".to_owned());
        }
        Ok(Self { source: source.to_owned(), portable: writer.text, compiled: OnceLock::new() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The pattern as both engines take it.
    #[must_use]
    pub fn portable(&self) -> &str {
        &self.portable
    }

    /// Whether it is found in a text.
    #[must_use]
    pub fn is_found_in(&self, text: &str) -> bool {
        // What was admitted is small enough to be compiled; a test tries the largest.
        let compiled = self.compiled.get_or_init(|| regex::Regex::new(&self.portable).ok());
        compiled.as_ref().is_some_and(|compiled| compiled.is_match(text))
    }
}

/// What a part of a pattern amounts to.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Whether it matches the empty text.
    empty: bool,
    states: u32,
    /// How often counted repetitions repeat the innermost part.
    repeated: u32,
}

impl Size {
    const ONE: Self = Self { empty: false, states: 1, repeated: 1 };
    const NOTHING: Self = Self { empty: true, states: 0, repeated: 1 };
}

#[derive(Debug)]
struct Writer {
    ignore_case: bool,
    text: String,
}

fn refused(what: &str) -> Result<Size, String> {
    Err(format!("{what} not allowed in a pattern; {ALLOWED}"))
}

impl Writer {
    fn write(&mut self, ast: &Ast) -> Result<Size, String> {
        match ast {
            Ast::Empty(_) => Ok(Size::NOTHING),
            Ast::Literal(literal) => {
                self.character(literal.c)?;
                Ok(Size::ONE)
            }
            Ast::Dot(_) => {
                self.text.push_str("[^\\u000a]");
                Ok(Size::ONE)
            }
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine => {
                    self.text.push('^');
                    Ok(Size::NOTHING)
                }
                AssertionKind::EndLine => {
                    self.text.push('$');
                    Ok(Size::NOTHING)
                }
                _ => refused("boundaries such as `\\b` are"),
            },
            Ast::ClassPerl(class) => {
                self.text.push_str(if class.negated { "[^" } else { "[" });
                self.text.push_str(members(&class.kind));
                self.text.push(']');
                Ok(Size::ONE)
            }
            Ast::ClassUnicode(_) => refused("classes such as `\\p{L}` are"),
            Ast::ClassBracketed(class) => {
                self.text.push_str(if class.negated { "[^" } else { "[" });
                match &class.kind {
                    ClassSet::Item(item) => self.item(item)?,
                    ClassSet::BinaryOp(_) => return refused("`&&`, `--` and `~~` in brackets are"),
                }
                self.text.push(']');
                Ok(Size::ONE)
            }
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => {
                match &group.kind {
                    GroupKind::CaptureIndex(_) => {}
                    GroupKind::NonCapturing(flags) if flags.items.is_empty() => {}
                    GroupKind::NonCapturing(_) => return refused("flags but `(?i)` at the start are"),
                    GroupKind::CaptureName { .. } => return refused("named groups are"),
                }
                self.group(|writer| writer.write(&group.ast))
            }
            Ast::Alternation(alternation) => self.group(|writer| writer.alternatives(&alternation.asts)),
            Ast::Concat(concat) => {
                let mut all = Size::NOTHING;
                for part in &concat.asts {
                    let size = self.write(part)?;
                    all.empty &= size.empty;
                    all.states = all.states.saturating_add(size.states);
                    all.repeated = all.repeated.max(size.repeated);
                }
                Ok(all)
            }
            Ast::Flags(flags) => {
                let ignore_case = flags
                    .flags
                    .items
                    .iter()
                    .any(|item| item.kind == FlagsItemKind::Flag(Flag::CaseInsensitive));
                refused(if ignore_case {
                    "`(?i)` other than at the start is"
                } else {
                    "flags but `(?i)` are"
                })
            }
        }
    }

    fn alternatives(&mut self, branches: &[Ast]) -> Result<Size, String> {
        let mut all = Size::ONE;
        for (index, branch) in branches.iter().enumerate() {
            if index > 0 {
                self.text.push('|');
            }
            let size = self.write(branch)?;
            all.empty |= size.empty;
            all.states = all.states.saturating_add(size.states);
            all.repeated = all.repeated.max(size.repeated);
        }
        Ok(all)
    }

    fn group(&mut self, write: impl FnOnce(&mut Self) -> Result<Size, String>) -> Result<Size, String> {
        self.text.push_str("(?:");
        let size = write(self)?;
        self.text.push(')');
        Ok(size)
    }

    fn repetition(&mut self, repetition: &regex_syntax::ast::Repetition) -> Result<Size, String> {
        if !repetition.greedy {
            return refused("lazy repetitions such as `*?` are");
        }
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            return refused("repetitions of repetitions such as `a+*` are");
        }
        let inner = self.group(|writer| writer.write(&repetition.ast))?;
        if inner.empty {
            return refused("repetitions of what may be empty, such as `(a*)*`, are");
        }
        let (sign, least, most) = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne => ("?".to_owned(), 0, 1),
            RepetitionKind::ZeroOrMore => ("*".to_owned(), 0, 1),
            RepetitionKind::OneOrMore => ("+".to_owned(), 1, 1),
            RepetitionKind::Range(RepetitionRange::Exactly(n)) => (format!("{{{n}}}"), *n, *n),
            RepetitionKind::Range(RepetitionRange::AtLeast(n)) => (format!("{{{n},}}"), *n, *n + 1),
            RepetitionKind::Range(RepetitionRange::Bounded(least, most)) => {
                (format!("{{{least},{most}}}"), *least, *most)
            }
        };
        let repeated = inner.repeated.saturating_mul(most.max(1));
        if repeated > MAX_REPEATED {
            return Err(format!("the pattern repeats {repeated} times; at most {MAX_REPEATED} are allowed"));
        }
        self.text.push_str(&sign);
        Ok(Size { empty: least == 0, states: inner.states.saturating_mul(most.max(1)), repeated })
    }

    fn item(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Empty(_) => {}
            ClassSetItem::Literal(literal) => self.member(literal.c)?,
            ClassSetItem::Range(range) => self.range(range.start.c, range.end.c)?,
            ClassSetItem::Perl(class) if !class.negated => self.text.push_str(members(&class.kind)),
            ClassSetItem::Union(union) => {
                for item in &union.items {
                    self.item(item)?;
                }
            }
            ClassSetItem::Perl(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Unicode(_)
            | ClassSetItem::Bracketed(_) => {
                return refused("classes such as `[[:alpha:]]` and `[\\D]` are").map(|_| ());
            }
        }
        Ok(())
    }

    /// A range: of letters and digits, or of any others by their numbers.
    fn range(&mut self, start: char, end: char) -> Result<(), String> {
        let write = |writer: &mut Self, start: char, end: char| {
            writer.sign(start)?;
            writer.text.push('-');
            writer.sign(end)
        };
        write(self, start, end)?;
        if self.ignore_case {
            for (first, last, other) in [('a', 'z', b'A'), ('A', 'Z', b'a')] {
                let (from, to) = (start.max(first), end.min(last));
                if from <= to {
                    let other = |c: char| char::from(other + (c as u8 - first as u8));
                    write(self, other(from), other(to))?;
                }
            }
        }
        Ok(())
    }

    /// One character of a class.
    fn member(&mut self, c: char) -> Result<(), String> {
        self.sign(c)?;
        match swapped(c).filter(|_| self.ignore_case) {
            Some(other) => self.sign(other),
            None => Ok(()),
        }
    }

    /// One character outside of a class.
    fn character(&mut self, c: char) -> Result<(), String> {
        match swapped(c).filter(|_| self.ignore_case) {
            Some(other) => {
                self.text.extend(['[', c, other, ']']);
                Ok(())
            }
            None => self.sign(c),
        }
    }

    /// A character, by its number where it could mean something else.
    fn sign(&mut self, c: char) -> Result<(), String> {
        match u32::from(c) {
            0 => return Err("no text holds NUL; remove it from the pattern".to_owned()),
            _ if c.is_ascii_alphanumeric() => self.text.push(c),
            number @ 1..=0xffff => self.text.push_str(&format!("\\u{number:04x}")),
            number => self.text.push_str(&format!("\\U{number:08x}")),
        }
        Ok(())
    }
}

/// The same letter in the other case, of those that every language has.
fn swapped(c: char) -> Option<char> {
    match c {
        'a'..='z' => Some(c.to_ascii_uppercase()),
        'A'..='Z' => Some(c.to_ascii_lowercase()),
        _ => None,
    }
}

fn members(kind: &ClassPerlKind) -> &'static str {
    match kind {
        ClassPerlKind::Digit => "0-9",
        ClassPerlKind::Space => "\\u0009-\\u000d\\u0020",
        ClassPerlKind::Word => "0-9A-Za-z\\u005f",
    }
}
