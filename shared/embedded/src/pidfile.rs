//! `postmaster.pid`: what a running server says of itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::{
    errno::Errno,
    sys::signal::{self, Signal},
    unistd::Pid,
};

/// What the file says. Lines: process, data folder, start time, port, socket folder, address, memory key, status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) port: Option<u16>,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) status: Status,
}

/// How far the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Starting,
    Ready,
    Stopping,
}

/// The file of `cluster`, if there is one that can be read.
pub(crate) fn read(cluster: &Path) -> Option<PidFile> {
    parse(&fs::read_to_string(path(cluster)).ok()?)
}

pub(crate) fn path(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

fn parse(text: &str) -> Option<PidFile> {
    let line = |number: usize| text.lines().nth(number - 1).map(str::trim).filter(|line| !line.is_empty());
    let pid: i32 = line(1)?.parse().ok()?;
    let status = match line(8) {
        Some("ready" | "standby") => Status::Ready,
        Some("stopping") => Status::Stopping,
        _ => Status::Starting,
    };
    Some(PidFile {
        pid: pid.abs(),
        port: line(4).and_then(|port| port.parse().ok()),
        socket_dir: line(5).map(PathBuf::from),
        status,
    })
}

/// Whether the process lives and is the server of `cluster`: process numbers are used again.
pub(crate) fn is_server(pid: i32, cluster: &Path) -> bool {
    process_exists(pid) && works_in(pid, cluster)
}

/// Whether there is a process of this number, whoever it belongs to.
#[must_use]
pub fn process_exists(pid: i32) -> bool {
    // No permission to signal it still means that it exists.
    matches!(signal::kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM))
}

/// The server's working folder is its cluster; where there is no `/proc`, its command line names the cluster.
fn works_in(pid: i32, cluster: &Path) -> bool {
    if Path::new("/proc/self").exists() {
        let cwd = fs::read_link(format!("/proc/{pid}/cwd"));
        return cwd.is_ok_and(|cwd| cluster.canonicalize().is_ok_and(|cluster| cwd == cluster));
    }
    Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*cluster.to_string_lossy()))
}

/// Asks the server to stop: sessions are ended, everything is written.
pub(crate) fn stop_fast(pid: i32) -> Result<(), Errno> {
    match signal::kill(Pid::from_raw(pid), Signal::SIGINT) {
        Err(Errno::ESRCH) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_servers_file_is_read() {
        let text = "4711\n/data/postgres\n1700000000\n5432\n/data/socket\n\n  1001  2002\nready   \n";
        let expected = PidFile {
            pid: 4711,
            port: Some(5432),
            socket_dir: Some(PathBuf::from("/data/socket")),
            status: Status::Ready,
        };
        assert_eq!(parse(text), Some(expected));
    }

    #[test]
    fn a_file_cut_short_means_a_server_that_is_starting() {
        assert_eq!(parse("12\n/data").map(|file| file.status), Some(Status::Starting));
        assert_eq!(parse(""), None);
        assert_eq!(parse("twelve\n"), None);
    }

    #[test]
    fn a_living_process_of_another_kind_is_not_the_server() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(!is_server(me, Path::new("/nonexistent")));
    }
}
