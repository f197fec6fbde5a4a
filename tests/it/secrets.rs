//! Law 5: secrets that stand where they do in real events, and those that manifests refer to, are nowhere in what is
//! kept, logged, printed or answered.

mod events;
mod far_end;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    process::Command,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use self::work::Work;
use crate::process::{Place, random};

/// Secrets, each with a word for where it was planted. A marker is letters and digits, so that it reads the same in
/// JSON, in HTML and in a URL.
struct Garden {
    random: fastrand::Rng,
    markers: BTreeMap<String, String>,
    lines: Vec<String>,
}

impl Garden {
    fn marker(&mut self, place: &str) -> String {
        let marker: String = (0..36).map(|_| self.random.alphanumeric()).collect();
        let known = self.markers.insert(place.to_owned(), marker.clone());
        assert_eq!(known, None, "{place} is planted twice");
        marker
    }

    fn id(&mut self) -> String {
        let mut hex = |length| (0..length).map(|_| self.random.digit(16)).collect::<String>();
        format!("{}-{}-4{}-8{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
    }

    fn plant(&mut self, event: &Value) {
        self.lines.push(event.to_string());
    }
}

/// How a marker may be written: as it is, in hex, and in base64 at each of the three places in a group of bytes. Half
/// of one is as bad.
fn spellings(marker: &str) -> Vec<String> {
    let (start, end) = marker.split_at(marker.len() / 2);
    let hex = marker.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded = (0..3).map(|before| {
        let whole = BASE64_STANDARD.encode(format!("{}{marker}", " ".repeat(before)));
        // The ends depend on what stands beside the marker.
        whole.get(4..whole.len() - 4).unwrap().to_owned()
    });
    [start.to_owned(), end.to_owned(), hex].into_iter().chain(encoded).collect()
}

/// What must hold none of the markers.
struct Inspector {
    /// Every spelling, with the place that it was planted at.
    spellings: Vec<(String, String)>,
    leaks: BTreeSet<String>,
    inspected: usize,
}

impl Inspector {
    fn inspect(&mut self, what: &str, text: &str) {
        self.inspected += 1;
        for (spelling, planted) in &self.spellings {
            if let Some((before, _)) = text.split_once(spelling.as_str()) {
                let skipped = before.chars().count().saturating_sub(60);
                let before: String = before.chars().skip(skipped).collect();
                self.leaks.insert(format!("{planted}: in {what}, after `{before}`"));
            }
        }
    }
}

/// Everything that the database holds, as text.
fn dump(place: &Place) -> String {
    let mut beside_the_server = embedded::installed().into_iter().map(|found| found.dir.join("pg_dump"));
    let program = beside_the_server.find(|program| program.is_file());
    let output = Command::new(program.unwrap_or("pg_dump".into()))
        .args(["--username", "postgres", "--dbname", "perigee", "--inserts", "--host"])
        .arg(place.data().join("socket"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every page of a list; returns the items.
fn list(place: &Place, path: &str, inspector: &mut Inspector) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = place.get(&format!("/api/v1{path}?limit=20{cursor}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        inspector.inspect(&format!("/api/v1{path}"), &answer.text);
        let page = answer.json();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// All that the API answers about what was done.
fn done(place: &Place, inspector: &mut Inspector) {
    let mut show = |path: String| {
        let answer = place.get(&format!("/api/v1{path}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        inspector.inspect(&path, &answer.text);
        answer.json()
    };
    let mut paths = vec!["/playbooks".to_owned()];
    let items = |show: &mut dyn FnMut(String) -> Value, list: &str| {
        show(format!("{list}?limit=200"))["items"].as_array().unwrap().clone()
    };
    for run in items(&mut show, "/runs") {
        let run = show(format!("/runs/{}", run["id"].as_str().unwrap()));
        for step in run["steps"].as_array().unwrap() {
            let (id, name) = (run["id"].as_str().unwrap(), step["name"].as_str().unwrap());
            paths.push(format!("/runs/{id}/output?limit=200&step={name}"));
        }
    }
    for delivery in items(&mut show, "/deliveries") {
        paths.push(format!("/deliveries/{}", delivery["id"].as_str().unwrap()));
    }
    for check in items(&mut show, "/checks") {
        paths.push(format!("/checks/{}", check["name"].as_str().unwrap()));
    }
    for manifest in items(&mut show, "/manifests") {
        let (kind, name) = (manifest["kind"].as_str().unwrap(), manifest["name"].as_str().unwrap());
        paths.push(format!("/manifests/{kind}/{name}"));
        paths.push(format!("/manifests/{kind}/{name}/generations"));
    }
    assert!(paths.len() > 40, "{paths:#?}");
    for path in paths {
        show(path);
    }
}

/// All that the API answers about what there is.
fn api(place: &Place, inspector: &mut Inspector) {
    for path in
        ["/changes", "/findings", "/rejected", "/health", "/checks", "/runs", "/deliveries", "/manifests"]
    {
        list(place, path, inspector);
    }
    for path in ["sources", "counts", "openapi.json", "digest", "metrics", "healthz"] {
        let path = format!("/api/v1/{path}");
        let answer = place.get(&path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        inspector.inspect(&path, &answer.text);
    }
    let resources = list(place, "/resources", inspector);
    assert!(resources.len() > 10, "{} resources", resources.len());
    for id in resources.iter().map(|resource| resource["id"].as_str().unwrap()) {
        for below in ["", "/graph"] {
            let path = format!("/api/v1/resources/{id}{below}");
            let answer = place.get(&path);
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            inspector.inspect(&path, &answer.text);
        }
        for below in ["history", "changes", "edges", "findings", "health", "runs"] {
            list(place, &format!("/resources/{id}/{below}"), inspector);
        }
    }
}

/// Every page that the pages lead to.
fn pages(place: &Place, inspector: &mut Inspector) {
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut ahead = VecDeque::from(["/".to_owned()]);
    while let Some(path) = ahead.pop_front() {
        let answer = place.get(&path);
        inspector.inspect(&path, &answer.text);
        assert_eq!(answer.status, 200, "{path}");
        if answer.kind.starts_with("text/html") {
            let links = answer.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
            for link in links.filter(|link| link.starts_with('/')) {
                let link = link.split('#').next().unwrap().replace("&amp;", "&");
                if seen.insert(link.clone()) && seen.len() < 400 {
                    ahead.push_back(link);
                }
            }
        }
    }
    assert!(seen.len() > 30, "{} pages", seen.len());
}

#[test]
fn no_planted_secret_is_kept_logged_printed_or_answered() {
    let mut garden = Garden { random: random("secrets"), markers: BTreeMap::new(), lines: Vec::new() };
    let place = Place::new();
    events::plant(&mut garden);
    let work = Work::plant(&mut garden, place.path());
    let planted = |(place, marker): (&String, &String)| {
        spellings(marker).into_iter().map(|it| (it, place.clone())).collect::<Vec<_>>()
    };
    let spellings = garden.markers.iter().flat_map(planted).collect();
    let mut inspector = Inspector { spellings, leaks: BTreeSet::new(), inspected: 0 };

    let input = place.path().join("planted.jsonl");
    fs::write(&input, garden.lines.join("\n")).unwrap();
    let server = place.up_with(&["--no-sample"], &work.variables);
    let output = place.run(&["ingest", input.to_str().unwrap()]);
    inspector.inspect("what `ingest` prints", &format!("{output:?}"));
    let counts = place.feed(&[input]);
    inspector.inspect("what `ingest --output json` prints", &counts.to_string());
    // All but the refused ones were taken, so they were looked for where they could be.
    assert_eq!((&counts["rejected"], &counts["ignored"]), (&json!(5), &json!(0)), "{counts:#}");
    assert_eq!(counts["duplicate"], json!(garden.lines.len() - 5), "{counts:#}");
    work.run(&place, &mut inspector);

    for command in ["query", "changes", "findings", "rejected", "runs", "deliveries"] {
        inspector.inspect(command, &place.say(&[command, "--all"]));
        inspector.inspect(command, &place.say(&[command, "--all", "--output", "yaml"]));
    }
    api(&place, &mut inspector);
    done(&place, &mut inspector);
    pages(&place, &mut inspector);
    inspector.inspect("the database", &dump(&place));
    server.stop();
    for log in [place.log(), place.data().join("postgres.log")] {
        inspector.inspect(&log.display().to_string(), &fs::read_to_string(&log).unwrap());
    }
    println!("{} secrets looked for in {} texts", garden.markers.len(), inspector.inspected);
    assert!(inspector.leaks.is_empty(), "{:#?}", inspector.leaks);
}
