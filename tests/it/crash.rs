//! Law 2 on real events: `kill -9` at any moment, and the retry finishes it.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    laws::aws_events,
    process::{Place, Server, counts, random},
};

/// Moments at which a server is killed.
const KILLS: usize = 10;
/// In every third of them Postgres is killed, too.
const POSTGRES_EVERY: usize = 3;
/// How often nobody starts the server again before its client has given up.
const LEFT_ALONE: usize = 2;
/// A client gives up after a quarter of a minute.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is kept of the rejected items.
fn rejected(place: &Place) -> Vec<Value> {
    let listed: Value = serde_json::from_str(&place.say(&["rejected", "--all", "--output", "json"])).unwrap();
    let mut kept: Vec<Value> = listed["items"].as_array().unwrap().clone();
    for item in &mut kept {
        // Each run is at its own time.
        item.as_object_mut().unwrap().remove("recorded_at");
    }
    kept.sort_by_key(Value::to_string);
    kept
}

/// Asserts that a client said what is to be done.
fn gave_up(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for words in ["stopped with ", "running the same command again is safe", "no Perigee answers at"] {
        assert!(said.contains(words), "it does not say `{words}`: {said}");
    }
}

/// Kills what runs; with Postgres at times.
fn crash(place: &Place, server: Server, number: usize) {
    server.kill();
    if number.is_multiple_of(POSTGRES_EVERY) {
        place.kill_postgres();
    }
}

#[test]
fn a_server_that_is_killed_at_any_moment_ends_with_the_same_catalog() {
    let Some(files) = aws_events() else { return };
    let mut random = random("moments");
    let place = Place::new();
    let mut server = place.up(&["--no-sample"]);
    let began = Instant::now();
    let undisturbed = place.feed(&files);
    let takes = began.elapsed();
    let (digest, kept) = (place.digest(), rejected(&place));
    println!("{} items take {takes:?}", undisturbed["total"]);

    let (mut kills, mut left_alone) = (0, 0);
    while kills < KILLS {
        place.say(&["reset"]);
        let mut client = place.ingest(&files);
        let ended = loop {
            let moment = takes.mul_f64(random.f64());
            match client.within(moment) {
                // The server was gone before its client had found it.
                Some(output) if output.status.code() == Some(1) => {
                    gave_up(&output);
                    client = place.ingest(&files);
                    continue;
                }
                Some(output) => break output,
                None if kills == KILLS => continue,
                None => {}
            }
            println!("killed after {moment:?}");
            crash(&place, server, kills);
            // The client waits for the server; now and then until it has no patience left.
            if left_alone < LEFT_ALONE && kills % 2 == 1 {
                let output = client.within(PATIENCE).expect("the client should give up");
                server = place.up(&["--no-sample"]);
                if output.status.code() != Some(1) {
                    // It had its last answer when the server was killed.
                    break output;
                }
                gave_up(&output);
                left_alone += 1;
                client = place.ingest(&files);
            } else {
                server = place.up(&["--no-sample"]);
            }
            kills += 1;
        };
        let ended = counts(&ended);
        assert_eq!(ended["total"], undisturbed["total"]);
        assert_eq!(place.digest(), digest);
        assert_eq!(rejected(&place), kept);
    }
    assert_eq!(left_alone, LEFT_ALONE);
    server.stop();
}
