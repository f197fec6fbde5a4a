//! Scrapers, rules, checks, notifications, silences.

use model::SignalKind;

use super::Checker;
use crate::{Check, HealthRule, Notification, Scraper, Silence, Span, scopes};

impl Checker {
    pub(super) fn scraper(&mut self, scraper: &Scraper) {
        self.every("spec.every", &scraper.every);
        self.one_of("spec", &[("aws", scraper.aws.is_some()), ("kubernetes", scraper.kubernetes.is_some())]);
        if let Some(aws) = &scraper.aws {
            for (at, region) in aws.regions.iter().enumerate() {
                let fits = region.split('-').count() >= 3 && !region.contains(char::is_whitespace);
                if !fits {
                    self.error(
                        format!("spec.aws.regions[{at}]"),
                        format!("`{region}` is no region, as eu-west-1 is"),
                    );
                }
            }
            for (at, kind) in aws.types.iter().enumerate() {
                if !kind.starts_with("AWS::") && !kind.starts_with('*') {
                    self.error(
                        format!("spec.aws.types[{at}]"),
                        format!("`{kind}` is no type; Config writes them as AWS::EC2::Instance"),
                    );
                }
            }
        }
    }

    pub(super) fn health_rule(&mut self, rule: &HealthRule) {
        self.not_empty("spec.types", &rule.types, "name the types it judges, as AWS::ECS::Service");
        for (at, kind) in rule.types.iter().enumerate() {
            if !kind.contains("::") && !kind.contains('*') {
                self.error(
                    format!("spec.types[{at}]"),
                    format!(
                        "`{kind}` is no type; write it as AWS::ECS::Service or Kubernetes::apps::Deployment"
                    ),
                );
            }
        }
        if let Some(selector) = &rule.selector {
            self.selector("spec.selector", selector, &selector::RULES);
        }
        if let Some(every) = rule.every {
            self.span("spec.every", every, Span::seconds(10), Span::hours(24 * 366));
        }
        let mut lets: Vec<&str> = Vec::new();
        for (at, named) in rule.lets.iter().enumerate() {
            let field = format!("spec.let[{at}]");
            self.identifier(&format!("{field}.name"), &named.name);
            if lets.contains(&named.name.as_str()) {
                self.error(format!("{field}.name"), format!("`{}` is there twice", named.name));
            }
            self.condition(
                &format!("{field}.value"),
                &named.value,
                &scopes::health_rule(lets.iter().copied()),
            );
            lets.push(&named.name);
        }
        self.not_empty("spec.cases", &rule.cases, "a rule without cases says nothing");
        let scope = scopes::health_rule(lets);
        for (at, case) in rule.cases.iter().enumerate() {
            let field = format!("spec.cases[{at}]");
            if let Some(condition) = &case.condition {
                self.condition(&format!("{field}.if"), condition, &scope);
            } else if at + 1 < rule.cases.len() {
                self.warning(
                    field.clone(),
                    "always holds, as it has no `if`: the cases after it are never reached",
                );
            }
            self.template(&format!("{field}.status"), &case.status, &scope);
            if let Some(reason) = &case.reason {
                self.template(&format!("{field}.reason"), reason, &scope);
            }
            if let Some(until) = &case.until {
                self.condition(&format!("{field}.until"), until, &scope);
            }
        }
    }

    pub(super) fn check(&mut self, check: &Check) {
        self.every("spec.every", &check.every);
        if !(1..=1_000).contains(&check.failures) {
            self.error("spec.failures", format!("`{}` is not between 1 and 1000", check.failures));
        }
        self.one_of("spec", &[("http", check.http.is_some())]);
        if let Some(http) = &check.http {
            self.check_request("spec.http", http);
        }
    }

    pub(super) fn notification(&mut self, notification: &Notification) {
        let scope = scopes::trigger();
        self.not_empty("spec.on", &notification.on, "name the signals, as health.changed");
        if notification.on.contains(&SignalKind::ManifestChanged) && notification.condition.is_none() {
            self.warning("spec.on", "tells of every manifest that is applied");
        }
        if let Some(condition) = &notification.condition {
            self.condition("spec.if", condition, &scope);
        }
        self.not_empty("spec.to", &notification.to, "name connections with a webhook or a slack block");
        for (at, to) in notification.to.iter().enumerate() {
            self.name(&format!("spec.to[{at}]"), to);
        }
        for (name, text) in [("title", &notification.title), ("body", &notification.body)] {
            if let Some(text) = text {
                self.template(&format!("spec.{name}"), text, &scope);
            }
        }
        let week = Span::hours(24 * 7);
        if let Some(span) = notification.repeat_interval {
            self.span("spec.repeatInterval", span, Span::seconds(1), Span::hours(24 * 366));
        }
        if let Some(span) = notification.wait_for {
            self.span("spec.waitFor", span, Span::seconds(1), week);
        }
        self.span("spec.maxAge", notification.max_age, Span::seconds(1), Span::hours(24 * 31));
        if notification.wait_for.is_some_and(|wait| wait >= notification.max_age) {
            self.error("spec.waitFor", "is not shorter than maxAge: by then every signal is too old");
        }
    }

    pub(super) fn silence(&mut self, silence: &Silence) {
        if silence.reason.trim().is_empty() {
            self.error("spec.reason", "is empty; say why, for who wonders at night");
        }
        if silence.from.is_some_and(|from| from >= silence.until) {
            self.error("spec.until", "does not lie after `from`");
        }
        if let Some(selector) = &silence.selector {
            self.resources("spec.selector", selector);
        }
        for (at, name) in silence.notifications.iter().enumerate() {
            self.name(&format!("spec.notifications[{at}]"), name);
        }
    }
}
