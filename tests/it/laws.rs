//! Law 1 on real events: whatever the order, the repeats and the cuts, the same set gives the same catalog.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Write},
    path::PathBuf,
    sync::Arc,
};

use catalog::{Catalog, ConnectOptions};
use events::Reading;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use intake::{Intake, Report};
use ports::{Clock, NoObjects, SystemClock};
use serde_json::Value;
use testkit::{TestDb, template_name, test_data};

use crate::process::{Place, random};

/// The files of AWS events that others wrote; `None` where there are none.
pub(crate) fn aws_events() -> Option<Vec<PathBuf>> {
    let folder = test_data()?.join("aws-events");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    Some(files)
}

/// Every line of the files.
fn lines(files: &[PathBuf]) -> Vec<String> {
    let mut lines = Vec::new();
    for file in files {
        let mut text = String::new();
        let mut raw = File::open(file).unwrap();
        if file.extension().is_some_and(|is| is == "gz") {
            GzDecoder::new(raw).read_to_string(&mut text).unwrap();
        } else {
            raw.read_to_string(&mut text).unwrap();
        }
        lines.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    lines
}

/// The lines in another order, an eighth of them twice or more often.
fn stirred(lines: &[String], random: &mut fastrand::Rng) -> Vec<String> {
    let mut stirred = lines.to_vec();
    stirred.extend((0..lines.len() / 8).map(|_| random.choice(lines).unwrap().clone()));
    random.shuffle(&mut stirred);
    stirred
}

/// The lines in pieces of up to `most`, as they come.
fn cut(mut lines: &[String], most: usize, random: &mut fastrand::Rng) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while !lines.is_empty() {
        let (piece, rest) = lines.split_at(random.usize(1..=most).min(lines.len()));
        pieces.push(piece.join("\n").into_bytes());
        lines = rest;
    }
    pieces
}

/// A catalog in this process, with what feeds it.
struct Fresh {
    intake: Intake,
    _database: TestDb,
}

impl Fresh {
    async fn new() -> Self {
        let options = |url: &str| ConnectOptions { url: url.to_owned(), max_connections: 2, pooler: false };
        let template = template_name("catalog", &catalog::migrator());
        let database = TestDb::from_template(&template, async |url| {
            Catalog::connect(&options(&url))?.migrate(SystemClock.now()).await
        })
        .await;
        let catalog = Catalog::connect(&options(database.url())).unwrap();
        let (objects, clock) = (Arc::new(NoObjects), Arc::new(SystemClock));
        Self { intake: Intake { catalog, objects, clock, accounts: None }, _database: database }
    }

    /// Takes the pieces one after the other.
    async fn digest_of(pieces: Vec<Vec<u8>>) -> String {
        let fresh = Self::new().await;
        let mut sum = Report::default();
        for (number, piece) in pieces.into_iter().enumerate() {
            sum.add(fresh.intake.take(&format!("piece {number}"), &piece).await.unwrap());
        }
        assert_eq!(sum.accepted + sum.duplicate + sum.ignored + sum.rejected, sum.total);
        fresh.intake.catalog.digest().await.unwrap()
    }
}

/// Asserts that nothing fell through, and says how many items there were.
fn adds_up(counts: &Value) -> u64 {
    let count = |name: &str| counts[name].as_u64().unwrap();
    let parts = ["accepted", "duplicate", "ignored", "rejected"].map(count);
    assert_eq!(parts.iter().sum::<u64>(), count("total"), "{counts}");
    count("total")
}

#[test]
fn every_item_is_counted_once_and_any_order_through_the_shell_gives_the_same_digest() {
    let Some(files) = aws_events() else { return };
    let lines = lines(&files);
    let mut random = random("shuffled files");
    let place = Place::new();
    let server = place.up(&["--no-sample"]);
    let counts = place.feed(&files);
    let per_file: Vec<u64> = counts["files"].as_array().unwrap().iter().map(adds_up).collect();
    assert_eq!(per_file.len(), files.len());
    assert_eq!(adds_up(&counts), per_file.iter().sum::<u64>());
    assert!(lines.len() as u64 <= adds_up(&counts), "fewer items than lines");
    for file in counts["files"].as_array().unwrap() {
        let rejections = file["rejections"].as_array().unwrap();
        assert_eq!(rejections.len() as u64, file["rejected"].as_u64().unwrap());
        for rejection in rejections {
            let said = |name: &str| rejection[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("place") && said("reason") && said("message"), "{rejection}");
        }
    }
    let digest = place.digest();
    println!("{} of {} items accepted, digest {digest}", counts["accepted"], counts["total"]);

    // Again, all of it known; the digest stays.
    let again = place.feed(&files);
    assert_eq!((&again["accepted"], &again["rejected"]), (&Value::from(0), &counts["rejected"]));
    assert_eq!(place.digest(), digest);

    // In other files, compressed or not.
    place.say(&["reset"]);
    assert_ne!(place.digest(), digest);
    let pieces = cut(&stirred(&lines, &mut random), lines.len() / 5, &mut random);
    let shuffled = pieces.iter().enumerate().map(|(number, piece)| {
        let path = place.path().join(format!("{number}.jsonl"));
        let mut file = File::create(&path).unwrap();
        if random.bool() {
            GzEncoder::new(file, Compression::fast()).write_all(piece).unwrap();
        } else {
            file.write_all(piece).unwrap();
        }
        path
    });
    let stirred = place.feed(&shuffled.collect::<Vec<_>>());
    adds_up(&stirred);
    assert_eq!(stirred["accepted"], counts["accepted"]);
    assert_eq!(place.digest(), digest);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_and_any_cut_gives_the_same_digest_and_fewer_records_another() {
    let Some(files) = aws_events() else { return };
    let lines = lines(&files);
    let mut random = random("shuffled batches");
    let whole = Fresh::digest_of(vec![lines.join("\n").into_bytes()]).await;
    for most in [lines.len() / 2, 200] {
        let pieces = cut(&stirred(&lines, &mut random), most, &mut random);
        println!("{} batches", pieces.len());
        assert_eq!(Fresh::digest_of(pieces).await, whole);
    }

    // Lines that tell something that no other line tells.
    let mut told: BTreeMap<_, Vec<&String>> = BTreeMap::new();
    let now = SystemClock.now();
    for line in &lines {
        for piece in events::split(line.as_bytes()) {
            if let Ok(Reading::Observed(observation)) = piece.payload.and_then(|it| events::read(&it, now)) {
                told.entry(observation.key.to_string()).or_default().push(line);
            }
        }
    }
    let once: Vec<&String> = told.values().filter(|lines| lines.len() == 1).map(|lines| lines[0]).collect();
    let left_out = random.choose_multiple(once, 50);
    let kept: Vec<String> = lines.iter().filter(|line| !left_out.contains(line)).cloned().collect();
    assert!(kept.len() + 50 <= lines.len());
    let fewer = Fresh::digest_of(vec![kept.join("\n").into_bytes()]).await;
    assert_ne!(fewer, whole);
}
