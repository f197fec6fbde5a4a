//! Where a field stands in the text: found by its keys and their indentation, which is how people write.

/// One document of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'t> {
    pub(super) text: &'t str,
    /// The line of the whole text on which it begins, from 1.
    pub(super) first_line: usize,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The line of the whole text, from 1.
    pub(super) line: usize,
    /// Whether its text begins on the line below.
    pub(super) block: bool,
}

/// The documents of a text: what lies between lines that begin with `---`.
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    let mut found = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 1, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let mark = line.trim_end();
        if mark == "---" || mark == "..." || mark.starts_with("--- #") {
            found.push(Document { text: text.get(start..at).unwrap_or_default(), first_line });
            start = at + line.len();
            first_line = number + 2;
        }
        at += line.len();
    }
    found.push(Document { text: text.get(start..).unwrap_or_default(), first_line });
    found.retain(|document| !document.text.trim().is_empty());
    found
}

/// A line that says something: its number from 0, its indentation, and what it says.
type Line<'t> = (usize, usize, &'t str);

impl Document<'_> {
    /// What a text in double quotes on that line of the whole text writes as an escape, as in `"a\nb"`.
    pub(super) fn escape(&self, line: usize) -> Option<&str> {
        let line = self.text.lines().nth(line.checked_sub(self.first_line)?)?.trim_start();
        // The value of a key, or an item; a quote that stands elsewhere is one of the expression's own.
        let quoted = line.strip_prefix("- \"").or_else(|| {
            let (key, quoted) = line.split_once(": \"")?;
            (!key.ends_with(' ') && !key.contains('\'')).then_some(quoted)
        });
        let mut rest = quoted?;
        while let Some(at) = rest.find('\\') {
            let escape = rest.get(at..at + 2)?;
            if escape.ends_with(['n', 'r', 't', 'a', 'b', 'e', 'f', 'v', '0']) {
                return Some(escape);
            }
            rest = rest.get(at + 2..)?;
        }
        None
    }

    /// Where a path such as `spec.cases[1].if` stands, or the nearest around it that is found.
    pub(super) fn place(&self, path: &str) -> Place {
        let lines: Vec<Line<'_>> = self
            .text
            .lines()
            .enumerate()
            .filter_map(|(number, line)| {
                let content = line.trim_start();
                let says = !content.is_empty() && !content.starts_with('#');
                says.then_some((number, line.len() - content.len(), content))
            })
            .collect();
        let first = lines.first().map_or(0, |(number, _, _)| *number);
        let mut place = Place { line: self.first_line + first, block: false };
        let mut region: Vec<Line<'_>> = lines;
        for segment in segments(path) {
            let found = match segment {
                Segment::Key(key) => key_in(&region, key),
                Segment::Index(index) => item_in(&region, index),
            };
            let Some((line, block, inner)) = found else { break };
            place = Place { line: self.first_line + line, block };
            region = inner;
        }
        place
    }
}

enum Segment<'p> {
    Key(&'p str),
    Index(usize),
}

fn segments(path: &str) -> Vec<Segment<'_>> {
    let mut found = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (key, indexes) = part.split_once('[').unwrap_or((part, ""));
        if !key.is_empty() {
            found.push(Segment::Key(key));
        }
        found.extend(
            indexes
                .split('[')
                .filter_map(|index| index.trim_end_matches(']').parse().ok())
                .map(Segment::Index),
        );
    }
    found
}

type Found<'t> = (usize, bool, Vec<Line<'t>>);

/// The line of a key of the map that the lines are, and the lines of its value.
fn key_in<'t>(lines: &[Line<'t>], key: &str) -> Option<Found<'t>> {
    let indent = lines.first()?.1;
    let at = lines.iter().position(|(_, depth, content)| *depth == indent && is_key(content, key))?;
    let (number, _, content) = *lines.get(at)?;
    let value = content.split_once(':').map_or("", |(_, value)| value.trim());
    let value = value.split(" #").next().unwrap_or_default().trim();
    let block = value.starts_with(['|', '>']);
    let inner = lines
        .iter()
        .skip(at + 1)
        // The items of a list may stand as deep as the key that they are the value of.
        .take_while(|(_, depth, content)| *depth > indent || *depth == indent && content.starts_with("- "))
        .copied()
        .collect();
    Some((number, block, inner))
}

fn is_key(content: &str, key: &str) -> bool {
    let rest = content
        .strip_prefix(key)
        .or_else(|| content.strip_prefix('"')?.strip_prefix(key)?.strip_prefix('"'))
        .or_else(|| content.strip_prefix('\'')?.strip_prefix(key)?.strip_prefix('\''));
    rest.is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// The line of an item of the list that the lines are, and the lines of the item, its own without the dash.
fn item_in<'t>(lines: &[Line<'t>], index: usize) -> Option<Found<'t>> {
    let indent = lines.first()?.1;
    let starts: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, (_, depth, content))| *depth == indent && (content.starts_with("- ") || *content == "-"))
        .map(|(at, _)| at)
        .collect();
    let start = *starts.get(index)?;
    let end = starts.get(index + 1).copied().unwrap_or(lines.len());
    let (number, depth, content) = *lines.get(start)?;
    let rest = content.strip_prefix('-').unwrap_or(content);
    let inner = rest.trim_start();
    let mut item = vec![(number, depth + content.len() - inner.len(), inner)];
    item.extend(lines.get(start + 1..end)?.iter().copied());
    if inner.is_empty() {
        item.remove(0);
    }
    Some((number, inner.starts_with(['|', '>']), item))
}
