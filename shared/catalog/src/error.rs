//! Why the catalog could not do what was asked.

/// Why the catalog could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the database cannot be read.
    #[error("the database address cannot be read; it looks like postgres://user:password@host:5432/name")]
    Address(#[source] sqlx::Error),
    /// The database does not answer. Worth trying again.
    #[error("the database does not answer")]
    Unreachable(#[source] sqlx::Error),
    /// The database's disk is full. Worth trying again once there is room.
    #[error("the database's disk is full; make room, then try again")]
    DiskFull(#[source] sqlx::Error),
    /// A statement that reads failed.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
    /// A statement that writes failed.
    #[error("cannot write {what}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
    /// A stored value is not what this build can read.
    #[error("the stored {what} of {id} cannot be read")]
    Corrupt {
        /// What it is.
        what: &'static str,
        /// Whose it is.
        id: String,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The database holds tables in schema `perigee` that are not ours.
    #[error(
        "the database has a schema `perigee` that Perigee did not make; use another database, or drop that schema"
    )]
    ForeignTables,
    /// The database was migrated by a newer build.
    #[error("the database is at schema version {found}, this build knows up to {known}; use a newer perigee")]
    NewerSchema {
        /// The version found.
        found: i64,
        /// The newest version this build knows.
        known: i64,
    },
    /// The database was not migrated yet.
    #[error("the database has no catalog yet; it is being prepared, or `perigee migrate` makes it")]
    NotMigrated,
    /// A migration failed.
    #[error("cannot migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Other writers kept creating the same resources. Worth trying again.
    #[error("other writers kept creating the same resources")]
    Contended,
    /// A cursor that this catalog did not hand out.
    #[error("the cursor is not one that this list handed out; start again without it")]
    BadCursor,
    /// History before this instant was removed.
    #[error("what was before {horizon} is kept no longer")]
    Expired {
        /// From when on it is there.
        horizon: model::Timestamp,
    },
    /// A line of an import that cannot be taken.
    #[error("line {line}: {reason}")]
    Import {
        /// Its number, from 1.
        line: u64,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// An import into a catalog that holds something.
    #[error("the catalog is not empty: there are rows in `{table}`; import into a new database")]
    NotEmpty {
        /// A table that has rows.
        table: &'static str,
    },
    /// A hold whose selector means nothing here, so that what it keeps is not known and nothing may be removed.
    #[error(
        "the hold `{name}` cannot be evaluated, so that nothing may be removed; release it and make it anew"
    )]
    Hold {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<Error>,
    },
    /// A selector that means nothing here.
    #[error("column {column}: {message}")]
    BadSelector {
        /// The column of the term, from 1.
        column: usize,
        /// What was wrong and what would be right.
        message: String,
    },
}

impl Error {
    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::DiskFull(_) | Self::Contended) || self.is_collision()
    }

    /// Whether the database refuses the values that it was given, rather than being unable to take any. Then the same
    /// call without the culprit succeeds.
    #[must_use]
    pub fn refuses_values(&self) -> bool {
        // class 22 data exception, 23 constraint violation, 54 program limit exceeded
        self.database_code()
            .is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
    }

    /// Whether the database chose this transaction to lose against another.
    pub(crate) fn is_collision(&self) -> bool {
        // serialization_failure and deadlock_detected, PostgreSQL's appendix A
        self.database_code().is_some_and(|code| code == "40001" || code == "40P01")
    }

    fn database_code(&self) -> Option<String> {
        match self {
            Self::Unreachable(source) | Self::Read { source, .. } | Self::Write { source, .. } => {
                source.as_database_error().and_then(|error| error.code()).map(std::borrow::Cow::into_owned)
            }
            _ => None,
        }
    }

    pub(crate) fn connecting(source: sqlx::Error) -> Self {
        Self::of(source, |source| Self::Read { what: "from the database", source })
    }

    pub(crate) fn reading(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::of(source, |source| Self::Read { what, source })
    }

    pub(crate) fn writing(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::of(source, |source| Self::Write { what, source })
    }

    /// Tells a database that is away, starting, stopping or full from a statement that is wrong.
    fn of(source: sqlx::Error, other: impl FnOnce(sqlx::Error) -> Self) -> Self {
        let code = source.as_database_error().and_then(|error| error.code());
        if code.as_deref() == Some("53100") {
            return Self::DiskFull(source);
        }
        // undefined_table and invalid_schema_name: somebody asks before the first migration is done.
        if matches!(code.as_deref(), Some("42P01" | "3F000")) {
            return Self::NotMigrated;
        }
        let away = match &source {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            // class 08 connection, 53 insufficient resources (disk full, out of memory, too many connections),
            // 57 operator intervention (shutdown, starting up, cancelled by timeout), 58 system error, 25006 read only
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code == "25006" || ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
            }),
            _ => false,
        };
        if away { Self::Unreachable(source) } else { other(source) }
    }
}
