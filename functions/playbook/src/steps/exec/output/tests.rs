use ports::Secret;

use super::*;

/// What comes out when `text` comes in pieces of `size` bytes.
fn through(text: &[u8], size: usize, secrets: &[&str]) -> String {
    let mut redactor = Redactor::new();
    for secret in secrets {
        redactor.add(&Secret::new((*secret).to_owned()));
    }
    let mut stream: Stream<tokio::io::Empty> = Stream::new("stdout", None);
    let mut out = String::new();
    for piece in text.chunks(size) {
        out.extend(stream.take(piece, &redactor).map(|(_, text)| text));
    }
    out.extend(stream.finish(&redactor).map(|(_, text)| text));
    out
}

#[test]
fn a_secret_is_hidden_wherever_the_pieces_are_cut() {
    let text = "before hunter2hunter2 hunter2hunter2hunter2 hunter2hunte r2 after";
    let whole = through(text.as_bytes(), text.len(), &["hunter2hunter2"]);
    assert!(!whole.contains("hunter2hunter2"), "{whole}");
    for size in 1..text.len() {
        assert_eq!(through(text.as_bytes(), size, &["hunter2hunter2"]), whole, "in pieces of {size}");
    }
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    let text = "xababababy ab aba abab";
    for size in 1..text.len() {
        let out = through(text.as_bytes(), size, &["abab"]);
        assert!(!out.contains("abab"), "in pieces of {size}: {out}");
    }
}

#[test]
fn characters_are_never_cut_and_what_is_none_is_replaced() {
    let text = "gr\u{fc}\u{df} \u{1f980}".as_bytes();
    for size in 1..text.len() {
        assert_eq!(through(text, size, &[]), "gr\u{fc}\u{df} \u{1f980}");
    }
    for size in 1..6 {
        assert_eq!(through(b"a\xff\xfeb\0c", size, &[]), "a\u{fffd}\u{fffd}b\u{fffd}c");
    }
}

#[test]
fn only_the_last_of_a_stream_is_kept_in_the_result() {
    let mut tail = Tail::default();
    tail.add(&"a".repeat(KEPT));
    assert!(!tail.cut);
    tail.add("end");
    assert!(tail.cut);
    assert_eq!(tail.text.len(), KEPT);
    assert!(tail.text.ends_with("aend"));
}
