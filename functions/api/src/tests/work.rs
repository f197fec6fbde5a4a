//! Health, checks, runs and deliveries over real rows: what the API answers, what the pages show, what forms do.

use axum::http::StatusCode;
use catalog::manifests::NewManifest;
use serde_json::{Value, json};

use super::{Answer, NOW, Server, at, group, vpc};

pub(super) const RUN: &str = "00000000-0000-0000-0000-0000000000a1";
const DONE: &str = "00000000-0000-0000-0000-0000000000a2";
pub(super) const DELIVERY: &str = "00000000-0000-0000-0000-0000000000d1";
const CHECK: &str = "00000000-0000-0000-0000-0000000000c1";
/// What a page must never repeat as markup.
const EVIL: &str = "<script>alert(1)</script>";

fn playbook(name: &str, spec: &Value) -> NewManifest {
    let body = json!({
        "apiVersion": "perigee.dev/v1", "kind": "Playbook", "metadata": {"name": name}, "spec": spec,
    });
    NewManifest { kind: "Playbook".to_owned(), name: name.to_owned(), body }
}

fn reopen() -> Value {
    json!({
        "title": "Reopen the port",
        "target": "type=AWS::EC2::SecurityGroup",
        "parameters": [
            {"name": "port", "type": "number", "required": true, "description": "Which port"},
            {"name": "token", "type": "secret"},
        ],
        "steps": [{"name": "open", "exec": {"script": "echo done"}}],
    })
}

/// Rows as the functions leave them: the group is unhealthy, one run is live and one is done, a delivery failed, a
/// check fails, a listing is not recorded. Their texts try to be markup.
fn rows() -> String {
    let (group, config) = (group().id(), "'AWS::EC2::SecurityGroup', '111122223333', 'eu-west-1'");
    let spec = reopen().to_string().replace('\'', "''");
    format!(
        "insert into perigee.health (resource_id, type, account, region, health, status, ready, reason, rule, until,
                                     since, judged_at)
         values ('{group}', {config}, 'unhealthy', 'Closed', false, 'nobody may reach it {EVIL}', 'closed-group',
                 '2026-03-03T13:00:00Z', '2026-03-03T02:20:00Z', '2026-03-03T02:21:00Z');
         insert into perigee.health_transitions (resource_id, at, recorded_at, from_health, from_status, health, status,
                                                 ready, reason, rule)
         values ('{group}', '2026-03-01T00:00:00Z', '{NOW}', null, null, 'healthy', 'Open', true, '', 'closed-group'),
                ('{group}', '2026-03-03T02:20:00Z', '{NOW}', 'healthy', 'Open', 'unhealthy', 'Closed', false,
                 'nobody may reach it {EVIL}', 'closed-group');
         insert into perigee.run_specs (hash, spec) values ('\\x01', '{spec}');
         insert into perigee.runs (id, playbook, generation, spec, trigger, trigger_key, cause, requested_by, resource_id,
                                   parameters, depth, state, reason, occurred_at, created_at, started_at, ended_at,
                                   deadline, due_at)
         values ('{RUN}', 'reopen', 1, '\\x01', 'api', 'k', null, 'ada {EVIL}', '{group}',
                 '{{\"port\": 5432, \"token\": {{\"env\": \"TOKEN\"}}}}', 0, 'running', '', '{NOW}', '{NOW}', '{NOW}', null,
                 '{NOW}', '{NOW}'),
                ('{DONE}', 'reopen', 1, '\\x01', 'signal', 's', '{{\"kind\": \"health.changed\"}}', null, '{group}',
                 '{{\"port\": 22, \"token\": \"hunter2\"}}', 0, 'failed', 'step open failed {EVIL}', '2026-03-03T02:20:00Z',
                 '2026-03-03T02:21:00Z', '2026-03-03T02:21:00Z', '2026-03-03T02:22:00Z', '{NOW}', null);
         insert into perigee.run_steps (run_id, position, name, state, reason, attempts, started_at, ended_at, result,
                                        output_chunks, output_bytes)
         values ('{RUN}', 0, 'open', 'running', '', 1, '{NOW}', null, null, 0, 0),
                ('{DONE}', 0, 'open', 'failed', 'exit 1 {EVIL}', 2, '2026-03-03T02:21:00Z', '2026-03-03T02:22:00Z',
                 '{{\"exit\": \"{EVIL}\"}}', 2, 60);
         insert into perigee.run_attempts (run_id, step, attempt, fence, worker, started_at, ended_at, outcome, reason)
         values ('{DONE}', 'open', 1, 1, 'w', '2026-03-03T02:21:00Z', '2026-03-03T02:21:10Z', 'failed', 'exit 1'),
                ('{DONE}', 'open', 2, 1, 'w', '2026-03-03T02:21:20Z', '2026-03-03T02:22:00Z', 'failed', 'exit 1');
         insert into perigee.step_output (run_id, step, attempt, seq, stream, at, text)
         values ('{DONE}', 'open', 2, 1, 'stdout', '{NOW}', 'opening & reopening\n'),
                ('{DONE}', 'open', 2, 2, 'stderr', '{NOW}', 'denied {EVIL}\n');
         insert into perigee.deliveries (id, notification, generation, channel, signal_id, kind, subject, occurred_at,
                                         payload, resource_id, snapshot, same, state, reason, detail, created_at, attempts,
                                         title, body, ended_at)
         values ('{DELIVERY}', 'on-call', 1, 'chat', '{group}', 'health.changed', '{group}', '2026-03-03T02:20:00Z', '{{}}',
                 '{group}', '{{}}', 'x', 'failed', 'gave_up', 'it answered 500 {EVIL}', '2026-03-03T02:20:00Z', 2,
                 'checkout-db is unhealthy {EVIL}', 'Nobody may reach it {EVIL}', '2026-03-03T02:24:00Z');
         insert into perigee.delivery_attempts (delivery_id, attempt, fence, started_at, ended_at, outcome, status, detail)
         values ('{DELIVERY}', 1, 1, '2026-03-03T02:20:00Z', '2026-03-03T02:20:02Z', 'failed', 500, 'it answered 500 {EVIL}');
         insert into perigee.checks (id, name, generation, target, resource, resource_id, state, reason, since, failures, told,
                                     ran_at, status, latency_ms, due_at, lease_seconds, fence)
         values ('{CHECK}', 'database', 1, 'GET https://example.com/{EVIL}', null, '{group}', 'failing', 'it answered 503 {EVIL}',
                 '2026-03-03T02:20:00Z', 3, true, '2026-03-03T11:59:00Z', 503, 12.5, '2026-03-03T12:01:00Z', 60, 1);
         insert into perigee.check_results (check_id, at, state, status, latency_ms, reason)
         values ('{CHECK}', '2026-03-03T11:58:00Z', 'passing', 200, 80.0, ''),
                ('{CHECK}', '2026-03-03T11:59:00Z', 'failing', 503, 12.5, 'it answered 503 {EVIL}');
         insert into perigee.scrapers (name, version, due_at, state, reason, advice, failures, accept_deletions, fence)
         values ('everything', '1', '{NOW}', 'planned', '', '', 0, false, 1);
         insert into perigee.shards (scraper, account, region, type, spec, state, reason, advice, resources, pages, missing,
                                     failures, accept_deletions, fence)
         values ('everything', '111122223333', 'us-east-1', '*', '{{}}', 'unrecorded', 'Config does not record {EVIL}',
                 'Turn the recorder on', 4, 1, 0, 0, false, 1);"
    )
}

impl Server {
    /// Over the small estate, something of which is broken, acted on and told of.
    pub(super) async fn at_work() -> Self {
        let server = Self::sample().await;
        let manifests = [
            playbook("reopen", &reopen()),
            playbook("restart", &json!({"target": "type=AWS::RDS::*", "steps": []})),
        ];
        server.catalog.apply_manifests(&manifests, at("2026-03-01T00:00:00Z")).await.unwrap();
        for statement in rows().split(";\n") {
            server.db().execute(statement).await;
        }
        server
    }

    async fn send_form(&self, path: &str, body: &str) -> Answer {
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("origin", "http://127.0.0.1:8080")];
        self.ask("POST", path, &headers, body.to_owned()).await
    }
}

#[tokio::test]
async fn health_checks_runs_and_coverage_have_the_agreed_shape() {
    let server = Server::at_work().await;
    let group = format!("/api/v1/resources/{}", group().id());
    for (name, path) in [
        ("health", "/api/v1/health?q=health%3Dunhealthy".to_owned()),
        ("health_summary", "/api/v1/health/summary?by=account".to_owned()),
        ("resource_health", format!("{group}/health")),
        ("resource_checks", format!("{group}/checks")),
        ("resource_runs", format!("{group}/runs?q=state%3Dfailed")),
        ("checks", "/api/v1/checks".to_owned()),
        ("check", "/api/v1/checks/database?limit=1".to_owned()),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    let coverage = &server.get("/api/v1/sources").await.json()["coverage"];
    assert_eq!(coverage["shards"][0]["state"], "unrecorded");
    assert_eq!(coverage["scrapers"][0]["name"], "everything");
}

#[tokio::test]
async fn a_resource_that_no_rule_judges_has_no_health() {
    let server = Server::at_work().await;
    let path = format!("/api/v1/resources/{}/health", vpc().id());
    assert_eq!(server.get(&path).await.json(), json!({"items": []}));
}

#[tokio::test]
async fn every_page_of_the_loop_is_served_and_runs_nothing_that_was_planted() {
    let server = Server::at_work().await;
    let resource = format!("/resources/{}", group().id());
    for (path, wanted) in [
        ("/".to_owned(), "1 region unrecorded"),
        ("/".to_owned(), "1 unhealthy"),
        ("/".to_owned(), "RevokeSecurityGroupIngress"),
        ("/".to_owned(), "checkout-db is unhealthy"),
        (resource.clone(), "What changed around it shortly before"),
        (resource.clone(), "changes by itself"),
        (resource.clone(), "Reopen the port"),
        ("/runs".to_owned(), "step open failed"),
        ("/runs?q=state%3Dfailed".to_owned(), "step open failed"),
        (format!("/runs/{RUN}"), "Cancel the run"),
        (format!("/runs/{DONE}"), "opening &amp; reopening"),
        ("/deliveries".to_owned(), "It answered 500"),
        (format!("/deliveries/{DELIVERY}"), "Nobody may reach it"),
        ("/checks".to_owned(), "it answered 503"),
        ("/checks/database".to_owned(), "2 results, 1 of them failing"),
        ("/health".to_owned(), "nobody may reach it"),
        ("/health?by=type&q=status%3DClosed".to_owned(), "nobody may reach it"),
        ("/manifests".to_owned(), "reopen"),
        ("/manifests/Playbook/reopen".to_owned(), "Reopen the port"),
        (format!("/playbooks/reopen/runs?resource={}", group().id()), "Which port"),
        ("/sources".to_owned(), "Turn the recorder on"),
        ("/resources".to_owned(), "unhealthy"),
    ] {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        let plain = answer.text.replace("<a href=\"/sources\">", "");
        assert!(plain.contains(wanted), "{path} has no {wanted}: {}", answer.text);
        assert!(
            !answer.text.contains(" style=") && !answer.text.contains("<script"),
            "{path}: {}",
            answer.text
        );
        assert!(!answer.text.contains("hunter2"), "{path} shows a secret");
        assert!(answer.text.len() < 80_000, "{path} has {} bytes", answer.text.len());
    }
}

#[tokio::test]
async fn a_resource_offers_only_the_playbooks_that_are_for_it() {
    let server = Server::at_work().await;
    let page = server.get(&format!("/resources/{}", group().id())).await.text;
    assert!(page.contains("/playbooks/reopen/runs") && !page.contains("/playbooks/restart/runs"), "{page}");
    let other = server.get(&format!("/resources/{}", vpc().id())).await.text;
    assert!(!other.contains("What may be done"), "{other}");
}

#[tokio::test]
async fn a_live_run_is_kept_up_with_until_it_is_let_stand() {
    let server = Server::at_work().await;
    assert_eq!(server.get(&format!("/runs/{RUN}")).await.header("refresh"), "3");
    assert_eq!(server.get(&format!("/runs/{RUN}?live=off")).await.header("refresh"), "");
    assert_eq!(server.get(&format!("/runs/{DONE}")).await.header("refresh"), "");
}

#[tokio::test]
async fn a_form_starts_a_run_once() {
    let server = Server::at_work().await;
    server
        .db()
        .execute("update perigee.runs set ended_at = created_at, due_at = null where ended_at is null")
        .await;
    let form = format!("key=k1&resource={}&p.port=5432&p.token=env%3ATOKEN", group().id());
    let sent = server.send_form("/playbooks/reopen/runs", &form).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let again = server.send_form("/playbooks/reopen/runs", &form).await;
    assert_eq!(again.header("location"), sent.header("location"));
    let page = server.get(sent.header("location")).await.text;
    assert!(page.contains("5432") && page.contains("the environment variable TOKEN"), "{page}");
    assert!(page.contains("a person, on the pages"), "{page}");
}

#[tokio::test]
async fn what_is_wrong_with_a_form_stands_beside_its_field_and_starts_nothing() {
    let server = Server::at_work().await;
    server
        .db()
        .execute("update perigee.runs set ended_at = created_at, due_at = null where ended_at is null")
        .await;
    let count = async || {
        server.get("/api/v1/resources/sg-0a1b2c3d/runs").await.json()["items"].as_array().map(Vec::len)
    };
    let before = count().await;
    let form = format!("key=k1&resource={}&p.port=%3Cscript%3E&p.token=hunter2", group().id());
    let sent = server.send_form("/playbooks/reopen/runs", &form).await;
    assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{}", sent.text);
    assert!(sent.text.contains("id=\"p-0-error\"") && sent.text.contains("aria-invalid"), "{}", sent.text);
    assert!(!sent.text.contains("hunter2") && !sent.text.contains("<script"), "{}", sent.text);
    let elsewhere =
        server.send_form("/playbooks/reopen/runs", &format!("key=k&resource={}&p.port=1", vpc().id())).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST);
    assert!(elsewhere.text.contains("is not run on this resource"), "{}", elsewhere.text);
    let nobody = server.send_form("/playbooks/nothing/runs", "key=k").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let large = server.send_form("/playbooks/reopen/runs", &"a".repeat(70_000)).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", large.text);
    assert_eq!(count().await, before);
}

#[tokio::test]
async fn a_form_for_a_target_with_a_live_run_leads_to_that_run() {
    let server = Server::at_work().await;
    let form = format!("key=k1&resource={}&p.port=1", group().id());
    let sent = server.send_form("/playbooks/reopen/runs", &form).await;
    assert_eq!(sent.status, StatusCode::CONFLICT, "{}", sent.text);
    assert!(sent.text.contains(&format!("href=\"/runs/{RUN}\"")), "{}", sent.text);
}

#[tokio::test]
async fn the_end_of_a_run_is_asked_for_by_a_form() {
    let server = Server::at_work().await;
    let sent = server.send_form(&format!("/runs/{RUN}/cancel"), "").await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (StatusCode::SEE_OTHER, format!("/runs/{RUN}").as_str())
    );
    assert!(server.get(&format!("/runs/{RUN}")).await.text.contains("Its end was asked for."));
    let nothing = server.send_form("/runs/00000000-0000-0000-0000-0000000000ff/cancel", "").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let server = Server::at_work().await;
    let form = format!("key=k1&resource={}&p.port=1", group().id());
    for path in ["/playbooks/reopen/runs".to_owned(), format!("/runs/{RUN}/cancel")] {
        for header in
            [("origin", "http://attacker.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let sent = server.ask("POST", &path, &[header], form.clone()).await;
            assert_eq!(sent.status, StatusCode::FORBIDDEN, "{path} {header:?}: {}", sent.text);
            assert_eq!(sent.header("content-type"), "text/html; charset=utf-8");
        }
        let asked = server.get(&path).await;
        assert!(!asked.text.contains("Its end was asked for"), "{}", asked.text);
    }
    assert!(!server.get(&format!("/runs/{RUN}")).await.text.contains("Its end was asked for"));
}

#[tokio::test]
async fn a_search_that_cannot_be_read_is_explained_on_its_page() {
    let server = Server::at_work().await;
    for path in ["/runs?q=colour%3Dred", "/deliveries?q=colour%3Dred", "/health?q=health%3Dwell"] {
        let page = server.get(path).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(
            page.text.contains("id=\"q-error\"") && page.text.contains("Nothing was searched"),
            "{}",
            page.text
        );
    }
    for path in [
        "/runs/nothing",
        "/deliveries/nothing",
        "/checks/nothing",
        "/manifests/Nothing/x",
        "/manifests/Check/x",
    ] {
        assert_eq!(server.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_search_that_was_at_the_root_leads_to_the_resources() {
    let server = Server::without_database();
    let answer = server.get("/?q=type%3DAWS%3A%3AECS%3A%3A*&include_deleted=true").await;
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.header("location"), "/resources?q=type%3DAWS%3A%3AECS%3A%3A*&include_deleted=true");
}

#[tokio::test]
async fn metrics_tell_what_is_unhealthy_and_what_waits() {
    let text = Server::at_work().await.get("/metrics").await.text;
    for line in [
        "perigee_resources_by_health{health=\"unhealthy\"} 1",
        "perigee_runs{state=\"failed\"} 1",
        "perigee_runs{state=\"running\"} 1",
        "perigee_deliveries{state=\"failed\"} 1",
        "perigee_checks{state=\"failing\"} 1",
        "perigee_shards{state=\"unrecorded\"} 1",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    assert!(
        text.contains("perigee_outbox_signals ") && text.contains("perigee_outbox_oldest_seconds "),
        "{text}"
    );
}
