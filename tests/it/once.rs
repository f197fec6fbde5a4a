//! No effect twice: the server is killed again and again while runs and deliveries are under way, and a server at the
//! far end counts what it was asked, by `Idempotency-Key`.

mod far_end;

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use self::far_end::FarEnd;
use crate::process::{Place, random};

/// How often the server is killed, and how many alarms go off before each time.
const KILLS: usize = 50;
const ALARMS: usize = 10;
/// Of so many alarms, this many start a run.
const RUNS_OF: usize = 5;
const RUNS: usize = 2;
/// A server is killed at most so long after it is ready.
const MOMENT: Duration = Duration::from_millis(1_500);
/// How long what is left may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the server is to do: tell of every alarm, and run a playbook on some.
fn manifests(far_end: &str, effects: &str) -> Value {
    let manifest = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "perigee.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    let post = |name: &str| json!({"name": name, "http": {"method": "POST", "url": format!("{far_end}/step"), "body": "${{ run.id }}"}});
    let script = r#"sleep 0.05; mkdir "$EFFECTS/$RUN" || echo "$RUN" >> "$EFFECTS/twice""#;
    json!([
        manifest("Connection", "far-end", json!({"webhook": {"url": format!("{far_end}/delivery")}})),
        manifest(
            "Notification",
            "alarms",
            json!({"on": ["health.changed"], "if": "signal.payload.health == 'unhealthy'", "to": ["far-end"]})
        ),
        manifest(
            "Playbook",
            "react",
            json!({
                "on": {"signals": [{
                    "kinds": ["health.changed"],
                    "if": "signal.payload.health == 'unhealthy' && resource.name.startsWith('run-')",
                }]},
                "target": "type=AWS::CloudWatch::Alarm",
                "steps": [
                    post("first"),
                    {"name": "script", "exec": {"script": script, "env": {"RUN": "${{ run.id }}", "EFFECTS": effects}}},
                    {"name": "pause", "wait": {"for": "1s"}},
                    {"name": "look", "catalog": {"resources": "type=AWS::CloudWatch::Alarm name=run-0"}},
                    post("second"),
                ],
            })
        ),
    ])
}

/// An alarm goes off, now.
fn alarm(number: usize) -> String {
    #[expect(clippy::disallowed_methods, reason = "an event happens at the real time")]
    let now = Utc::now();
    let name = if number % RUNS_OF < RUNS { format!("run-{number}") } else { format!("tell-{number}") };
    let time = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "version": "0", "id": format!("00000000-0000-4000-8000-{number:012}"), "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change", "account": "111122223333", "region": "eu-west-1",
        "time": now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "resources": [format!("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}")],
        "detail": {
            "alarmName": name,
            "state": {"value": "ALARM", "reason": "Threshold crossed", "timestamp": time},
            "previousState": {"value": "OK", "reason": "Fine", "timestamp": time},
        },
    })
    .to_string()
}

/// Everything that a list of the server holds.
fn all(place: &Place, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = place.get(&format!("{path}?limit=200{cursor}")).json();
        items.extend(page["items"].as_array().unwrap_or_else(|| panic!("{page:#}")).clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

fn by_state(items: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Waits until nothing is under way any more.
fn settled(place: &Place) -> (Vec<Value>, Vec<Value>) {
    let began = Instant::now();
    loop {
        let (runs, deliveries) = (all(place, "/api/v1/runs"), all(place, "/api/v1/deliveries"));
        let live = |item: &Value| {
            matches!(item["state"].as_str(), Some("pending" | "running" | "waiting" | "scheduled"))
        };
        let under_way = runs.iter().chain(&deliveries).filter(|item| live(item)).count();
        let whole = runs.len() >= KILLS * ALARMS / RUNS_OF * RUNS && deliveries.len() >= KILLS * ALARMS;
        if under_way == 0 && whole {
            return (runs, deliveries);
        }
        assert!(
            began.elapsed() < PATIENCE,
            "it does not settle: runs {:?}, deliveries {:?}; {}",
            by_state(&runs),
            by_state(&deliveries),
            fs::read_to_string(place.log()).unwrap()
        );
        std::thread::park_timeout(Duration::from_millis(500));
    }
}

#[test]
fn no_effect_happens_twice_however_often_the_server_is_killed() {
    let mut random = random("kills");
    let (place, far_end) = (Place::new(), FarEnd::start());
    let effects = place.path().join("effects");
    fs::create_dir(&effects).unwrap();
    let mut server = place.up(&["--no-sample"]);
    let applied =
        place.post("/api/v1/manifests", &manifests(&far_end.url(), effects.to_str().unwrap()).to_string());
    assert_eq!(applied.status, 200, "{applied:?}");
    for kill in 0..KILLS {
        let alarms: Vec<String> = (0..ALARMS).map(|n| alarm(kill * ALARMS + n)).collect();
        let taken = place.post("/api/v1/events", &alarms.join("\n"));
        assert_eq!(taken.json()["accepted"], json!(ALARMS), "{taken:?}");
        std::thread::park_timeout(MOMENT.mul_f64(random.f64()));
        server.kill();
        server = place.up(&["--no-sample"]);
    }
    let (runs, deliveries) = settled(&place);
    let asked = far_end.asked();
    println!("runs {:?}, deliveries {:?}, asked {}", by_state(&runs), by_state(&deliveries), asked.len());

    assert_eq!((runs.len(), deliveries.len()), (KILLS * ALARMS / RUNS_OF * RUNS, KILLS * ALARMS));
    let twice: Vec<_> = asked.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "asked more than once: {twice:?}");
    for delivery in &deliveries {
        let times = asked.get(delivery["id"].as_str().unwrap()).copied().unwrap_or_default();
        match delivery["state"].as_str().unwrap() {
            "sent" => assert_eq!(times, 1, "{delivery:#}"),
            "failed" => assert_eq!(delivery["reason"], "unknown_outcome", "{delivery:#}"),
            _ => panic!("{delivery:#}"),
        }
    }
    let cut = of_runs(&place, &runs, &asked, &effects);
    assert!(!effects.join("twice").exists(), "a script ran twice");
    // Most effects are not cut: otherwise this would show nothing.
    let sent = by_state(&deliveries).get("sent").copied().unwrap_or_default();
    assert!(sent * 2 > deliveries.len(), "only {sent} deliveries were sent");
    assert!(cut * 2 < runs.len(), "{cut} runs were cut");
    server.stop();
}

/// Holds every run against what the far end saw; says how many have an outcome that cannot be known.
fn of_runs(
    place: &Place,
    runs: &[Value],
    asked: &BTreeMap<String, usize>,
    effects: &std::path::Path,
) -> usize {
    let mut cut = 0;
    for run in runs {
        let id = run["id"].as_str().unwrap();
        let detail = place.get(&format!("/api/v1/runs/{id}")).json();
        let steps = detail["steps"].as_array().unwrap_or_else(|| panic!("{detail:#}"));
        let states: Vec<&str> = steps.iter().map(|step| step["state"].as_str().unwrap()).collect();
        for step in steps {
            let (name, state) = (step["name"].as_str().unwrap(), step["state"].as_str().unwrap());
            let run_id: model::RunId = id.parse().unwrap();
            let times = match name {
                "script" => usize::from(effects.join(id).exists()),
                _ => asked.get(&run_id.step_key(name).to_string()).copied().unwrap_or_default(),
            };
            match (name, state) {
                ("first" | "second" | "script", "completed") => assert_eq!(times, 1, "{name} of {detail:#}"),
                ("first" | "second" | "script", "skipped") => assert_eq!(times, 0, "{name} of {detail:#}"),
                (_, "completed" | "skipped" | "unknown") => {}
                _ => panic!("{name} is {state} in {detail:#}"),
            }
        }
        match run["state"].as_str().unwrap() {
            "completed" => assert!(states.iter().all(|state| *state == "completed"), "{detail:#}"),
            "unknown" => {
                assert!(states.contains(&"unknown"), "{detail:#}");
                cut += 1;
            }
            _ => panic!("{detail:#}"),
        }
    }
    cut
}
