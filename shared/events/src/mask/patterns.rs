//! What secrets look like, whatever they are called.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::MASKED;

/// A shape of secret; the group `keep` (where there is one) stays before the mask.
const SHAPES: &[&str] = &[
    // Private keys: to the end of the block, or of the text where it was cut.
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|\z)",
    // JSON web tokens.
    r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?",
    // Tokens that say whose they are: GitHub, GitLab, Slack, Stripe, Google, npm, SendGrid, OpenAI, PyPI, Vault, Docker.
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}",
    r"(?P<keep>hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]+",
    r"\b(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{8,}",
    r"\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{16,}",
    r"\b(?:npm_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|sk-[A-Za-z0-9_-]{20,}|pypi-[A-Za-z0-9_-]{16,})",
    r"\b(?:hv[sbr]\.[A-Za-z0-9_-]{20,}|dckr_pat_[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{32,}|AGE-SECRET-KEY-[A-Z0-9]{20,})",
    // HTTP credentials.
    r"(?i)(?P<keep>\bbearer\s+)[A-Za-z0-9+/=._~-]{8,}",
    r"(?i)(?P<keep>\bbasic\s+)[A-Za-z0-9+/]{15,}={0,2}",
    // Addresses with a password in them.
    r#"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'"]*:)[^\s/@'"]+@"#,
    // Signed addresses.
    r"(?i)(?P<keep>\b(?:x-amz-signature|x-amz-security-token|x-goog-signature|signature|sig)=)[^&\s'\x22]+",
    // `password=...`, `"api_key": "..."`, `--token ...`, `<pre_shared_key>...`, in free text and command lines.
    r#"(?i)(?P<keep>(?:password|passwd|pwd|passphrase|secret|secret[_-]?access[_-]?key|api[_-]?key|private[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|\btoken)\\?["']?\s*=\s*\\?["']?)[^\s"'&;,}\\]{3,}"#,
    r#"(?i)(?P<keep>(?:password|passwd|pwd|passphrase|secret|secret[_-]?access[_-]?key|api[_-]?key|private[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|\btoken)\\?["']?:(?:\s+|\s*\\?["'])\\?["']?)[^\s"'&;,}\\]{3,}"#,
    r"(?i)(?P<keep>--?(?:password|passwd|pass|secret|token|api-?key|auth-?token)\s+)[^\s-][^\s]*",
    r"(?i)(?P<keep><(?:pre_shared_key|password|secret)>)[^<]+",
];

static PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| SHAPES.iter().filter_map(|shape| Regex::new(shape).ok()).collect());

static ANY: LazyLock<Option<regex::RegexSet>> = LazyLock::new(|| regex::RegexSet::new(SHAPES).ok());

/// A word of exactly the forty characters that an AWS secret access key has.
static FORTY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9/+=]{40,}").ok());

/// The text with every secret in it masked.
pub(super) fn apply(text: &str) -> Cow<'_, str> {
    // A pattern that cannot be built masks everything: better no text than a secret.
    let (Some(any), Some(forty)) = (&*ANY, &*FORTY) else { return Cow::Borrowed(MASKED) };
    if PATTERNS.len() != SHAPES.len() {
        return Cow::Borrowed(MASKED);
    }
    let mut masked = Cow::Borrowed(text);
    for index in any.matches(text) {
        let Some(pattern) = PATTERNS.get(index) else { continue };
        let replaced = pattern.replace_all(&masked, |found: &Captures<'_>| {
            let at = if found.get(0).is_some_and(|whole| whole.as_str().ends_with('@')) { "@" } else { "" };
            format!("{}{MASKED}{at}", found.name("keep").map_or("", |keep| keep.as_str()))
        });
        if let Cow::Owned(replaced) = replaced {
            masked = Cow::Owned(replaced);
        }
    }
    if !masked.starts_with("arn:") && forty.is_match(&masked) {
        let replaced = forty.replace_all(&masked, |found: &Captures<'_>| {
            let word = found.get(0).map_or("", |word| word.as_str());
            (if is_secret_access_key(word) { MASKED } else { word }).to_owned()
        });
        masked = Cow::Owned(replaced.into_owned());
    }
    masked
}

/// Whether forty characters are random enough to be a secret access key: capitals, small letters and digits, and
/// more variety than words, hashes and names have.
fn is_secret_access_key(word: &str) -> bool {
    let has = |class: fn(&u8) -> bool| word.bytes().any(|b| class(&b));
    word.len() == 40
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && entropy(word) > 4.4
}

/// Shannon's entropy of a word, in bits a character.
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in word.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(u32::try_from(word.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(share).map(|share| -share * share.log2()).sum()
}
