use std::io::Cursor;

use serde_json::json;

use super::*;

fn batches(input: impl Into<Vec<u8>>) -> Vec<Batch> {
    Cutter::new(Cursor::new(input.into())).collect::<io::Result<_>>().unwrap()
}

fn first_lines(batches: &[Batch]) -> Vec<Option<u64>> {
    batches
        .iter()
        .map(|batch| match batch.origin {
            Origin::Lines { first } => Some(first),
            Origin::Pieces(_) | Origin::Alone(_) => None,
        })
        .collect()
}

/// Lines of about 1 kB.
fn lines(count: usize) -> String {
    let filling = "x".repeat(1000);
    (0..count).map(|number| format!("{}\n", json!({"number": number, "filling": filling}))).collect()
}

#[test]
fn lines_become_batches_that_end_at_line_ends_and_lose_nothing() {
    let input = lines(3000);
    let batches = batches(input.clone());
    assert_eq!(batches.len(), 3);
    assert!(batches.iter().all(|batch| batch.body.len() <= BATCH_BYTES && batch.body.ends_with(b"\n")));
    let joined: Vec<u8> = batches.iter().flat_map(|batch| batch.body.clone()).collect();
    assert_eq!(joined, input.into_bytes());
    let mut counted = 1;
    for batch in &batches {
        assert_eq!(batch.origin, Origin::Lines { first: counted });
        counted += batch.body.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}

#[test]
fn compressed_lines_are_cut_the_same_way() {
    let input = lines(1500);
    assert_eq!(batches(compress(input.as_bytes())), batches(input));
}

#[test]
fn an_input_with_nothing_in_it_has_no_batches() {
    assert_eq!(batches(""), []);
    assert_eq!(batches("\n  \r\n"), []);
}

#[test]
fn a_document_over_many_lines_goes_as_it_is_when_it_fits() {
    let input = "\n{\n  \"Records\": [\n    {\"a\": 1}\n  ]\n}\n";
    let batches = batches(input);
    assert_eq!(batches, [Batch { body: input.into(), origin: Origin::Lines { first: 1 } }]);
}

#[test]
fn a_malformed_line_is_no_document_and_stays_among_its_neighbours() {
    let batches = batches("nonsense\n{\"a\": 1}\n");
    assert_eq!(first_lines(&batches), [Some(1)]);
}

#[test]
fn a_compressed_file_that_is_cut_gives_its_whole_lines_and_one_item_that_is_refused() {
    let input = lines(200);
    let mut cut = compress(input.as_bytes());
    cut.truncate(cut.len() - 200);
    let batches = batches(cut);
    let [Batch { origin: Origin::Lines { first: 1 }, .. }, Batch { body, origin: Origin::Alone(piece) }] =
        &batches[..]
    else {
        panic!("{batches:?}")
    };
    assert_eq!(body, &CUT_GZIP);
    assert!(piece.payload.as_ref().is_err_and(|rejection| rejection.reason == Reason::MalformedGzip));
}

#[test]
fn a_reader_that_fails_is_an_error_after_the_batches_before_it() {
    struct Fails(Cursor<Vec<u8>>);
    impl Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }
    let mut cutter = Cutter::new(Fails(Cursor::new(b"{}\n{}\n".to_vec())));
    assert!(cutter.next().is_some_and(|batch| batch.is_ok()));
    assert_eq!(cutter.next().unwrap().unwrap_err().to_string(), "the disk is gone");
    assert!(cutter.next().is_none());
}

#[test]
fn places_in_a_batch_become_places_in_the_input() {
    assert_eq!(shift("line 3, Records[4]", 11, true), "line 13, Records[4]");
    assert_eq!(shift("line 3", 1, true), "line 3");
    assert_eq!(shift("Records[4]", 1, true), "Records[4]");
    assert_eq!(shift("Records[4]", 7, true), "line 7, Records[4]");
    assert_eq!(shift("", 7, true), "line 7");
}

#[test]
fn a_raw_item_is_written_on_one_line() {
    assert_eq!(one_line(b" {\n \"a\": 1\r\n}\n"), b"{  \"a\": 1  }");
}
