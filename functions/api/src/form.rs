//! What a form of a page sends.

use axum::body::Bytes;
use percent_encoding::percent_decode;

use crate::problem::{Kind, Problem};

/// The largest form, in bytes.
pub(crate) const MAX_FORM: usize = 64 * 1024;

/// The fields of a form, in order, as `application/x-www-form-urlencoded` has them.
pub(crate) fn fields(body: &Bytes) -> Result<Vec<(String, String)>, Problem> {
    if body.len() > MAX_FORM {
        return Err(Problem::new(Kind::TooLarge, "A form may have 64 kB."));
    }
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut sides = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        fields.push((decoded(name)?, decoded(value)?));
    }
    Ok(fields)
}

fn decoded(text: &[u8]) -> Result<String, Problem> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8();
    decoded
        .map(|text| text.replace("\r\n", "\n"))
        .map_err(|_| Problem::new(Kind::BadBody, "The form is no UTF-8 text."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_in_order() {
        let read = fields(&Bytes::from_static(b"a=1+2&b=%3Cb%3E%26&empty=&lone&a=%C3%A9%0D%0A")).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("a", "1 2"), ("b", "<b>&"), ("empty", ""), ("lone", ""), ("a", "é\n")]);
    }

    #[test]
    fn what_is_no_text_or_too_large_is_refused() {
        assert_eq!(fields(&Bytes::from_static(b"a=%FF")).unwrap_err().kind, Kind::BadBody);
        assert_eq!(fields(&Bytes::from(vec![b'a'; MAX_FORM + 1])).unwrap_err().kind, Kind::TooLarge);
    }
}
