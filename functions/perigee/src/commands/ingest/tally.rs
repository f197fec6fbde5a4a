//! What became of the items.

use std::borrow::Cow;

use intake::{RejectedItem, Report};
use serde_json::{Value, json};

use super::cut::{Batch, Origin};
use crate::output;

/// How many rejected items are named on the terminal.
const NAMED: usize = 20;

/// Up to how many inputs each have a row on the terminal, whatever became of them.
const LISTED: usize = 12;

/// Over all inputs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    files: Vec<FileTally>,
}

/// Of one input.
#[derive(Debug)]
pub(crate) struct FileTally {
    name: String,
    /// What the server said, places as in the input.
    pub(crate) report: Report,
    /// Why the input could not be read to its end.
    pub(crate) unreadable: Option<String>,
}

impl FileTally {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), report: Report::default(), unreadable: None }
    }

    /// Adds what the server said of a batch; answers with the raw items that it rejected.
    pub(crate) fn add(&mut self, mut report: Report, batch: &Batch) -> Vec<Vec<u8>> {
        let pieces = match &batch.origin {
            Origin::Lines if report.rejections.is_empty() => Cow::default(),
            Origin::Lines => Cow::Owned(events::split(&batch.body)),
            Origin::Pieces(pieces) => Cow::Borrowed(pieces.as_slice()),
            Origin::Alone(piece) => Cow::Borrowed(std::slice::from_ref(&**piece)),
            // The server's place is the input's already.
            Origin::Broken(raw) => {
                let refused = vec![raw.clone(); report.rejections.len()];
                self.report.add(report);
                return refused;
            }
        };
        let mut raw = Vec::new();
        for item in &mut report.rejections {
            let index = usize::try_from(item.index).unwrap_or(usize::MAX);
            let Some(piece) = pieces.get(index) else { continue };
            item.place.clone_from(&piece.place);
            if let (Origin::Alone(_), Err(rejection)) = (&batch.origin, &piece.payload) {
                item.message.clone_from(&rejection.message);
            }
            raw.push(piece.raw.clone());
        }
        self.report.add(report);
        raw
    }

    /// Whether the input was read to its end and everything taken.
    fn is_whole(&self) -> bool {
        self.report.rejected == 0 && self.unreadable.is_none()
    }

    fn json(&self) -> Value {
        let rejections: Vec<Value> = self
            .report
            .rejections
            .iter()
            .map(|RejectedItem { index: _, place, reason, message }| {
                json!({"place": place, "reason": reason, "message": message})
            })
            .collect();
        let mut value = counts(&self.report);
        value["file"] = json!(self.name);
        value["rejections"] = json!(rejections);
        if let Some(error) = &self.unreadable {
            value["error"] = json!(error);
        }
        value
    }
}

fn sum<'a>(files: impl IntoIterator<Item = &'a FileTally>) -> Report {
    let mut sum = Report::default();
    for FileTally { report, .. } in files {
        sum.add(Report { rejections: Vec::new(), ..report.clone() });
    }
    sum
}

fn counts(report: &Report) -> Value {
    let Report { total, accepted, duplicate, ignored, rejected, pieces: _, rejections: _ } = report;
    json!({"total": total, "accepted": accepted, "duplicate": duplicate, "ignored": ignored, "rejected": rejected})
}

impl Tally {
    pub(crate) fn add(&mut self, file: FileTally) {
        self.files.push(file);
    }

    /// Whether everything was read and taken.
    pub(crate) fn is_whole(&self) -> bool {
        self.files.iter().all(FileTally::is_whole)
    }

    fn sum(&self) -> Report {
        sum(&self.files)
    }

    /// What programs get.
    pub(crate) fn json(&self) -> Value {
        let mut value = counts(&self.sum());
        value["files"] = self.files.iter().map(FileTally::json).collect();
        value
    }

    /// What people get: the counts, and the first of what was not taken.
    pub(crate) fn text(&self) -> String {
        let row = |name: &str, report: &Report| {
            let Report { total, accepted, duplicate, ignored, rejected, pieces: _, rejections: _ } = report;
            let [total, accepted, duplicate, ignored, rejected] =
                [total, accepted, duplicate, ignored, rejected].map(u64::to_string);
            [name.to_owned(), total, accepted, duplicate, ignored, rejected]
        };
        let (listed, rest): (Vec<_>, Vec<_>) =
            self.files.iter().partition(|file| self.files.len() <= LISTED || !file.is_whole());
        let mut rows: Vec<_> = listed.iter().map(|file| row(&file.name, &file.report)).collect();
        if !rows.is_empty() && !rest.is_empty() {
            rows.push(row(&format!("{} more without rejections", rest.len()), &sum(rest)));
        }
        if self.files.len() != 1 {
            rows.push(row(&output::count(self.files.len(), "input"), &self.sum()));
        }
        let mut text =
            output::table(["INPUT", "TOTAL", "ACCEPTED", "DUPLICATE", "IGNORED", "REJECTED"], rows);
        text += &self.unreadable();
        text += &self.rejections();
        text
    }

    fn unreadable(&self) -> String {
        let failed = self.files.iter().filter_map(|file| Some((file, file.unreadable.as_ref()?)));
        failed.fold(String::new(), |text, (file, error)| {
            format!("{text}\n{} could not be read to its end: {error}", file.name)
        })
    }

    fn rejections(&self) -> String {
        let all =
            || self.files.iter().flat_map(|f| f.report.rejections.iter().map(move |item| (&f.name, item)));
        let mut lines: Vec<String> = all()
            .take(NAMED)
            .map(|(name, RejectedItem { index: _, place, reason, message })| {
                let colon = if place.is_empty() { "" } else { ":" };
                format!("\n{name}{colon}{place} {reason} {message}")
            })
            .collect();
        match all().count().saturating_sub(NAMED) {
            0 => {}
            more => lines.push(format!("\nand {more} more; see --output json or `perigee rejected`")),
        }
        if lines.is_empty() { String::new() } else { format!("\n{}", lines.concat()) }
    }

    /// What is said when the server went away.
    pub(crate) fn stopped(&self) -> String {
        let Report { total, accepted, duplicate, .. } = self.sum();
        format!(
            "stopped with {} answered, {accepted} of them taken now and {duplicate} before; running the same command \
             again is safe, what was taken counts as duplicate then",
            output::count(usize::try_from(total).unwrap_or(usize::MAX), "item")
        )
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn tally() -> Tally {
        let item = |number: u64| RejectedItem {
            index: number,
            place: format!("line {}", number + 1),
            reason: "no_time".to_owned(),
            message: "it has no valid time of its own".to_owned(),
        };
        let mut good = FileTally::new("good.jsonl");
        good.report = Report { total: 3, pieces: 3, accepted: 2, duplicate: 1, ..Report::default() };
        let mut bad = FileTally::new("bad.jsonl.gz");
        let rejections: Vec<RejectedItem> = (0..22).map(item).collect();
        bad.report =
            Report { total: 23, pieces: 23, ignored: 1, rejected: 22, rejections, ..Report::default() };
        Tally { files: vec![good, bad] }
    }

    #[test]
    fn counts_add_up_and_only_the_first_rejections_are_named() {
        let text = tally().text();
        assert_eq!(text.lines().filter(|line| line.contains("no_time")).count(), 20);
        let head: String = text.lines().take(6).map(|line| format!("{}\n", line.trim_end())).collect();
        expect![[r#"
            INPUT         TOTAL  ACCEPTED  DUPLICATE  IGNORED  REJECTED
            good.jsonl    3      2         1          0        0
            bad.jsonl.gz  23     0         0          1        22
            2 inputs      26     2         1          1        22

            bad.jsonl.gz:line 1 no_time it has no valid time of its own
        "#]]
        .assert_eq(&head);
        assert_eq!(text.lines().last(), Some("and 2 more; see --output json or `perigee rejected`"));
    }

    #[test]
    fn of_many_inputs_only_those_with_rejections_have_a_row() {
        let mut many = tally();
        for number in 0..12 {
            let mut good = FileTally::new(format!("{number}.json"));
            good.report = Report { total: 2, pieces: 2, accepted: 2, ..Report::default() };
            many.add(good);
        }
        let rows = |text: &str| -> String {
            text.lines()
                .take_while(|line| !line.is_empty())
                .map(|line| format!("{}\n", line.trim_end()))
                .collect()
        };
        expect![[r#"
            INPUT                       TOTAL  ACCEPTED  DUPLICATE  IGNORED  REJECTED
            bad.jsonl.gz                23     0         0          1        22
            13 more without rejections  27     26        1          0        0
            14 inputs                   50     26        1          1        22
        "#]]
        .assert_eq(&rows(&many.text()));
        many.files.remove(1);
        expect![[r#"
            INPUT      TOTAL  ACCEPTED  DUPLICATE  IGNORED  REJECTED
            13 inputs  27     26        1          0        0
        "#]]
        .assert_eq(&rows(&many.text()));
    }

    #[test]
    fn programs_get_the_sums_on_top_and_every_rejection() {
        let value = tally().json();
        assert_eq!(value["total"], 26);
        assert_eq!(value["accepted"], 2);
        assert_eq!(value["files"][1]["rejections"].as_array().map(Vec::len), Some(22));
        assert!(!tally().is_whole());
    }

    #[test]
    fn places_and_raw_items_are_those_of_the_input() {
        let piece = |place: &str, raw: &str| events::Piece {
            place: place.to_owned(),
            raw: raw.into(),
            payload: Ok(Value::Null),
        };
        let batch = Batch {
            body: b"null\nnull\n".to_vec(),
            compressed: false,
            origin: Origin::Pieces(vec![piece("Records[7]", "a"), piece("Records[8]", "b")]),
        };
        let item = RejectedItem {
            index: 1,
            place: "line 2".to_owned(),
            reason: String::new(),
            message: String::new(),
        };
        let mut file = FileTally::new("log.json");
        let report = Report { total: 2, rejected: 1, rejections: vec![item], ..Report::default() };
        assert_eq!(file.add(report, &batch), [b"b"]);
        assert_eq!(file.report.rejections[0].place, "Records[8]");
    }
}
