//! [`ports::Clouds`] and [`ports::Cloud`]: AWS Config, the tagging API, and who we are.

mod recorder;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{Region, SdkConfig, retry::RetryConfig, sts::AssumeRoleProvider, timeout::TimeoutConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_config::Client as Config;
use aws_sdk_resourcegroupstagging::Client as Tagging;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use ports::{
    AggregatedSource, CloudAccess, CloudError, CloudIdentity, Recorder, Selected, Selection, Tagged,
};
use tokio::sync::OnceCell;

use crate::failure::{self, Kind};

#[cfg(test)]
pub(crate) mod tests;

/// The first request and four more, with the SDK's waits between them.
const ATTEMPTS: u32 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// The name of our sessions, as CloudTrail shows it.
const SESSION: &str = "perigee";

/// Accounts of AWS, reached with the ambient credentials (the environment, profiles, SSO, a credential process,
/// container and instance roles) or a role that these may assume. `AWS_ENDPOINT_URL` replaces the endpoints.
#[derive(Debug)]
pub struct Clouds {
    ambient: OnceCell<SdkConfig>,
    /// The accounts that were opened: their credentials are good for a while.
    opened: Mutex<BTreeMap<CloudAccess, Arc<Account>>>,
}

impl Clouds {
    /// With the configuration that the AWS command line would use here, read when an account is first opened.
    #[must_use]
    pub fn from_env() -> Self {
        Self { ambient: OnceCell::new(), opened: Mutex::default() }
    }

    /// With a given configuration.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self { ambient: OnceCell::new_with(Some(config)), opened: Mutex::default() }
    }
}

#[async_trait]
impl ports::Clouds for Clouds {
    async fn open(&self, access: &CloudAccess) -> Result<Arc<dyn ports::Cloud>, CloudError> {
        if let Some(account) = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(access) {
            return Ok(Arc::<Account>::clone(account));
        }
        let account = Arc::new(self.account(access).await);
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(access.clone(), Arc::clone(&account));
        Ok(account)
    }
}

impl Clouds {
    async fn account(&self, access: &CloudAccess) -> Account {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT);
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let ambient = self
            .ambient
            .get_or_init(|| {
                aws_config::from_env().retry_config(retries).timeout_config(timeouts.build()).load()
            })
            .await;
        let mut builder = ambient.to_builder();
        if let Some(region) = &access.region {
            builder = builder.region(Region::new(region.clone()));
        }
        let config = builder.build();
        let Some(role) = &access.role_arn else { return Account::new(config) };
        let mut assumed = AssumeRoleProvider::builder(role).session_name(SESSION).configure(&config);
        if let Some(id) = &access.external_id {
            assumed = assumed.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(assumed.build().await);
        Account::new(config.to_builder().credentials_provider(provider).build())
    }
}

/// One account. Clients are made once per region, and share what they know of retries and credentials.
pub struct Account {
    config: SdkConfig,
    clients: RwLock<BTreeMap<String, (Config, Tagging)>>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("region", &self.config.region()).finish_non_exhaustive()
    }
}

impl Account {
    /// The account that a configuration leads to.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self { config, clients: RwLock::default() }
    }

    fn clients(&self, region: &str) -> (Config, Tagging) {
        if let Some(clients) = self.clients.read().unwrap_or_else(PoisonError::into_inner).get(region) {
            return clients.clone();
        }
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        let clients = (Config::new(&config), Tagging::new(&config));
        self.clients
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(region.to_owned(), clients.clone());
        clients
    }
}

#[async_trait]
impl ports::Cloud for Account {
    fn region(&self) -> Option<String> {
        self.config.region().map(|region| region.as_ref().to_owned())
    }

    async fn identity(&self) -> Result<CloudIdentity, CloudError> {
        // Credentials are asked for their account where no region says which endpoint is near.
        let region = self.region().unwrap_or_else(|| "us-east-1".to_owned());
        let config = self.config.to_builder().region(Region::new(region)).build();
        let sent = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let answer = sent.map_err(refused("sts:GetCallerIdentity"))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(CloudIdentity { account, arn }),
            (account, arn) => Err(CloudError::Unavailable {
                action: "sts:GetCallerIdentity".to_owned(),
                message: format!("the answer names account {account:?} and ARN {arn:?}"),
            }),
        }
    }

    async fn recorder(&self, region: &str) -> Result<Option<Recorder>, CloudError> {
        recorder::describe(&self.clients(region).0).await
    }

    async fn aggregated(&self, region: &str, aggregator: &str) -> Result<Vec<AggregatedSource>, CloudError> {
        recorder::aggregated(&self.clients(region).0, aggregator).await
    }

    async fn select(&self, query: &Selection<'_>) -> Result<Selected, CloudError> {
        let Selection { region, aggregator, expression, limit, token } = *query;
        let config = self.clients(region).0;
        let token = token.map(str::to_owned);
        if let Some(aggregator) = aggregator {
            let asked = config
                .select_aggregate_resource_config()
                .configuration_aggregator_name(aggregator)
                .expression(expression)
                .limit(limit)
                .set_next_token(token);
            let answer = asked.send().await.map_err(refused("config:SelectAggregateResourceConfig"))?;
            return Ok(Selected { rows: answer.results.unwrap_or_default(), next: some(answer.next_token) });
        }
        let asked = config.select_resource_config().expression(expression).limit(limit).set_next_token(token);
        let answer = asked.send().await.map_err(refused("config:SelectResourceConfig"))?;
        Ok(Selected { rows: answer.results.unwrap_or_default(), next: some(answer.next_token) })
    }

    async fn tagged(&self, region: &str, token: Option<&str>) -> Result<Tagged, CloudError> {
        let asked = self.clients(region).1.get_resources().resources_per_page(100);
        let asked = asked.set_pagination_token(token.map(str::to_owned));
        let answer = asked.send().await.map_err(refused("tag:GetResources"))?;
        let resources = answer.resource_tag_mapping_list.unwrap_or_default();
        let resources = resources.into_iter().filter_map(|mapping| {
            let tags = mapping.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
            Some((mapping.resource_arn?, tags.collect()))
        });
        Ok(Tagged { resources: resources.collect(), next: some(answer.pagination_token) })
    }
}

/// The tagging API says that there is no next page with an empty token.
fn some(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}

/// Says of an SDK error what it means for `action`.
fn refused<E>(action: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| {
        let failure::Failure { kind, code, message } = failure::of(&error);
        let action = action.to_owned();
        match kind {
            Kind::Denied => CloudError::Denied { action, message },
            Kind::Throttled => CloudError::Throttled { action, message },
            Kind::Expired => CloudError::Expired { message },
            Kind::NoCredentials => CloudError::NoCredentials { message },
            Kind::Unavailable => CloudError::Unavailable { action, message },
            Kind::Missing | Kind::Refused => CloudError::Refused { action, code, message },
        }
    }
}
