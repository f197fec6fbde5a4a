//! `related(...)`: what it stands for is looked up before the question that holds it is asked.

use std::pin::Pin;

use selector::{Call, Direction, Selector, Term};
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
    /// Adds ` and (condition)` for every top-level node. The conditions are on the aliases `r` and `h`.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        Compiler::new(sql, &resources::FIELDS, self.when, &self.related).push_selector(self.selector);
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
        let mut sql = QueryBuilder::new("select r.id from ");
        push_world(&mut sql, when.at);
        sql.push(" where true");
        prepared.push(&mut sql);
        sql.push(" limit ").push_bind(i64::try_from(MOST_STARTS + 1).unwrap_or(i64::MAX));
        let starts: Vec<Uuid> =
            sql.build_query_scalar().fetch_all(pool).await.map_err(Error::reading("resources"))?;
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
