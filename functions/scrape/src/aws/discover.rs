//! Which types there are, as AWS Config counts them.

use std::collections::{BTreeMap, BTreeSet};

use ports::{Cloud, Selection};
use serde_json::Value;

use crate::{Fault, FaultKind};

/// As many rows as a page may have.
pub(super) const LIMIT: i32 = 100;

/// More pages than there are types, regions and accounts to fill them.
const MAX_PAGES: usize = 100_000;

/// How many resources there are, by account, region and type.
pub(super) type Counts = BTreeMap<(String, String, String), u64>;

/// Counts what `region`'s inventory, or the aggregator's, has.
///
/// # Errors
/// What AWS says, or that its answer is none that we understand.
pub(super) async fn counts(
    cloud: &dyn Cloud,
    region: &str,
    aggregator: Option<&str>,
) -> Result<Counts, Fault> {
    const EXPRESSION: &str = "SELECT accountId, awsRegion, resourceType, COUNT(*) \
                              GROUP BY accountId, awsRegion, resourceType";
    let mut counts = Counts::new();
    let mut tokens = BTreeSet::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let query =
            Selection { region, aggregator, expression: EXPRESSION, limit: LIMIT, token: token.as_deref() };
        let page = cloud.select(&query).await?;
        for row in &page.rows {
            let (place, count) = read(row)?;
            counts.insert(place, count);
        }
        let Some(next) = page.next else { return Ok(counts) };
        if !tokens.insert(next.clone()) {
            break;
        }
        token = Some(next);
    }
    Err(Fault::new(FaultKind::Unreachable, "the count of AWS Config's types does not end"))
}

fn read(row: &str) -> Result<((String, String, String), u64), Fault> {
    let value: Value = serde_json::from_str(row).unwrap_or(Value::Null);
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let place = text("accountId").zip(text("awsRegion")).zip(text("resourceType"));
    // Counts come with a fraction, as every number does: `12.0`.
    let count = value.get("COUNT(*)").and_then(Value::as_f64).filter(|count| *count >= 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, and not negative")]
    let counted =
        place.zip(count).map(|(((account, region), kind), count)| ((account, region, kind), count as u64));
    counted.ok_or_else(|| {
        Fault::new(FaultKind::Unexpected, "AWS Config counts its types in a way that is not known here")
    })
}
