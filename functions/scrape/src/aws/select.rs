//! Lists one type of one account and region with advanced queries of AWS Config.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use catalog::shards::Shard;
use events::listed;
use model::{Rank, Scope, Source, Timestamp, known_type};
use ports::{Cloud, Selection};
use serde_json::Value;

use super::{completeness::State, discover::LIMIT, plan::GLOBAL, spec::spellings};
use crate::{Certainty, Fault, Lister, Page, Verdict};

/// A listing through AWS Config.
#[derive(Debug)]
pub(super) struct Select {
    cloud: Arc<dyn Cloud>,
    shard: Shard,
    via: String,
    aggregator: Option<String>,
    /// How many there were when the shard was planned.
    expected: u64,
    state: State,
    began: Timestamp,
    /// How many rows came.
    rows: u64,
    token: Option<String>,
    tokens: BTreeSet<String>,
    ended: bool,
    /// Set when the pages cannot be trusted to be everything.
    doubt: Option<String>,
}

impl Select {
    pub(super) fn new(
        cloud: Arc<dyn Cloud>,
        shard: &Shard,
        via: String,
        aggregator: Option<String>,
        expected: u64,
        state: State,
        began: Timestamp,
    ) -> Self {
        let (token, tokens, rows) = (None, BTreeSet::new(), 0);
        let shard = shard.clone();
        Self {
            cloud,
            shard,
            via,
            aggregator,
            expected,
            state,
            began,
            rows,
            token,
            tokens,
            ended: false,
            doubt: None,
        }
    }

    /// What the shard is, in Config's language. Types, regions and accounts come from Config itself or from the
    /// catalog, but a quote in one must not end the text.
    fn condition(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let kinds: Vec<String> = spellings(&self.shard.kind).into_iter().map(quoted).collect();
        let kinds = match kinds.as_slice() {
            [kind] => format!("= {kind}"),
            kinds => format!("IN ({})", kinds.join(", ")),
        };
        format!(
            "resourceType {kinds} AND accountId = {} AND awsRegion = {}",
            quoted(&self.shard.account),
            quoted(&self.shard.region)
        )
    }

    /// How many there are, as Config counts them now.
    async fn count(&self) -> Result<u64, Fault> {
        let expression = format!("SELECT COUNT(*) WHERE {}", self.condition());
        let page = self.cloud.select(&self.selection(&expression, None)).await?;
        let row: Option<Value> = page.rows.first().and_then(|row| serde_json::from_str(row).ok());
        let count = row.and_then(|row| row.get("COUNT(*)").and_then(Value::as_f64)).unwrap_or(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        Ok(count.max(0.0) as u64)
    }

    fn selection<'a>(&'a self, expression: &'a str, token: Option<&'a str>) -> Selection<'a> {
        Selection {
            region: &self.via,
            aggregator: self.aggregator.as_deref(),
            expression,
            limit: LIMIT,
            token,
        }
    }
}

#[async_trait]
impl Lister for Select {
    fn source(&self) -> Source {
        Source::new("config", Rank::Config)
    }

    fn certainty(&self) -> Certainty {
        Certainty::Lags(self.state.grace_seconds(&self.shard.kind))
    }

    async fn page(&mut self) -> Result<Option<Page>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let expression = format!("SELECT {} WHERE {}", listed::SELECTED_FIELDS, self.condition());
        let selected = self.cloud.select(&self.selection(&expression, self.token.as_deref())).await?;
        self.rows += u64::try_from(selected.rows.len()).unwrap_or(u64::MAX);
        let mut page = Page::default();
        for row in &selected.rows {
            let read = serde_json::from_str::<Value>(row)
                .map_err(|error| format!("a row is no JSON: {error}"))
                .and_then(|row| listed::selected(&row, self.began).map_err(|rejection| rejection.message));
            match read {
                Ok(item) => page.items.push(item),
                Err(why) => page.unreadable.push(why),
            }
        }
        match &selected.next {
            Some(token) if !self.tokens.insert(token.clone()) => {
                self.doubt = Some("AWS Config sends the same page again and again".to_owned());
                self.ended = true;
            }
            next => self.ended = next.is_none(),
        }
        self.token = selected.next;
        Ok(Some(page))
    }

    async fn finish(&mut self, seen: usize) -> Result<Verdict, Fault> {
        let incomplete = |reason: String| Verdict::Incomplete { reason, advice: String::new() };
        if let Some(doubt) = self.doubt.take() {
            return Ok(incomplete(doubt));
        }
        let verdict = self.state.verdict(&self.shard, &self.via, seen, self.began);
        if verdict != Verdict::Complete {
            return Ok(verdict);
        }
        // Fewer than were counted: some went meanwhile, or the list was cut. Config says which.
        if self.rows < self.expected {
            let count = self.count().await?;
            if count > self.rows {
                let reason = format!("AWS Config counts {count} and lists {}: the list was cut", self.rows);
                return Ok(incomplete(reason));
            }
        }
        let regional = self.shard.region != GLOBAL;
        if regional && known_type(&self.shard.kind).is_some_and(|kind| kind.scope == Scope::Global) {
            return Ok(incomplete(format!(
                "{} have no region in the catalog, so the list of one region cannot say which are gone; events do",
                self.shard.kind
            )));
        }
        Ok(Verdict::Complete)
    }
}
