//! The tree as one boolean expression. A term may come out as null, where a row has no value; groups keep that, and a
//! negation takes it for false, so that it is the exact complement.

use std::slice;

use model::Timestamp;
use selector::{Call, Node, Op, Path, Pattern, Step, Term};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Column, Fields, When, Words, document, moment::push_moment, text};
use crate::{changes, findings};

/// Writes conditions. The selector was checked against the fields.
pub(super) struct Compiler<'q, 'r> {
    pub(super) sql: &'q mut QueryBuilder<Postgres>,
    fields: &'q Fields,
    pub(super) when: When,
    /// What `related` stands for, in the order of the text.
    related: slice::Iter<'r, Vec<Uuid>>,
    /// Where the shown document of `r` stands already.
    shown: Option<&'static str>,
}

impl<'q, 'r> Compiler<'q, 'r> {
    pub(super) fn new(
        sql: &'q mut QueryBuilder<Postgres>,
        fields: &'q Fields,
        when: When,
        related: &'r [Vec<Uuid>],
    ) -> Self {
        Self { sql, fields, when, related: related.iter(), shown: None }
    }

    /// Takes the shown document of `r` from a column, where it was worked out once for all terms.
    pub(super) fn with_shown(self, shown: &'static str) -> Self {
        Self { shown: Some(shown), ..self }
    }

    pub(super) fn push(&mut self, text: &'static str) {
        self.sql.push(text);
    }

    pub(super) fn push_nodes<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>) {
        for node in nodes {
            self.push(" and ");
            self.push_node(node);
        }
    }

    pub(super) fn push_node(&mut self, node: &Node) {
        match node {
            Node::Term(term) => self.push_term(term),
            Node::Not(node) => self.push_not(|compiler| compiler.push_node(node)),
            Node::All(nodes) => self.push_group(nodes, " and "),
            Node::Any(nodes) => self.push_group(nodes, " or "),
        }
    }

    fn push_group(&mut self, nodes: &[Node], between: &'static str) {
        for (index, node) in nodes.iter().enumerate() {
            self.sql.push(if index == 0 { "(" } else { between });
            self.push_node(node);
        }
        self.push(")");
    }

    /// What has no value is not equal to any.
    fn push_not(&mut self, push: impl FnOnce(&mut Self)) {
        self.push("not coalesce(");
        push(self);
        self.push(", false)");
    }

    fn push_term(&mut self, term: &Term) {
        match term {
            Term::Word(word) => self.push_word(word),
            Term::Compare { field, op: Op::NotEqual, values, column: _ } => {
                self.push_not(|compiler| compiler.push_equal(field, values));
            }
            Term::Compare { field, op: Op::Equal, values, column: _ } => self.push_equal(field, values),
            Term::Compare { field, op, values, column: _ } => self.push_ordered(field, *op, values),
            Term::Matches { field, negated, regex, column: _ } => {
                let pattern = regex.portable().to_owned();
                if *negated {
                    self.push_not(|compiler| compiler.push_pattern(field, pattern));
                } else {
                    self.push_pattern(field, pattern);
                }
            }
            Term::Call { call, column: _ } => self.push_call(call),
        }
    }

    fn push_word(&mut self, word: &str) {
        match self.fields.words {
            Words::Texts(texts) => {
                for (index, column) in texts.iter().enumerate() {
                    self.sql.push(if index == 0 { "(" } else { " or " }).push(*column).push(" ilike ");
                    self.sql.push_bind(text::containing(word));
                }
                self.push(")");
            }
            Words::Kept => {
                self.push("(");
                text::push_holds(self.sql, "r.words", &word.to_lowercase());
                if word.starts_with("arn:") {
                    self.push(
                        " or r.id = any (array(select a.resource_id from perigee.aliases a where a.alias = ",
                    );
                    self.sql.push_bind(word.to_owned());
                    if let Some(at) = self.when.at {
                        self.sql.push(" and a.first_at <= ").push_bind(at);
                    }
                    self.push("))");
                }
                self.push(")");
            }
        }
    }

    fn push_equal(&mut self, path: &Path, values: &[Pattern]) {
        match self.fields.column(path.name()) {
            Some(Column::Text(column) | Column::Word(column, _)) => {
                text::push_any(self.sql, &[column], values);
            }
            Some(Column::Any(columns)) => text::push_any(self.sql, columns, values),
            Some(Column::Bool(column)) => text::push_truth(self.sql, column, values),
            Some(Column::Time(column)) => match values {
                [Pattern::Exact(moment)] => {
                    self.sql.push(column).push(" = ");
                    push_moment(self.sql, moment, self.when.now);
                }
                _ => {
                    self.sql.push(column).push(" is not null");
                }
            },
            Some(Column::Changed) => match values {
                [Pattern::Exact(moment)] => self.push_latest_change(Op::Equal, moment),
                _ => self.push_changes(|_| ()),
            },
            Some(Column::Map(column)) => text::push_key(self.sql, column, path, values),
            Some(column @ (Column::Document(_) | Column::Labels | Column::Config)) => {
                self.push_within(column, path, |c| document::equal(c, values));
            }
            None => self.push("false"),
        }
    }

    fn push_ordered(&mut self, path: &Path, op: Op, values: &[Pattern]) {
        let Some(Pattern::Exact(value)) = values.first() else { return self.push("false") };
        match self.fields.column(path.name()) {
            Some(Column::Time(column)) => {
                self.sql.push(column).push(sign(op));
                push_moment(self.sql, value, self.when.now);
            }
            Some(Column::Changed) => match op {
                // Any change after it is as good as the latest.
                Op::Greater | Op::GreaterOrEqual => self.push_changes(|compiler| {
                    compiler.sql.push(" and t.occurred_at").push(sign(op));
                    push_moment(compiler.sql, value, compiler.when.now);
                }),
                Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual => self.push_latest_change(op, value),
            },
            Some(Column::Map(column)) => {
                let key = path.key().unwrap_or_default();
                document::ordered(self, op, value, |c| {
                    c.sql.push("(").push(column).push(" -> ").push_bind(key.clone()).push(")");
                });
            }
            Some(column @ (Column::Document(_) | Column::Labels | Column::Config)) => {
                self.push_within(column, path, |c| document::ordered(c, op, value, document::the_value));
            }
            Some(Column::Text(_) | Column::Any(_) | Column::Word(..) | Column::Bool(_)) | None => {
                self.push("false");
            }
        }
    }

    fn push_pattern(&mut self, path: &Path, pattern: String) {
        match self.fields.column(path.name()) {
            Some(Column::Text(column) | Column::Word(column, _)) => {
                self.sql.push(column).push(" ~ ").push_bind(pattern);
            }
            Some(Column::Any(columns)) => {
                for (index, column) in columns.iter().enumerate() {
                    self.sql.push(if index == 0 { "(" } else { " or " }).push(*column).push(" ~ ");
                    self.sql.push_bind(pattern.clone());
                }
                self.push(")");
            }
            Some(Column::Map(column)) => {
                let key = path.key().unwrap_or_default();
                self.sql.push("(").push(column).push(" ->> ").push_bind(key).push(") ~ ").push_bind(pattern);
            }
            Some(column @ (Column::Document(_) | Column::Labels | Column::Config)) => {
                self.push_within(column, path, |c| document::matches(c, pattern));
            }
            Some(Column::Bool(_) | Column::Time(_) | Column::Changed) | None => self.push("false"),
        }
    }

    fn push_call(&mut self, call: &Call) {
        match call {
            Call::Related { .. } => {
                let ids = self.related.next().cloned().unwrap_or_default();
                self.sql.push("r.id = any (").push_bind(ids).push(")");
            }
            Call::Changed(selector) => {
                self.sql.push(
                    "r.id in (select t.resource_id from perigee.change_resources t
                     join perigee.changes c on c.id = t.change_id and c.occurred_at = t.occurred_at where true",
                );
                self.push_until("t.occurred_at");
                Compiler::new(self.sql, &changes::FIELDS, self.when, &[]).push_nodes(&selector.nodes);
                self.push(")");
            }
            Call::Finding(selector) => {
                self.push("r.id in (select x.id from ");
                self.push_findings();
                self.push(" cross join lateral unnest(f.resources) x (id) where true");
                Compiler::new(self.sql, &findings::FIELDS, self.when, &[]).push_nodes(&selector.nodes);
                self.push(")");
            }
        }
    }

    /// Findings as they stand, or stood.
    fn push_findings(&mut self) {
        let Some(at) = self.when.at else { return self.push("perigee.findings f") };
        self.sql.push(
            "(select g.id, g.product, g.kind, g.account, g.region, g.first_seen, g.details, g.resources, s.at, s.title,
                     s.severity, s.status
              from perigee.findings g cross join lateral (
                  select * from perigee.finding_statements s where s.finding_id = g.id and s.at <= ",
        );
        self.sql.push_bind(at).push(" order by s.at desc, s.hash desc limit 1) s) f");
    }

    /// There is a change, no mere read, that also fulfils what `push` adds.
    fn push_changes(&mut self, push: impl FnOnce(&mut Self)) {
        self.push("exists (select 1");
        self.push_written();
        push(self);
        self.push(")");
    }

    fn push_latest_change(&mut self, op: Op, moment: &str) {
        self.push("(select t.occurred_at");
        self.push_written();
        self.sql.push(" order by t.occurred_at desc limit 1)").push(sign(op));
        push_moment(self.sql, moment, self.when.now);
    }

    fn push_written(&mut self) {
        self.sql.push(
            " from perigee.change_resources t join perigee.changes c on c.id = t.change_id and c.occurred_at = t.occurred_at
              where t.resource_id = r.id and not c.read_only",
        );
        self.push_until("t.occurred_at");
    }

    fn push_until(&mut self, column: &'static str) {
        if let Some(at) = self.when.at {
            self.sql.push(" and ").push(column).push(" <= ").push_bind(at);
        }
    }

    /// There is a value at a path into a document of which a condition holds.
    fn push_within(&mut self, column: Column, path: &Path, condition: impl FnOnce(&mut Self)) {
        document::push(self, steps(column, path), |c| c.push_document(column, path), condition);
    }

    /// The document that [`steps`] lead into; of labels, the one at the key.
    fn push_document(&mut self, column: Column, path: &Path) {
        match column {
            Column::Document(column) => self.push(column),
            Column::Config => {
                self.push_shown();
                self.push(" -> 'config'");
            }
            Column::Labels => {
                self.push_shown();
                self.sql.push(" -> 'labels' -> ").push_bind(path.key().unwrap_or_default());
            }
            Column::Text(_)
            | Column::Any(_)
            | Column::Word(..)
            | Column::Bool(_)
            | Column::Time(_)
            | Column::Changed
            | Column::Map(_) => self.push("null::jsonb"),
        }
    }

    fn push_shown(&mut self) {
        if let Some(shown) = self.shown {
            return self.push(shown);
        }
        self.push("perigee.shown(r.id");
        if let Some(at) = self.when.at {
            self.sql.push(", ").push_bind(at);
        }
        self.push(")");
    }

    /// What a term looks at, as jsonb, for [`super::explain`].
    pub(super) fn push_looked_at(&mut self, term: &Term) {
        let Some(path) = term.field() else {
            let has_words = matches!((term, self.fields.words), (Term::Word(_), Words::Kept));
            return self.push(if has_words { "to_jsonb(r.words)" } else { "null::jsonb" });
        };
        match self.fields.column(path.name()) {
            Some(
                Column::Text(column) | Column::Word(column, _) | Column::Bool(column) | Column::Time(column),
            ) => {
                self.sql.push("to_jsonb(").push(column).push(")");
            }
            Some(Column::Any(columns)) => {
                self.sql.push("jsonb_build_array(").push(columns.join(", ")).push(")");
            }
            Some(Column::Map(column)) => {
                self.sql.push(column).push(" -> ").push_bind(path.key().unwrap_or_default());
            }
            Some(column @ (Column::Document(_) | Column::Labels | Column::Config)) => {
                self.push("(select jsonb_agg(l.v) from ");
                document::push_from(self, steps(column, path), |c| c.push_document(column, path));
                self.push(" where l.v is not null)");
            }
            Some(Column::Changed) => {
                self.push("to_jsonb((select t.occurred_at");
                self.push_written();
                self.push(" order by t.occurred_at desc limit 1))");
            }
            None => self.push("null::jsonb"),
        }
    }
}

/// What is left of a path within the document of a column.
fn steps(column: Column, path: &Path) -> &[Step] {
    match column {
        Column::Labels => &[],
        Column::Text(_)
        | Column::Any(_)
        | Column::Word(..)
        | Column::Bool(_)
        | Column::Time(_)
        | Column::Changed
        | Column::Map(_)
        | Column::Document(_)
        | Column::Config => path.within(),
    }
}

pub(super) fn sign(op: Op) -> &'static str {
    match op {
        Op::Equal => " = ",
        Op::NotEqual => " <> ",
        Op::Greater => " > ",
        Op::GreaterOrEqual => " >= ",
        Op::Less => " < ",
        Op::LessOrEqual => " <= ",
    }
}

/// The instant that `now` is, as far as somebody said.
pub(super) type Now = Option<Timestamp>;
