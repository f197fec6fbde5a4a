//! What readers ask: the same questions in the same order on every machine.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Context;
use catalog::{
    AsOf, Catalog, ChangeQuery, Direction, HistoryQuery, ResourceQuery, ResourceSet, Walk, bench::Estate,
};
use model::{ResourceId, Timestamp};

use super::{Part, times::Times};

/// How many items of a list.
const LIMIT: u16 = 50;
/// How far a walk goes.
pub(super) const DEPTH: u32 = 5;
/// How many resources it may meet.
const NODES: u32 = 5_000;
/// How far it is to the end of everything downstream.
const DOWNSTREAM: u32 = 10;

/// A sort of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    TypeAndTag,
    HealthAndAccount,
    Words,
    Facets,
    Walk,
    Diamond,
    Graph,
    SetChanges,
    Shown,
    History,
    Changes,
}

impl Question {
    /// Those that have a bar, each with the most milliseconds that the slowest of a hundred may take.
    pub(super) const WITH_BARS: [(Self, f64, &'static str); 7] = [
        (Self::TypeAndTag, 25.0, "<= 25"),
        (Self::HealthAndAccount, 25.0, "<= 25"),
        (Self::Words, 25.0, "<= 25"),
        (Self::Facets, 100.0, "<= 100"),
        (Self::Walk, 60.0, "<= 60"),
        (Self::Diamond, 60.0, "<= 60"),
        (Self::SetChanges, 60.0, "<= 60"),
    ];

    /// The part of the table in which it stands.
    pub(super) fn part(self) -> Part {
        match self {
            Self::TypeAndTag | Self::HealthAndAccount | Self::Words => Part::Search,
            Self::Facets => Part::Facets,
            Self::Walk | Self::Diamond | Self::Graph => Part::Graph,
            Self::SetChanges => Part::Changes,
            Self::Shown | Self::History | Self::Changes => Part::Readers,
        }
    }

    /// What people look at all day.
    pub(super) const OF_READERS: [Self; 6] =
        [Self::TypeAndTag, Self::HealthAndAccount, Self::Words, Self::Shown, Self::History, Self::Changes];
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TypeAndTag => "search by type and tag",
            Self::HealthAndAccount => "search by health and account",
            Self::Words => "search by free words",
            Self::Facets => "facets over the whole catalog",
            Self::Walk => "walk of 5 steps, both ways",
            Self::Diamond => "walk of 5 steps, into the diamond",
            Self::Graph => "walk with the rows and relations of what it meets",
            Self::SetChanges => "changes of 1,000 resources and all downstream",
            Self::Shown => "one resource with its documents",
            Self::History => "the versions of a resource",
            Self::Changes => "the changes of a resource",
        })
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) catalog: Catalog,
    pub(super) estate: Estate,
}

impl Reader {
    /// Asks the `n`th question of a sort; the answer is how long it took.
    pub(super) async fn ask(
        &self,
        question: Question,
        n: u64,
        at: Option<Timestamp>,
    ) -> anyhow::Result<Duration> {
        let as_of = AsOf { at, recorded_at: None };
        let text = self.selector(question, n);
        let selector = selector::parse(&text).with_context(|| format!("cannot read {text}"))?;
        let walk = |direction| Walk { direction, depth: DEPTH, max_nodes: NODES, as_of, ..Walk::default() };
        let began = Instant::now();
        match question {
            Question::TypeAndTag | Question::HealthAndAccount | Question::Words => {
                let query = ResourceQuery { selector, as_of, limit: LIMIT, ..Default::default() };
                self.catalog.resources(&query).await?;
            }
            Question::Facets => {
                self.catalog.facets(&ResourceQuery { as_of, ..Default::default() }).await?;
            }
            Question::Walk => {
                self.catalog.walk_alone(self.id(n), &walk(Direction::Both)).await?;
            }
            Question::Diamond => {
                self.catalog.walk_alone(self.estate.diamond(), &walk(Direction::Out)).await?;
            }
            Question::Graph => {
                self.catalog.graph(self.id(n), &walk(Direction::Both)).await?;
            }
            Question::SetChanges => {
                let walk = Walk { depth: DOWNSTREAM, ..walk(Direction::Out) };
                let of = Some(ResourceSet { selector, walk });
                let query = ChangeQuery { of, until: at, limit: LIMIT, ..Default::default() };
                self.catalog.changes(&query).await?;
            }
            Question::Shown => {
                self.catalog.resource(self.id(n)).await?;
            }
            Question::History => {
                self.catalog
                    .history(&HistoryQuery { limit: LIMIT, as_of, ..HistoryQuery::of(self.id(n)) })
                    .await?;
            }
            Question::Changes => {
                let query =
                    ChangeQuery { resource: Some(self.id(n)), until: at, limit: LIMIT, ..Default::default() };
                self.catalog.changes(&query).await?;
            }
        }
        Ok(began.elapsed())
    }

    /// Asks so many questions of a sort one after the other, each once before, so that what they need is in memory.
    pub(super) async fn ask_often(
        &self,
        question: Question,
        times: u64,
        at: Option<Timestamp>,
    ) -> anyhow::Result<Times> {
        for n in 0..times {
            self.ask(question, n, at).await?;
        }
        let mut took = Times::default();
        for n in 0..times {
            took.add(self.ask(question, n, at).await?);
        }
        Ok(took)
    }

    /// Some resource of the estate.
    fn id(&self, n: u64) -> ResourceId {
        self.estate.seed_of(self.some(n)).key.id()
    }

    fn some(&self, n: u64) -> u64 {
        ((self.estate.draw(n, 60) * self.estate.resources as f64) as u64).min(self.estate.resources - 1)
    }

    /// A selector that describes a resource of the estate, and others like it.
    fn selector(&self, question: Question, n: u64) -> String {
        let like = self.estate.seed_of(self.some(n));
        match question {
            Question::TypeAndTag => {
                let (key, value) =
                    [("team", like.team), ("env", like.env), ("app", like.app)][n as usize % 3];
                format!("type={} tags.{key}={value}", like.key.kind)
            }
            Question::HealthAndAccount => {
                format!("health={} account={}", ["unhealthy", "warning"][n as usize % 2], like.key.account)
            }
            Question::SetChanges => self.set(n),
            Question::Words => match n % 3 {
                0 => like.app.to_owned(),
                1 => format!("{} {}", like.app, like.team),
                _ => like.name,
            },
            Question::Facets
            | Question::Walk
            | Question::Diamond
            | Question::Graph
            | Question::Shown
            | Question::History
            | Question::Changes => String::new(),
        }
    }

    /// A selector of about as many resources as a place has: a region of an account that has few.
    fn set(&self, n: u64) -> String {
        let places = self.estate.places();
        let place = places - 1 - n * 37 % (places * 3 / 10).max(1);
        let like =
            (0..self.estate.resources / places).map(|rank| self.estate.seed_of(place + rank * places).key);
        like.skip_while(|key| key.region == "global")
            .map(|key| format!("account={} region={},global", key.account, key.region))
            .next()
            .unwrap_or_default()
    }
}
