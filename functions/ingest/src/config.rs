//! The function's configuration. The variables are those of [`runtime::config`]: `PERIGEE_DATABASE_URL` (or
//! `DATABASE_URL`), `PERIGEE_DB_POOLER`, `PERIGEE_DB_CONNECTIONS`, `PERIGEE_ACCOUNTS`; and `RUST_LOG` for the log
//! level. Bodies in S3 are read with the ambient AWS credentials and region; `AWS_ENDPOINT_URL_S3` (or
//! `AWS_ENDPOINT_URL`) names another endpoint.

use std::collections::BTreeSet;

use catalog::ConnectOptions;
use runtime::config::{self, Error};

/// What the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    /// How to reach the catalog.
    pub database: ConnectOptions,
    /// The accounts that the catalog holds; `None` means every account.
    pub accounts: Option<BTreeSet<String>>,
}

impl Config {
    /// Reads the variables through `var`.
    ///
    /// # Errors
    /// When one is missing or cannot be understood; the error names it.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        Ok(Self { database: config::database(&var)?, accounts: config::accounts(&var)? })
    }
}
