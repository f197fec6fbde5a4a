//! With a real server, wherever PostgreSQL is installed.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    time::Instant,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Error, Postgres, Settings, start};

/// A folder that the server's user may pass through, as root's own temporary folders are not.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
    dir
}

fn settings(dir: &Path) -> Settings {
    Settings { durable: false, ..Settings::durable(dir.join("data")) }
}

fn answers(server: &Postgres) -> bool {
    let socket = server.socket_dir().join(".s.PGSQL.5432");
    UnixStream::connect(socket).is_ok()
}

#[tokio::test]
async fn a_stopped_server_starts_again_in_under_three_seconds() {
    let dir = folder();
    let first = start(&settings(dir.path())).await.unwrap();
    assert!(answers(&first));
    assert!(first.url("perigee").starts_with("postgres:///perigee?host=%2F"));
    first.stop().await.unwrap();

    let began = Instant::now();
    let second = start(&settings(dir.path())).await.unwrap();
    let took = began.elapsed();
    assert!(took.as_secs() < 3, "the restart took {took:?}");
    assert!(!second.was_adopted());
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_left_behind_is_adopted_and_can_be_stopped() {
    let dir = folder();
    let left = start(&settings(dir.path())).await.unwrap();
    let pid = left.pid();
    drop(left);
    let mut adopted = start(&settings(dir.path())).await.unwrap();
    assert!(adopted.was_adopted());
    assert_eq!(adopted.pid(), pid);
    assert!(adopted.is_running());
    adopted.stop().await.unwrap();
    assert!(!dir.path().join("data/postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_killed_server_recovers_at_the_next_start() {
    let dir = folder();
    let killed = start(&settings(dir.path())).await.unwrap();
    kill(Pid::from_raw(killed.pid()), Signal::SIGKILL).unwrap();
    drop(killed);
    let server = start(&settings(dir.path())).await.unwrap();
    assert!(!server.was_adopted());
    assert!(answers(&server));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_that_nobody_has_collected_is_no_hindrance() {
    let dir = folder();
    let shared = Settings::for_tests(dir.path().join("data"));
    let zombie = start(&shared).await.unwrap();
    kill(Pid::from_raw(zombie.pid()), Signal::SIGKILL).unwrap();
    let server = start(&shared).await.unwrap();
    assert_ne!(server.pid(), zombie.pid());
    assert!(answers(&server));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_whose_number_belongs_to_another_process_is_cleared() {
    let dir = folder();
    start(&settings(dir.path())).await.unwrap().stop().await.unwrap();
    let stale = format!("{}\n/elsewhere\n1\n5432\n/elsewhere\n\n\nready\n", std::process::id());
    fs::write(dir.path().join("data/postgres/postmaster.pid"), stale).unwrap();
    let server = start(&settings(dir.path())).await.unwrap();
    assert!(answers(&server));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_perigee_on_the_same_folder_is_refused_with_the_first_ones_number() {
    let dir = folder();
    let first = start(&settings(dir.path())).await.unwrap();
    let refused = start(&settings(dir.path())).await.unwrap_err();
    let me = i32::try_from(std::process::id()).unwrap();
    assert!(matches!(refused, Error::InUse { pid: Some(pid), .. } if pid == me), "{refused}");
    first.stop().await.unwrap();
}

#[tokio::test]
async fn processes_that_share_a_folder_share_its_server() {
    let dir = folder();
    let shared = Settings::for_tests(dir.path().join("data"));
    let first = start(&shared).await.unwrap();
    let second = start(&shared).await.unwrap();
    assert!(second.was_adopted());
    assert_eq!(first.pid(), second.pid());
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_path_keeps_its_socket_elsewhere() {
    let dir = folder();
    let long = dir.path().join("a-folder-whose-name-is-long/".repeat(4));
    let settings = Settings { durable: false, ..Settings::durable(long) };
    let server = start(&settings).await.unwrap();
    assert!(answers(&server));
    let socket_dir = server.socket_dir().to_owned();
    assert_eq!(fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    server.stop().await.unwrap();
    fs::remove_dir(socket_dir).unwrap();
}

#[tokio::test]
async fn a_half_made_cluster_is_made_anew() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("data/postgres.new")).unwrap();
    fs::write(dir.path().join("data/postgres.new/PG_VERSION"), "15").unwrap();
    fs::write(dir.path().join("data/perigee.lock"), "").unwrap();
    let server = start(&settings(dir.path())).await.unwrap();
    assert!(answers(&server));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_made_by_a_version_that_is_not_installed_is_named() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("data/postgres")).unwrap();
    fs::write(dir.path().join("data/postgres/PG_VERSION"), "9\n").unwrap();
    let refused = start(&settings(dir.path())).await.unwrap_err();
    assert!(
        refused.to_string().contains("was made by PostgreSQL 9, which is not installed here"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_file_where_the_folder_should_be_is_an_error_that_names_it() {
    let dir = folder();
    fs::write(dir.path().join("data"), "").unwrap();
    let refused = start(&settings(dir.path())).await.unwrap_err();
    assert!(refused.to_string().contains("data"), "{refused}");
}
