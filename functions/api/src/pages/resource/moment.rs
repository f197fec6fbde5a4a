//! As of which moment a resource is shown, and the way to another.

use ::catalog::AsOf;
use maud::{Markup, html};
use model::{ResourceId, Timestamp};

use super::super::text;

/// `at` and `recorded_at` as an address has them; empty where they are not asked for.
pub(super) fn parameters(as_of: AsOf) -> [String; 2] {
    [as_of.at, as_of.recorded_at].map(|at| at.map(text::machine).unwrap_or_default())
}

/// The page of a resource as of an instant.
pub(super) fn address(id: ResourceId, at: Timestamp) -> String {
    text::address(&format!("/resources/{id}"), &[("at", &text::machine(at))])
}

/// Says that this is not how it is now.
pub(super) fn banner(as_of: AsOf, id: ResourceId, now: Timestamp) -> Markup {
    html! {
        @if !as_of.is_now() {
            p class="banner warn" role="note" {
                strong { @if let Some(at) = as_of.at { "As of " (text::second(at)) " UTC, " (text::ago(at, now)) } @else { "As it was known" } }
                @if let Some(known) = as_of.recorded_at { ", as it was known at " (text::second(known)) " UTC" }
                ". " a href={ "/resources/" (id) } { "Show it as it is now" }
            }
        }
    }
}

/// Asks for another moment.
pub(super) fn form(as_of: AsOf, id: ResourceId) -> Markup {
    let [at, recorded_at] = parameters(as_of);
    html! {
        section aria-labelledby="as-of" {
            h2 id="as-of" { "Another time" }
            form action={ "/resources/" (id) } method="get" class="panel" {
                label for="at" { "As it was at" }
                div class="row" {
                    input id="at" type="text" name="at" value=(at) autocomplete="off" spellcheck="false" aria-describedby="at-hint";
                    button type="submit" { "Show" }
                }
                @if !recorded_at.is_empty() { input type="hidden" name="recorded_at" value=(recorded_at); }
                p id="at-hint" class="hint" { "For example " code { "2026-03-03T02:13:00Z" } " " code { "2026-03-03" } ", or before now " code { "24h" } }
            }
        }
    }
}
