//! What can go wrong, each in one sentence that names the way out.

use std::{io, path::PathBuf};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No binaries on this machine.
    #[error(
        "no PostgreSQL {minimum} or newer is installed here{}; install it (Debian, Ubuntu: `apt install postgresql`; \
         Fedora: `dnf install postgresql-server`; macOS: `brew install postgresql@17`) or set DATABASE_URL to a \
         server of yours", too_old(found.as_deref())
    )]
    NoBinaries {
        /// The oldest version that will do.
        minimum: u32,
        /// A version that was found but is too old.
        found: Option<String>,
    },
    /// The cluster needs binaries of another major version.
    #[error(
        "{} was made by PostgreSQL {version}, which is not installed here; install that version, or start on another \
         folder with --data-dir", data_dir.display()
    )]
    OtherVersion {
        /// The data folder.
        data_dir: PathBuf,
        /// The major version that made it.
        version: String,
    },
    /// Another process uses the folder.
    #[error(
        "another perigee{} uses {}; stop it, or start on another folder with --data-dir",
        process(*pid), data_dir.display()
    )]
    InUse {
        /// The data folder.
        data_dir: PathBuf,
        /// The process, where it is known.
        pid: Option<i32>,
    },
    /// The disk is full.
    #[error(
        "the disk that holds {} is full; free some space, or start on another folder with --data-dir",
        data_dir.display()
    )]
    DiskFull {
        /// The data folder.
        data_dir: PathBuf,
    },
    /// The folder may not be used.
    #[error(
        "{user} may not use {}; correct its owner and permissions, or start on another folder with --data-dir",
        path.display()
    )]
    NotPermitted {
        /// The user that the server runs as.
        user: String,
        /// The folder.
        path: PathBuf,
    },
    /// Root has nobody to run the server as.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`; add one with \
         `useradd --system postgres`, or start perigee as another user"
    )]
    NoUser,
    /// The cluster could not be made.
    #[error("cannot make a database cluster in {}: {output}", data_dir.display())]
    Initdb {
        /// The data folder.
        data_dir: PathBuf,
        /// What `initdb` said.
        output: String,
    },
    /// The server ended while starting.
    #[error("PostgreSQL did not start; {} says: {tail}", log.display())]
    Failed {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server is still not ready.
    #[error("PostgreSQL is not ready after {seconds} seconds; {} says why", log.display())]
    NotReady {
        /// How long we waited.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },
    /// The server does not end.
    #[error("PostgreSQL has not stopped after {seconds} seconds; {} says why", log.display())]
    NotStopped {
        /// How long we waited.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },
    /// A file or process operation failed.
    #[error("cannot {what}")]
    Io {
        /// What we were doing.
        what: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Names what was being done when `source` happened, and recognises what has a better sentence.
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }
}

fn too_old(found: Option<&str>) -> String {
    found.map(|version| format!(" (only {version})")).unwrap_or_default()
}

fn process(pid: Option<i32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
