//! Whom the AWS credentials lead to, and whether AWS Config records there. Nothing of it is kept.

use std::time::Duration;

use ports::{Cloud, CloudAccess, CloudError, Clouds, Records};
use tokio::time::timeout;

use super::Check;
use crate::output;

const WHAT: &str = "AWS";
const CONFIG: &str = "AWS Config";

/// How long AWS may take to answer all of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at the account of the ambient credentials.
pub(super) async fn checks(clouds: &dyn Clouds) -> Vec<Check> {
    let late =
        || vec![Check::warn(WHAT, format!("AWS did not answer within {} seconds", PATIENCE.as_secs()))];
    timeout(PATIENCE, ask(clouds)).await.unwrap_or_else(|_| late())
}

async fn ask(clouds: &dyn Clouds) -> Vec<Check> {
    let opened = match clouds.open(&CloudAccess::default()).await {
        Ok(cloud) => cloud.identity().await.map(|identity| (cloud, identity)),
        Err(error) => Err(error),
    };
    let (cloud, identity) = match opened {
        Ok(found) => found,
        Err(error) => return vec![Check::fail(WHAT, explain(&error))],
    };
    let mut checks = vec![Check::ok(WHAT, format!("account {}, as {}", identity.account, identity.arn))];
    checks.push(match cloud.region() {
        Some(region) => config(&*cloud, &identity.account, &region).await,
        None => Check::warn(CONFIG, "no region is named; set AWS_REGION, or write `regions` into a Scraper"),
    });
    checks
}

/// Whether Config records in a region, and what to do where it does not.
async fn config(cloud: &dyn Cloud, account: &str, region: &str) -> Check {
    const LESS: &str = "`perigee up --aws` lists only what has tags there, through the tagging API";
    let place = format!("{account} {region}");
    let recorder = match cloud.recorder(region).await {
        Ok(Some(recorder)) => recorder,
        Ok(None) => {
            return Check::warn(
                CONFIG,
                format!(
                    "it has no recorder in {place}; {LESS}. Turn AWS Config on in that region for all types"
                ),
            );
        }
        Err(error) => return Check::warn(CONFIG, format!("{place}: {}; {LESS}", explain(&error))),
    };
    let name = &recorder.name;
    if !recorder.recording {
        return Check::warn(
            CONFIG,
            format!(
                "the recorder {name} in {place} is stopped; {LESS}. Start it: `aws configservice \
                 start-configuration-recorder --configuration-recorder-name {name} --region {region}`"
            ),
        );
    }
    if recorder.last_status != "SUCCESS" {
        let status = if recorder.last_status.is_empty() { "not known" } else { &recorder.last_status };
        return Check::warn(
            CONFIG,
            format!(
                "the last recording of the recorder {name} in {place} is {status} {}; nothing is deleted by what it \
                 lists. See to its role and its delivery channel",
                recorder.last_error
            ),
        );
    }
    match recorder.records {
        Records::All { .. } => {
            Check::ok(CONFIG, format!("the recorder {name} in {place} records every type"))
        }
        Records::Only(kinds) => Check::warn(
            CONFIG,
            format!(
                "the recorder {name} in {place} records only {}; of others, {LESS}",
                output::count(kinds.len(), "type")
            ),
        ),
        Records::AllBut(kinds) => Check::warn(
            CONFIG,
            format!(
                "the recorder {name} in {place} leaves out {}, of which {LESS}",
                output::count(kinds.len(), "type")
            ),
        ),
        Records::Nothing => {
            Check::warn(CONFIG, format!("the recorder {name} in {place} records no type; {LESS}"))
        }
    }
}

fn explain(error: &CloudError) -> String {
    let advice = scrape::Fault::from(error.clone()).advice;
    if advice.is_empty() { error.to_string() } else { format!("{error}; {advice}") }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use ports::{AggregatedSource, CloudIdentity, Recorder, Selected, Selection, Tagged};

    use super::{super::State, *};

    #[derive(Debug)]
    struct Account(Result<(), CloudError>, Mutex<Option<Recorder>>);

    #[async_trait]
    impl Cloud for Account {
        fn region(&self) -> Option<String> {
            Some("eu-west-1".to_owned())
        }

        async fn identity(&self) -> Result<CloudIdentity, CloudError> {
            self.0.clone()?;
            Ok(CloudIdentity {
                account: "111122223333".to_owned(),
                arn: "arn:aws:iam::111122223333:user/ana".to_owned(),
            })
        }

        async fn recorder(&self, _region: &str) -> Result<Option<Recorder>, CloudError> {
            Ok(self.1.lock().unwrap().clone())
        }

        async fn aggregated(&self, _: &str, _: &str) -> Result<Vec<AggregatedSource>, CloudError> {
            unreachable!("doctor does not ask for it")
        }

        async fn select(&self, _: &Selection<'_>) -> Result<Selected, CloudError> {
            unreachable!("doctor does not ask for it")
        }

        async fn tagged(&self, _: &str, _: Option<&str>) -> Result<Tagged, CloudError> {
            unreachable!("doctor does not ask for it")
        }
    }

    #[derive(Debug)]
    struct One(Arc<Account>);

    #[async_trait]
    impl Clouds for One {
        async fn open(&self, _access: &CloudAccess) -> Result<Arc<dyn Cloud>, CloudError> {
            Ok(Arc::<Account>::clone(&self.0))
        }
    }

    async fn look(identity: Result<(), CloudError>, recorder: Option<Recorder>) -> Vec<(State, String)> {
        let checks = checks(&One(Arc::new(Account(identity, Mutex::new(recorder))))).await;
        checks.into_iter().map(|check| (check.state, check.message)).collect()
    }

    #[tokio::test]
    async fn each_account_and_region_where_config_does_not_record_is_named_with_what_to_do() {
        let found = look(Ok(()), None).await;
        assert_eq!((found[0].0, found[1].0), (State::Ok, State::Warn), "{found:?}");
        assert!(found[1].1.contains("no recorder in 111122223333 eu-west-1"), "{found:?}");
        let mut recorder = Recorder { name: "default".to_owned(), ..Recorder::default() };
        let stopped = look(Ok(()), Some(recorder.clone())).await;
        assert!(stopped[1].1.contains("start-configuration-recorder"), "{stopped:?}");
        (recorder.recording, recorder.last_status) = (true, "SUCCESS".to_owned());
        recorder.records = Records::All { global: true };
        assert_eq!(look(Ok(()), Some(recorder)).await[1].0, State::Ok);
    }

    #[tokio::test]
    async fn expired_credentials_are_said_with_a_way_out() {
        let found = look(Err(CloudError::Expired { message: "token".to_owned() }), None).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, State::Fail);
        assert!(found[0].1.contains("expired") && found[0].1.contains("aws sso login"), "{found:?}");
    }
}
