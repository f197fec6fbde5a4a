//! The function `ingest` as Lambda runs it, under `cargo lambda watch`: it must answer each file of `events/ingest`
//! as its library does, with the objects that the files point at in a store beside it. Needs cargo-lambda and moto
//! (`pip install cargo-lambda 'moto[server,s3]'`); without them it is skipped with a line that says so.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use catalog::{Catalog, ConnectOptions};
use events::{ObjectPointer, Reading};
use intake::Intake;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use ports::{Clock, SystemClock};
use serde_json::{Value, json};
use testkit::{FakeObjects, Moto, TestDb, skip, template_name};

use crate::workspace::{File, cargo, files, root};

const START: Duration = Duration::from_secs(60);

/// `cargo lambda watch`, and the function that it runs.
struct Watch {
    child: Child,
    port: String,
}

impl Watch {
    /// Starts it on a free port, with a database and with S3 at `store`.
    fn start(database: &str, store: &Moto) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("cargo")
            .args(["lambda", "watch", "--ignore-changes", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &port.to_string()])
            .current_dir(root())
            .env("PERIGEE_DATABASE_URL", database)
            .envs([("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
            .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")])
            .env("AWS_ENDPOINT_URL_S3", store.endpoint())
            .env_remove("AWS_PROFILE")
            .env_remove("PERIGEE_ACCOUNTS")
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let (watch, began) = (Self { child, port: port.to_string() }, Instant::now());
        let mut said = Vec::new();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < START, "cargo lambda watch does not listen; it said {said:#?}");
            // A line, or a moment: whichever comes first, it is worth another look.
            said.extend(log.recv_timeout(Duration::from_millis(100)));
        }
        watch
    }

    /// What the function answers to a file, or the error that it reports.
    fn invoke(&self, file: &str) -> Result<Value, String> {
        let output = Command::new("cargo")
            .args([
                "lambda",
                "invoke",
                "ingest",
                "--invoke-address",
                "127.0.0.1",
                "--invoke-port",
                &self.port,
            ])
            .args(["--data-file", file])
            .current_dir(root())
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(said.lines().next().unwrap_or_default().replace("Error: ", ""))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The whole group: the function is a grandchild.
        let group = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _stopped = killpg(group, Signal::SIGTERM);
        drop(self.child.wait());
    }
}

fn options(url: &str) -> ConnectOptions {
    ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false }
}

async fn database() -> TestDb {
    TestDb::from_template(&template_name("catalog", &catalog::migrator()), async |url| {
        Catalog::connect(&options(&url))?.migrate(SystemClock.now()).await
    })
    .await
}

/// What the library answers, in the form of [`Watch::invoke`].
async fn answer(ctx: &ingest::Context, payload: &str) -> Result<Value, String> {
    let payload = serde_json::from_str(payload).unwrap();
    match ingest::handle(ctx, payload).await {
        Ok(outcome) => Ok(serde_json::to_value(outcome).unwrap()),
        Err(error) => Err(ingest::error_type(&error).to_owned()),
    }
}

/// What a sample points at.
fn pointers(sample: &File) -> Vec<ObjectPointer> {
    let read = |piece: events::Piece| match events::read(&piece.payload.ok()?, SystemClock.now()) {
        Ok(Reading::Elsewhere(pointer)) => Some(pointer),
        Ok(Reading::Observed(_) | Reading::Ignored(_)) | Err(_) => None,
    };
    events::split(sample.text.as_bytes()).into_iter().filter_map(read).collect()
}

/// A log file with one event of its own.
fn log_file(name: &str) -> String {
    let event = json!({
        "version": "0", "id": name, "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2",
        "account": "111122223333", "time": "2026-03-03T10:00:00Z", "region": "eu-west-1",
        "resources": ["arn:aws:ec2:eu-west-1:111122223333:instance/i-0aaaaaaaaaaaaaaa1"],
        "detail": {"instance-id": "i-0aaaaaaaaaaaaaaa1", "state": "running"},
    });
    event.to_string()
}

#[tokio::test]
async fn the_lambda_function_answers_its_files_as_its_library_does() {
    let installed = Command::new("cargo").args(["lambda", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return skip("cargo-lambda is not installed: pip install cargo-lambda");
    }
    let Some(moto) = Moto::start() else { return };
    let samples = files(&["events/ingest"], &["json"]);
    assert!(!samples.is_empty(), "events/ingest is empty");
    let objects = FakeObjects::new();
    for ObjectPointer { bucket, key, .. } in samples.iter().flat_map(pointers) {
        let body = log_file(&key);
        moto.put(&bucket, &key, &body);
        objects.put(&bucket, &key, body);
    }
    let (own, lambda) = (database().await, database().await);
    let ctx = ingest::Context {
        intake: Intake {
            catalog: Catalog::connect(&options(own.url())).unwrap(),
            objects: Arc::new(objects),
            clock: Arc::new(SystemClock),
            accounts: None,
        },
    };
    // Built as cargo-lambda builds it, so that the first invocation need not wait for it.
    cargo(&["build", "--quiet", "--features", "lambda", "--bin", "ingest"]);
    let watch = Watch::start(lambda.url(), &moto);
    for sample in samples {
        let answered = watch.invoke(&sample.path);
        assert_eq!(answered, answer(&ctx, &sample.text).await, "{}", sample.path);
        println!("{}: {answered:?}", sample.path);
    }
    let digest = Catalog::connect(&options(lambda.url())).unwrap().digest().await.unwrap();
    assert_eq!(digest, ctx.intake.catalog.digest().await.unwrap());
}
