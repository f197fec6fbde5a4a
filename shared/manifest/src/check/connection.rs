//! Connections.

use super::Checker;
use crate::{Connection, Value};

impl Checker {
    pub(super) fn connection(&mut self, connection: &Connection) {
        self.one_of(
            "spec",
            &[
                ("http", connection.http.is_some()),
                ("webhook", connection.webhook.is_some()),
                ("slack", connection.slack.is_some()),
                ("aws", connection.aws.is_some()),
                ("kubernetes", connection.kubernetes.is_some()),
            ],
        );
        if let Some(http) = &connection.http {
            self.url("spec.http.url", &http.url);
            self.headers("spec.http.headers", &http.headers, None);
            if http.bearer.is_some() && http.basic.is_some() {
                self.error("spec.http", "sets bearer and basic at once; set one of them");
            }
        }
        if let Some(webhook) = &connection.webhook {
            self.url("spec.webhook.url", &webhook.url);
            self.headers("spec.webhook.headers", &webhook.headers, None);
        }
        if let Some(role) = connection.aws.as_ref().and_then(|aws| aws.role_arn.as_deref())
            && !(role.starts_with("arn:") && role.contains(":role/"))
        {
            self.error(
                "spec.aws.roleArn",
                format!("`{role}` is no ARN of a role, as arn:aws:iam::111122223333:role/perigee is"),
            );
        }
    }

    fn url(&mut self, field: &str, url: &Value) {
        let Value::Text(text) = url else { return };
        self.literal(field, text);
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match rest {
            None | Some("") => {
                self.error(field, format!("`{text}` is no address; it begins with https:// or http://"));
            }
            Some(rest) => {
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                if host.contains('@') {
                    self.error(
                        field,
                        "holds a user or a password, which everybody who sees the manifest sees; use basic or bearer with a reference",
                    );
                }
                if text.contains(char::is_whitespace) {
                    self.error(field, "an address has no spaces");
                }
            }
        }
    }
}
