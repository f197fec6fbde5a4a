//! States as small coloured words. The colour only repeats what the word says.

use maud::{Markup, html};
use model::{CheckState, DeliveryState, Health, RunState, StepState, Timestamp};

use super::{layout, text};

pub(super) fn health_tone(health: Health) -> &'static str {
    match health {
        Health::Healthy => "good",
        Health::Unknown => "plain",
        Health::Warning => "warn",
        Health::Unhealthy => "bad",
    }
}

pub(super) fn health(health: Health) -> Markup {
    layout::badge(health_tone(health), health.as_str())
}

pub(super) fn run(state: RunState) -> Markup {
    let tone = match state {
        RunState::Completed => "good",
        RunState::Failed => "bad",
        RunState::Unknown | RunState::AwaitingApproval => "warn",
        RunState::Cancelled => "plain",
        RunState::Scheduled | RunState::Running | RunState::Waiting => "live",
    };
    layout::badge(tone, &spaced(state.as_str()))
}

pub(super) fn step(state: StepState) -> Markup {
    let tone = match state {
        StepState::Completed => "good",
        StepState::Failed => "bad",
        StepState::Unknown => "warn",
        StepState::Pending | StepState::Skipped | StepState::Cancelled => "plain",
        StepState::Running | StepState::Waiting => "live",
    };
    layout::badge(tone, state.as_str())
}

pub(super) fn delivery(state: DeliveryState) -> Markup {
    let tone = match state {
        DeliveryState::Sent => "good",
        DeliveryState::Failed => "bad",
        DeliveryState::Suppressed => "plain",
        DeliveryState::Pending => "live",
    };
    layout::badge(tone, state.as_str())
}

pub(super) fn check(state: CheckState) -> Markup {
    let tone = match state {
        CheckState::Passing => "good",
        CheckState::Failing => "bad",
        CheckState::Unknown => "plain",
    };
    layout::badge(tone, state.as_str())
}

/// A word of the contract as a person writes it: `awaiting_approval` is two words.
pub(super) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// Links that narrow a list to one state, the one that is shown marked.
pub(super) fn states(path: &str, field: &str, words: &[&str], q: &str) -> Markup {
    let narrowed = |word: &str| format!("{field}={word}");
    html! {
        nav class="states" aria-label="States" {
            ul {
                li { a href=(path) aria-current=[q.trim().is_empty().then_some("true")] { "All" } }
                @for word in words {
                    @let asked = narrowed(word);
                    li { a href=(text::address(path, &[("q", &asked)])) aria-current=[(q.trim() == asked).then_some("true")] { (spaced(word)) } }
                }
            }
        }
    }
}

/// How long something took, or takes until now.
pub(super) fn took(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let from = from?;
    let milliseconds = to.unwrap_or(now).signed_duration_since(from).num_milliseconds().max(0);
    Some(text::length(milliseconds))
}
