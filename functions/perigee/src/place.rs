//! Where the data lies: a folder on this machine, or a database of somebody else's.

use std::path::PathBuf;

use anyhow::bail;
use catalog::ConnectOptions;
use clap::Args;
use embedded::Settings;
use nix::unistd::Uid;
use runtime::config;

/// How many connections a local server opens at most.
const CONNECTIONS: &str = "10";

const DATA_DIR_HELP: &str = "The folder of the private database, its log and its socket [default: \
    $XDG_DATA_HOME/perigee or ~/.local/share/perigee; for root /var/lib/perigee]";
const DATABASE_URL_HELP: &str =
    "A Postgres of yours instead of the private one [env: PERIGEE_DATABASE_URL, DATABASE_URL]";

/// Where the data lies.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// The folder of the private database.
    #[arg(long, value_name = "DIR", env = "PERIGEE_DATA_DIR", help = DATA_DIR_HELP)]
    pub data_dir: Option<PathBuf>,
    /// Somebody else's database.
    #[arg(long, value_name = "URL", help = DATABASE_URL_HELP)]
    pub database_url: Option<String>,
}

/// A database: whose it is.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// Ours: a server that is started from this folder.
    Private(Settings),
    /// Somebody else's.
    Given(ConnectOptions),
}

impl Place {
    /// What the options and the environment say.
    pub(crate) fn database(&self) -> anyhow::Result<Database> {
        if self.database_url().is_none() {
            return Ok(Database::Private(Settings::durable(self.folder()?)));
        }
        Ok(Database::Given(config::database(|name| self.var(name))?))
    }

    /// The address of somebody else's database, where one was given.
    pub(crate) fn database_url(&self) -> Option<String> {
        self.var("PERIGEE_DATABASE_URL").or_else(|| self.var("DATABASE_URL"))
    }

    /// The folder of a private database.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data_dir {
            return Ok(std::path::absolute(folder)?);
        }
        default_folder(Uid::effective().is_root(), config::var)
    }

    fn var(&self, name: &str) -> Option<String> {
        match (name, &self.database_url) {
            ("PERIGEE_DATABASE_URL", Some(url)) => Some(url.clone()),
            ("PERIGEE_DB_CONNECTIONS", _) => config::var(name).or_else(|| Some(CONNECTIONS.to_owned())),
            _ => config::var(name),
        }
    }
}

impl Database {
    /// How to reach a private server's database, or somebody else's.
    pub(crate) fn private(url: String) -> ConnectOptions {
        ConnectOptions { url, max_connections: CONNECTIONS.parse().unwrap_or(2), pooler: false }
    }
}

fn default_folder(root: bool, var: impl Fn(&str) -> Option<String>) -> anyhow::Result<PathBuf> {
    if root {
        return Ok(PathBuf::from("/var/lib/perigee"));
    }
    // The specification says that a relative path is to be ignored.
    let data_home = var("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data_home = data_home.or_else(|| Some(PathBuf::from(var("HOME")?).join(".local/share")));
    match data_home {
        Some(folder) => Ok(folder.join("perigee")),
        None => bail!("neither HOME nor XDG_DATA_HOME is set; say where the data shall lie with --data-dir"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_roots_the_users_or_asked_for() {
        let folder = |root, vars: &[(&str, &str)]| {
            let found = default_folder(root, |name| {
                vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            });
            found.map(|folder| folder.display().to_string())
        };
        assert_eq!(folder(true, &[]).unwrap(), "/var/lib/perigee");
        assert_eq!(folder(false, &[("HOME", "/home/ada")]).unwrap(), "/home/ada/.local/share/perigee");
        let both = [("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")];
        assert_eq!(folder(false, &both).unwrap(), "/data/perigee");
        let relative = [("HOME", "/home/ada"), ("XDG_DATA_HOME", "data")];
        assert_eq!(folder(false, &relative).unwrap(), "/home/ada/.local/share/perigee");
        assert!(folder(false, &[]).unwrap_err().to_string().contains("--data-dir"));
    }

    #[test]
    fn a_database_that_is_given_goes_before_the_private_one() {
        let url = "postgres://ada@192.0.2.1/perigee".to_owned();
        let place = Place { database_url: Some(url.clone()), data_dir: Some("/data".into()) };
        let database = place.database().unwrap();
        assert!(
            matches!(database, Database::Given(given) if given.url == url && given.max_connections == 10)
        );
    }
}
