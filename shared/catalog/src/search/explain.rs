//! Why a resource is described by a selector, or is not.

use schemars::JsonSchema;
use selector::{Node, Selector, Term};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, PgPool, QueryBuilder};
use uuid::Uuid;

use super::{When, compile::Compiler, push_world, related::prepare};
use crate::{Error, resources};

/// What became of one term, for one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermResult {
    /// The term as it is written.
    pub term: String,
    /// Whether it stands under an odd number of negations, so that it counts when it does not hold.
    pub negated: bool,
    /// Whether it holds by itself.
    pub matched: bool,
    /// What it looked at: the value, all values that a path leads to, or the words of the resource. Null where there is
    /// none, and for functions.
    pub value: Value,
}

#[derive(Debug, FromRow)]
struct Row {
    place: i32,
    matched: bool,
    value: Option<Value>,
}

/// What became of each term of a selector for a resource, in the order of the text. `None` where there is no such resource.
pub(crate) async fn terms(
    pool: &PgPool,
    selector: &Selector,
    id: Uuid,
    when: When,
) -> Result<Option<Vec<TermResult>>, Error> {
    let prepared = prepare(pool, selector, when).await?;
    let mut leaves = Vec::new();
    selector.nodes.iter().for_each(|node| collect(node, false, &mut leaves));
    let mut sql = QueryBuilder::new("");
    let mut walks = prepared.related.iter();
    for (place, (term, _)) in (0_i32..).zip(&leaves) {
        sql.push(if place == 0 { "select " } else { " union all select " })
            .push_bind(place)
            .push(" as place, coalesce(");
        let walk: &[Vec<Uuid>] = match term {
            Term::Call { call: selector::Call::Related { .. }, .. } => {
                walks.next().map_or(&[], std::slice::from_ref)
            }
            Term::Call { .. } | Term::Compare { .. } | Term::Matches { .. } | Term::Word(_) => &[],
        };
        let mut compiler = Compiler::new(&mut sql, &resources::FIELDS, when, walk);
        compiler.push_node(&Node::Term((*term).clone()));
        compiler.sql.push(", false) as matched, ");
        compiler.push_looked_at(term);
        sql.push(" as value from ");
        push_world(&mut sql, when.at);
        sql.push(" where r.id = ").push_bind(id);
    }
    if leaves.is_empty() {
        return Ok(Some(Vec::new()));
    }
    sql.push(" order by place");
    let rows: Vec<Row> =
        sql.build_query_as().persistent(false).fetch_all(pool).await.map_err(Error::reading("resources"))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let results = rows.into_iter().filter_map(|row| {
        let (term, negated) = leaves.get(usize::try_from(row.place).ok()?)?;
        Some(TermResult {
            term: term.to_string(),
            negated: *negated,
            matched: row.matched,
            value: row.value.unwrap_or_default(),
        })
    });
    Ok(Some(results.collect()))
}

/// The terms in the order of the text, and whether each is negated by what it lies in.
fn collect<'a>(node: &'a Node, negated: bool, found: &mut Vec<(&'a Term, bool)>) {
    match node {
        Node::Term(term) => found.push((term, negated)),
        Node::Not(node) => collect(node, !negated, found),
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| collect(node, negated, found)),
    }
}
