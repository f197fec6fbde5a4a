//! What a bare `up` shows within a minute: the service that broke, the run that found out why, and who was told. All of
//! it can be followed from the first page by links, and starting again does nothing a second time.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::process::Place;

/// How long the sample may take to tell its story.
const A_MINUTE: Duration = Duration::from_secs(60);
/// How long nothing may begin before all is said to be done; the pump and the functions look several times meanwhile.
const STILL: Duration = Duration::from_secs(4);

/// What closed the database to the services.
const REVOKE: &str = "RevokeSecurityGroupIngress on sg-0c5a7e9d1f3b42683";

/// Looks again and again, until something is found.
fn wait<T>(place: &Place, began: Instant, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(found) = look() {
            println!("{what}: after {:?}", began.elapsed());
            return found;
        }
        let log = || fs::read_to_string(place.log()).unwrap();
        assert!(began.elapsed() < A_MINUTE, "not within a minute: {what}; {}", log());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// The items of a list, which has one page.
fn items(place: &Place, path: &str) -> Vec<Value> {
    let page = place.get(&format!("{path}?limit=200")).json();
    assert!(page["next"].is_null(), "{path} is longer than expected");
    page["items"].as_array().unwrap_or_else(|| panic!("{path}: {page:#}")).clone()
}

fn id(item: &Value) -> String {
    item["id"].as_str().unwrap_or_else(|| panic!("{item:#}")).to_owned()
}

/// What there is of runs and deliveries, with what became of each.
fn done(place: &Place) -> BTreeSet<(String, String)> {
    let all = ["/api/v1/runs", "/api/v1/deliveries"].map(|path| items(place, path)).concat();
    all.iter().map(|item| (id(item), item["state"].as_str().unwrap().to_owned())).collect()
}

/// What was done, once nothing is under way and nothing begins any more.
fn settled(place: &Place) -> BTreeSet<(String, String)> {
    let (mut began, mut before) = (Instant::now(), BTreeSet::new());
    wait(place, Instant::now(), "nothing begins any more", || {
        let now = done(place);
        let under_way = ["scheduled", "running", "waiting", "pending"];
        let busy = |(_, state): &(String, String)| under_way.contains(&state.as_str());
        if now != before || now.iter().any(busy) {
            (began, before) = (Instant::now(), now);
            return None;
        }
        (began.elapsed() > STILL).then_some(())
    });
    before
}

/// Where a page leads.
fn links(place: &Place, path: &str) -> (String, BTreeSet<String>) {
    let answer = place.get(path);
    assert_eq!(answer.status, 200, "{path}");
    let links = answer.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links = links.map(|link| link.split('#').next().unwrap().replace("&amp;", "&")).collect();
    (answer.text, links)
}

/// Follows the link to `to` from the page `from`; returns the page.
fn follow(place: &Place, from: &str, to: &str) -> String {
    let (_, led) = links(place, from);
    assert!(led.contains(to), "{from} has no link to {to}: {led:#?}");
    links(place, to).0
}

#[test]
fn a_bare_start_shows_what_broke_why_and_who_was_told() {
    let (place, began) = (Place::new(), Instant::now());
    let server = place.up(&[]);
    println!("ready: after {:?}", began.elapsed());
    let service = wait(&place, began, "checkout is unhealthy", || {
        items(&place, "/api/v1/health").into_iter().find(|it| {
            it["type"] == "AWS::ECS::Service" && it["name"] == "checkout" && it["health"] == "unhealthy"
        })
    });
    let service = service["resource"].as_str().unwrap_or_else(|| panic!("{service:#}")).to_owned();
    let run = wait(&place, began, "its diagnosis is completed", || {
        items(&place, "/api/v1/runs").into_iter().find(|run| {
            run["playbook"] == "diagnose-service"
                && run["state"] == "completed"
                && run["resource"]["id"] == service
        })
    });
    let output = place.get(&format!("/api/v1/runs/{}/output?step=report", id(&run))).json();
    let report: String =
        output["items"].as_array().unwrap().iter().map(|piece| piece["text"].as_str().unwrap()).collect();
    let revoke = report.lines().find(|line| line.contains("dana") && line.ends_with(REVOKE));
    assert!(report.starts_with("checkout is ") && revoke.is_some(), "{report}");
    println!("{}", revoke.unwrap());
    let delivery = wait(&place, began, "somebody was told", || {
        items(&place, "/api/v1/deliveries").into_iter().find(|delivery| {
            delivery["notification"] == "services-unhealthy"
                && delivery["state"] == "sent"
                && delivery["resource"] == service
        })
    });
    let inbox = place.get("/sample/inbox").text;
    assert!(inbox.contains("checkout is unhealthy: "), "{inbox}");

    by_links(&place, &service, &id(&run), &delivery);

    let before = settled(&place);
    server.stop();
    let server = place.up(&[]);
    let after = settled(&place);
    assert_eq!(after, before, "starting again did something again");
    let inbox = place.get("/sample/inbox").text;
    assert!(inbox.starts_with("Nothing was told"), "{inbox}");
    println!("{} runs and deliveries, before and after starting again", after.len());
    server.stop();
}

/// Home leads to the service, the service to the run, and all of them to what was told.
fn by_links(place: &Place, service: &str, run: &str, delivery: &Value) {
    let (service, run) = (format!("/resources/{service}"), format!("/runs/{run}"));
    let told = format!("/deliveries/{}", id(delivery));
    let page = follow(place, "/", &service);
    assert!(page.contains("checkout") && page.contains("nhealthy"), "{page}");
    let page = follow(place, &service, &run);
    assert!(page.contains("dana") && page.contains(REVOKE), "{page}");
    let page = follow(place, &run, "/deliveries");
    assert!(page.contains("services-unhealthy"), "{page}");
    let page = follow(place, "/deliveries", &told);
    assert!(page.contains(delivery["title"].as_str().unwrap()), "{page}");
    // And back to what it is about.
    follow(place, &told, &service);
}
