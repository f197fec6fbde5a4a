//! The estate: what lies in it is drawn from a seed, and written by a few statements over whole tables.

use std::time::{Duration, Instant};

use model::{ResourceId, ResourceKey, Timestamp};
use sqlx::{PgConnection, postgres::PgPoolCopyExt};

use super::kinds::{self, KINDS, Kind};
use crate::{Catalog, Error};

/// The accounts.
const ACCOUNTS: u64 = 200;
/// The levels of the diamond.
const LEVELS: u64 = 12;
/// The most resources of one of its levels.
const WIDEST: u64 = 30;

const APPS: [&str; 40] = [
    "checkout",
    "payments",
    "search",
    "ledger",
    "catalogue",
    "identity",
    "shipping",
    "billing",
    "orders",
    "inventory",
    "profile",
    "notifications",
    "reports",
    "pricing",
    "recommend",
    "fraud",
    "media",
    "gateway",
    "audit",
    "support",
    "loyalty",
    "returns",
    "tax",
    "carts",
    "reviews",
    "warehouse",
    "routing",
    "partner",
    "metrics",
    "sessions",
    "documents",
    "signing",
    "archive",
    "geocode",
    "mail",
    "chat",
    "planner",
    "feeds",
    "vault",
    "sandbox",
];
const ROLES: [&str; 8] = ["api", "worker", "web", "db", "cache", "queue", "batch", "edge"];
const ENVS: [(&str, f64); 4] = [("prod", 0.5), ("dev", 0.25), ("stage", 0.2), ("test", 0.05)];
const TEAMS: [&str; 24] = [
    "apricot", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbour", "indigo", "juniper",
    "krill", "lagoon", "marble", "nimbus", "onyx", "pepper", "quartz", "raven", "saffron", "tundra", "umber",
    "violet", "willow", "zephyr",
];
const REGIONS: [(&str, f64); 14] = [
    ("us-east-1", 0.34),
    ("eu-west-1", 0.2),
    ("us-west-2", 0.12),
    ("eu-central-1", 0.1),
    ("ap-southeast-1", 0.05),
    ("ap-northeast-1", 0.04),
    ("us-east-2", 0.04),
    ("eu-west-2", 0.03),
    ("ap-southeast-2", 0.02),
    ("ca-central-1", 0.02),
    ("sa-east-1", 0.01),
    ("eu-north-1", 0.01),
    ("ap-south-1", 0.01),
    ("eu-west-3", 0.01),
];

/// An estate: the same seed, size and instant give the same one.
#[derive(Debug, Clone, Copy)]
pub struct Estate {
    /// How many resources.
    pub resources: u64,
    /// What everything is drawn from.
    pub seed: u64,
    /// The instant at which it ends.
    pub now: Timestamp,
}

/// A resource of the estate, as far as it does not depend on time.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its number.
    pub n: u64,
    /// What identifies it.
    pub key: ResourceKey,
    /// Its type.
    pub kind: &'static Kind,
    /// The index of its type among [`KINDS`].
    pub kind_index: usize,
    /// What it is called first.
    pub name: String,
    /// The application it belongs to.
    pub app: &'static str,
    /// The environment.
    pub env: &'static str,
    /// The team.
    pub team: &'static str,
}

impl Estate {
    /// Pools of resources that point at one another: a region of an account, or a part of one.
    #[must_use]
    pub fn places(&self) -> u64 {
        (self.resources / 10).clamp(1, 1_000)
    }

    /// How many of each place are what the others point at.
    fn base(&self) -> u64 {
        (self.resources.div_ceil(self.places()) * 2 / 5).max(1)
    }

    /// How many resources each level of the diamond has.
    #[must_use]
    pub fn width(&self) -> u64 {
        ((self.resources as f64).sqrt() / 33.0).ceil().clamp(1.0, WIDEST as f64) as u64
    }

    /// The resource that the diamond begins with.
    #[must_use]
    pub fn diamond(&self) -> ResourceId {
        self.seed_of(self.resources.saturating_sub(LEVELS * self.width())).key.id()
    }

    /// A number in 0..1 that is drawn for `n`.
    #[must_use]
    pub fn draw(&self, n: u64, what: u64) -> f64 {
        let bits = mixed(mixed(self.seed ^ what.wrapping_mul(0x2545_f491_4f6c_dd1d)) ^ n) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// The `n`th resource.
    #[must_use]
    pub fn seed_of(&self, n: u64) -> Seed {
        let place = n % self.places();
        let (account, region) = self.place(place);
        let base = n / self.places() < self.base();
        let (kind_index, kind) = pick_kind(base, self.draw(n, 1));
        let app = (APPS.len() as f64 * self.draw(n, 2).powi(2)) as usize;
        let env = pick(&ENVS, self.draw(n, 3));
        let role = ROLES[(ROLES.len() as f64 * self.draw(n, 4)) as usize % ROLES.len()];
        let name = format!("{}-{role}-{env}-{n:x}", APPS[app % APPS.len()]);
        let native_id = if kind.prefix.is_empty() {
            name.clone()
        } else {
            format!("{}0{:016x}", kind.prefix, mixed(self.seed ^ n))
        };
        Seed {
            n,
            key: ResourceKey {
                provider: "aws".to_owned(),
                partition: "aws".to_owned(),
                account,
                region: if kind.global { "global".to_owned() } else { region.to_owned() },
                kind: kind.name.to_owned(),
                native_id,
            },
            kind,
            kind_index,
            name,
            app: APPS[app % APPS.len()],
            env,
            team: TEAMS[app % TEAMS.len()],
        }
    }

    /// Account and region of a place: the first accounts have the most.
    fn place(&self, place: u64) -> (String, &'static str) {
        let share = place as f64 / self.places() as f64;
        let account = (ACCOUNTS as f64 * share * share) as u64;
        let region = pick(&REGIONS, self.draw(place, 5));
        ((100_000_000_000 + account * 4_000_003_u64).to_string(), region)
    }
}

/// Another number for each (the finalizer of splitmix64).
fn mixed(n: u64) -> u64 {
    let mut n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn pick(words: &[(&'static str, f64)], mut luck: f64) -> &'static str {
    for (word, share) in words {
        if luck < *share {
            return word;
        }
        luck -= share;
    }
    words.first().map_or("", |(word, _)| word)
}

fn pick_kind(base: bool, luck: f64) -> (usize, &'static Kind) {
    let mut left = luck * 1_000.0;
    for (index, kind) in KINDS.iter().enumerate().filter(|(_, kind)| kind.base == base) {
        if left < f64::from(kind.weight) {
            return (index, kind);
        }
        left -= f64::from(kind.weight);
    }
    (0, &KINDS[0])
}

/// The statements of one table or a few, and what is told when they are done.
type Part = (&'static str, &'static str);

const FIRST: [Part; 2] = [
    ("draw", include_str!("../../queries/bench/draw.sql")),
    ("lives", include_str!("../../queries/bench/lives.sql")),
];
/// The two halves are written at the same time.
const DOCUMENTS: [Part; 2] = [
    ("documents", include_str!("../../queries/bench/documents.sql")),
    ("versions", include_str!("../../queries/bench/versions.sql")),
];
const OTHERS: [Part; 5] = [
    ("resources", include_str!("../../queries/bench/resources.sql")),
    ("edges", include_str!("../../queries/bench/edges.sql")),
    ("changes", include_str!("../../queries/bench/changes.sql")),
    ("health", include_str!("../../queries/bench/health.sql")),
    ("counts", include_str!("../../queries/bench/counts.sql")),
];

impl Catalog {
    /// Fills an empty catalog with an estate, and tells how long each part took. Only for a database of its own: the
    /// tables are emptied, and lose their indexes for a while.
    ///
    /// # Errors
    /// What the database says. The database is of no use then.
    pub async fn build_estate(
        &self,
        estate: &Estate,
        told: &(dyn Fn(&'static str, Duration) + Send + Sync),
    ) -> Result<(), Error> {
        let began = Instant::now();
        run(&self.pool, include_str!("../../queries/bench/begin.sql")).await?;
        self.plant(estate).await?;
        told("seeds", began.elapsed());
        self.parts(&FIRST, told).await?;
        let (documents, others) =
            futures_util::future::join(self.parts(&DOCUMENTS, told), self.parts(&OTHERS, told)).await;
        documents.and(others)?;
        run(&self.pool, include_str!("../../queries/bench/end.sql")).await?;
        let began = Instant::now();
        run(&self.pool, "vacuum (analyze, parallel 2)").await?;
        told("statistics", began.elapsed());
        Ok(())
    }

    /// The estate that lies in the database, if one does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn estate(&self) -> Result<Option<Estate>, Error> {
        let reading = Error::reading("the estate");
        let there: bool = sqlx::query_scalar("select to_regclass('perigee_bench.settings') is not null")
            .fetch_one(&self.pool)
            .await
            .map_err(&reading)?;
        if !there {
            return Ok(None);
        }
        let row: Option<(i64, i64, Timestamp)> =
            sqlx::query_as("select resources, seed, at from perigee_bench.settings")
                .fetch_optional(&self.pool)
                .await
                .map_err(&reading)?;
        Ok(row.map(|(resources, seed, now)| Estate {
            resources: resources.unsigned_abs(),
            seed: seed.unsigned_abs(),
            now,
        }))
    }

    /// Writes down what the statements are to know: the settings, the types, and who there is.
    async fn plant(&self, estate: &Estate) -> Result<(), Error> {
        let writing = Error::writing("the estate");
        sqlx::query("insert into perigee_bench.settings values ($1, $2, $3, $4, $5, $6)")
            .bind(estate.resources.cast_signed())
            .bind(estate.places().cast_signed())
            .bind(estate.base().cast_signed())
            .bind(estate.width().cast_signed())
            .bind(estate.seed.cast_signed())
            .bind(estate.now)
            .execute(&self.pool)
            .await
            .map_err(&writing)?;
        for (index, kind) in KINDS.iter().enumerate() {
            let arn = kind.arn.split_once(':').map(|(service, rest)| {
                format!("arn:aws:{service}:{}:<account>:{rest}", if kind.global { "" } else { "<region>" })
            });
            sqlx::query("insert into perigee_bench.kinds values ($1, $2, $3, $4, $5, $6, $7)")
                .bind(i16::try_from(index).unwrap_or_default())
                .bind(kind.name)
                .bind(kind.judged)
                .bind(kind.dns)
                .bind(arn.unwrap_or_default())
                .bind(kind.relation())
                .bind(kinds::for_format(&kind.document()))
                .execute(&self.pool)
                .await
                .map_err(&writing)?;
        }
        let copy = "copy perigee_bench.seeds from stdin";
        let mut copy = self.pool.copy_in_raw(copy).await.map_err(&writing)?;
        let mut text = String::new();
        for n in 0..estate.resources {
            let Seed { key, kind_index, name, app, env, team, .. } = estate.seed_of(n);
            let line = [
                &n.to_string(),
                &key.id().to_string(),
                &kind_index.to_string(),
                key.account.as_str(),
                &key.region,
                &key.native_id,
                &name,
                app,
                env,
                team,
            ];
            text.push_str(&line.join("\t"));
            text.push('\n');
            if text.len() > 1 << 20 {
                copy.send(text.as_bytes()).await.map_err(&writing)?;
                text.clear();
            }
        }
        copy.send(text.as_bytes()).await.map_err(&writing)?;
        copy.finish().await.map_err(&writing)?;
        Ok(())
    }

    async fn parts(
        &self,
        parts: &[Part],
        told: &(dyn Fn(&'static str, Duration) + Send + Sync),
    ) -> Result<(), Error> {
        let mut connection = self.pool.acquire().await.map_err(Error::connecting)?;
        // What is set for the session is nobody else's business.
        connection.close_on_drop();
        let connection: &mut PgConnection = &mut connection;
        run(
            &mut *connection,
            "set work_mem = '512MB'; set maintenance_work_mem = '1GB'; set synchronous_commit = off;
             set max_parallel_maintenance_workers = 2",
        )
        .await?;
        for (name, sql) in parts {
            let began = Instant::now();
            run(&mut *connection, sql).await?;
            told(name, began.elapsed());
        }
        Ok(())
    }
}

async fn run(db: impl sqlx::PgExecutor<'_>, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(db).await.map_err(Error::writing("the estate"))?;
    Ok(())
}
