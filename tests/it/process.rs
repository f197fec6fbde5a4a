//! The program as processes: servers on a data folder each, and the clients that speak to them.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, ErrorKind},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

/// The program, which stands beside the tests.
pub(crate) fn perigee() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("perigee");
    assert!(
        program.is_file(),
        "{} is missing: `cargo build -p perigee` builds it, as `cargo test --workspace` does",
        program.display()
    );
    program
}

/// A source of random choices, which a failed test can be given again as `PERIGEE_TEST_SEED`.
#[expect(clippy::disallowed_methods, reason = "the tests' own setting")]
pub(crate) fn random(what: &str) -> fastrand::Rng {
    let given = std::env::var("PERIGEE_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("{what}: PERIGEE_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// A data folder and a port. Whatever runs there ends with it.
#[derive(Debug)]
pub(crate) struct Place {
    dir: tempfile::TempDir,
    port: u16,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Root's Postgres runs as another user, who has to pass.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { dir, port }
    }

    /// A folder for a test's own files.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What servers of this place said on standard error.
    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("server.log")
    }

    /// A command of the program, away from this machine's settings.
    fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(perigee());
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("PERIGEE_URL", self.url()).stdin(Stdio::null());
        command
    }

    /// A command to its end, however it ends.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that succeeds prints.
    pub(crate) fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn digest(&self) -> String {
        self.say(&["digest"]).trim().to_owned()
    }

    /// Feeds files.
    pub(crate) fn ingest(&self, files: &[PathBuf]) -> Client {
        let mut command = self.command(["ingest", "--output", "json"]);
        command.args(files).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let (sender, ended) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
        Client { ended }
    }

    /// Feeds files to a server that stays.
    pub(crate) fn feed(&self, files: &[PathBuf]) -> Value {
        counts(&self.ingest(files).end())
    }

    /// Starts a server, and waits until it says that it is ready.
    pub(crate) fn up(&self, arguments: &[&str]) -> Server {
        self.up_with(arguments, &[])
    }

    /// The same, with variables of its own.
    pub(crate) fn up_with(&self, arguments: &[&str], variables: &[(String, String)]) -> Server {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command(["up", "--listen", &self.port.to_string()]);
        command.arg("--data-dir").arg(self.data()).args(arguments);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let mut server = Server { child: command.stdout(Stdio::piped()).stderr(log).spawn().unwrap() };
        let mut said = Vec::new();
        for line in BufReader::new(server.child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with("Stop with")) {
                return server;
            }
        }
        panic!("the server ended: {said:?}, {}", fs::read_to_string(self.log()).unwrap());
    }

    /// Kills Postgres and all of its processes, as a power cut would. Each has a process group of its own.
    pub(crate) fn kill_postgres(&self) {
        let Some(postmaster) = self.postgres() else { return };
        let children = children(postmaster);
        for process in std::iter::once(postmaster).chain(children) {
            let killed = kill(process, Signal::SIGKILL);
            // It may have ended by itself meanwhile.
            assert!(matches!(killed, Ok(()) | Err(Errno::ESRCH)), "{killed:?}");
        }
    }

    fn postgres(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        Some(Pid::from_raw(text.lines().next()?.parse().ok()?))
    }

    /// What the server answers to a text that is sent to it.
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let sent = ureq::Agent::from(config).post(format!("{}{path}", self.url())).send(body);
        read(sent.unwrap())
    }

    /// What the server answers: the status, the type and the text.
    pub(crate) fn get(&self, path: &str) -> Answer {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        read(ureq::Agent::from(config).get(format!("{}{path}", self.url())).call().unwrap())
    }
}

/// What a server answered.
pub(crate) fn read(mut answer: ureq::http::Response<ureq::Body>) -> Answer {
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let text = answer.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
    Answer { status: answer.status().as_u16(), kind: kind.unwrap_or_default(), text }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill_postgres();
    }
}

/// The processes that a process started.
fn children(parent: Pid) -> Vec<Pid> {
    let is_child = |process: &Pid| match fs::read_to_string(format!("/proc/{process}/stat")) {
        // The name, in parentheses, may hold anything.
        Ok(stat) => stat.rsplit(") ").next().unwrap().split(' ').nth(1) == Some(&parent.to_string()),
        // It ended before its file was opened, or before that was read.
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => false,
        Err(error) => panic!("cannot read about process {process}: {error}"),
    };
    let named =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    named.filter_map(|name| Some(Pid::from_raw(name.parse().ok()?))).filter(is_child).collect()
}

/// The status, the type and the text of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// A server that runs; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// `kill -9`.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client that runs.
#[derive(Debug)]
pub(crate) struct Client {
    ended: Receiver<Output>,
}

impl Client {
    /// How it ended, if it ends within this time.
    pub(crate) fn within(&self, time: Duration) -> Option<Output> {
        self.ended.recv_timeout(time).ok()
    }

    pub(crate) fn end(&self) -> Output {
        self.ended.recv().unwrap()
    }
}

/// The counts that `ingest` printed.
pub(crate) fn counts(output: &Output) -> Value {
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
