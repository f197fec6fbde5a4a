use std::io::Cursor;

use serde_json::json;

use super::*;

fn batches(input: impl Into<Vec<u8>>) -> Vec<Batch> {
    Cutter::new(Cursor::new(input.into())).collect::<io::Result<_>>().unwrap()
}

/// A batch as it should be: the input's lines from one on.
fn lines_from(first: usize, text: &str) -> Batch {
    let body = format!("{}{text}", "\n".repeat(first - 1)).into_bytes();
    Batch { body, compressed: false, origin: Origin::Lines }
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
    let mut rest = &*input;
    let mut first = 1;
    for batch in &batches {
        let length = batch.body.len() - (first - 1);
        assert!(length <= BATCH_BYTES && batch.body.ends_with(b"\n"));
        let (text, after) = rest.split_at(length);
        assert!(batch == &lines_from(first, text));
        first += text.lines().count();
        rest = after;
    }
    assert_eq!((first, rest), (3001, ""));
}

#[test]
fn the_server_finds_items_at_their_place_in_the_input() {
    let mut input = lines(1500);
    input += "nonsense\n";
    let batches = batches(input);
    let pieces = events::split(&batches.last().unwrap().body);
    let refused = pieces.iter().find(|piece| piece.payload.is_err()).unwrap();
    assert_eq!(refused.place, "line 1501");
}

#[test]
fn a_large_log_file_goes_on_as_one_record_a_line() {
    let records: Vec<_> = (0..5000).map(|n| json!({"eventID": n, "filling": "x".repeat(1000)})).collect();
    for input in [json!({"Records": records}).to_string(), format!("{:#}", json!({"Records": records}))] {
        let batches = batches(input);
        let pieces: Vec<&Piece> = batches
            .iter()
            .flat_map(|batch| match &batch.origin {
                Origin::Pieces(pieces) => pieces,
                Origin::Lines | Origin::Alone(_) | Origin::Broken(_) => panic!("the records were not split"),
            })
            .collect();
        assert_eq!(pieces.len(), 5000);
        assert!(pieces[4321].place.contains("Records[4321]"), "{}", pieces[4321].place);
        assert!(batches.iter().all(|batch| batch.body.len() < BODY_BYTES));
    }
}

#[test]
fn an_item_that_is_too_large_goes_alone_and_compressed() {
    let batches = batches(format!("{{}}\n{}\n{{}}\n", json!({"filling": "x".repeat(5_000_000)})));
    assert_eq!(batches.len(), 3);
    assert!(
        matches!(&batches[1].origin, Origin::Alone(piece) if piece.place == "line 2"),
        "{:?}",
        batches[1].origin
    );
    assert!(batches[1].compressed && batches[1].body.len() < BODY_BYTES);
    assert_eq!(batches[2], lines_from(3, "{}\n"));
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
    assert_eq!(batches, [lines_from(1, input)]);
}

#[test]
fn a_malformed_line_is_no_document_and_stays_among_its_neighbours() {
    let input = "nonsense\n{\"a\": 1}\n";
    assert_eq!(batches(input), [lines_from(1, input)]);
}

#[test]
fn a_compressed_file_that_is_cut_gives_its_whole_lines_and_one_item_that_is_refused() {
    let input = lines(200);
    let mut cut = compress(input.as_bytes());
    cut.truncate(cut.len() - 200);
    let batches = batches(cut);
    let [Batch { origin: Origin::Lines, .. }, Batch { compressed: true, origin: Origin::Broken(_), .. }] =
        &batches[..]
    else {
        panic!("{batches:?}")
    };
}

#[test]
fn what_is_sent_for_broken_data_is_refused_as_the_data_itself_is() {
    let whole = compress(lines(200).as_bytes());
    let mut damaged = whole.clone();
    let checksum = damaged.len() - GZIP_END;
    damaged[checksum] ^= 1;
    let document = compress(format!("{:#}", json!({"Records": [1, 2, 3]})).as_bytes());
    for input in
        [whole[..whole.len() - 200].to_vec(), damaged, document[..document.len() - GZIP_END].to_vec()]
    {
        let refused = |bytes: &[u8]| {
            let piece = events::split(bytes).pop().unwrap();
            (piece.place, piece.payload.unwrap_err())
        };
        let sent = batches(input.clone()).pop().unwrap();
        assert_eq!(refused(&sent.body), refused(&input));
    }
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
fn places_within_a_line_become_places_in_the_input() {
    assert_eq!(shift("line 1, Records[4]", 11), "line 11, Records[4]");
    assert_eq!(shift("Records[4]", 7), "line 7, Records[4]");
    assert_eq!(shift("line 1", 7), "line 7");
    assert_eq!(shift("", 7), "line 7");
}

#[test]
fn a_raw_item_is_written_on_one_line() {
    assert_eq!(one_line(b" {\n \"a\": 1\r\n}\n"), b"{  \"a\": 1  }");
}
