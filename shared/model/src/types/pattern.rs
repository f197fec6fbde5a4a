//! The patterns of the type table: how a native id is cut out of an ARN or of an id.

/// Cuts the native id out of `text`: what the part of `pattern` between `<` and `>` matches. `None` when the
/// pattern does not match all of the text, or the id would be empty.
///
/// `*` is anything, as short as possible; `+` is one or more characters other than `/` and `:`; `~` is one or more
/// other than `:`; `?` is one letter or digit; `#` is one capital letter or digit; the rest stands for itself.
pub(super) fn cut<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let marks = find(pattern.as_bytes(), text.as_bytes(), 0, Marks::default())?;
    text.get(marks.from..marks.to).filter(|id| !id.is_empty())
}

/// Whether `pattern` matches all of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    find(pattern.as_bytes(), text.as_bytes(), 0, Marks::default()).is_some()
}

#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    from: usize,
    to: usize,
}

fn find(pattern: &[u8], text: &[u8], at: usize, marks: Marks) -> Option<Marks> {
    let rest = text.get(at..)?;
    let Some((token, pattern)) = pattern.split_first() else {
        return rest.is_empty().then_some(marks);
    };
    match token {
        b'<' => find(pattern, text, at, Marks { from: at, ..marks }),
        b'>' => find(pattern, text, at, Marks { to: at, ..marks }),
        b'*' if pattern.iter().all(|t| *t == b'>') => find(pattern, text, text.len(), marks),
        b'*' => (at..=text.len()).find_map(|next| find(pattern, text, next, marks)),
        b'+' => {
            run(rest, |b| b != b'/' && b != b':').find_map(|taken| find(pattern, text, at + taken, marks))
        }
        b'~' => run(rest, |b| b != b':').find_map(|taken| find(pattern, text, at + taken, marks)),
        b'?' => rest
            .first()
            .filter(|b| b.is_ascii_alphanumeric())
            .and_then(|_| find(pattern, text, at + 1, marks)),
        b'#' => rest
            .first()
            .filter(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            .and_then(|_| find(pattern, text, at + 1, marks)),
        literal => rest.first().filter(|b| *b == literal).and_then(|_| find(pattern, text, at + 1, marks)),
    }
}

/// The lengths that a run of bytes may have, the longest first.
fn run(text: &[u8], belongs: impl Fn(u8) -> bool) -> impl Iterator<Item = usize> {
    let longest = text.iter().take_while(|b| belongs(**b)).count();
    (1..=longest).rev()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_cuts_the_id_out_of_a_text() {
        let cases = [
            ("instance/<*>", "instance/i-1", Some("i-1")),
            ("instance/<*>", "instance/", None),
            ("instance/<*>", "volume/vol-1", None),
            ("role/*<+>", "role/web", Some("web")),
            ("role/*<+>", "role/service-role/deep/web", Some("web")),
            ("function:<+>*", "function:pay:7", Some("pay")),
            ("<+:+>", "topic:sub", Some("topic:sub")),
            ("<+:+>", "topic", None),
            ("secret:<~>-??????", "secret:prod/db-a1B2c3", Some("prod/db")),
            ("secret:<~>-??????", "secret:prod", None),
            ("nodegroup/<+/+>*", "nodegroup/shop/blue/9a", Some("shop/blue")),
            ("log-group:<~>*", "log-group:/aws/lambda/pay:*", Some("/aws/lambda/pay")),
            ("db-####*", "db-OX46LTR", None),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(cut(pattern, text), expected, "{pattern} on {text}");
        }
        assert!(matches("db-####*", "db-OX46LTR"));
        assert!(!matches("db-####*", "db-orders"));
    }
}
