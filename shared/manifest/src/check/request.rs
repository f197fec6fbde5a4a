//! Requests over HTTP, of checks and of steps.

use std::collections::BTreeMap;

use expr::Scope;

use super::Checker;
use crate::{Span, Template, Value, kinds::check::HttpCheck, kinds::playbook::HttpStep, scopes};

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Headers whose values are secrets wherever they are sent.
const SECRET_HEADERS: &[&str] =
    &["authorization", "x-api-key", "api-key", "proxy-authorization", "cookie", "x-auth-token"];

impl Checker {
    pub(super) fn check_request(&mut self, field: &str, http: &HttpCheck) {
        let scope = scopes::check_request();
        self.address(field, http.url.as_ref(), http.connection.as_deref(), &scope);
        self.method(field, &http.method);
        self.headers(&format!("{field}.headers"), &http.headers, Some(&scope));
        if let Some(body) = &http.body {
            self.template(&format!("{field}.body"), body, &scope);
        }
        self.span(&format!("{field}.timeout"), http.timeout, Span::seconds(1), Span::minutes(5));
        if http.redirects > 20 {
            self.error(format!("{field}.redirects"), "more than 20 redirects lead nowhere");
        }
        if let Some(expect) = &http.expect {
            self.condition(&format!("{field}.expect"), expect, &scopes::check());
        }
    }

    pub(super) fn step_request(&mut self, field: &str, http: &HttpStep, scope: &Scope, response: &Scope) {
        self.address(field, http.url.as_ref(), http.connection.as_deref(), scope);
        self.method(field, &http.method);
        self.headers(&format!("{field}.headers"), &http.headers, Some(scope));
        if let Some(body) = &http.body {
            self.template(&format!("{field}.body"), body, scope);
        }
        if let Some(expect) = &http.expect {
            self.condition(&format!("{field}.expect"), expect, response);
        }
    }

    fn address(&mut self, field: &str, url: Option<&Template>, connection: Option<&str>, scope: &Scope) {
        match (url, connection) {
            (None, None) => self.error(field, "goes nowhere; set url, connection, or both"),
            (Some(url), None) => {
                let text = url.as_str();
                if !text.starts_with("http://") && !text.starts_with("https://") && !text.starts_with("${{") {
                    self.error(
                        format!("{field}.url"),
                        format!(
                            "`{text}` is no address; it begins with https:// or http://, or has a connection"
                        ),
                    );
                }
            }
            (_, Some(connection)) => self.name(&format!("{field}.connection"), connection),
        }
        if let Some(url) = url {
            self.template(&format!("{field}.url"), url, scope);
        }
    }

    fn method(&mut self, field: &str, method: &str) {
        if !METHODS.contains(&method) {
            let hint = expr::did_you_mean(&method.to_uppercase(), METHODS.iter().copied());
            self.error(format!("{field}.method"), format!("`{method}` is no method{hint}"));
        }
    }

    /// Headers; without a scope their texts hold no values.
    pub(super) fn headers(&mut self, field: &str, headers: &BTreeMap<String, Value>, scope: Option<&Scope>) {
        for (name, value) in headers {
            let place = format!("{field}.{name}");
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.is_empty() || !name.chars().all(token) {
                self.error(place.clone(), format!("`{name}` is no name of a header"));
            }
            let Value::Text(text) = value else { continue };
            if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) && !text.contains("${{") {
                self.warning(place.clone(), "is written as text, and everybody who sees the manifest sees it; write {env: NAME} or another reference");
            }
            if text.contains(['\n', '\r']) {
                self.error(place.clone(), "a header has one line");
            }
            match scope {
                Some(scope) => self.text(&place, text, scope),
                None => self.literal(&place, text),
            }
        }
    }
}
