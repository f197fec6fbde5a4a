//! What the expressions in each place may name.

use expr::{Scope, Shape};

/// Triggers and notifications: `signal`, `resource` (or null), `change`, `run`, `check`, `now`.
#[must_use]
pub fn trigger() -> Scope {
    Scope::new()
        .with("signal", signal())
        .with("resource", resource())
        .with("change", change())
        .with("run", run())
        .with("check", check_state())
        .with("now", Shape::Timestamp)
}

/// Health rules: `resource`, `let`, `now`. The names of `let` are those that the rule has given so far.
#[must_use]
pub fn health_rule<'a>(lets: impl IntoIterator<Item = &'a str>) -> Scope {
    Scope::new()
        .with("resource", resource())
        .with("let", Shape::record(lets.into_iter().map(|name| (name, Shape::Dyn))))
        .with("now", Shape::Timestamp)
}

/// Steps: `run`, `params`, `resource`, `steps`, `signal`, `now`.
#[must_use]
pub fn step<'a>(
    params: impl IntoIterator<Item = &'a str>,
    steps: impl IntoIterator<Item = &'a str>,
) -> Scope {
    Scope::new()
        .with(
            "run",
            Shape::record([
                ("id", Shape::String),
                ("playbook", Shape::String),
                ("started_at", Shape::Timestamp),
            ]),
        )
        .with("params", Shape::record(params.into_iter().map(|name| (name, Shape::Dyn))))
        .with("resource", resource())
        .with("steps", Shape::record(steps.into_iter().map(|name| (name, step_state()))))
        .with("signal", signal())
        .with("now", Shape::Timestamp)
}

/// The same as [`step`], and the `response` that a step waits for.
#[must_use]
pub fn step_response<'a>(
    params: impl IntoIterator<Item = &'a str>,
    steps: impl IntoIterator<Item = &'a str>,
) -> Scope {
    step(params, steps).with("response", response())
}

/// Checks: `response`, `now`.
#[must_use]
pub fn check() -> Scope {
    Scope::new().with("response", response()).with("now", Shape::Timestamp)
}

/// The address, headers and body of a check: `now`.
#[must_use]
pub fn check_request() -> Scope {
    Scope::new().with("now", Shape::Timestamp)
}

fn signal() -> Shape {
    Shape::record([
        ("id", Shape::String),
        ("kind", Shape::String),
        ("subject", Shape::String),
        ("occurred_at", Shape::Timestamp),
        ("payload", Shape::Dyn),
    ])
}

fn resource() -> Shape {
    Shape::record([
        ("id", Shape::String),
        ("type", Shape::String),
        ("name", Shape::String),
        ("native_id", Shape::String),
        ("account", Shape::String),
        ("region", Shape::String),
        ("tags", Shape::map(Shape::String)),
        ("labels", Shape::map(Shape::String)),
        ("config", Shape::Dyn),
        ("aliases", Shape::list(Shape::String)),
        (
            "health",
            Shape::record([
                ("health", Shape::String),
                ("status", Shape::String),
                ("ready", Shape::Bool),
                ("reason", Shape::String),
                ("since", Shape::Timestamp),
            ]),
        ),
        ("since", Shape::Timestamp),
        ("deleted_at", Shape::Timestamp),
    ])
}

fn change() -> Shape {
    Shape::record([
        ("kind", Shape::String),
        ("category", Shape::String),
        ("severity", Shape::String),
        ("summary", Shape::String),
        ("actor", Shape::Dyn),
        ("error_code", Shape::String),
        ("read_only", Shape::Bool),
        ("account", Shape::String),
        ("region", Shape::String),
    ])
}

fn run() -> Shape {
    Shape::record([
        ("id", Shape::String),
        ("playbook", Shape::String),
        ("state", Shape::String),
        ("reason", Shape::String),
    ])
}

fn check_state() -> Shape {
    Shape::record([("name", Shape::String), ("state", Shape::String), ("reason", Shape::String)])
}

fn step_state() -> Shape {
    Shape::record([("state", Shape::String), ("result", Shape::Dyn), ("output", Shape::String)])
}

fn response() -> Shape {
    Shape::record([
        ("status", Shape::Int),
        ("headers", Shape::map(Shape::String)),
        ("body", Shape::String),
        ("json", Shape::Dyn),
        ("elapsed", Shape::Duration),
    ])
}
