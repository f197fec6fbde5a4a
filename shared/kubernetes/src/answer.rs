//! What an answer of a Kubernetes API means: a page of a list, or why there is none.

use ports::{ApiKind, ClusterError, ObjectPage};
use serde_json::Value;

/// How many characters of a server's message are kept.
const MAX_MESSAGE: usize = 300;

/// What was asked, for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    /// The server's address.
    pub(crate) server: &'a str,
    /// What was asked, as in `listing Deployment.apps`.
    pub(crate) what: String,
    /// The permission that it needs.
    pub(crate) needs: String,
}

impl<'a> Question<'a> {
    /// Asking for a list.
    pub(crate) fn list(server: &'a str, kind: &ApiKind) -> Self {
        let group = if kind.group.is_empty() { "\"\"" } else { &kind.group };
        Self {
            server,
            what: format!("listing {}", kind.name()),
            needs: format!(
                "bind us to a ClusterRole with the verb list on {} in the API group {group} (infra/kubernetes has one)",
                kind.plural
            ),
        }
    }

    /// Asking for a part of the discovery.
    pub(crate) fn discovery(server: &'a str, path: &str) -> Self {
        Self {
            server,
            what: format!("asking {path}"),
            needs: "bind us to the ClusterRole system:discovery".to_owned(),
        }
    }

    /// The error that a status which is no success means.
    pub(crate) fn refused(&self, status: u16, body: &[u8]) -> ClusterError {
        let message = message(body);
        match status {
            401 => ClusterError::Expired { server: self.server.to_owned() },
            403 => ClusterError::Denied {
                what: self.what.clone(),
                needs: match message.as_str() {
                    "" => self.needs.clone(),
                    said => format!("{}; the server says: {said}", self.needs),
                },
            },
            410 => ClusterError::Gone { what: self.what.clone() },
            _ => ClusterError::Refused {
                server: self.server.to_owned(),
                what: self.what.clone(),
                status,
                message,
            },
        }
    }

    /// The error of an answer that is cut or no JSON.
    pub(crate) fn cut(&self) -> ClusterError {
        ClusterError::Cut { server: self.server.to_owned(), what: self.what.clone() }
    }

    /// The error of an answer that is JSON and not what was asked for.
    pub(crate) fn unexpected(&self, message: &str) -> ClusterError {
        ClusterError::Refused {
            server: self.server.to_owned(),
            what: self.what.clone(),
            status: 200,
            message: message.to_owned(),
        }
    }
}

/// The message of a `Status`, or the beginning of whatever a proxy wrote instead.
fn message(body: &[u8]) -> String {
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(status) => status.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let words: Vec<&str> = said.split_whitespace().collect();
    let said = words.join(" ");
    match said.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", said.get(..end).unwrap_or_default()),
        None => said,
    }
}

/// The page in an answer to a list.
pub(crate) fn page(mut body: Value, question: &Question<'_>) -> Result<ObjectPage, ClusterError> {
    let is_list = body.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    let items = match body.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        // Servers write `null` for an empty list of some kinds.
        Some(Value::Null) if is_list => Vec::new(),
        Some(_) | None => return Err(question.unexpected("the answer is no list")),
    };
    let text = |path| body.pointer(path).and_then(Value::as_str).filter(|text: &&str| !text.is_empty());
    let remaining = body.pointer("/metadata/remainingItemCount").and_then(Value::as_i64);
    Ok(ObjectPage { items, next: text("/metadata/continue").map(str::to_owned), remaining })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question() -> Question<'static> {
        Question { server: "https://192.0.2.1", what: "listing Pod".to_owned(), needs: "more".to_owned() }
    }

    #[test]
    fn a_page_that_is_no_list_is_not_an_empty_one() {
        for body in [json!({}), json!({"kind": "Status"}), json!({"kind": "PodList", "items": 1}), json!([])]
        {
            assert!(page(body.clone(), &question()).is_err(), "{body}");
        }
        assert_eq!(
            page(json!({"kind": "PodList", "items": null}), &question()).unwrap(),
            ObjectPage::default()
        );
    }

    #[test]
    fn a_status_says_what_is_missing() {
        let body = br#"{"kind":"Status","message":"pods is forbidden: User \"dev\" cannot list"}"#;
        let denied = question().refused(403, body).to_string();
        assert_eq!(
            denied,
            "listing Pod is not permitted; more; the server says: pods is forbidden: User \"dev\" cannot list"
        );
        assert!(matches!(question().refused(401, b""), ClusterError::Expired { .. }));
        assert!(matches!(question().refused(410, b""), ClusterError::Gone { .. }));
        let proxy = question().refused(502, "bad gateway ".repeat(100).as_bytes());
        assert!(proxy.is_transient() && proxy.to_string().len() < 500, "{proxy}");
    }
}
