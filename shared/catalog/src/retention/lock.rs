//! Who removes keeps others out, for the moment that it takes.

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::{Error, connect, record::listings::REMOVAL};

/// Begins a transaction in which history is removed. `None` while another removes some or makes a hold.
pub(super) async fn begin(pool: &PgPool) -> Result<Option<Transaction<'static, Postgres>>, Error> {
    let mut tx = connect::begin(pool).await.map_err(Error::connecting)?;
    let got = sqlx::query_scalar!("select holder from perigee.retention_lock for update skip locked")
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::writing("the retention lock"))?;
    Ok(got.map(|_| tx))
}

/// Ends a transaction in which nothing is removed, now and not when its connection is used next: what comes after would
/// find the lock taken.
pub(super) async fn give_up<T>(tx: Transaction<'static, Postgres>, answer: T) -> Result<T, Error> {
    tx.rollback().await.map_err(Error::writing("the retention lock"))?;
    Ok(answer)
}

/// Waits for a removal that is under way, and keeps others out until the transaction ends.
pub(crate) async fn wait(db: &mut PgConnection) -> Result<(), Error> {
    sqlx::query_scalar!("select holder from perigee.retention_lock for update")
        .fetch_optional(db)
        .await
        .map_err(Error::writing("the retention lock"))?;
    Ok(())
}

/// Keeps writers out until the transaction ends, where none is at work or they are done at once. False otherwise:
/// those that come after would wait as well.
pub(super) async fn keep_writers_out(db: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query!("select set_config('lock_timeout', '100ms', true) as set")
        .fetch_one(&mut *db)
        .await
        .map_err(Error::writing("the retention lock"))?;
    let locked =
        sqlx::query!("select pg_advisory_xact_lock($1)::text as locked", REMOVAL).fetch_one(db).await;
    match locked {
        Ok(_) => Ok(true),
        Err(error) if is_busy(&error) => Ok(false),
        Err(error) => Err(Error::writing("the retention lock")(error)),
    }
}

/// Whether a lock was not to be had in time.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    // lock_not_available, PostgreSQL's appendix A
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}
