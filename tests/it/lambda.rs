//! The functions as Lambda runs them, under `cargo lambda watch`: each must answer its files of `events/<function>`.
//! `ingest` does so as its library does, with the objects that the files point at in a store beside it. Needs
//! cargo-lambda and moto (`pip install cargo-lambda 'moto[server,s3]'`); without them it is skipped with a line
//! that says so.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use catalog::{
    Catalog, ConnectOptions,
    deliveries::DeliveryQuery,
    health::HealthQuery,
    manifests::NewManifest,
    runs::RunQuery,
    shards::{Coverage, ShardState},
};
use events::{ObjectPointer, Reading};
use intake::Intake;
use model::{DeliveryState, RunState};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use ports::{Clock, SystemClock};
use serde_json::{Value, json};
use testkit::{FakeObjects, Moto, TestDb, skip, template_name};

use crate::workspace::{File, cargo, files, root};

const START: Duration = Duration::from_secs(60);
const FUNCTIONS: [&str; 6] = ["api", "health", "ingest", "notify", "playbook", "scrape"];

/// `cargo lambda watch`, and the functions that it runs.
struct Watch {
    child: Child,
    port: String,
}

impl Watch {
    /// Starts it on a free port, with a database and with all of AWS at `cloud`.
    fn start(database: &str, cloud: &Moto) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("cargo")
            .args(["lambda", "watch", "--ignore-changes", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &port.to_string()])
            .current_dir(root())
            .env("PERIGEE_DATABASE_URL", database)
            .envs([("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
            .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "example")])
            .env("AWS_ENDPOINT_URL", cloud.endpoint())
            .env_remove("AWS_PROFILE")
            .env_remove("PERIGEE_ACCOUNTS")
            .env_remove("PERIGEE_TOKEN")
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

    /// What a function answers to a file, or the error that it reports.
    fn invoke(&self, function: &str, file: &str) -> Result<Value, String> {
        let output = Command::new("cargo")
            .args([
                "lambda",
                "invoke",
                function,
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

/// What people wrote, so that each function has something to do. The files are old, so what they start may be.
fn manifests() -> Vec<NewManifest> {
    let manifest = |kind: &str, name: &str, spec: Value| {
        let mut body = json!({"apiVersion": "perigee.dev/v1", "kind": kind, "metadata": {"name": name}});
        body["spec"] = spec;
        NewManifest { kind: kind.to_owned(), name: name.to_owned(), body }
    };
    let on = ["health.changed"];
    let step = json!({"name": "look", "catalog": {"resources": "type=AWS::EC2::SecurityGroup"}});
    let types = ["AWS::EC2::Instance", "AWS::IAM::Role"];
    vec![
        // Under Lambda this machine is not called.
        manifest("Connection", "here", json!({"webhook": {"url": "http://127.0.0.1:9/"}})),
        manifest("Notification", "tell", json!({"on": on, "to": ["here"], "maxAge": "36500d"})),
        manifest("Check", "here", json!({"every": "1h", "http": {"url": "http://127.0.0.1:9/"}})),
        manifest(
            "Playbook",
            "look",
            json!({"on": {"signals": [{"kinds": on}]}, "maxAge": "36500d", "steps": [step]}),
        ),
        manifest("Scraper", "aws", json!({"every": "1h", "aws": {"regions": ["eu-west-1"], "types": types}})),
    ]
}

/// The messages of a batch that hold no event: they shall come again, and end in the dead-letter queue.
fn unreadable(sample: &File) -> Vec<Value> {
    let payload: Value = serde_json::from_str(&sample.text).unwrap();
    let records = payload["Records"].as_array().cloned().unwrap_or_default();
    let is_json = |body: &str| serde_json::from_str::<Value>(body).is_ok();
    let bad = records.iter().filter(|record| record["body"].as_str().is_some_and(|body| !is_json(body)));
    bad.map(|record| json!({"itemIdentifier": record["messageId"]})).collect()
}

/// The files of a function that listens to signals: each is answered with what is not acknowledged, and with when
/// something is due next.
fn answers_its_files(watch: &Watch, function: &str) {
    let samples = files(&[&format!("events/{function}")], &["json"]);
    assert!(!samples.is_empty(), "events/{function} is empty");
    for sample in samples {
        let (began, answered) = (Instant::now(), watch.invoke(function, &sample.path));
        println!("{}: {answered:?} in {:?}", sample.path, began.elapsed());
        let answered = answered.unwrap_or_else(|error| panic!("{}: {error}", sample.path));
        assert_eq!(answered["batchItemFailures"], json!(unreadable(&sample)), "{}", sample.path);
        let due = answered["due"].as_str().map(|due| due.parse::<chrono::DateTime<chrono::Utc>>());
        assert!(due.is_none_or(|due| due.is_ok()), "{}: {answered}", sample.path);
    }
}

/// The API answers in the shape of an API Gateway.
fn answers_requests(watch: &Watch) {
    for sample in files(&["events/api"], &["json"]) {
        let answered = watch.invoke("api", &sample.path);
        let answered = answered.unwrap_or_else(|error| panic!("{}: {error}", sample.path));
        let body = answered["body"].as_str().unwrap();
        println!("{}: {} with {} bytes", sample.path, answered["statusCode"], body.len());
        assert_eq!(answered["statusCode"], 200, "{}: {answered:#}", sample.path);
        let read = || serde_json::from_str::<Value>(body).unwrap();
        match sample.path.as_str() {
            "events/api/get-home.json" => assert!(body.starts_with("<!DOCTYPE html>"), "{body}"),
            "events/api/get-resources.json" => assert_ne!(read()["items"], json!([]), "{body}"),
            "events/api/post-events.json" => assert_eq!(read()["accepted"], 1, "{body}"),
            path => panic!("nothing is expected of {path}"),
        }
    }
}

/// What the functions did, beyond answering.
async fn did(catalog: &Catalog) {
    let judged = catalog.health_list(&HealthQuery { limit: 10, ..HealthQuery::default() }).await.unwrap();
    assert!(judged.items.iter().any(|it| it.kind == "AWS::CloudWatch::Alarm"), "{judged:?}");
    let checks = catalog.checks(SystemClock.now(), 10, None).await.unwrap().items;
    assert!(checks.iter().any(|check| check.reason.contains("perigee up")), "{checks:?}");
    // The same signal came three times, and another once.
    let query = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
    let told = catalog.deliveries(&query).await.unwrap().items;
    let told: Vec<_> = told.iter().map(|it| (it.state, it.reason.as_str())).collect();
    assert_eq!(told, [(DeliveryState::Failed, "refused_address")]);
    let runs = catalog.runs(&RunQuery { limit: 10, ..RunQuery::default() }).await.unwrap().items;
    let runs: Vec<_> = runs.iter().map(|run| (run.playbook.as_str(), run.state)).collect();
    assert_eq!(runs, [("look", RunState::Completed)]);
    // moto's account has no recorder, which the listing says and takes for no proof.
    let Coverage { scrapers, shards } = catalog.coverage(SystemClock.now()).await.unwrap();
    assert!(
        scrapers.iter().all(|it| (it.name.as_str(), it.state.as_str()) == ("aws", "planned")),
        "{scrapers:?}"
    );
    assert!(matches!(&shards[..], [shard] if shard.state == ShardState::Unrecorded), "{shards:?}");
    assert!(shards[0].reason.contains("eu-west-1"), "{shards:?}");
}

#[tokio::test]
async fn every_lambda_function_answers_its_files() {
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
    // Built as cargo-lambda builds them, so that the first invocations need not wait for it.
    let bins = FUNCTIONS.iter().flat_map(|function| ["--bin", function]);
    cargo(&[vec!["build", "--quiet", "--features", "lambda"], bins.collect()].concat());
    let watch = Watch::start(lambda.url(), &moto);
    for sample in samples {
        let answered = watch.invoke("ingest", &sample.path);
        assert_eq!(answered, answer(&ctx, &sample.text).await, "{}", sample.path);
        println!("{}: {answered:?}", sample.path);
    }
    let catalog = Catalog::connect(&options(lambda.url())).unwrap();
    assert_eq!(catalog.digest().await.unwrap(), ctx.intake.catalog.digest().await.unwrap());

    catalog.apply_manifests(&manifests(), SystemClock.now()).await.unwrap();
    ["health", "playbook", "notify", "scrape"]
        .iter()
        .for_each(|function| answers_its_files(&watch, function));
    did(&catalog).await;
    answers_requests(&watch);
}
