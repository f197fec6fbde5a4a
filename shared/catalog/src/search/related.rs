//! `related(...)`: what it stands for is looked up before the question that holds it is asked.

use std::pin::Pin;

use selector::{Call, Direction, Node, Selector, Term};
use sqlx::{PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{When, check, compile::Compiler, push_world};
use crate::{Error, resources};

/// From how many resources a walk starts at most.
const MOST_STARTS: usize = 10_000;
/// How many a walk reaches at most.
const MOST_REACHED: usize = 50_000;

/// A selector of resources with what its walks reach: it becomes a condition without another question.
#[derive(Debug)]
pub(crate) struct Prepared<'s> {
    selector: &'s Selector,
    when: When,
    /// Of each `related` outside of other functions, in the order of the text.
    pub(super) related: Vec<Vec<Uuid>>,
}

impl Prepared<'_> {
    /// Adds ` from` the resources `r` with their health `h` and ` where` the selector describes them. The shown document
    /// is worked out once for each row, however many terms look at it: `offset 0` keeps the planner from repeating it.
    pub(crate) fn push_described(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" from ");
        push_world(sql, self.when.at);
        self.push_documents(sql);
        sql.push(" where true");
        self.push(sql);
    }

    /// Joins the shown documents `d` of the resources `r`, where the selector looks at them.
    pub(crate) fn push_documents(&self, sql: &mut QueryBuilder<Postgres>) {
        if self.looks_at_documents() {
            sql.push(" cross join lateral (select perigee.shown(r.id");
            if let Some(at) = self.when.at {
                sql.push(", ").push_bind(at);
            }
            sql.push(") as shown offset 0) d");
        }
    }

    /// Adds ` and (condition)` for every top-level node. The conditions are on the aliases `r` and `h`, and on `d` where
    /// [`Self::push_documents`] joined it.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        self.push_but(sql, |_| false);
    }

    /// As [`Self::push`], less the comparisons and words that the statement says already: said twice, a condition makes
    /// the planner expect fewer rows than there are.
    pub(crate) fn push_but(&self, sql: &mut QueryBuilder<Postgres>, said: impl Fn(&Term) -> bool) {
        let compiler = Compiler::new(sql, &resources::FIELDS, self.when, &self.related);
        let mut compiler = if self.looks_at_documents() { compiler.with_shown("d.shown") } else { compiler };
        let left = |node: &&Node| {
            !node.as_term().is_some_and(|term| !matches!(term, Term::Call { .. }) && said(term))
        };
        compiler.push_nodes(self.selector.nodes.iter().filter(left));
    }

    fn looks_at_documents(&self) -> bool {
        let names = ["config", "properties", "labels"];
        self.selector
            .terms()
            .iter()
            .any(|term| term.field().is_some_and(|field| names.contains(&field.name())))
    }
}

/// Checks a selector of resources, and looks up what its walks reach.
pub(crate) async fn prepare<'s>(
    pool: &PgPool,
    selector: &'s Selector,
    when: When,
) -> Result<Prepared<'s>, Error> {
    check(selector, &resources::FIELDS)?;
    let mut related = Vec::new();
    for term in selector.terms() {
        if let Term::Call { call: Call::Related { selector, direction, depth }, column } = term {
            related.push(walked(pool, selector, *direction, *depth, *column, when).await?);
        }
    }
    Ok(Prepared { selector, when, related })
}

/// Boxed, because a selector within may walk again; the parser bounds how deep.
fn walked<'a>(
    pool: &'a PgPool,
    selector: &'a Selector,
    direction: Direction,
    depth: u8,
    column: usize,
    when: When,
) -> Pin<Box<dyn Future<Output = Result<Vec<Uuid>, Error>> + Send + 'a>> {
    Box::pin(async move {
        let prepared = prepare(pool, selector, when).await?;
        let mut sql = QueryBuilder::new("select r.id");
        prepared.push_described(&mut sql);
        sql.push(" limit ").push_bind(i64::try_from(MOST_STARTS + 1).unwrap_or(i64::MAX));
        let starts: Vec<Uuid> = sql
            .build_query_scalar()
            .persistent(false)
            .fetch_all(pool)
            .await
            .map_err(Error::reading("resources"))?;
        let narrow = |what: &str, most: usize| Error::BadSelector {
            column,
            message: format!(
                "`related` {what} more than {most} resources; narrow its selector, or its depth"
            ),
        };
        if starts.len() > MOST_STARTS {
            return Err(narrow("begins at", MOST_STARTS));
        }
        let reached = sqlx::query_scalar!(
            r#"select id as "id!" from perigee.reached($1, $2, $3, $4, $5) as id"#,
            &starts,
            direction.word(),
            i32::from(depth),
            i32::try_from(MOST_REACHED).unwrap_or(i32::MAX),
            when.at,
        )
        .fetch_all(pool)
        .await
        .map_err(Error::reading("the graph"))?;
        if reached.len() > MOST_REACHED { Err(narrow("reaches", MOST_REACHED)) } else { Ok(reached) }
    })
}
