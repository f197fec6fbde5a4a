//! Ages of what is kept.

use super::Checker;
use crate::{Manifest, Retention, Span};

/// The name of the one `Retention`.
const ONLY: &str = "default";
/// Nothing is removed sooner: what comes late, and who is looking, has a day.
const LEAST: Span = Span::hours(24);
const MOST: Span = Span::hours(24 * 366 * 100);

impl Checker {
    pub(super) fn retention(&mut self, manifest: &Manifest, retention: &Retention) {
        if manifest.name() != ONLY {
            self.error(
                "metadata.name",
                format!("is not `{ONLY}`; there is one Retention, and that is its name"),
            );
        }
        let ages = [
            ("history", retention.history),
            ("changes", retention.changes),
            ("findings", retention.findings),
            ("sightings", retention.sightings),
            ("checks", retention.checks),
            ("runs", retention.runs),
            ("deliveries", retention.deliveries),
            ("ledger", retention.ledger),
            ("listings", retention.listings),
            ("counts", retention.counts),
            ("rejected", retention.rejected),
            ("deleted", retention.deleted),
        ];
        for (field, age) in ages {
            self.span(&format!("spec.{field}"), age, LEAST, MOST);
        }
        for (at, own) in retention.types.iter().enumerate() {
            let field = format!("spec.types[{at}]");
            if own.kind.is_empty() {
                self.error(
                    format!("{field}.type"),
                    "is empty; name a type, as AWS::EC2::Instance or Kubernetes::*",
                );
            }
            let ages = [
                ("history", own.history),
                ("changes", own.changes),
                ("sightings", own.sightings),
                ("deleted", own.deleted),
            ];
            for (name, age) in ages {
                if let Some(age) = age {
                    self.span(&format!("{field}.{name}"), age, LEAST, MOST);
                }
            }
            if ages.iter().all(|(_, age)| age.is_none()) {
                self.error(field, "says no age; set history, changes, sightings or deleted");
            }
        }
    }
}
