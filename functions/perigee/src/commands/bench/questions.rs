//! What readers ask: the same questions in the same order on every machine.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::Context;
use catalog::{Catalog, ChangeQuery, Direction, ResourceQuery, Walk, bench::Estate};
use model::ResourceId;

use super::times::Times;

/// How many items of a list.
const LIMIT: u16 = 50;
/// How far a walk goes.
pub(super) const DEPTH: u32 = 5;
/// How many resources it may meet.
const NODES: u32 = 5_000;

/// A sort of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    TypeAndTag,
    HealthAndAccount,
    Words,
    Walk,
    Diamond,
    Shown,
    History,
    Changes,
}

impl Question {
    /// Those that have a bar, each with the most milliseconds that the slowest of a hundred may take.
    pub(super) const WITH_BARS: [(Self, f64, &'static str); 5] = [
        (Self::TypeAndTag, 25.0, "<= 25"),
        (Self::HealthAndAccount, 25.0, "<= 25"),
        (Self::Words, 25.0, "<= 25"),
        (Self::Walk, 60.0, "<= 60"),
        (Self::Diamond, 60.0, "<= 60"),
    ];

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
            Self::Walk => "walk of 5 steps, both ways",
            Self::Diamond => "walk of 5 steps, into the diamond",
            Self::Shown => "one resource with its documents",
            Self::History => "the versions of a resource",
            Self::Changes => "the changes of a resource",
        })
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) estate: &'a Estate,
}

impl Reader<'_> {
    /// Asks the `n`th question of a sort; the answer is how long it took.
    pub(super) async fn ask(&self, question: Question, n: u64) -> anyhow::Result<Duration> {
        let began = Instant::now();
        match question {
            Question::TypeAndTag | Question::HealthAndAccount | Question::Words => {
                let text = self.selector(question, n);
                let selector = selector::parse(&text).with_context(|| format!("cannot read {text}"))?;
                self.catalog
                    .resources(&ResourceQuery { selector, limit: LIMIT, ..Default::default() })
                    .await?;
            }
            Question::Walk => self.walk(self.id(n), Direction::Both).await?,
            Question::Diamond => self.walk(self.estate.diamond(), Direction::Out).await?,
            Question::Shown => {
                self.catalog.resource(self.id(n)).await?;
            }
            Question::History => {
                self.catalog.history(self.id(n), LIMIT, None).await?;
            }
            Question::Changes => {
                let query = ChangeQuery { resource: Some(self.id(n)), limit: LIMIT, ..Default::default() };
                self.catalog.changes(&query).await?;
            }
        }
        Ok(began.elapsed())
    }

    /// Asks so many questions of a sort one after the other, each once before, so that what they need is in memory.
    pub(super) async fn ask_often(&self, question: Question, times: u64) -> anyhow::Result<Times> {
        for n in 0..times {
            self.ask(question, n).await?;
        }
        let mut took = Times::default();
        for n in 0..times {
            took.add(self.ask(question, n).await?);
        }
        Ok(took)
    }

    async fn walk(&self, from: ResourceId, direction: Direction) -> anyhow::Result<()> {
        self.catalog.graph(from, Walk { direction, depth: DEPTH, max_nodes: NODES }).await?;
        Ok(())
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
            _ => match n % 3 {
                0 => like.app.to_owned(),
                1 => format!("{} {}", like.app, like.team),
                _ => like.name,
            },
        }
    }
}
