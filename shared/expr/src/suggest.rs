//! What somebody may have meant.

/// `; did you mean ...?` with the nearest of the known words, where one is near; otherwise what there is, where that
/// is little; otherwise nothing.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return format!("; did you mean `{near}`?");
    }
    match known.as_slice() {
        [] => String::new(),
        few if few.len() <= 16 => {
            let words: Vec<String> = few.iter().map(|word| format!("`{word}`")).collect();
            format!("; there is {}", words.join(", "))
        }
        _ => String::new(),
    }
}

/// The nearest of the known words, where it is near enough to be a slip of writing.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(3) / 3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
