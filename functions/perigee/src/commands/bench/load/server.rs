//! The server that is measured: this program, as a process of its own.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// A server that runs; dropping it kills it.
pub(super) struct Server {
    child: Child,
    url: String,
    agent: ureq::Agent,
}

impl Server {
    /// Starts a server with data in `folder`, and waits until it is ready.
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .context("cannot find a port")?
            .port();
        let program = std::env::current_exe().context("cannot find this program")?;
        let child = Command::new(program)
            .args(["up", "--no-sample", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(folder)
            .env_remove("DATABASE_URL")
            .env_remove("PERIGEE_DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server")?;
        let agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).build().into();
        let mut server = Self { child, url: format!("http://127.0.0.1:{port}"), agent };
        let said = server.child.stdout.take().context("the server says nothing")?;
        let ready =
            BufReader::new(said).lines().map_while(Result::ok).any(|line| line.starts_with("Stop with"));
        if !ready {
            bail!("the server ended before it was ready");
        }
        Ok(server)
    }

    /// Applies manifests.
    pub(super) fn apply(&self, manifests: &Value) -> anyhow::Result<()> {
        self.agent
            .post(format!("{}/api/v1/manifests", self.url))
            .send_json(manifests)
            .context("cannot apply the manifests")?;
        Ok(())
    }

    /// Hands over events, and says how many were accepted.
    pub(super) fn take(&self, events: &[u8]) -> anyhow::Result<u64> {
        let mut answer = self
            .agent
            .post(format!("{}/api/v1/events", self.url))
            .send(events)
            .context("cannot send events")?;
        let counts: Value = answer.body_mut().read_json().context("cannot read the answer to events")?;
        Ok(counts.get("accepted").and_then(Value::as_u64).unwrap_or_default())
    }

    /// How long the oldest signal has waited to be told, in seconds.
    pub(super) fn oldest_signal(&self) -> Option<f64> {
        let mut answer = self.agent.get(format!("{}/metrics", self.url)).call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let line = text.lines().find(|line| line.starts_with("perigee_outbox_oldest_seconds "))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Its resident memory, in MiB.
    pub(super) fn memory(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Asks it to stop, and waits until it has.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).context("the server has no id")?;
        kill(Pid::from_raw(id), Signal::SIGTERM).context("cannot stop the server")?;
        let ended = self.child.wait().context("cannot wait for the server")?;
        if !ended.success() {
            bail!("the server ended with {ended}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
