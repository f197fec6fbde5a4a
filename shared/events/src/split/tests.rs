use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One line a piece: its place, and the payload or the reason.
fn told(bytes: &[u8]) -> String {
    let lines: Vec<String> = split(bytes)
        .iter()
        .map(|piece| match &piece.payload {
            Ok(value) => format!("{} | {value}", piece.place),
            Err(rejection) => format!("{} | {}: {rejection}", piece.place, rejection.reason.as_str()),
        })
        .collect();
    lines.join("\n")
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the many callers")]
fn check(input: &str, expected: expect_test::Expect) {
    expected.assert_eq(&told(input.as_bytes()));
}

#[test]
fn lines_documents_and_arrays_are_cut() {
    check(
        "\u{feff}{\"a\":1}\r\n\r\n  {\"b\":[2]}{\"c\":3}\n{\n  \"d\": {\n    \"e\": 4\n  }\n}\n[{\"f\":5},{\"g\":6}]\n",
        expect_test::expect![[r#"
            line 1 | {"a":1}
            line 3, column 3 | {"b":[2]}
            line 3, column 12 | {"c":3}
            line 4 | {"d":{"e":4}}
            line 9, [0] | {"f":5}
            line 9, [1] | {"g":6}"#]],
    );
}

#[test]
fn a_broken_line_costs_only_itself() {
    check(
        "{\"a\":1}\n{\"b\": nope}\n{\"c\": \"cut\n{\"d\":[1\nnot json\n{\"e\":5}\n{\"f\":",
        expect_test::expect![[r#"
            line 1 | {"a":1}
            line 2 | malformed_json: This is not JSON: a word is none of `true`, `false` and `null`; texts stand in double quotes (line 2, column 8)
            line 3 | malformed_json: The document that begins at line 3, column 1 is cut: it does not end
            line 4 | malformed_json: The document that begins at line 4, column 1 is cut: it does not end
            line 6 | {"e":5}
            line 7 | malformed_json: The document that begins at line 7, column 1 is cut: it does not end"#]],
    );
}

#[test]
fn what_is_not_json_is_called_by_its_beginning() {
    check(
        "\n nothing to see here, move along",
        expect_test::expect![
            "line 2, column 2 | malformed_json: This is not JSON: it begins with `nothing to s`; expected an object such as an EventBridge event or a CloudTrail record (line 2, column 2)"
        ],
    );
    check(
        "<!DOCTYPE html>\n<html>",
        expect_test::expect![[r#"
        line 1 | malformed_json: This is not JSON: it begins with `<!DOCTYPE ht`; expected an object such as an EventBridge event or a CloudTrail record (line 1, column 1)
        line 2 | malformed_json: This is not JSON: expected an object such as an EventBridge event or a CloudTrail record (line 2, column 1)"#]],
    );
    check(
        "{'a': 1}\n{\"a\": }\n{\"a\": 1,}\n{\"a\" 1}\n{\"a\": 01}",
        expect_test::expect![[r#"
        line 1 | malformed_json: This is not JSON: a field's name must stand in double quotes (line 1, column 2)
        line 2 | malformed_json: This is not JSON: a value is missing, or is none that JSON has (line 2, column 7)
        line 3 | malformed_json: This is not JSON: a comma stands before the closing bracket (line 3, column 9)
        line 4 | malformed_json: This is not JSON: expected `:` (line 4, column 6)
        line 5 | malformed_json: This is not JSON: invalid number (line 5, column 8)"#]],
    );
    check(
        "\u{1}\u{2}",
        expect_test::expect![
            "line 1 | malformed_json: This is not JSON: expected an object such as an EventBridge event or a CloudTrail record (line 1, column 1)"
        ],
    );
}

#[test]
fn what_is_not_json_is_quoted_without_its_secrets() {
    let key = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASC";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    let token = format!("ghp_{}", "a1".repeat(18));
    for (input, hidden) in [
        (pem.as_str(), "MII"),
        (&token, "ghp_"),
        ("pwd=correct-horse-battery", "corr"),
        ("password:\ncorrect-horse-battery", "corr"),
    ] {
        let told = told(input.as_bytes());
        assert!(!told.contains(hidden), "{told}");
    }
}

#[test]
fn a_log_file_and_a_snapshot_are_lists() {
    check(
        r#"{"Records":[{"eventName":"A"},{"eventName":"B"}]}"#,
        expect_test::expect![[r#"
            Records[0] | {"eventName":"A"}
            Records[1] | {"eventName":"B"}"#]],
    );
    check(
        "{\"fileVersion\":\"1.0\",\"configurationItems\":[{\"x\":1}]}\n{\"Records\":[]}\n{\"y\":2}",
        expect_test::expect![[r#"
            line 1, configurationItems[0] | {"x":1}
            line 3 | {"y":2}"#]],
    );
}

#[test]
fn every_list_of_a_document_is_taken() {
    check(
        r#"{"CompositeAlarms":[{"c":1},{"c":2}],"MetricAlarms":[{"m":1}]}"#,
        expect_test::expect![[r#"
            MetricAlarms[0] | {"m":1}
            CompositeAlarms[0] | {"c":1}
            CompositeAlarms[1] | {"c":2}"#]],
    );
    check(
        "{\"MetricAlarms\":[],\"CompositeAlarms\":[{\"c\":1}]}\n{\"MetricAlarms\":[],\"CompositeAlarms\":[]}",
        expect_test::expect!["line 1, CompositeAlarms[0] | {\"c\":1}"],
    );
}

#[test]
fn wrappings_are_undone_in_any_nesting() {
    let event = json!({"source": "aws.ec2", "detail-type": "x", "detail": {}});
    let sns = json!({"Type": "Notification", "TopicArn": "t", "Message": event.to_string()});
    let queue = json!({"Records": [
        {"messageId": "1", "eventSource": "aws:sqs", "body": event.to_string()},
        {"messageId": "2", "eventSource": "aws:sqs", "body": sns.to_string()},
        {"EventSource": "aws:sns", "Sns": {"Message": event.to_string()}},
        {"messageId": "3", "eventSource": "aws:sqs", "body": "hello"},
        {"messageId": "4", "eventSource": "aws:sqs", "body": "{\"broken"},
        {"eventSource": "aws:s3", "s3": {"bucket": {}}},
    ]});
    check(
        &queue.to_string(),
        expect_test::expect![[r#"
            Records[0], body | {"detail":{},"detail-type":"x","source":"aws.ec2"}
            Records[1], body, Message | {"detail":{},"detail-type":"x","source":"aws.ec2"}
            Records[2], Sns.Message | {"detail":{},"detail-type":"x","source":"aws.ec2"}
            Records[3], body | unknown_shape: The message is text for people, not an event in JSON; only events can be taken
            Records[4], body | malformed_json: The document that begins at line 1, column 1 is cut: it does not end
            Records[5] | {"eventSource":"aws:s3","s3":{"bucket":{}}}"#]],
    );
    check(
        r#"{"s3Bucket":"trail","s3ObjectKey":["a.json.gz","b.json.gz"]}"#,
        expect_test::expect![[r#"
            line 1, s3ObjectKey[0] | {"s3Bucket":"trail","s3ObjectKey":"a.json.gz"}
            line 1, s3ObjectKey[1] | {"s3Bucket":"trail","s3ObjectKey":"b.json.gz"}"#]],
    );
}

#[test]
fn wrapping_without_end_is_refused() {
    let mut text = json!({"a": 1}).to_string();
    for _ in 0..10 {
        text = json!({"Type": "Notification", "Message": text}).to_string();
    }
    assert!(
        matches!(&*split(text.as_bytes()), [Piece { payload: Err(r), .. }] if r.reason == Reason::TooDeep)
    );
}

#[test]
fn what_postgres_cannot_hold_is_replaced() {
    check(
        "{\"a\":\"x\\u0000y\\ud800z\\udc00\\ud83d\\ude00\\\\u0000\",\"\\u0000\":\"raw\0\",\"a\":\"last\\\\\"}",
        expect_test::expect![[r#"line 1 | {"a":"last\\","�":"raw�"}"#]],
    );
    check(r#"{"a":"x\ud83d\ud83d\ude00"}"#, expect_test::expect![[r#"line 1 | {"a":"x�😀"}"#]]);
    let invalid = split(b"{\"a\":\"\xff\xfe\"}");
    assert_eq!(invalid[0].payload, Ok(json!({"a": "\u{fffd}\u{fffd}"})));
}

#[test]
fn gzip_is_undone_and_a_cut_stream_still_gives_its_lines() {
    let lines: String =
        (0..2000).map(|n| format!("{{\"n\":{n},\"x\":\"{}\"}}\n", n * 7919 % 104_729)).collect();
    let packed = gzip(lines.as_bytes());
    assert_eq!(split(&packed).len(), 2000);
    assert_eq!(split(&gzip(&packed)).len(), 2000, "compressed twice");
    let pieces = split(&packed[..packed.len() / 2]);
    let (last, before) = pieces.split_last().unwrap();
    assert!(before.len() > 100 && before.iter().all(|piece| piece.payload.is_ok()));
    assert_eq!(last.payload.as_ref().unwrap_err().reason, Reason::MalformedGzip);
    let broken = inflate::inflate_within(&packed, 1000).broken.unwrap();
    assert_eq!(broken.reason, Reason::TooLarge);
}

#[test]
fn a_cut_or_broken_log_file_still_gives_its_whole_records() {
    check(
        r#"{"Records": [{"a":1},{"b":2},{"c":"#,
        expect_test::expect![[r#"
            line 1, Records[0] | {"a":1}
            line 1, Records[1] | {"b":2}
            line 1, Records[2] | malformed_json: The document that begins at line 1, column 30 is cut: it does not end"#]],
    );
    check(
        r#"{"Records":[{"a":1},{"b":nope},{"c":3}]}"#,
        expect_test::expect![[r#"
            line 1, Records[0] | {"a":1}
            line 1, Records[1] | malformed_json: This is not JSON: a word is none of `true`, `false` and `null`; texts stand in double quotes (line 1, column 27)
            line 1, Records[2] | {"c":3}"#]],
    );
    let records: Vec<Value> =
        (0..2000).map(|n| json!({"n": n, "x": (n * 7919 % 104_729).to_string()})).collect();
    let packed = gzip(json!({"Records": records}).to_string().as_bytes());
    let pieces = split(&packed[..packed.len() / 2]);
    let (last, before) = pieces.split_last().unwrap();
    assert!(before.len() > 100 && before.iter().all(|piece| piece.payload.is_ok()));
    assert_eq!(last.payload.as_ref().unwrap_err().reason, Reason::MalformedGzip);
}

#[test]
fn an_event_that_is_too_large_is_named_with_its_size_and_a_large_log_file_is_not() {
    let bulk = "x".repeat(5 << 20);
    let event = json!({"detail": bulk}).to_string();
    let pieces = split(format!("{event}\n{{\"a\":1}}").as_bytes());
    let rejection = pieces[0].payload.as_ref().unwrap_err();
    assert_eq!(rejection.reason, Reason::TooLarge);
    assert!(rejection.message.contains(&event.len().to_string()), "{rejection}");
    assert!(pieces[1].payload.is_ok());
    let half = "x".repeat(3 << 20);
    let log = json!({"Records": [{"a": half}, {"b": half}, {"c": bulk}]}).to_string();
    let taken: Vec<bool> = split(log.as_bytes()).iter().map(|piece| piece.payload.is_ok()).collect();
    assert_eq!(taken, [true, true, false]);
}

#[test]
fn a_document_that_nests_too_deep_is_refused_without_harm() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let input = format!("{{\"x\":{}}}\n{{\"x\":{}}}\n{{\"a\":1}}", deep(100_000), deep(120));
    let pieces = split(input.as_bytes());
    assert_eq!(pieces[0].payload.as_ref().unwrap_err().reason, Reason::TooDeep);
    assert!(pieces[1].payload.is_ok() && pieces[2].payload.is_ok());
}

#[test]
fn many_broken_lines_do_not_cost_their_square() {
    let input = "{\"a\": [\n".repeat(50_000);
    assert_eq!(split(input.as_bytes()).len(), 50_000);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(split(&bytes));
    }

    #[test]
    fn no_text_of_json_parts_panics(text in "[\\[\\]{}\",:\\\\a01\n u\0d8-]{0,80}") {
        drop(split(text.as_bytes()));
    }

    #[test]
    fn documents_survive_any_layout(values in proptest::collection::vec("[a-z\"\\\\\u{e9}\u{1f600}]{0,8}", 1..6)) {
        let documents: Vec<Value> = values.iter().map(|v| json!({"v": {"w": v}})).collect();
        let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
        let pretty: Vec<String> = documents.iter().map(|d| serde_json::to_string_pretty(d).unwrap()).collect();
        let array = json!(documents).to_string();
        for layout in [lines.join("\n"), lines.concat(), pretty.join("\n"), array] {
            let found: Vec<Value> = split(layout.as_bytes()).into_iter().map(|p| p.payload.unwrap()).collect();
            prop_assert_eq!(&found, &documents);
        }
    }
}
