//! The policy: what the manifest says, as instants of now.

use chrono::TimeDelta;
use manifest::{Retention, Span, kinds::retention::TypeRetention};
use model::Timestamp;
use sqlx::PgPool;

use crate::{Error, manifests::Stored};

/// The kinds of what is kept, each with an age of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    History,
    Changes,
    Findings,
    Sightings,
    Checks,
    Runs,
    Deliveries,
    Ledger,
    Listings,
    Counts,
    Rejected,
    Deleted,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Changes => "changes",
            Self::Findings => "findings",
            Self::Sightings => "sightings",
            Self::Checks => "checks",
            Self::Runs => "runs",
            Self::Deliveries => "deliveries",
            Self::Ledger => "ledger",
            Self::Listings => "listings",
            Self::Counts => "counts",
            Self::Rejected => "rejected",
            Self::Deleted => "deleted",
        }
    }
}

/// What may go of one kind: what ended before `default`, and for some types before another instant.
#[derive(Debug, Clone)]
pub(super) struct Horizons {
    pub(super) default: Timestamp,
    pub(super) types: Vec<String>,
    pub(super) own: Vec<Timestamp>,
}

impl Horizons {
    /// Before this, everything is past its age.
    pub(super) fn earliest(&self) -> Timestamp {
        self.own.iter().copied().chain([self.default]).min().unwrap_or(self.default)
    }

    /// From this on, nothing is.
    pub(super) fn latest(&self) -> Timestamp {
        self.own.iter().copied().chain([self.default]).max().unwrap_or(self.default)
    }
}

/// The policy at an instant.
#[derive(Debug)]
pub(super) struct Policy {
    now: Timestamp,
    spec: Retention,
    /// Every type that there are resources of.
    types: Vec<String>,
}

impl Policy {
    pub(super) fn horizons(&self, kind: Kind) -> Horizons {
        let spec = &self.spec;
        let (age, own): (Span, fn(&TypeRetention) -> Option<Span>) = match kind {
            Kind::History => (spec.history, |own| own.history),
            Kind::Changes => (spec.changes, |own| own.changes),
            Kind::Sightings => (spec.sightings, |own| own.sightings),
            Kind::Deleted => (spec.deleted, |own| own.deleted),
            Kind::Findings => (spec.findings, |_| None),
            Kind::Checks => (spec.checks, |_| None),
            Kind::Runs => (spec.runs, |_| None),
            Kind::Deliveries => (spec.deliveries, |_| None),
            Kind::Ledger => (spec.ledger, |_| None),
            Kind::Listings => (spec.listings, |_| None),
            Kind::Counts => (spec.counts, |_| None),
            Kind::Rejected => (spec.rejected, |_| None),
        };
        let of_types = self.types.iter().filter_map(|kind| {
            let first = spec.types.iter().find(|rule| fits(&rule.kind, kind))?;
            Some((kind.clone(), self.before(own(first)?)))
        });
        let (types, own) = of_types.unzip();
        Horizons { default: self.before(age), types, own }
    }

    fn before(&self, age: Span) -> Timestamp {
        TimeDelta::from_std(age.0)
            .ok()
            .and_then(|age| self.now.checked_sub_signed(age))
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Whether a type is one that the pattern names; `*` stands for anything.
fn fits(pattern: &str, kind: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| kind.strip_prefix(first)) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// What goes where nobody said: what we did and could not take, and listings. What is known of the world stays, however long
/// ago it was: somebody may have just taken it in.
fn without_manifest() -> Retention {
    let forever = Span::hours(24 * 365 * 1_000);
    Retention {
        history: forever,
        changes: forever,
        findings: forever,
        sightings: forever,
        ledger: forever,
        counts: forever,
        deleted: forever,
        ..Retention::default()
    }
}

/// Reads the policy.
pub(super) async fn read(pool: &PgPool, now: Timestamp) -> Result<Policy, Error> {
    let stored = sqlx::query_as!(
        Stored,
        r#"select kind, name, generation, body, applied_at from perigee.manifests
           where kind = 'Retention' and name = 'default' and deleted_at is null"#
    )
    .fetch_optional(pool)
    .await
    .map_err(Error::reading("a manifest"))?;
    let spec: Retention = stored.map(|stored| stored.spec()).transpose()?.unwrap_or_else(without_manifest);
    // Types are few among many resources: each is found by a step in the index.
    let types = if spec.types.is_empty() { Vec::new() } else { known_types(pool).await? };
    Ok(Policy { now, spec, types })
}

async fn known_types(pool: &PgPool) -> Result<Vec<String>, Error> {
    sqlx::query_scalar!(
        r#"with recursive known (type) as (
               (select type from perigee.resources where deleted_at is null order by type limit 1)
               union all
               select (select r.type from perigee.resources r where r.deleted_at is null and r.type > k.type
                       order by r.type limit 1)
               from known k where k.type is not null
           ), gone (type) as (
               (select type from perigee.resources where deleted_at is not null order by type limit 1)
               union all
               select (select r.type from perigee.resources r where r.deleted_at is not null and r.type > g.type
                       order by r.type limit 1)
               from gone g where g.type is not null
           )
           select type as "type!" from known where type is not null
           union select type from gone where type is not null"#
    )
    .fetch_all(pool)
    .await
    .map_err(Error::reading("the types of resources"))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_fits_a_type_where_stars_stand_for_anything() {
        assert!(fits("AWS::EC2::Instance", "AWS::EC2::Instance"));
        assert!(!fits("AWS::EC2::Instance", "AWS::EC2::InstanceProfile"));
        assert!(fits("Kubernetes::*", "Kubernetes::core::Pod"));
        assert!(fits("*::core::*", "Kubernetes::core::Pod"));
        assert!(fits("*", "Kubernetes::core::Pod"));
        assert!(!fits("Kubernetes::*::Node", "Kubernetes::core::Pod"));
        assert!(!fits("ab*ba", "aba"));
    }
}
