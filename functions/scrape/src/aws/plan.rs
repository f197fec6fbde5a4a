//! Which shards a scraper of AWS has.

use std::collections::BTreeMap;

use catalog::{Catalog, shards::Shard};
use manifest::kinds::scraper::AwsScraper;
use ports::{Cloud, Records};

use super::{
    completeness::{GLOBAL_TYPES, covered, turn_on, why_not_recording},
    discover::{self, Counts},
    spec::{Covered, Spec, canonical, is_wanted},
};
use crate::{Fault, FaultKind, NamedScraper};

/// The region of everything that has none.
pub(super) const GLOBAL: &str = "global";

/// The type of a shard that lists whatever the tagging API knows.
const ANY: &str = "*";

/// What is planned so far, by account, region and type.
type Shards = BTreeMap<(String, String, String), Spec>;

/// What a plan is made from.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) cloud: &'a dyn Cloud,
    /// Whether an account is ours.
    pub(super) ours: &'a (dyn Fn(&str) -> bool + Sync),
}

/// Plans a scraper.
///
/// # Errors
/// Why nothing can be planned.
pub(super) async fn plan(
    world: World<'_>,
    scraper: &NamedScraper,
    wanted: &AwsScraper,
) -> Result<Vec<Shard>, Fault> {
    let World { catalog, cloud, ours } = world;
    let regions = regions(cloud, wanted)?;
    let identity = cloud.identity().await?;
    if wanted.aggregator.is_none() && !ours(&identity.account) {
        let said = format!("the credentials lead to account {}, which is not among ours", identity.account);
        let advice = "use other credentials, or name the account with --accounts (PERIGEE_ACCOUNTS)";
        return Err(Fault::with_advice(FaultKind::Settings, said, advice));
    }
    let mut shards = Shards::new();
    for region in &regions {
        if let Some(aggregator) = &wanted.aggregator {
            let counts = discover::counts(cloud, region, Some(aggregator)).await?;
            add(&mut shards, region, counts, wanted);
            let places = collected(cloud, region, aggregator).await?;
            let all = Covered::AllBut(Vec::new());
            add_known(catalog, &mut shards, region, (&places, &all), wanted).await?;
        } else {
            plan_region(catalog, cloud, &identity.account, region, wanted, &mut shards).await?;
        }
    }
    let shards = shards.into_iter().filter(|((account, ..), _)| ours(account));
    let shards = shards.map(|((account, region, kind), spec)| Shard {
        scraper: scraper.name.clone(),
        account,
        region,
        kind,
        spec: serde_json::to_value(spec).unwrap_or_default(),
    });
    Ok(shards.collect())
}

fn regions(cloud: &dyn Cloud, wanted: &AwsScraper) -> Result<Vec<String>, Fault> {
    if !wanted.regions.is_empty() {
        return Ok(wanted.regions.clone());
    }
    cloud.region().map(|region| vec![region]).ok_or_else(|| {
        let advice = "write `regions` into the scraper, or set AWS_REGION";
        Fault::with_advice(FaultKind::Settings, "no region is known to list", advice)
    })
}

/// One account's own region: what Config records, and through the tagging API what it does not.
async fn plan_region(
    catalog: &Catalog,
    cloud: &dyn Cloud,
    account: &str,
    region: &str,
    wanted: &AwsScraper,
    shards: &mut Shards,
) -> Result<(), Fault> {
    let place = format!("{account} {region}");
    let asked = async {
        let Some(recorder) = cloud.recorder(region).await? else {
            return Ok::<_, Fault>(Err((format!("AWS Config has no recorder in {place}"), turn_on(region))));
        };
        if let Some(why) = why_not_recording(&recorder, &place, region) {
            return Ok(Err(why));
        }
        Ok(Ok((recorder, discover::counts(cloud, region, None).await?)))
    };
    let unrecorded = match asked.await {
        Ok(Ok((recorder, counts))) => {
            add(shards, region, counts, wanted);
            let own = [(account.to_owned(), region.to_owned())];
            let covered_here = covered(&recorder.records);
            add_known(catalog, shards, region, (&own, &covered_here), wanted).await?;
            match &recorder.records {
                Records::All { .. } => return Ok(()),
                Records::Nothing | Records::Only(_) | Records::AllBut(_) => (
                    covered_here,
                    format!(
                        "the recorder {} of AWS Config in {place} does not record every type",
                        recorder.name
                    ),
                    format!("let it record all types, or the ones that matter to you, in {region}"),
                ),
            }
        }
        Ok(Err((reason, advice))) => (Covered::Nothing, reason, advice),
        // Nothing else would work either, or it passes: the scraper is tried again as a whole.
        Err(fault) if fault.kind != FaultKind::Denied => return Err(fault),
        Err(fault) => (
            Covered::Nothing,
            format!("AWS Config in {place} cannot be asked: {}", fault.message),
            fault.advice,
        ),
    };
    let (unless, reason, advice) = unrecorded;
    let spec = Spec::Tagging { reason, advice, unless, types: wanted.types.clone() };
    shards.insert((account.to_owned(), region.to_owned(), ANY.to_owned()), spec);
    Ok(())
}

/// The accounts and regions that an aggregator collects from.
async fn collected(
    cloud: &dyn Cloud,
    region: &str,
    aggregator: &str,
) -> Result<Vec<(String, String)>, Fault> {
    let sources = cloud.aggregated(region, aggregator).await?;
    Ok(sources.into_iter().map(|source| (source.account, source.region)).collect())
}

/// What Config counts.
fn add(shards: &mut Shards, via: &str, counts: Counts, wanted: &AwsScraper) {
    let mut by_own_type = Counts::new();
    for ((account, region, kind), count) in counts {
        if is_wanted(&kind, &wanted.types) || is_wanted(canonical(&kind), &wanted.types) {
            *by_own_type.entry((account, region, canonical(&kind).to_owned())).or_default() += count;
        }
    }
    for (place, expected) in by_own_type {
        // A global type is recorded in several regions, the same everywhere: the first one is asked.
        shards.entry(place).or_insert_with(|| Spec::Config { via: via.to_owned(), expected });
    }
}

/// What Config had before: a type whose last resource is gone is not counted any more, and has to be found empty. Of
/// what is global only the types that a recorder has in full wherever it has them: buckets, say, are global here, but
/// every region's recorder has its own.
async fn add_known(
    catalog: &Catalog,
    shards: &mut Shards,
    via: &str,
    (places, recorded): (&[(String, String)], &Covered),
    wanted: &AwsScraper,
) -> Result<(), Fault> {
    let mut all = places.to_vec();
    all.extend(places.iter().map(|(account, _)| (account.clone(), GLOBAL.to_owned())));
    all.sort();
    all.dedup();
    for (account, region) in all {
        let known = catalog.types_known_by("config", &account, &region).await;
        let known = known.map_err(|error| crate::listing::unexpected("cannot read the catalog", &error))?;
        for kind in known {
            let askable = region != GLOBAL || (GLOBAL_TYPES.contains(&&*kind) && recorded.has(&kind));
            if askable && is_wanted(&kind, &wanted.types) {
                let spec = Spec::Config { via: via.to_owned(), expected: 0 };
                shards.entry((account.clone(), region.clone(), kind)).or_insert(spec);
            }
        }
    }
    Ok(())
}
