//! `perigee up` and its clients as processes, on a private Postgres: what a person's shell sees.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

const PERIGEE: &str = env!("CARGO_BIN_EXE_perigee");

/// A data folder and a port; whatever runs there goes with it.
struct Place {
    dir: tempfile::TempDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Root's server runs as another user, who has to pass.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { dir, port }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn postgres(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        Some(Pid::from_raw(text.lines().next()?.parse().ok()?))
    }

    /// A command of the program, away from this machine's settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PERIGEE);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.dir.path()).env("PERIGEE_URL", format!("http://127.0.0.1:{}", self.port));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Starts a server and waits until it says that it is ready.
    fn up(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(&["up", "--listen", &self.port.to_string()]);
        command.arg("--data-dir").arg(self.data()).args(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Vec<String> =
            said.map_while(Result::ok).take_while(|line| !line.starts_with("Stop with")).collect();
        assert!(child.try_wait().unwrap().is_none(), "it ended: {said:?}");
        Server { child, said }
    }

    fn digest(&self) -> String {
        let output = self.run(&["digest"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until the sample's story led to a run and that ended: it writes down what it found.
    #[expect(clippy::disallowed_methods, reason = "what is waited for happens in another process")]
    fn wait_for_the_run(&self) {
        let began = Instant::now();
        loop {
            let runs: Value = serde_json::from_slice(&self.run(&["runs", "-o", "json"]).stdout).unwrap();
            let states: Vec<&Value> =
                runs["items"].as_array().unwrap().iter().map(|run| &run["state"]).collect();
            if !states.is_empty() && states.iter().all(|state| *state == "completed") {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the runs are {states:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(postgres) = self.postgres() {
            assert!(kill(postgres, Signal::SIGQUIT).is_ok() || self.postgres().is_none());
        }
    }
}

struct Server {
    child: Child,
    said: Vec<String>,
}

impl Server {
    fn end(mut self, signal: Signal) -> Option<i32> {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Envelopes of our own, one a line.
fn events(folder: &Path, count: usize) -> PathBuf {
    let event = |number: usize| {
        json!({
            "version": "0", "id": format!("00000000-0000-4000-8000-{number:012}"), "source": "shop.orders",
            "detail-type": "Order Placed", "account": "111122223333", "region": "eu-west-1",
            "time": format!("2026-03-03T02:{:02}:{:02}Z", number / 60 % 60, number % 60),
            "resources": [format!("arn:aws:sqs:eu-west-1:111122223333:orders-{}", number % 10)],
            "detail": {"number": number, "note": "n".repeat(500)}
        })
    };
    let text: String = (0..count).map(|number| format!("{}\n", event(number))).collect();
    let path = folder.join("events.jsonl");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_killed_server_comes_back_in_under_three_seconds_with_all_it_had() {
    let place = Place::new();
    let server = place.up(&["--no-sample"]);
    assert!(server.said[0].contains(&format!("serves http://127.0.0.1:{}", place.port)), "{:?}", server.said);
    assert!(
        server.said[1].contains(&place.data().join("postgres.log").display().to_string()),
        "{:?}",
        server.said
    );
    let input = events(place.dir.path(), 300);
    let taken = place.run(&["ingest", input.to_str().unwrap(), "--output", "json"]);
    let counts: Value = serde_json::from_slice(&taken.stdout).unwrap();
    assert_eq!((&counts["total"], &counts["accepted"]), (&json!(300), &json!(300)), "{counts}");
    let digest = place.digest();

    // Postgres lives on, and is adopted.
    let postgres = place.postgres().unwrap();
    server.end(Signal::SIGKILL);
    let began = Instant::now();
    let server = place.up(&["--no-sample"]);
    let took = began.elapsed();
    assert!(took.as_secs() < 3, "it took {took:?}");
    assert_eq!(place.postgres(), Some(postgres));
    assert_eq!(place.digest(), digest);

    // Both are killed: Postgres recovers.
    server.end(Signal::SIGKILL);
    kill(postgres, Signal::SIGKILL).unwrap();
    let server = place.up(&["--no-sample"]);
    assert_ne!(place.postgres(), Some(postgres));
    assert_eq!(place.digest(), digest);

    // A clean stop leaves nothing behind.
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
    assert_eq!(place.postgres(), None);
    let gone = place.run(&["digest"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("start one with `perigee up`"), "{gone:?}");
}

#[test]
fn a_server_whose_postgres_dies_starts_it_again() {
    let place = Place::new();
    let server = place.up(&["--no-sample"]);
    let postgres = place.postgres().unwrap();
    kill(postgres, Signal::SIGKILL).unwrap();
    // The client goes on asking while the server answers with 503.
    let input = events(place.dir.path(), 10);
    let taken = place.run(&["ingest", input.to_str().unwrap()]);
    assert!(taken.status.success(), "{taken:?}");
    assert_ne!(place.postgres(), Some(postgres));
    assert_eq!(server.end(Signal::SIGINT), Some(0));
}

#[test]
fn what_is_in_the_way_is_said_in_one_sentence() {
    let place = Place::new();
    let server = place.up(&["--no-sample"]);
    let refused = |arguments: &[&str], status, sentence: &str| {
        let output = place.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(status) && said.contains(sentence), "{output:?}");
    };
    let (data, port) = (place.data(), place.port.to_string());
    let data = data.to_str().unwrap();
    refused(&["up", "--listen", &port], 1, "is taken");
    refused(
        &["up", "--listen", "0", "--data-dir", data],
        1,
        &format!("another perigee (process {})", server.child.id()),
    );
    refused(&["up", "--listen", "0.0.0.0:0"], 2, "--token");
    refused(&["ingest", "no-such-file.json"], 1, "no-such-file.json");
    refused(&["query", "type="], 2, "column");
    refused(&["show", "no-such-thing"], 1, "`no-such-thing`; give its id");
    refused(&["changes", "--resource", "no-such-thing"], 1, "`perigee query 'WORD'`");
    let nobody = "7a042686-4d97-5f8a-8e2d-000000000000";
    refused(&["runs", nobody], 1, "`perigee runs` lists");
    refused(&["cancel", nobody], 1, "`perigee runs` lists");
    refused(&["checks", "nope"], 1, "`perigee checks` lists");
    refused(&["get", "Playbook", "nope"], 1, "`perigee get Playbook` lists");
    refused(&["delete", "Playbook", "nope"], 1, "`perigee get Playbook` lists");
    refused(&["run", "nope"], 1, "no playbook called `nope`");
    refused(&["scrape", "nope"], 1, "no scraper called `nope`");
    refused(&["changes", "category=permission"], 2, "its values are create, update");
    refused(&["query", "--url", "http://127.0.0.1:9"], 1, "no Perigee answers at http://127.0.0.1:9");
    refused(&["query", "--url", "nonsense"], 2, "no address of a server");
    refused(&["bogus"], 2, "perigee");
    assert_eq!(server.end(Signal::SIGINT), Some(0));
}

#[test]
fn rejected_items_are_counted_named_and_written_aside() {
    let place = Place::new();
    let server = place.up(&["--no-sample"]);
    let input = place.dir.path().join("mixed.jsonl");
    fs::copy(events(place.dir.path(), 2), &input).unwrap();
    let text = fs::read_to_string(&input).unwrap() + "{\"neither\": \"event\"}\n{\"cut\": \n";
    fs::write(&input, &text).unwrap();
    let rejects = place.dir.path().join("rejects.jsonl");
    let path = input.to_str().unwrap();
    let output = place.run(&["ingest", path, "--rejects", rejects.to_str().unwrap(), "-o", "json"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&counts["total"], &counts["accepted"], &counts["rejected"]),
        (&json!(4), &json!(2), &json!(2))
    );
    assert_eq!(counts["files"][0]["rejections"][1]["place"], "line 4", "{counts}");
    assert_eq!(fs::read_to_string(rejects).unwrap(), "{\"neither\": \"event\"}\n{\"cut\":\n");
    let kept = place.run(&["rejected", "-o", "jsonl"]);
    assert_eq!(String::from_utf8(kept.stdout).unwrap().lines().count(), 2);

    // What is said of a compressed file that is cut is what is kept of it.
    let cut = place.dir.path().join("cut.jsonl.gz");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    fs::write(&cut, &whole[..whole.len() - 8]).unwrap();
    let output = place.run(&["ingest", cut.to_str().unwrap(), "-o", "json"]);
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = counts["files"][0]["rejections"].as_array().unwrap().last().unwrap();
    let kept: Value = serde_json::from_slice(&place.run(&["rejected", "-o", "json"]).stdout).unwrap();
    let kept =
        kept["items"].as_array().unwrap().iter().find(|item| item["reason"] == "malformed_gzip").unwrap();
    assert_eq!((&said["place"], &said["message"]), (&kept["place"], &kept["message"]));
    assert_eq!(said["place"], format!("byte {} of the inflated input", text.len()));
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}

#[test]
fn the_sample_is_loaded_once_and_reset_removes_it() {
    let place = Place::new();
    let server = place.up(&[]);
    for command in ["show", "history", "graph"] {
        let shared = place.run(&[command, "shop-bastion"]);
        let said = String::from_utf8_lossy(&shared.stderr);
        assert!(shared.status.code() == Some(1) && said.contains("3 resources share"), "{shared:?}");
        assert!(said.contains("AWS::EC2::Instance/i-0e7c9a1f3b5d64805"), "{said}");
        let exact = place.run(&[command, "AWS::EC2::Instance/i-0e7c9a1f3b5d64805"]);
        assert!(exact.status.success(), "{exact:?}");
    }
    let used = place.run(&["delete", "Connection", "sample-inbox"]);
    assert_eq!(used.status.code(), Some(1), "{used:?}");
    assert!(String::from_utf8_lossy(&used.stderr).contains("--force"), "{used:?}");
    place.wait_for_the_run();
    let first = place.digest();
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
    // A second start, even one that asks for it, adds nothing.
    let server = place.up(&["--sample"]);
    assert_eq!(place.digest(), first);
    assert!(place.run(&["reset"]).status.success());
    let empty = place.run(&["query", "-o", "jsonl"]);
    assert_eq!(String::from_utf8(empty.stdout).unwrap().trim(), "");
    assert!(place.run(&["reset", "--sample"]).status.success());
    assert_eq!(server.end(Signal::SIGTERM), Some(0));
}
