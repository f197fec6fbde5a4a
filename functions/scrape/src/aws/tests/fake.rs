//! An account that is what a test says it is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use ports::{
    AggregatedSource, Cloud, CloudAccess, CloudError, CloudIdentity, Clouds, Recorder, Records, Selected,
    Selection, Tagged,
};
use serde_json::{Value, json};

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const REGION: &str = "eu-west-1";

/// What goes wrong with a page of a list.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// It is refused.
    Refused(CloudError),
    /// It says that there is no page after it, though there is.
    Cut,
    /// Its token leads to itself.
    Endless,
}

/// The account.
#[derive(Debug)]
pub(super) struct State {
    /// The items, as advanced queries show them.
    pub(super) items: Vec<Value>,
    pub(super) recorder: Result<Option<Recorder>, CloudError>,
    pub(super) identity: Result<(), CloudError>,
    pub(super) counts: Result<(), CloudError>,
    pub(super) aggregated: Vec<AggregatedSource>,
    pub(super) tagged: Vec<(String, Vec<(String, String)>)>,
    pub(super) page_size: usize,
    /// By type and page.
    pub(super) troubles: BTreeMap<(String, usize), Trouble>,
    /// How often each page of each type was asked for.
    pub(super) asked: BTreeMap<(String, usize), usize>,
}

#[derive(Debug)]
pub(super) struct FakeCloud(Mutex<State>);

impl FakeCloud {
    pub(super) fn new(items: Vec<Value>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            items,
            recorder: Ok(Some(recorder())),
            identity: Ok(()),
            counts: Ok(()),
            aggregated: Vec::new(),
            tagged: Vec::new(),
            page_size: 100,
            troubles: BTreeMap::new(),
            asked: BTreeMap::new(),
        })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn trouble(&self, kind: &str, page: usize, trouble: Trouble) {
        self.state().troubles.insert((kind.to_owned(), page), trouble);
    }
}

/// A recorder that records everything, and well.
pub(super) fn recorder() -> Recorder {
    Recorder {
        name: "default".to_owned(),
        recording: true,
        last_status: "SUCCESS".to_owned(),
        records: Records::All { global: true },
        ..Recorder::default()
    }
}

pub(super) fn denied() -> CloudError {
    let (action, message) = ("config:SelectResourceConfig".to_owned(), "no identity-based policy".to_owned());
    CloudError::Denied { action, message }
}

/// An item of `kind` that was captured at an instant.
pub(super) fn item(kind: &str, id: &str, captured: &str) -> Value {
    json!({
        "accountId": ACCOUNT, "awsRegion": REGION, "resourceType": kind, "resourceId": id, "resourceName": id,
        "configurationItemCaptureTime": captured, "configurationItemStatus": "OK",
        "configurationStateId": "1772524800000", "configuration": {"id": id, "size": 8.0},
        "tags": [{"key": "env", "value": "prod", "tag": "env=prod"}],
        "relationships": [{"relationshipName": "Is contained in Vpc", "resourceType": "AWS::EC2::VPC",
                           "resourceId": "vpc-1"}],
    })
}

#[derive(Debug)]
pub(super) struct FakeClouds(pub(super) Arc<FakeCloud>);

#[async_trait]
impl Clouds for FakeClouds {
    async fn open(&self, _access: &CloudAccess) -> Result<Arc<dyn Cloud>, CloudError> {
        Ok(Arc::<FakeCloud>::clone(&self.0))
    }
}

/// The value of `name = '...'` in an expression.
fn value<'e>(expression: &'e str, name: &str) -> Option<&'e str> {
    expression.split_once(&format!("{name} = '"))?.1.split('\'').next()
}

impl State {
    fn page(&mut self, query: &Selection<'_>) -> Result<Selected, CloudError> {
        let (_, kinds) = query.expression.split_once("resourceType ").expect("types");
        let (kinds, _) = kinds.split_once(" AND").expect("a place");
        let named = |kind: &Value| kinds.contains(&format!("'{}'", kind.as_str().expect("a type")));
        let kind = kinds.split('\'').nth(1).expect("a type").to_owned();
        let region = value(query.expression, "awsRegion").expect("a region").to_owned();
        let rows: Vec<String> = self
            .items
            .iter()
            .filter(|item| named(&item["resourceType"]) && item["awsRegion"] == *region)
            .map(ToString::to_string)
            .collect();
        if query.expression.starts_with("SELECT COUNT(*)") {
            return Ok(Selected {
                rows: vec![json!({"COUNT(*)": rows.len() as f64}).to_string()],
                next: None,
            });
        }
        assert!(query.expression.contains("configuration, supplementaryConfiguration, tags, relationships"));
        let number: usize = query.token.map_or(0, |token| token.parse().expect("our own token"));
        *self.asked.entry((kind.clone(), number)).or_default() += 1;
        let last = (number + 1) * self.page_size >= rows.len();
        let mut next = (!last).then(|| (number + 1).to_string());
        match self.troubles.get(&(kind, number)) {
            Some(Trouble::Refused(error)) => return Err(error.clone()),
            Some(Trouble::Cut) => next = None,
            Some(Trouble::Endless) => next = Some(number.to_string()),
            None => {}
        }
        let rows = rows.into_iter().skip(number * self.page_size).take(self.page_size).collect();
        Ok(Selected { rows, next })
    }
}

#[async_trait]
impl Cloud for FakeCloud {
    fn region(&self) -> Option<String> {
        Some(REGION.to_owned())
    }

    async fn identity(&self) -> Result<CloudIdentity, CloudError> {
        self.state().identity.clone()?;
        Ok(CloudIdentity { account: ACCOUNT.to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:role/reader") })
    }

    async fn recorder(&self, _region: &str) -> Result<Option<Recorder>, CloudError> {
        self.state().recorder.clone()
    }

    async fn aggregated(
        &self,
        _region: &str,
        _aggregator: &str,
    ) -> Result<Vec<AggregatedSource>, CloudError> {
        Ok(self.state().aggregated.clone())
    }

    async fn select(&self, query: &Selection<'_>) -> Result<Selected, CloudError> {
        // Somebody else's turn, so that copies really run at once.
        tokio::task::yield_now().await;
        let mut state = self.state();
        if !query.expression.contains("GROUP BY") {
            return state.page(query);
        }
        state.counts.clone()?;
        let mut counts: BTreeMap<[String; 3], usize> = BTreeMap::new();
        for item in &state.items {
            let place =
                ["accountId", "awsRegion", "resourceType"].map(|f| item[f].as_str().unwrap().to_owned());
            *counts.entry(place).or_default() += 1;
        }
        let row = |([account, region, kind], count): ([String; 3], usize)| {
            json!({"accountId": account, "awsRegion": region, "resourceType": kind, "COUNT(*)": count as f64})
                .to_string()
        };
        Ok(Selected { rows: counts.into_iter().map(row).collect(), next: None })
    }

    async fn tagged(&self, _region: &str, token: Option<&str>) -> Result<Tagged, CloudError> {
        let state = self.state();
        let half = state.tagged.len().div_ceil(2);
        let (first, second) = state.tagged.split_at(half);
        match token {
            None => Ok(Tagged { resources: first.to_vec(), next: Some("second".to_owned()) }),
            Some(_) => Ok(Tagged { resources: second.to_vec(), next: None }),
        }
    }
}
