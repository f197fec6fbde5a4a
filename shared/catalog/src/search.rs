//! Selectors as SQL. The only place that builds SQL at run time; every value is bound. `rules::describes` says the same of
//! a single thing without a database, and tests hold the two equal.
//!
//! Statements that hold such conditions are run with `persistent(false)`: a statement that is kept is planned for any value
//! after a few times, and no index serves a `like` of any pattern.

mod compile;
mod document;
pub(crate) mod explain;
mod moment;
mod related;
#[cfg(test)]
mod tests;
mod text;
mod world;

pub(crate) use related::{Prepared, prepare};
pub(crate) use text::escaped;
use world::push_world;

use model::Timestamp;
use selector::{Kind, Schema, Selector};
use sqlx::{Postgres, QueryBuilder};

use crate::Error;
use compile::Compiler;

/// How a field of a selector is held by its table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// A text, compared exactly, by wildcards or by a pattern.
    Text(&'static str),
    /// Several texts, of which any may match, compared as one is.
    Any(&'static [&'static str]),
    /// One of a few words: a text for which any other exact value is a mistake.
    Word(&'static str, &'static [&'static str]),
    /// A truth value.
    Bool(&'static str),
    /// An instant.
    Time(&'static str),
    /// The instant of the latest change of resource `r` that is no read.
    Changed,
    /// A jsonb object of texts; the rest of the field's path is the key.
    Map(&'static str),
    /// A jsonb document; the rest of the field's path leads into it.
    Document(&'static str),
    /// The labels in the shown document of resource `r`.
    Labels,
    /// The configuration in the shown document of resource `r`.
    Config,
}

impl Column {
    fn kind(self) -> Kind {
        match self {
            Self::Text(_) | Self::Any(_) => Kind::Text,
            Self::Word(_, words) => Kind::Word(words),
            Self::Bool(_) => Kind::Bool,
            Self::Time(_) | Self::Changed => Kind::Time,
            Self::Map(_) | Self::Labels => Kind::Map,
            Self::Document(_) | Self::Config => Kind::Document,
        }
    }
}

/// Where a free word is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Words {
    /// In any of these texts.
    Texts(&'static [&'static str]),
    /// In what resource `r` keeps for it, and, of an ARN, among its aliases.
    Kept,
}

/// What a kind of list can be asked for.
#[derive(Debug)]
pub(crate) struct Fields {
    /// The fields by name.
    pub(crate) columns: &'static [(&'static str, Column)],
    /// Where free words are looked for.
    pub(crate) words: Words,
    /// Whether `related`, `changed` and `finding` of resource `r` can be asked.
    pub(crate) functions: bool,
}

impl Fields {
    fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }

    /// The fields and what they hold, as [`selector::check`] wants them.
    pub(crate) fn kinds(&self) -> Vec<(&'static str, Kind)> {
        self.columns.iter().map(|(name, column)| (*name, column.kind())).collect()
    }
}

/// When a question is asked, and of which instant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct When {
    /// What `now` means; the database's clock where nothing is said.
    pub(crate) now: Option<Timestamp>,
    /// The instant at which it was true; nothing is now. The aliases `r` and `h` must then be of that instant, too.
    pub(crate) at: Option<Timestamp>,
}

/// Refuses a selector that names what is not there.
pub(crate) fn check(selector: &Selector, fields: &Fields) -> Result<(), Error> {
    let kinds = fields.kinds();
    selector::check(selector, &Schema { fields: &kinds, functions: fields.functions })
        .map_err(|error| Error::BadSelector { column: error.column, message: error.message })
}

/// Adds ` and (condition)` for every top-level node of a selector of things that know no functions. For resources see
/// [`prepare`].
pub(crate) fn push_conditions(
    sql: &mut QueryBuilder<Postgres>,
    selector: &Selector,
    fields: &Fields,
    when: When,
) -> Result<(), Error> {
    check(selector, fields)?;
    Compiler::new(sql, fields, when, &[]).push_nodes(&selector.nodes);
    Ok(())
}
