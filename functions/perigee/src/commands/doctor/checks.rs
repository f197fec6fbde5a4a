//! The things that are looked at. None of them changes anything.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::Context;
use catalog::{Catalog, ConnectOptions};
use nix::{
    sys::statvfs::statvfs,
    unistd::{AccessFlags, access},
};
use runtime::config;
use serde_json::Value;

use super::{Check, State};
use crate::{
    client::{Client, Error},
    place::{Database, Place},
};

/// Less free space than this is too little to start with, or little enough to say so; in bytes.
const TOO_LITTLE: u64 = 200 * 1024 * 1024;
const LITTLE: u64 = 2 * 1024 * 1024 * 1024;

/// Looks at everything.
pub(super) fn all(client: &Client, place: &Place, has_aws: bool) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    match place.database() {
        Err(error) => checks.push(Check::fail("configuration", format!("{error:#}"))),
        Ok(Database::Given(given)) => checks.push(given_database(&given)?),
        Ok(Database::Private(settings)) => {
            checks.push(binaries());
            checks.push(folder(&settings.data_dir));
        }
    }
    checks.push(accounts());
    checks.extend(server(client));
    checks.extend(aws_with_config(has_aws)?);
    checks.extend(kubernetes()?);
    Ok(checks)
}

fn binaries() -> Check {
    let installed = embedded::installed();
    let fitting = installed.iter().find(|found| found.major >= embedded::MINIMUM_VERSION);
    match fitting {
        Some(found) => Check::ok("PostgreSQL", format!("{} in {}", found.version, found.dir.display())),
        None => {
            let found = installed.first().map(|found| found.version.clone());
            let error = embedded::Error::NoBinaries { minimum: embedded::MINIMUM_VERSION, found };
            Check::fail("PostgreSQL", error.to_string())
        }
    }
}

/// Whether the folder, or the one that it will be made in, can be written and has room.
fn folder(folder: &Path) -> Check {
    let what = "data folder";
    let Some(existing) = existing(folder) else {
        return Check::fail(
            what,
            format!("{} is on no disk of this machine; choose another with --data-dir", folder.display()),
        );
    };
    if !existing.is_dir() {
        return Check::fail(
            what,
            format!("{} is no folder; choose another with --data-dir", existing.display()),
        );
    }
    if access(&existing, AccessFlags::W_OK | AccessFlags::X_OK).is_err() {
        let existing = existing.display();
        return Check::fail(
            what,
            format!(
                "this user may not write to {existing}; correct its permissions, or choose another with --data-dir"
            ),
        );
    }
    let shown = folder.display();
    let later = if existing == folder { "" } else { " (made by `perigee up`)" };
    let Ok(disk) = statvfs(&existing) else {
        return Check::warn(what, format!("{shown}{later}; how much space is left cannot be read"));
    };
    // Their type differs between systems.
    #[expect(clippy::useless_conversion, reason = "the counts have 32 bits on some systems")]
    let free = u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size()));
    let left = format!("{shown}{later}, {} MB free", free / (1024 * 1024));
    if free < TOO_LITTLE {
        Check::fail(
            what,
            format!("{left}: too little; free some space, or choose another disk with --data-dir"),
        )
    } else if free < LITTLE {
        Check::warn(what, format!("{left}: little; the catalog grows with what is recorded"))
    } else {
        Check::ok(what, left)
    }
}

/// The path itself, or the nearest part of it that exists.
fn existing(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|part| part.exists()).map(Path::to_owned)
}

fn given_database(given: &ConnectOptions) -> anyhow::Result<Check> {
    let what = "database";
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let checked = runtime.block_on(async { Catalog::connect(given)?.check().await });
    Ok(match checked {
        Ok(()) => Check::ok(what, "it answers, at this build's schema"),
        Err(catalog::Error::NotMigrated) => Check::warn(
            what,
            "it answers and has no catalog yet; `perigee migrate` or `perigee up` makes one",
        ),
        Err(error) => {
            let advice = if error.is_transient() {
                "; look whether it runs, and whether DATABASE_URL names its host, port, user and password"
            } else {
                ""
            };
            Check::fail(what, format!("{:#}{advice}", anyhow::Error::new(error)))
        }
    })
}

fn accounts() -> Check {
    let what = "accounts";
    match config::accounts(config::var) {
        Ok(None) => {
            Check::ok(what, "every account is ours; --accounts or PERIGEE_ACCOUNTS names them one by one")
        }
        Ok(Some(accounts)) => {
            Check::ok(what, format!("ours: {}", accounts.into_iter().collect::<Vec<_>>().join(", ")))
        }
        Err(error) => Check::fail(what, error.to_string()),
    }
}

/// The server; and where none answers, whether its port is free for one.
fn server(client: &Client) -> Vec<Check> {
    let what = "server";
    match client.get("/healthz", &[]) {
        Ok(answer) => {
            let version = answer.get("version").and_then(Value::as_str).unwrap_or("of unknown version");
            vec![Check::ok(what, format!("perigee {version} answers at {}", client.base()))]
        }
        Err(error @ Error::Unreachable { .. }) => {
            let mut checks = vec![Check::warn(what, error.to_string())];
            checks.extend(local_address(client.base()).map(port));
            checks
        }
        Err(
            error @ (Error::Cut { .. }
            | Error::Busy { .. }
            | Error::Refused { .. }
            | Error::NotPerigee { .. }
            | Error::BadUrl { .. }),
        ) => {
            vec![Check::fail(what, error.to_string())]
        }
    }
}

/// The address of `http://127.0.0.1:8080` or `http://localhost:8080`, where `perigee up` would listen.
fn local_address(url: &str) -> Option<SocketAddr> {
    let address = url.strip_prefix("http://")?.replace("localhost:", "127.0.0.1:");
    address.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

fn port(address: SocketAddr) -> Check {
    match TcpListener::bind(address) {
        Ok(_free) => Check::ok("port", format!("{address} is free for `perigee up`")),
        Err(error) => Check::fail(
            "port",
            format!("{address} cannot be listened on ({error}); choose another with --listen"),
        ),
    }
}

/// Whether credentials are named, without asking AWS whether they are good.
fn aws(has_aws: bool, var: impl Fn(&str) -> Option<String>) -> Check {
    let what = "AWS";
    if !has_aws {
        return Check::ok(what, "this build has no AWS in it, and needs none");
    }
    const NAMES: [&str; 5] = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    if let Some(name) = NAMES.into_iter().find(|name| var(name).is_some()) {
        return Check::ok(what, format!("credentials are named by {name}; `perigee up --aws` uses them"));
    }
    let home = var("HOME").map(PathBuf::from);
    let file = home
        .map(|home| home.join(".aws"))
        .filter(|dir| dir.join("credentials").exists() || dir.join("config").exists());
    match file {
        Some(dir) => Check::ok(
            what,
            format!("credentials are named in {}; `perigee up --aws` uses them", dir.display()),
        ),
        None => Check::warn(
            what,
            "no credentials are named here; without them `perigee up --aws` reads S3 only where the machine has a \
             role. `aws configure` names some",
        ),
    }
}

/// Whether credentials are named; and where they are, whom they lead to, and whether AWS Config records there.
#[cfg(feature = "aws")]
fn aws_with_config(has_aws: bool) -> anyhow::Result<Vec<Check>> {
    let named = aws(has_aws, config::var);
    if named.state != State::Ok {
        return Ok(vec![named]);
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let asked = runtime.block_on(super::aws::checks(&::aws::Clouds::from_env()));
    // A provider of credentials may still be waiting for its own server.
    runtime.shutdown_background();
    Ok(std::iter::once(named).chain(asked).collect())
}

#[cfg(not(feature = "aws"))]
fn aws_with_config(has_aws: bool) -> anyhow::Result<Vec<Check>> {
    Ok(vec![aws(has_aws, config::var)])
}

/// The cluster of the current context: whether it answers, and what of it we may list.
#[cfg(feature = "kubernetes")]
fn kubernetes() -> anyhow::Result<Vec<Check>> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let clusters = ::kubernetes::Kubernetes::default();
    let checks = runtime.block_on(super::kubernetes::checks(&clusters));
    // A plugin that fetches credentials may still be waiting for its own server.
    runtime.shutdown_background();
    Ok(checks)
}

#[cfg(not(feature = "kubernetes"))]
fn kubernetes() -> anyhow::Result<Vec<Check>> {
    Ok(vec![Check::ok("Kubernetes", "this build has no Kubernetes in it, and needs none")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_the_one_it_will_be_made_in() {
        let dir = tempfile::tempdir().unwrap();
        let check = folder(&dir.path().join("new/perigee"));
        assert_ne!(check.state, State::Fail, "{}", check.message);
        assert!(check.message.contains("made by `perigee up`"), "{}", check.message);
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(folder(&dir.path().join("file/perigee")).state, State::Fail);
    }

    #[test]
    fn only_loopback_addresses_are_tried_for_a_free_port() {
        assert_eq!(local_address("http://localhost:8080"), Some(([127, 0, 0, 1], 8080).into()));
        assert_eq!(local_address("http://192.0.2.1:8080"), None);
        assert_eq!(local_address("https://perigee.example"), None);
    }

    #[test]
    fn credentials_are_looked_for_in_the_environment_and_the_home_folder() {
        assert_eq!(aws(true, |_| None).state, State::Warn);
        assert_eq!(aws(false, |_| None).state, State::Ok);
        let named = aws(true, |name| (name == "AWS_PROFILE").then(|| "shop".to_owned()));
        assert!(named.message.contains("AWS_PROFILE"), "{}", named.message);
    }
}
