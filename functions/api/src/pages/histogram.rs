//! How many changes there were over time, as bars.

use chrono::{DateTime, TimeDelta};
use maud::{Markup, html};
use model::Timestamp;

use super::text;

/// The widths that a bar may have, in seconds: a minute to ten years.
const WIDTHS: [(i64, &str); 14] = [
    (60, "minute"),
    (300, "5 minutes"),
    (900, "15 minutes"),
    (3600, "hour"),
    (3 * 3600, "3 hours"),
    (6 * 3600, "6 hours"),
    (12 * 3600, "12 hours"),
    (86_400, "day"),
    (2 * 86_400, "2 days"),
    (7 * 86_400, "week"),
    (28 * 86_400, "4 weeks"),
    (13 * 7 * 86_400, "13 weeks"),
    (52 * 7 * 86_400, "52 weeks"),
    (520 * 7 * 86_400, "520 weeks"),
];
/// How many bars are drawn at most.
const MAX_BARS: i64 = 60;

/// Changes counted in equal intervals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Histogram {
    unit: &'static str,
    width: i64,
    bars: Vec<Bar>,
}

/// The changes of one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bar {
    from: Timestamp,
    count: u32,
    failed: u32,
}

impl Histogram {
    /// Counts changes, given as when they happened and whether they failed. `None` for fewer than two.
    pub(super) fn of(changes: &[(Timestamp, bool)]) -> Option<Self> {
        let seconds = changes.iter().map(|(at, _)| at.timestamp());
        let (first, last) = (seconds.clone().min()?, seconds.max()?);
        if changes.len() < 2 {
            return None;
        }
        let bars = |width: i64| last.div_euclid(width) - first.div_euclid(width) + 1;
        let (width, unit) = WIDTHS.into_iter().find(|(width, _)| bars(*width) <= MAX_BARS)?;
        let start = first.div_euclid(width);
        let mut histogram = Self { unit, width, bars: Vec::new() };
        for place in 0..bars(width) {
            let from = DateTime::from_timestamp((start + place) * width, 0)?;
            histogram.bars.push(Bar { from, count: 0, failed: 0 });
        }
        for (at, failed) in changes {
            let place = usize::try_from(at.timestamp().div_euclid(width) - start).ok()?;
            let bar = histogram.bars.get_mut(place)?;
            bar.count += 1;
            bar.failed += u32::from(*failed);
        }
        Some(histogram)
    }

    /// The bars, with their largest number and their span in words.
    pub(super) fn render(&self) -> Markup {
        let highest = self.bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
        let step = 600.0 / f64::from(u32::try_from(self.bars.len()).unwrap_or(1).max(1));
        let end = self
            .bars
            .last()
            .map_or_else(String::new, |bar| text::minute(bar.from + TimeDelta::seconds(self.width)));
        let start = self.bars.first().map_or_else(String::new, |bar| text::minute(bar.from));
        html! {
            figure class="histogram" {
                svg viewBox="0 0 600 72" preserveAspectRatio="none" role="img" aria-label=(self.in_words(highest)) {
                    @for (place, bar) in (0_u32..).zip(&self.bars) {
                        @if bar.count > 0 {
                            @let x = f64::from(place) * step;
                            @let full = height(bar.count, highest);
                            @let failed = if bar.failed > 0 { height(bar.failed, highest) } else { 0.0 };
                            g {
                                title { (text::minute(bar.from)) ": " (text::counted(bar.count.into(), "change")) ", " (bar.failed) " failed" }
                                (rect("bar", x, step, 70.0 - full, full - failed))
                                (rect("bar failed", x, step, 70.0 - failed, failed))
                            }
                        }
                    }
                    line class="axis" x1="0" x2="600" y1="71" y2="71" {}
                }
                figcaption {
                    span { (start) } span class="middle" { "changes per " (self.unit) ", at most " (highest) } span { (end) }
                }
            }
        }
    }

    fn in_words(&self, highest: u32) -> String {
        let busiest = self
            .bars
            .iter()
            .find(|bar| bar.count == highest)
            .map_or_else(String::new, |bar| text::minute(bar.from));
        let total: u32 = self.bars.iter().map(|bar| bar.count).sum();
        let failed: u32 = self.bars.iter().map(|bar| bar.failed).sum();
        format!(
            "{total} changes, {failed} of them failed, by {}; the most, {highest}, at {busiest}",
            self.unit
        )
    }
}

/// Even one change is seen.
fn height(count: u32, highest: u32) -> f64 {
    (f64::from(count) / f64::from(highest) * 66.0).max(3.0)
}

fn rect(class: &str, x: f64, step: f64, y: f64, height: f64) -> Markup {
    let gap = (step * 0.15).min(2.0);
    html! {
        @if height > 0.0 {
            rect class=(class) x=(format!("{:.1}", x + gap)) y=(format!("{y:.1}")) width=(format!("{:.1}", (step - 2.0 * gap).max(1.0)))
                height=(format!("{height:.1}")) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_width_of_a_bar_follows_the_span() {
        let unit = |last: &str| {
            Histogram::of(&[(at("2026-03-01T00:00:00Z"), false), (at(last), false)]).map(|h| h.unit)
        };
        assert_eq!(unit("2026-03-01T00:10:00Z"), Some("minute"));
        assert_eq!(unit("2026-03-02T00:10:00Z"), Some("hour"));
        assert_eq!(unit("2026-04-20T00:00:00Z"), Some("day"));
        assert_eq!(unit("2029-04-20T00:00:00Z"), Some("4 weeks"));
        assert_eq!(unit("2076-04-20T00:00:00Z"), Some("52 weeks"));
        assert_eq!(unit("9999-04-20T00:00:00Z"), None);
        assert_eq!(Histogram::of(&[(at("2026-03-01T00:00:00Z"), true)]), None);
    }

    #[test]
    fn every_change_is_counted_in_its_interval() {
        let times = [
            ("2026-03-01T00:00:59Z", true),
            ("2026-03-01T00:00:01Z", false),
            ("2026-03-01T00:02:00Z", false),
        ];
        let histogram = Histogram::of(&times.map(|(time, failed)| (at(time), failed))).unwrap();
        let counts: Vec<_> = histogram.bars.iter().map(|bar| (bar.count, bar.failed)).collect();
        assert_eq!(counts, [(2, 1), (0, 0), (1, 0)]);
    }
}
