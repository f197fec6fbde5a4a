//! What every page has around it, and the small parts that pages share.

use maud::{DOCTYPE, Markup, html};
use model::{ContentHash, Timestamp};

use super::{ICON, STYLE, text};

/// The entries of the main navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Home,
    Resources,
    Changes,
    Health,
    Runs,
    Deliveries,
    Sources,
}

const PLACES: [(Place, &str, &str); 7] = [
    (Place::Home, "/", "Home"),
    (Place::Resources, "/resources", "Resources"),
    (Place::Changes, "/changes", "Changes"),
    (Place::Health, "/health", "Health"),
    (Place::Runs, "/runs", "Runs"),
    (Place::Deliveries, "/deliveries", "Deliveries"),
    (Place::Sources, "/sources", "Sources"),
];

/// What is wanted less often.
const ELSEWHERE: [(&str, &str); 4] = [
    ("/checks", "Checks"),
    ("/manifests", "Manifests"),
    ("/rejected", "Rejected"),
    ("/api/v1/openapi.json", "API"),
];

/// A whole page around `body`.
pub(super) fn page(here: Option<Place>, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Perigee" }
                link rel="icon" type="image/svg+xml" href={ "/assets/icon.svg?v=" (fingerprint(ICON)) };
                link rel="stylesheet" href={ "/assets/app.css?v=" (fingerprint(STYLE)) };
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header class="top" {
                    a class="brand" href="/" { (mark()) "Perigee" }
                    nav aria-label="Main" {
                        ul {
                            @for (place, href, name) in PLACES {
                                li { a href=(href) aria-current=[(here == Some(place)).then_some("page")] { (name) } }
                            }
                        }
                    }
                }
                main id="main" tabindex="-1" { (body) }
                footer class="bottom" {
                    "Perigee " (crate::VERSION)
                    @for (href, name) in ELSEWHERE { " · " a href=(href) { (name) } }
                    " · All times are UTC"
                }
            }
        }
    }
}

/// The planet and its moon at the nearest point.
fn mark() -> Markup {
    html! {
        svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            ellipse cx="12" cy="12" rx="10" ry="5.5" transform="rotate(-28 12 12)" fill="none" stroke="currentColor" stroke-width="1.6" {}
            circle cx="10.5" cy="12.8" r="3.4" fill="currentColor" {}
            circle cx="4.1" cy="16.6" r="1.9" fill="currentColor" {}
        }
    }
}

/// The first 16 hex digits of a text's hash.
pub(super) fn fingerprint(text: &str) -> String {
    ContentHash::of_bytes(text.as_bytes()).to_string().chars().take(16).collect()
}

/// An instant, in full and as how long ago.
pub(super) fn time(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        time datetime=(text::machine(at)) {
            span class="when" { (text::minute(at)) } " " span class="ago" { (text::ago(at, now)) }
        }
    }
}

/// How long ago; the instant itself shows on hover and to a screen reader.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(text::machine(at)) title={ (text::second(at)) " UTC" } { (text::ago(at, now)) } }
}

/// A type, its provider and service in a quiet voice. It may break after its colons.
pub(super) fn kind(kind: &str) -> Markup {
    let (scope, name) = kind.rsplit_once("::").unwrap_or(("", kind));
    html! {
        span class="kind" {
            @if !scope.is_empty() { span class="quiet" { @for part in scope.split("::") { (part) "::" wbr; } } }
            (name)
        }
    }
}

/// A small word with a colour that only repeats what the word says.
pub(super) fn badge(tone: &str, word: &str) -> Markup {
    html! { span class={ "badge " (tone) } { (word) } }
}

/// Text in which backticks set off code.
pub(super) fn coded(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The link to the page after this one.
pub(super) fn next(href: Option<&str>, what: &str) -> Markup {
    html! {
        @if let Some(href) = href {
            nav class="pager" aria-label="Pages" { a class="button" rel="next" href=(href) { (what) } }
        }
    }
}

/// The field where a selector is typed, and what is wrong with it.
pub(super) fn search(label: &str, q: &str, error: Option<&str>, hint: &Markup) -> Markup {
    html! {
        div class="search" {
            label for="q" { (label) }
            div class="row" {
                input id="q" type="search" name="q" value=(q) autocomplete="off" autocapitalize="off" spellcheck="false"
                    aria-describedby=(if error.is_some() { "q-error q-hint" } else { "q-hint" })
                    aria-invalid=[error.map(|_| "true")];
                button type="submit" { "Search" }
            }
            @if let Some(error) = error { p id="q-error" class="error" { (coded(error)) } }
            p id="q-hint" class="hint" { (hint) }
        }
    }
}
