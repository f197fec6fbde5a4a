//! What a selector may name in a place, and whether it does.

use model::{Category, FindingStatus, Health, Severity};

use crate::{Call, Node, Op, ParseError, Path, Pattern, Selector, Term, literal};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text, or several of which any may match.
    Text,
    /// One of a few words: any other exact value is a mistake.
    Word(&'static [&'static str]),
    /// A truth value.
    Bool,
    /// An instant.
    Time,
    /// Texts by key; the rest of the path is the key.
    Map,
    /// A document; the rest of the path leads into it.
    Document,
}

/// What may be named in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema<'a> {
    /// The fields by name.
    pub fields: &'a [(&'a str, Kind)],
    /// Whether `related`, `changed` and `finding` can be answered.
    pub functions: bool,
}

/// How well a resource is known to exist, least first.
const EVIDENCE: &[&str] = &["reference", "event", "document"];

/// Resources in the catalog.
pub const RESOURCES: Schema<'static> = Schema {
    fields: &[
        ("id", Kind::Text),
        ("type", Kind::Text),
        ("account", Kind::Text),
        ("region", Kind::Text),
        ("name", Kind::Text),
        ("native_id", Kind::Text),
        ("provider", Kind::Text),
        ("evidence", Kind::Word(EVIDENCE)),
        ("since", Kind::Time),
        ("deleted_at", Kind::Time),
        ("changed", Kind::Time),
        ("tags", Kind::Map),
        ("labels", Kind::Map),
        ("config", Kind::Document),
        ("properties", Kind::Document),
        ("health", Kind::Word(Health::WORDS)),
        ("status", Kind::Text),
        ("ready", Kind::Bool),
    ],
    functions: true,
};

/// The resource that a health rule is tried on, which is all that is known there.
pub const RULES: Schema<'static> = Schema {
    fields: &[
        ("id", Kind::Text),
        ("type", Kind::Text),
        ("account", Kind::Text),
        ("region", Kind::Text),
        ("name", Kind::Text),
        ("native_id", Kind::Text),
        ("since", Kind::Time),
        ("deleted_at", Kind::Time),
        ("tags", Kind::Map),
        ("labels", Kind::Map),
        ("config", Kind::Document),
        ("properties", Kind::Document),
        ("health", Kind::Word(Health::WORDS)),
        ("status", Kind::Text),
        ("ready", Kind::Bool),
    ],
    functions: false,
};

/// Changes in the catalog.
pub const CHANGES: Schema<'static> = Schema {
    fields: &[
        ("id", Kind::Text),
        ("kind", Kind::Text),
        ("category", Kind::Word(Category::WORDS)),
        ("severity", Kind::Word(Severity::WORDS)),
        ("account", Kind::Text),
        ("region", Kind::Text),
        ("source", Kind::Text),
        ("actor", Kind::Text),
        ("session", Kind::Text),
        ("session_id", Kind::Text),
        ("source_address", Kind::Text),
        ("event_id", Kind::Text),
        ("error_code", Kind::Text),
        ("read_only", Kind::Bool),
        ("occurred_at", Kind::Time),
        ("details", Kind::Document),
    ],
    functions: false,
};

/// Findings in the catalog.
pub const FINDINGS: Schema<'static> = Schema {
    fields: &[
        ("id", Kind::Text),
        ("product", Kind::Text),
        ("kind", Kind::Text),
        ("title", Kind::Text),
        ("severity", Kind::Word(Severity::WORDS)),
        ("status", Kind::Word(FindingStatus::WORDS)),
        ("account", Kind::Text),
        ("region", Kind::Text),
        ("updated_at", Kind::Time),
        ("first_seen", Kind::Time),
        ("details", Kind::Document),
    ],
    functions: false,
};

impl Schema<'_> {
    /// What a field holds, if there is such a field.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

/// Whether everything that a selector names exists, and can be compared so.
///
/// # Errors
/// [`ParseError`] names the column of the term.
pub fn check(selector: &Selector, schema: &Schema<'_>) -> Result<(), ParseError> {
    selector.nodes.iter().try_for_each(|node| check_node(node, schema))
}

fn check_node(node: &Node, schema: &Schema<'_>) -> Result<(), ParseError> {
    match node {
        Node::Term(term) => check_term(term, schema),
        Node::Not(node) => check_node(node, schema),
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().try_for_each(|node| check_node(node, schema)),
    }
}

fn check_term(term: &Term, schema: &Schema<'_>) -> Result<(), ParseError> {
    match term {
        Term::Word(_) => Ok(()),
        Term::Compare { field, op, values, column } => kind_of(field, schema)
            .and_then(|kind| check_values(field, kind, *op, values))
            .map_err(|message| ParseError { column: *column, message }),
        Term::Matches { field, column, .. } => {
            let checked = kind_of(field, schema).and_then(|kind| match kind {
                Kind::Text | Kind::Word(_) | Kind::Map | Kind::Document => Ok(()),
                Kind::Bool | Kind::Time => Err(format!("`~` looks at texts, and `{field}` is none")),
            });
            checked.map_err(|message| ParseError { column: *column, message })
        }
        Term::Call { call, column } if !schema.functions => {
            let name = match call {
                Call::Related { .. } => "related",
                Call::Changed(_) => "changed",
                Call::Finding(_) => "finding",
            };
            let message =
                format!("this place takes no `{name}(...)`: only what the thing itself says is known here");
            Err(ParseError { column: *column, message })
        }
        Term::Call { call: Call::Related { selector, .. }, .. } => check(selector, schema),
        Term::Call { call: Call::Changed(selector), .. } => check(selector, &CHANGES),
        Term::Call { call: Call::Finding(selector), .. } => check(selector, &FINDINGS),
    }
}

/// What a path ends at: a text, where it leads into a map.
fn kind_of(path: &Path, schema: &Schema<'_>) -> Result<Kind, String> {
    let name = path.name();
    let Some(kind) = schema.kind(name) else {
        let known: Vec<&str> = schema.fields.iter().map(|(known, _)| *known).collect();
        return Err(format!("there is no field `{name}`; the fields are {}", known.join(", ")));
    };
    match (kind, path.within().is_empty()) {
        (Kind::Map, true) => Err(format!("`{name}` needs a key, as in `{name}.env=prod`")),
        (Kind::Map, false) if path.key().is_none() => Err(format!(
            "`{name}` has keys only; quote one that has a bracket in it, as in `{name}.\"a[0]\"=x`"
        )),
        (Kind::Document, true) => Err(format!("`{name}` needs a path, as in `{name}.state.name=running`")),
        (Kind::Map | Kind::Document, false) => Ok(kind),
        (Kind::Text | Kind::Word(_) | Kind::Bool | Kind::Time, true) => Ok(kind),
        (Kind::Text | Kind::Word(_) | Kind::Bool | Kind::Time, false) => {
            Err(format!("`{name}` has no parts"))
        }
    }
}

fn check_values(path: &Path, kind: Kind, op: Op, values: &[Pattern]) -> Result<(), String> {
    if values.iter().all(Pattern::is_any) && op.is_equality() {
        return Ok(());
    }
    match kind {
        Kind::Text | Kind::Word(_) if !op.is_equality() => {
            Err("a text can be compared with `=`, `!=` and `~` only".to_owned())
        }
        Kind::Text => Ok(()),
        Kind::Word(words) => only_words(path, words, values),
        Kind::Bool => {
            let fits =
                |value: &Pattern| matches!(value, Pattern::Exact(word) if word == "true" || word == "false");
            match (values.iter().all(fits), op.is_equality()) {
                (false, _) => Err("this field is `true` or `false`".to_owned()),
                (true, false) => Err("this field can be compared with `=` and `!=` only".to_owned()),
                (true, true) => Ok(()),
            }
        }
        Kind::Time => match values {
            [Pattern::Exact(text)] if literal::moment(text).is_some() => Ok(()),
            _ => Err("this field takes one instant, such as 2026-03-03T02:13:00Z, 2026-03-03 or now-24h"
                .to_owned()),
        },
        Kind::Map | Kind::Document if op.is_equality() => Ok(()),
        Kind::Map | Kind::Document => match values {
            [Pattern::Exact(text)] if literal::literal(text).is_some() => Ok(()),
            _ => Err(format!(
                "`{op}` compares numbers, sizes as 10GiB, lengths of time as 1h30m, and instants as \
                 2026-03-03T02:13:00Z or now-24h"
            )),
        },
    }
}

/// Refuses what nothing can hold, so that a misspelt word is not taken for a search without results.
fn only_words(path: &Path, words: &[&str], values: &[Pattern]) -> Result<(), String> {
    let unknown = values.iter().find_map(|value| match value {
        Pattern::Exact(exact) if !words.contains(&exact.as_str()) => Some(exact),
        Pattern::Exact(_) | Pattern::Wild(_) => None,
    });
    unknown.map_or(Ok(()), |word| {
        Err(format!("`{word}` is no value of `{path}`; its values are {}", words.join(", ")))
    })
}
