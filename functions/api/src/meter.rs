//! Counts of what was asked and of what there is, as Prometheus reads them.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
};

use axum::http::Method;
use catalog::{Count, SourceStatus, glance::Tally, outbox::Waiting};
use model::Timestamp;

/// One line of the request counter. Routes, not paths: their number is bounded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    pub(crate) route: String,
    pub(crate) status: u16,
}

/// Counts requests.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<BTreeMap<Asked, (u64, f64)>>);

impl Meter {
    /// Counts a request that took `seconds`.
    pub(crate) fn count(&self, asked: Asked, seconds: f64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, sum) = counts.entry(asked).or_default();
        *count += 1;
        *sum += seconds;
    }

    fn snapshot(&self) -> BTreeMap<Asked, (u64, f64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The method's name; one name for all that HTTP does not know.
pub(crate) fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What the catalog says of itself.
#[derive(Debug)]
pub(crate) struct Gauges {
    pub(crate) counts: Vec<Count>,
    pub(crate) sources: Vec<SourceStatus>,
    pub(crate) tally: Tally,
    pub(crate) waiting: Waiting,
    /// When it was asked.
    pub(crate) now: Timestamp,
}

/// The metrics. `gauges` is `None` while the database does not answer, which is a metric too.
pub(crate) fn text(version: &str, meter: &Meter, gauges: Option<&Gauges>) -> String {
    let mut text = Exposition::default();
    text.family("perigee_info", "gauge", "The build that answers.");
    text.sample("perigee_info", &[("version", version)], 1);
    text.family("perigee_database_up", "gauge", "1 when the database answered this scrape.");
    text.sample("perigee_database_up", &[], u8::from(gauges.is_some()));
    if let Some(gauges) = gauges {
        resources(&mut text, &gauges.counts);
        states(&mut text, &gauges.tally);
        outbox(&mut text, gauges);
        streams(&mut text, &gauges.sources);
    }
    let requests = meter.snapshot();
    text.family("perigee_http_request_seconds", "summary", "Requests answered and the time they took.");
    for (Asked { method, route, status }, (count, seconds)) in &requests {
        let status = status.to_string();
        let labels = [("method", *method), ("route", route.as_str()), ("status", status.as_str())];
        text.sample("perigee_http_request_seconds_count", &labels, count);
        text.sample("perigee_http_request_seconds_sum", &labels, seconds);
    }
    text.0
}

fn resources(text: &mut Exposition, counts: &[Count]) {
    text.family("perigee_resources", "gauge", "Resources known and not deleted.");
    for Count { account, region, kind, count } in counts {
        text.sample("perigee_resources", &[("account", account), ("region", region), ("type", kind)], count);
    }
}

fn states(text: &mut Exposition, tally: &Tally) {
    for (name, label, help, sums) in [
        ("perigee_resources_by_health", "health", "Resources that a rule judges, by health.", &tally.health),
        ("perigee_runs", "state", "Runs that are live or were asked for in the last 24 hours.", &tally.runs),
        (
            "perigee_deliveries",
            "state",
            "Deliveries that wait or were made in the last 24 hours.",
            &tally.deliveries,
        ),
        ("perigee_checks", "state", "Checks by how they stand.", &tally.checks),
        ("perigee_shards", "state", "Shards by how their last listing ended.", &tally.shards),
    ] {
        text.family(name, "gauge", help);
        for (state, count) in sums {
            text.sample(name, &[(label, state)], count);
        }
    }
}

fn outbox(text: &mut Exposition, gauges: &Gauges) {
    let oldest =
        gauges.waiting.oldest.map_or(0, |at| gauges.now.signed_duration_since(at).num_seconds().max(0));
    text.family("perigee_outbox_signals", "gauge", "Signals that wait to be told.");
    text.sample("perigee_outbox_signals", &[], gauges.waiting.signals);
    text.family("perigee_outbox_oldest_seconds", "gauge", "For how long the oldest of them has waited.");
    text.sample("perigee_outbox_oldest_seconds", &[], oldest);
}

fn streams(text: &mut Exposition, sources: &[SourceStatus]) {
    let labels = |s: &SourceStatus| [s.source.clone(), s.account.clone(), s.region.clone()];
    text.family("perigee_observations_total", "counter", "Observations recorded.");
    for status in sources {
        let [source, account, region] = labels(status);
        let labels = [("source", source.as_str()), ("account", &account), ("region", &region)];
        text.sample("perigee_observations_total", &labels, status.observations);
    }
    text.family(
        "perigee_source_heard_timestamp_seconds",
        "gauge",
        "When the catalog last heard from a source.",
    );
    for status in sources {
        let [source, account, region] = labels(status);
        let labels = [("source", source.as_str()), ("account", &account), ("region", &region)];
        text.sample("perigee_source_heard_timestamp_seconds", &labels, status.heard_at.timestamp());
    }
}

/// Text in the exposition format, version 0.0.4.
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        match labels.as_slice() {
            [] => self.line(format_args!("{name} {value}")),
            labels => self.line(format_args!("{name}{{{}}} {value}", labels.join(","))),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{line}").unwrap_or_default();
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn metrics_are_written_as_prometheus_reads_them() {
        let meter = Meter::default();
        let asked = Asked { method: "GET", route: "/api/v1/resources".to_owned(), status: 200 };
        meter.count(asked.clone(), 0.25);
        meter.count(asked, 0.5);
        let sums = |state: &str| [(state.to_owned(), 2)].into();
        let tally = Tally { health: sums("unhealthy"), runs: sums("running"), ..Tally::default() };
        let now: Timestamp = "2026-03-03T12:00:00Z".parse().unwrap();
        let waiting = Waiting { signals: 5, oldest: Some(now - chrono::TimeDelta::seconds(3)) };
        let counts = vec![Count {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            kind: "a \"quoted\\ type".to_owned(),
            count: 3,
        }];
        expect![[r##"
            # HELP perigee_info The build that answers.
            # TYPE perigee_info gauge
            perigee_info{version="0.1.0"} 1
            # HELP perigee_database_up 1 when the database answered this scrape.
            # TYPE perigee_database_up gauge
            perigee_database_up 1
            # HELP perigee_resources Resources known and not deleted.
            # TYPE perigee_resources gauge
            perigee_resources{account="111122223333",region="eu-west-1",type="a \"quoted\\ type"} 3
            # HELP perigee_resources_by_health Resources that a rule judges, by health.
            # TYPE perigee_resources_by_health gauge
            perigee_resources_by_health{health="unhealthy"} 2
            # HELP perigee_runs Runs that are live or were asked for in the last 24 hours.
            # TYPE perigee_runs gauge
            perigee_runs{state="running"} 2
            # HELP perigee_deliveries Deliveries that wait or were made in the last 24 hours.
            # TYPE perigee_deliveries gauge
            # HELP perigee_checks Checks by how they stand.
            # TYPE perigee_checks gauge
            # HELP perigee_shards Shards by how their last listing ended.
            # TYPE perigee_shards gauge
            # HELP perigee_outbox_signals Signals that wait to be told.
            # TYPE perigee_outbox_signals gauge
            perigee_outbox_signals 5
            # HELP perigee_outbox_oldest_seconds For how long the oldest of them has waited.
            # TYPE perigee_outbox_oldest_seconds gauge
            perigee_outbox_oldest_seconds 3
            # HELP perigee_observations_total Observations recorded.
            # TYPE perigee_observations_total counter
            # HELP perigee_source_heard_timestamp_seconds When the catalog last heard from a source.
            # TYPE perigee_source_heard_timestamp_seconds gauge
            # HELP perigee_http_request_seconds Requests answered and the time they took.
            # TYPE perigee_http_request_seconds summary
            perigee_http_request_seconds_count{method="GET",route="/api/v1/resources",status="200"} 2
            perigee_http_request_seconds_sum{method="GET",route="/api/v1/resources",status="200"} 0.75
        "##]]
        .assert_eq(&text("0.1.0", &meter, Some(&Gauges { counts, sources: vec![], tally, waiting, now })));
        expect![[r##"
            # HELP perigee_info The build that answers.
            # TYPE perigee_info gauge
            perigee_info{version="0.1.0"} 1
            # HELP perigee_database_up 1 when the database answered this scrape.
            # TYPE perigee_database_up gauge
            perigee_database_up 0
            # HELP perigee_http_request_seconds Requests answered and the time they took.
            # TYPE perigee_http_request_seconds summary
        "##]]
        .assert_eq(&text("0.1.0", &Meter::default(), None));
    }
}
