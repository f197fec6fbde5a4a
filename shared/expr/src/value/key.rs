//! Keys of maps: numbers of every type are one key when they are equal.

use std::cmp::Ordering;

use super::{Text, Val};

/// A key of a map.
#[derive(Debug, Clone)]
pub(crate) enum Key<'a> {
    Bool(bool),
    /// A whole number, and whether it was written as a `uint`, which makes no other key of it.
    Number(i128, bool),
    Text(Text<'a>),
}

impl<'a> Key<'a> {
    /// The key that a value is; nothing for what cannot be a key.
    pub(crate) fn of(value: &Val<'a>) -> Option<Self> {
        Some(match value {
            Val::Bool(value) => Self::Bool(*value),
            Val::Int(number) => Self::Number(i128::from(*number), false),
            Val::Uint(number) => Self::Number(i128::from(*number), true),
            Val::Double(number) => Self::Number(whole(*number)?, false),
            Val::Text(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }

    pub(crate) fn borrowed(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(_) | Self::Number(..) => None,
        }
    }

    pub(crate) fn value(&self) -> Val<'a> {
        match self {
            Self::Bool(value) => Val::Bool(*value),
            Self::Number(number, true) => Val::Uint(u64::try_from(*number).unwrap_or(u64::MAX)),
            Self::Number(number, false) => Val::Int(i64::try_from(*number).unwrap_or(i64::MAX)),
            Self::Text(text) => Val::Text(text.clone()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 2,
            Self::Number(..) => 0,
            Self::Text(_) => 1,
        }
    }
}

/// The whole number that a double is, where it is one that an `int` or a `uint` can be.
fn whole(number: f64) -> Option<i128> {
    let fits = number.fract() == 0.0 && number.abs() < 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range of 65 bits")]
    fits.then_some(number as i128)
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a, _), Self::Number(b, _)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => (**a).cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}
