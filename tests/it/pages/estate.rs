//! What the pictures show: the sample once its story is told to the end, and beside it what the story lacks.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::process::Place;

/// How long a part of the story may take.
const A_MINUTE: Duration = Duration::from_secs(60);

/// The security group that closed the database to the services.
const GROUP: &str = "sg-0c5a7e9d1f3b42683";

/// What the story lacks.
const MORE: &str = include_str!("more.yaml");

/// The ids of what has a page of its own.
pub(super) struct Estate {
    service: String,
    database: String,
    gone: String,
    diagnosis: String,
    failed: String,
    waiting: String,
    sent: String,
    suppressed: String,
    pending: String,
}

impl Estate {
    /// Waits until the story is told, and adds to it.
    pub(super) fn told(place: &Place) -> Self {
        let unhealthy = |it: &Value| it["name"] == "checkout" && it["health"] == "unhealthy";
        let service = wait(place, "/api/v1/health?q=type%3DAWS%3A%3AECS%3A%3AService", unhealthy);
        let service = text(&service["resource"]);
        let diagnosed = |it: &Value| {
            it["playbook"] == "diagnose-service"
                && it["state"] == "completed"
                && it["resource"]["id"] == service.as_str()
        };
        let diagnosis = text(&wait(place, "/api/v1/runs?limit=200", diagnosed)["id"]);
        let sent = |it: &Value| {
            it["notification"] == "services-unhealthy"
                && it["state"] == "sent"
                && it["resource"] == service.as_str()
        };
        let sent = text(&wait(place, "/api/v1/deliveries?limit=200", sent)["id"]);
        add(place, &service);
        let of = |list: &str, state: &'static str| text(&wait(place, list, |it| it["state"] == state)["id"]);
        let failed = of("/api/v1/runs?q=playbook%3Drotate-key", "failed");
        let waiting = of("/api/v1/runs?q=playbook%3Dwait-for-quiet", "waiting");
        let suppressed = of("/api/v1/deliveries?q=reason%3Dsilenced%3A*", "suppressed");
        let refused = |it: &Value| it["state"] == "pending" && it["attempts"].as_u64() > Some(0);
        let pending = text(&wait(place, "/api/v1/deliveries?q=notification%3Druns-failed", refused)["id"]);
        wait(place, "/api/v1/checks", |it| it["name"] == "closed-door" && it["state"] == "failing");
        let warned = |it: &Value| it["health"] == "warning";
        let database = wait(place, "/api/v1/health?q=rule%3Ddatabase-without-protection", warned);
        let gone = wait(place, "/api/v1/resources?include_deleted=true&limit=200", |it| {
            it["type"] == "AWS::EC2::Instance" && it["deleted_at"].is_string()
        });
        let (database, gone) = (text(&database["resource"]), text(&gone["id"]));
        Self { service, database, gone, diagnosis, failed, waiting, sent, suppressed, pending }
    }

    /// The pages of single things: the picture and the path.
    pub(super) fn pages(&self) -> Vec<(&'static str, String)> {
        let resource = |reference: &str| format!("/resources/{reference}");
        let run = |id: &str| format!("/runs/{id}");
        let delivery = |id: &str| format!("/deliveries/{id}");
        let manifest = |name: &str| format!("/manifests/{name}");
        vec![
            ("resource-unhealthy", resource(&self.service)),
            ("resource-warned", resource(&self.database)),
            ("resource-deleted", resource(&self.gone)),
            // One with a past, relations, changes and a finding.
            ("resource-found", resource(GROUP)),
            ("changes-of-a-resource", format!("/changes?resource={}&read_only=true", self.service)),
            ("run-completed", run(&self.diagnosis)),
            ("run-failed", run(&self.failed)),
            // A page that reloads while it is measured cannot be measured.
            ("run-waiting", format!("{}?live=off", run(&self.waiting))),
            ("delivery-sent", delivery(&self.sent)),
            ("delivery-suppressed", delivery(&self.suppressed)),
            ("delivery-pending", delivery(&self.pending)),
            ("check-passing", "/checks/perigee-answers".to_owned()),
            ("check-failing", "/checks/closed-door".to_owned()),
            ("manifest-playbook", manifest("Playbook/diagnose-service")),
            ("manifest-notification", manifest("Notification/services-unhealthy")),
            ("manifest-silence", manifest("Silence/release-night")),
            ("manifest-scraper", manifest("Scraper/staging")),
            ("playbook-form", format!("/playbooks/rotate-key/runs?resource={}", self.service)),
            ("playbook-form-without-target", "/playbooks/diagnose-service/runs".to_owned()),
        ]
    }
}

/// Adds what the story lacks.
fn add(place: &Place, service: &str) {
    let (more, broken) = (place.path().join("more.yaml"), place.path().join("broken.jsonl"));
    fs::write(&more, MORE).unwrap();
    place.say(&["apply", "-f", more.to_str().unwrap()]);
    fs::write(&broken, "{\"neither\": \"event\"}\n{\"cut\": \n").unwrap();
    place.feed(&[broken]);
    place.say(&["run", "diagnose-service", "--resource", service]);
    let failed = place.run(&["run", "rotate-key", "--resource", service, "--parameter", "size=4096"]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    place.say(&["run", "wait-for-quiet", "--detach"]);
}

/// The first item of a list that fits, once there is one.
fn wait(place: &Place, list: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let page = place.get(list).json();
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{list}: {page:#}"));
        if let Some(found) = items.iter().find(|item| fits(item)) {
            return found.clone();
        }
        let log = || fs::read_to_string(place.log()).unwrap();
        assert!(began.elapsed() < A_MINUTE, "not within a minute in {list}: {page:#}; {}", log());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:#} should be a text")).to_owned()
}
