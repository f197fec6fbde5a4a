//! Making a database cluster, once.

use std::{fs, path::Path, process::Stdio};

use tokio::io::AsyncWriteExt;

use crate::{Binaries, DATABASE, Error, Settings, binaries, folder::Folder, owner::Owner};

/// The superuser's name in every cluster, whoever runs the server.
pub(crate) const SUPERUSER: &str = "postgres";

/// The binaries for this folder: of the version that made its cluster, else the newest.
pub(crate) fn choose_binaries(folder: &Folder) -> Result<Binaries, Error> {
    let installed = binaries::installed();
    if let Ok(version) = fs::read_to_string(folder.cluster().join("PG_VERSION")) {
        let version = version.trim().to_owned();
        let fitting = installed.into_iter().find(|binaries| binaries.major.to_string() == version);
        return fitting.ok_or_else(|| Error::OtherVersion { data_dir: folder.path.clone(), version });
    }
    let found = installed.first().map(|binaries| binaries.version.clone());
    installed
        .into_iter()
        .find(|binaries| binaries.major >= binaries::MINIMUM_VERSION)
        .ok_or(Error::NoBinaries { minimum: binaries::MINIMUM_VERSION, found })
}

/// Makes the cluster with database [`DATABASE`] where there is none. It is built beside its place and moved there
/// when it is whole, so a crash leaves no half cluster.
pub(crate) async fn ensure(
    folder: &Folder,
    binaries: &Binaries,
    owner: &Owner,
    settings: &Settings,
) -> Result<(), Error> {
    let place = folder.cluster();
    if place.join("PG_VERSION").exists() {
        return Ok(());
    }
    let building = folder.path.join("postgres.new");
    if building.exists() {
        fs::remove_dir_all(&building)
            .map_err(|source| owner.explain("remove a half cluster", &building, source))?;
    }
    owner.private_dir(&building)?;
    let made = make(&building, folder, binaries, owner, settings).await;
    if made.is_err() {
        // A full disk should not stay full of our half cluster; the error that matters is the first.
        drop(fs::remove_dir_all(&building));
    }
    made?;
    fs::rename(&building, &place)
        .map_err(|source| owner.explain("put the cluster in its place", &place, source))
}

async fn make(
    dir: &Path,
    folder: &Folder,
    binaries: &Binaries,
    owner: &Owner,
    settings: &Settings,
) -> Result<(), Error> {
    tracing::debug!(version = binaries.version, "Making a database cluster in {}", folder.path.display());
    let mut initdb = owner.command(&binaries.program("initdb"));
    // Only this machine's owner of the socket folder can connect at all, so no password is needed.
    initdb.arg("--pgdata").arg(dir).args(["--username", SUPERUSER, "--encoding=UTF8", "--locale=C"]);
    initdb.args(["--auth-local=trust", "--auth-host=reject", "--no-instructions"]);
    if !settings.durable {
        initdb.arg("--no-sync");
    }
    run(initdb, dir, folder, owner, "").await?;

    let mut single = owner.command(&binaries.program("postgres"));
    single.args(["--single", "-D"]).arg(dir).arg("postgres");
    run(single, dir, folder, owner, &format!("create database {DATABASE}\n")).await
}

/// Runs one of PostgreSQL's programs with `input`. The single-user server ends well after a failed statement, so
/// its words count too.
async fn run(
    mut command: tokio::process::Command,
    dir: &Path,
    folder: &Folder,
    owner: &Owner,
    input: &str,
) -> Result<(), Error> {
    // The program must be able to enter the folder; failing at the start says so more plainly than its own words.
    command
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let io_error = |source| owner.explain("run PostgreSQL's programs", &folder.path, source);
    let mut child = command.spawn().map_err(io_error)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await.map_err(io_error)?;
    }
    let output = child.wait_with_output().await.map_err(io_error)?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() && !said.contains("ERROR:") && !said.contains("FATAL:") {
        return Ok(());
    }
    Err(diagnose(&said, folder, owner)
        .unwrap_or_else(|| Error::Initdb { data_dir: folder.path.clone(), output: last_lines(&said, 3) }))
}

/// The better sentence for what one of PostgreSQL's programs said, where there is one.
pub(crate) fn diagnose(said: &str, folder: &Folder, owner: &Owner) -> Option<Error> {
    if said.contains("No space left on device") {
        return Some(Error::DiskFull { data_dir: folder.path.clone() });
    }
    said.contains("Permission denied")
        .then(|| Error::NotPermitted { user: format!("user {}", owner.name), path: folder.path.clone() })
}

/// The last lines that are not empty, on one line.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}
