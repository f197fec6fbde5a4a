//! AWS: which shards an account or an aggregator has, and how one is listed.
//!
//! Where AWS Config records, each account, region and type is a shard that [`select`] lists with an advanced query;
//! [`completeness`] says whether that was everything. Where it does not, [`tagged`] lists what the tagging API knows,
//! and the shard says what to do.

mod completeness;
mod discover;
mod plan;
mod select;
mod spec;
mod tagged;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use catalog::{Catalog, shards::Shard};
use chrono::TimeDelta;
use manifest::kinds::scraper::AwsScraper;
use model::Timestamp;
use ports::{Cloud, CloudAccess, CloudError, Clouds};

use self::{completeness::State, spec::Spec};
use crate::{Fault, FaultKind, Lister, NamedScraper, Provider};

/// For how long the recorder's state is believed. A listing of hundreds of types asks for it once.
const BELIEVED: TimeDelta = TimeDelta::seconds(60);

/// AWS, as a world that can be listed.
#[derive(Debug)]
pub struct Aws {
    clouds: Arc<dyn Clouds>,
    catalog: Catalog,
    /// The accounts that are ours; all without.
    accounts: Option<BTreeSet<String>>,
    states: Mutex<BTreeMap<StateKey, (Timestamp, State)>>,
}

/// Whose state it is: the scraper, the account and region of the shard where an aggregator is asked, and the region
/// that is asked.
type StateKey = (String, Option<(String, String)>, String);

#[async_trait]
impl Provider for Aws {
    async fn plan(&self, scraper: &NamedScraper, _now: Timestamp) -> Result<Vec<Shard>, Fault> {
        let wanted = wanted(scraper)?;
        let cloud = self.open(wanted).await?;
        let ours = |account: &str| self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account));
        let world = plan::World { catalog: &self.catalog, cloud: &*cloud, ours: &ours };
        plan::plan(world, scraper, wanted).await
    }

    async fn open(
        &self,
        scraper: &NamedScraper,
        shard: &Shard,
        began: Timestamp,
    ) -> Result<Box<dyn Lister>, Fault> {
        let wanted = wanted(scraper)?;
        let spec: Spec = serde_json::from_value(shard.spec.clone()).map_err(|error| {
            Fault::new(FaultKind::Unexpected, format!("the shard's plan cannot be read: {error}"))
        })?;
        let cloud = self.open(wanted).await?;
        match spec {
            Spec::Config { via, expected } => {
                let aggregator = wanted.aggregator.clone();
                let state = self.state(&*cloud, shard, &via, aggregator.as_deref(), began).await?;
                Ok(Box::new(select::Select::new(cloud, shard, via, aggregator, expected, state, began)))
            }
            Spec::Tagging { reason, advice, unless, types } => Ok(Box::new(tagged::TaggedResources::new(
                cloud,
                shard,
                began,
                tagged::Wanted { unless, types },
                (reason, advice),
            ))),
        }
    }
}

impl Aws {
    /// AWS, opened through `clouds`; `catalog` has the `Connection`s, and the types that were seen before.
    #[must_use]
    pub fn new(clouds: Arc<dyn Clouds>, catalog: Catalog) -> Self {
        Self { clouds, catalog, accounts: None, states: Mutex::default() }
    }

    /// Only these accounts: what an aggregator has of others is left alone.
    #[must_use]
    pub fn of_accounts(self, accounts: Option<BTreeSet<String>>) -> Self {
        Self { accounts, ..self }
    }

    async fn state(
        &self,
        cloud: &dyn Cloud,
        shard: &Shard,
        via: &str,
        aggregator: Option<&str>,
        began: Timestamp,
    ) -> Result<State, Fault> {
        let place = aggregator.map(|_| (shard.account.clone(), shard.region.clone()));
        let key = (shard.scraper.clone(), place, via.to_owned());
        let held = self.states.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((at, state)) = held
            && (at..at + BELIEVED).contains(&began)
        {
            return Ok(state);
        }
        let state = completeness::ask(cloud, shard, via, aggregator).await?;
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.retain(|_, (at, _)| (*at..*at + BELIEVED).contains(&began));
        states.insert(key, (began, state.clone()));
        Ok(state)
    }

    async fn open(&self, wanted: &AwsScraper) -> Result<Arc<dyn Cloud>, Fault> {
        let access = match &wanted.connection {
            Some(name) => crate::scrapers::aws_connection(&self.catalog, name).await?,
            None => CloudAccess::default(),
        };
        self.clouds.open(&access).await.map_err(Fault::from)
    }
}

fn wanted(scraper: &NamedScraper) -> Result<&AwsScraper, Fault> {
    let missing = || Fault::new(FaultKind::Settings, format!("the scraper {} has no `aws`", scraper.name));
    scraper.spec.aws.as_ref().ok_or_else(missing)
}

impl From<CloudError> for Fault {
    fn from(error: CloudError) -> Self {
        let message = error.to_string();
        match error {
            CloudError::Denied { action, .. } => Self::with_advice(
                FaultKind::Denied,
                message,
                format!("let the scraper's role do `{action}`; infra/member.yaml makes a role that may"),
            ),
            CloudError::Throttled { .. } => Self::new(FaultKind::Throttled, message),
            CloudError::Expired { .. } => Self::with_advice(
                FaultKind::Credentials,
                message,
                "renew them (`aws sso login`, or new keys), then run `perigee scrape`",
            ),
            CloudError::NoCredentials { .. } => Self::with_advice(
                FaultKind::Credentials,
                message,
                "set AWS_PROFILE or the AWS_* variables; `aws sts get-caller-identity` shows whether they work",
            ),
            CloudError::Unavailable { .. } => Self::new(FaultKind::Unreachable, message),
            CloudError::Refused { .. } => Self::new(FaultKind::Unexpected, message),
        }
    }
}
