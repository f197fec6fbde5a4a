//! Instants that are given in a selector.

use selector::literal::{self, Moment};
use sqlx::{Postgres, QueryBuilder};

use super::compile::Now;

/// The instant that a text means. Where nobody said what now is, the database's clock does.
pub(super) fn push_moment(sql: &mut QueryBuilder<Postgres>, text: &str, now: Now) {
    match (literal::moment(text), now) {
        (Some(Moment::FromNow(delta)), None) => {
            sql.push("(now() + make_interval(secs => ").push_bind(delta.as_seconds_f64()).push("))");
        }
        (Some(moment @ Moment::FromNow(_)), Some(now)) => drop(sql.push_bind(moment.at(now))),
        (Some(Moment::At(at)), _) => drop(sql.push_bind(at)),
        (None, _) => drop(sql.push("null::timestamptz")),
    }
}
