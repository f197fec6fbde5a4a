//! Words of many systems as one: short `PascalCase` texts.

/// The longest status, in characters.
const LONGEST: usize = 80;

/// A text as a status: `CREATE_COMPLETE` is `CreateComplete`, `storage-full` is `StorageFull`, `OOMKilled` stays.
pub(crate) fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let joined: String = words.map(capital).collect();
    joined.chars().take(LONGEST).collect()
}

fn capital(word: &str) -> String {
    let shouted = word.chars().count() > 2 && word.chars().all(|c| c.is_uppercase() || c.is_numeric());
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    if shouted {
        first.chain(letters.flat_map(char::to_lowercase)).collect()
    } else {
        first.chain(letters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::pascal;

    #[test]
    fn words_of_other_systems_become_one_word() {
        for (from, to) in [
            ("CREATE_COMPLETE", "CreateComplete"),
            ("storage-full", "StorageFull"),
            ("OOMKilled", "OOMKilled"),
            ("ALARM", "Alarm"),
            ("OK", "OK"),
            ("Failed Create", "FailedCreate"),
            ("", ""),
            ("running", "Running"),
            ("état", "État"),
        ] {
            assert_eq!(pascal(from), to);
        }
    }
}
