//! A script and what it starts, as one process group that can be ended.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::{ExitStatus, Stdio},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Leads the group. The watcher reads a pipe that nobody writes to: it ends when we do. The leader waits for the script
/// through SIGTERM, which the script gets as well, so that the script may tidy up and its exit status is known.
const LEADER: &str = r#"exec 3<&0 </dev/null
(trap '' TERM INT HUP; read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
trap : TERM INT HUP
"$@"
code=$?
kill -KILL "$watcher" 2>/dev/null
exit "$code""#;

/// Why a script could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// There is no place for it.
    #[error("cannot write the script to a temporary folder")]
    Place(#[source] io::Error),
    /// It did not start.
    #[error("cannot start the script")]
    Spawn(#[source] io::Error),
    /// Nothing says what runs it.
    #[error("`interpreter` is empty; leave it out for bash")]
    NoInterpreter,
}

/// A script and what it starts. Dropped, all of it is killed.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    id: Option<Pid>,
    pipes: Option<(ChildStdout, ChildStderr)>,
    /// Closed when we end, however we do.
    _alive: Option<ChildStdin>,
    /// The script, and the folder it works in.
    _folder: TempDir,
}

impl Group {
    /// Starts a script.
    pub(super) fn start(
        interpreter: &[String],
        script: &str,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, StartError> {
        if interpreter.is_empty() {
            return Err(StartError::NoInterpreter);
        }
        let folder = tempfile::Builder::new().prefix("perigee-step-").tempdir().map_err(StartError::Place)?;
        let path = folder.path().join("script");
        let mut file = std::fs::File::create(&path).map_err(StartError::Place)?;
        file.write_all(script.as_bytes()).map_err(StartError::Place)?;
        let work = folder.path().join("work");
        std::fs::create_dir(&work).map_err(StartError::Place)?;
        let mut child = Command::new("/bin/sh")
            .args(["-c", LEADER, "perigee-step"])
            .args(interpreter)
            .arg(&path)
            .current_dir(&work)
            .env_clear()
            .envs(env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(StartError::Spawn)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let pipes = child.stdout.take().zip(child.stderr.take());
        let alive = child.stdin.take();
        Ok(Self { child, id, pipes, _alive: alive, _folder: folder })
    }

    /// What the script writes, once.
    pub(super) fn pipes(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        self.pipes.take()
    }

    /// Waits for the script's end.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks the group to end.
    pub(super) fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Ends whatever is left of the group.
    pub(super) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        let Some(id) = self.id else { return };
        match killpg(id, signal) {
            // Nobody is left.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => tracing::warn!("Cannot send {signal} to the processes of a script: {error}"),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
