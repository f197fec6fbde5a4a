//! A private Postgres server for `perigee up` and for tests, from the PostgreSQL binaries on the machine.
//!
//! The server listens on a Unix socket only, in a folder that nobody else may enter, and runs in a process group of
//! its own: a `kill -9` of its user leaves it running, and the next start adopts it through `postmaster.pid`.
//! Nothing here speaks SQL or knows what is stored. Start reading at [`start`].

mod binaries;
mod cluster;
mod error;
mod folder;
mod owner;
mod pidfile;
mod server;
mod wait;

use std::path::PathBuf;

pub use binaries::{Binaries, MINIMUM_VERSION, installed};
pub use error::Error;
pub use pidfile::process_exists;
pub use server::{Postgres, start};

/// The database that [`start`] makes sure exists.
pub const DATABASE: &str = "perigee";

/// How and where to run the server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that holds everything: the cluster in `postgres/`, the log `postgres.log`, the socket, the lock.
    pub data_dir: PathBuf,
    /// Whether a commit survives a power cut. Only tests can do without.
    pub durable: bool,
    /// Who may use the folder.
    pub sharing: Sharing,
}

/// Who may use a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// One process at a time: a second one is refused while the first lives.
    Exclusive,
    /// Any number of processes: the first starts the server, the others adopt it, none stops it.
    Shared,
}

impl Settings {
    /// A durable server for one process.
    #[must_use]
    pub fn durable(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), durable: true, sharing: Sharing::Exclusive }
    }

    /// A fast server that forgets at a power cut, shared by every test process of a user.
    #[must_use]
    pub fn for_tests(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), durable: false, sharing: Sharing::Shared }
    }
}

#[cfg(test)]
mod tests;
