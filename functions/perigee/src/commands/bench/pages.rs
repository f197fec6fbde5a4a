//! Pages of listings: resources that no estate has, with documents of about 4 KB and ten relations each.

use std::collections::BTreeSet;

use anyhow::Context;
use catalog::bench::{Estate, KINDS, Kind, Places, filled};
use chrono::Duration;
use model::{
    Change, ChangeId, ChangeResource, Completeness, ListingId, Observation, ObservationKey, Rank, Relation,
    ResourceFact, ResourceKey, Role, Sighting, Source, Timestamp,
};
use serde_json::{Value, json};

/// Resources of one page.
pub(super) const PAGE: u64 = 500;
/// Relations of each resource.
const RELATIONS: u64 = 10;
/// How many resources of each type the relations point at.
const TARGETS: u64 = 40;

/// What pages are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages {
    pub(super) estate: Estate,
    /// Tells apart what is recorded by one measurement from what is by another.
    pub(super) salt: u64,
    /// The first of them is true for this instant.
    pub(super) began: Timestamp,
}

impl Pages {
    /// The `page`th page of a listing, with everything in it.
    pub(super) fn page(&self, page: u64, listing: &str, after: Duration) -> anyhow::Result<Observation> {
        let place = page % self.estate.places();
        let template = self.estate.seed_of(place).key;
        let region = if template.region == "global" { "eu-west-1".to_owned() } else { template.region };
        let kind = self.kind(page);
        let facts: anyhow::Result<Vec<ResourceFact>> =
            (0..PAGE).map(|index| self.fact(kind, &template.account, &region, page * PAGE + index)).collect();
        let salt = self.salt.to_string();
        let number = i32::try_from(page).context("too many pages")?;
        Ok(Observation {
            key: ObservationKey::of(&json!(["bench", salt, listing, page])),
            source: Source::new("native", Rank::Native),
            account: template.account,
            region,
            occurred_at: self.began + after + Duration::milliseconds(i64::from(number)),
            resources: facts?,
            changes: vec![],
            findings: vec![],
            completeness: Completeness::Page {
                listing: ListingId::of(&["bench", &salt, listing]),
                page: number,
            },
        })
    }

    /// Calls that touched resources of a page.
    pub(super) fn changes(&self, page: u64, at: Timestamp) -> anyhow::Result<Observation> {
        let mut seen = self.page(page, "changes", Duration::zero())?;
        seen.key = ObservationKey::of(&json!(["bench", self.salt, "changes", page, at.timestamp_micros()]));
        seen.source = Source::new("cloudtrail", Rank::Event);
        seen.occurred_at = at;
        seen.completeness = Completeness::OnlyThese;
        let facts = std::mem::take(&mut seen.resources);
        let touched = facts.into_iter().take(100).enumerate();
        seen.changes = touched.map(|(index, fact)| change(&seen.key, index, at, fact.key)).collect();
        Ok(seen)
    }

    fn kind(&self, page: u64) -> &'static Kind {
        let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| !kind.base && !kind.global).collect();
        kinds[(self.estate.draw(page, self.salt) * kinds.len() as f64) as usize % kinds.len()]
    }

    fn fact(&self, kind: &'static Kind, account: &str, region: &str, n: u64) -> anyhow::Result<ResourceFact> {
        let drawn = self.estate.seed_of(n % self.estate.resources);
        let digits = format!("{:08x}{n:08x}", self.salt);
        let name = format!("{}-{:x}-{n:x}", drawn.app, self.salt);
        let key = ResourceKey {
            provider: "aws".to_owned(),
            partition: "aws".to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            kind: kind.name.to_owned(),
            native_id: if kind.prefix.is_empty() { name.clone() } else { format!("{}{digits}", kind.prefix) },
        };
        let tags = json!({
            "Name": name, "app": drawn.app, "env": drawn.env, "team": drawn.team, "cost-center": format!("cc-{}", n % 60),
            "owner": format!("{}@example.com", drawn.team),
        });
        let revised = format!("{:032x}", u128::from(n) * 0x9e37_79b9_7f4a_7c15);
        let places = Places {
            id: &key.native_id,
            name: &name,
            account,
            region,
            hex: &digits,
            other: &format!("{:016x}", n.wrapping_mul(0x2545_f491_4f6c_dd1d)),
            number: &(n % 240).to_string(),
            tags: &tags.to_string(),
            revised: &revised,
            described: "\"description\":\"Made to be measured.\",",
        };
        let mut document: model::Document = serde_json::from_str(&filled(&kind.document(), &places))
            .with_context(|| format!("the document of {} cannot be read", kind.name))?;
        document.relations = self.relations(&key, n);
        let arn = kind.arn.replace("<id>", &key.native_id).replacen(':', &format!(":{region}:{account}:"), 1);
        Ok(ResourceFact {
            key,
            aliases: vec![format!("arn:aws:{arn}")],
            state_id: 0,
            sighting: Sighting::Documented(Box::new(document)),
        })
    }

    fn relations(&self, of: &ResourceKey, n: u64) -> BTreeSet<Relation> {
        let bases: Vec<&Kind> = KINDS.iter().filter(|kind| kind.base && !kind.global).collect();
        let relation = |index: u64| {
            let kind = bases[index as usize % bases.len()];
            let target = (self.estate.draw(n, 100 + index) * TARGETS as f64) as u64;
            Relation {
                kind: kind.relation(),
                to: ResourceKey {
                    kind: kind.name.to_owned(),
                    native_id: format!("{}{:x}-{target:x}", kind.prefix, self.salt),
                    ..of.clone()
                },
            }
        };
        (0..RELATIONS).map(relation).collect()
    }
}

fn change(key: &ObservationKey, index: usize, at: Timestamp, touched: ResourceKey) -> Change {
    Change {
        id: ChangeId::of(key, index),
        occurred_at: at,
        account: touched.account.clone(),
        region: touched.region.clone(),
        source: "cloudtrail".to_owned(),
        kind: "CreateTags".to_owned(),
        category: model::Category::Update,
        severity: model::Severity::Info,
        read_only: false,
        summary: format!("CreateTags on {}", touched.native_id),
        actor: None,
        source_address: Some("192.0.2.17".to_owned()),
        user_agent: Some("aws-cli/2.31.0".to_owned()),
        error_code: None,
        error_message: None,
        event_id: None,
        session_id: None,
        details: Value::Object(serde_json::Map::new()),
        resources: vec![ChangeResource { key: touched, role: Role::Target }],
        mentions: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(page: &Observation) -> Vec<(ResourceKey, model::ContentHash, usize, usize)> {
        let facts = page.resources.iter();
        facts
            .filter_map(|fact| match &fact.sighting {
                Sighting::Documented(document) => Some((
                    fact.key.clone(),
                    document.hash(),
                    document.relations.len(),
                    document.to_json().to_string().len(),
                )),
                Sighting::Mentioned | Sighting::Present | Sighting::Deleted => None,
            })
            .collect()
    }

    #[test]
    fn the_next_listing_has_the_same_documents_and_another_salt_has_others() {
        let now = "2026-03-03T12:00:00Z".parse().unwrap();
        let estate = Estate { resources: 20_000, seed: 1, now };
        let pages = Pages { estate, salt: 1, began: now };
        let first = pages.page(3, "first", Duration::zero()).unwrap();
        let second = pages.page(3, "second", Duration::hours(1)).unwrap();
        assert_eq!(documents(&first), documents(&second));
        assert_ne!((first.key, &first.completeness), (second.key, &second.completeness));
        let other = Pages { salt: 2, ..pages }.page(3, "first", Duration::zero()).unwrap();
        let keys: BTreeSet<&ResourceKey> =
            first.resources.iter().chain(&other.resources).map(|fact| &fact.key).collect();
        assert_eq!(keys.len(), 1_000);
        for (_, _, relations, size) in documents(&first) {
            assert_eq!(relations, 10);
            assert!((3_600..4_600).contains(&size), "{size}");
        }
    }
}
