//! Configuration from the environment, the parts that several programs share.
//!
//! | variable | means |
//! |---|---|
//! | `PERIGEE_DATABASE_URL`, else `DATABASE_URL` | the catalog's database: `postgres://user:password@host/db`, or `postgres:///db?host=/dir` for a Unix socket |
//! | `PERIGEE_DB_POOLER` | `1` behind a pooler that cannot keep prepared statements (PgBouncer, RDS Proxy) |
//! | `PERIGEE_DB_CONNECTIONS` | how many connections at most; 2 unless said |
//! | `PERIGEE_PRINCIPALS` | principals of ours, separated by commas, `*` for any text: what they do starts no run |
//! | `PERIGEE_ACCOUNTS` | the accounts that the catalog holds, separated by commas; every account unless said |

use std::collections::BTreeSet;

use catalog::ConnectOptions;

#[cfg(test)]
mod tests;

/// How many connections a function opens at most: one works, one is for what must not wait for it.
const CONNECTIONS: u32 = 2;

/// A variable that is missing, or that says something we do not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has to be there.
    #[error("{name} is not set; set it to {wanted}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        wanted: &'static str,
    },
    /// It holds something else.
    #[error("{name} is `{value}`; it should be {wanted}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        wanted: &'static str,
    },
}

/// A variable of the process's environment; one that is empty counts as absent.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// How to reach the database.
///
/// # Errors
/// When there is no address, or a variable cannot be understood.
pub fn database(var: impl Fn(&str) -> Option<String>) -> Result<ConnectOptions, Error> {
    let url = var("PERIGEE_DATABASE_URL").or_else(|| var("DATABASE_URL")).ok_or(Error::Missing {
        name: "PERIGEE_DATABASE_URL",
        wanted: "the address of a Postgres database, such as postgres://user@host/perigee",
    })?;
    let max_connections = match var("PERIGEE_DB_CONNECTIONS") {
        None => CONNECTIONS,
        Some(value) => {
            value.parse().ok().filter(|count| (1..=100).contains(count)).ok_or(Error::Invalid {
                name: "PERIGEE_DB_CONNECTIONS",
                value,
                wanted: "a number from 1 to 100",
            })?
        }
    };
    Ok(ConnectOptions { url, max_connections, pooler: flag("PERIGEE_DB_POOLER", var)? })
}

/// The accounts that the catalog holds; `None` means every account.
///
/// # Errors
/// When the list holds anything but account numbers.
pub fn accounts(var: impl Fn(&str) -> Option<String>) -> Result<Option<BTreeSet<String>>, Error> {
    let Some(value) = var("PERIGEE_ACCOUNTS") else { return Ok(None) };
    let accounts: BTreeSet<String> =
        value.split(',').map(str::trim).filter(|account| !account.is_empty()).map(str::to_owned).collect();
    if accounts.is_empty() || !accounts.iter().all(|account| is_account(account)) {
        let wanted = "account numbers of 12 digits, separated by commas";
        return Err(Error::Invalid { name: "PERIGEE_ACCOUNTS", value, wanted });
    }
    Ok(Some(accounts))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Principals of ours, beside those that Perigee knows: `PERIGEE_PRINCIPALS`, separated by commas.
pub fn principals(var: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let given = var("PERIGEE_PRINCIPALS").unwrap_or_default();
    given.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A variable that is `1` or `0`; absent is `0`.
///
/// # Errors
/// When it holds anything else.
pub fn flag(name: &'static str, var: impl Fn(&str) -> Option<String>) -> Result<bool, Error> {
    match var(name).as_deref() {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(value) => Err(Error::Invalid { name, value: value.to_owned(), wanted: "1 or 0" }),
    }
}
