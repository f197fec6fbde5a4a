//! One attempt: written down, made, and its end written down.

use catalog::deliveries::{AttemptEnd, Begun, ClaimedDelivery, Fate, Outcome, Told};
use connections::Resolved;
use manifest::Connection;
use model::{DeliveryState, Timestamp};
use ports::{HttpError, Response, SecretError};

use crate::{
    Error, LEASE, Notify,
    answer::{self, Made, Verdict},
    channel,
    message::{self, Message},
    shelf::{Rule, delta},
};

/// What is sent so much later than it should have been says so.
const LATE: i64 = 300;
/// How long a secret store may be away before the delivery is given up, and how often it is asked.
const SECRETS_AWAY: chrono::TimeDelta = chrono::TimeDelta::hours(1);
const ASK_AGAIN: chrono::TimeDelta = chrono::TimeDelta::minutes(1);
/// When the same is being sent by another: look again soon.
const SOON: chrono::TimeDelta = chrono::TimeDelta::seconds(2);

impl Notify {
    /// Makes an attempt at a delivery.
    pub(crate) async fn send(
        &self,
        one: &ClaimedDelivery,
        rule: &Rule,
        connection: &Connection,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let message = match message::compose(rule, one, self.link_base.as_deref(), now) {
            Ok(message) => message,
            Err(error) => {
                let fate = Fate::ended(DeliveryState::Failed, "template_error", error.to_string());
                return self.settle(one, fate, now).await;
            }
        };
        let resolved = match connections::resolve(connection, self.secrets.as_ref()).await {
            Ok(resolved) => resolved,
            Err(error) => return self.settle(one, unusable(one, &error, now), now).await,
        };
        let slack = connection.slack.is_some();
        if !slack && let Err(error) = channel::webhook(one, &message, &resolved, now) {
            let fate = Fate::ended(DeliveryState::Failed, "channel_invalid", error.to_string());
            return self.settle(one, fate, now).await;
        }
        let since = rule.spec.repeat_interval.map(|span| now - delta(span));
        let Some(attempt) = self.begin(one, &message, since, now).await? else { return Ok(()) };
        let answer = self.request(one, &message, &resolved, slack, false).await;
        if slack && answer.as_ref().is_ok_and(refuses_blocks) {
            return self.send_plain(one, rule, &message, &resolved, attempt).await;
        }
        self.end(one, rule, &resolved, attempt, !slack, &answer).await
    }

    /// Slack did not like the blocks: the attempt ends, and another is made with text only.
    async fn send_plain(
        &self,
        one: &ClaimedDelivery,
        rule: &Rule,
        message: &Message,
        resolved: &Resolved,
        attempt: i32,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let detail = "the channel answered 400: it does not take the blocks; sent again as text";
        let held = now + chrono::TimeDelta::from_std(LEASE).unwrap_or_default();
        let end = AttemptEnd {
            id: one.id,
            fence: one.fence,
            attempt,
            outcome: Outcome::Failed,
            status: Some(400),
            detail: detail.to_owned(),
            fate: Fate::pending(held, "retrying", detail),
            late_seconds: None,
        };
        if !self.write_end(&end).await? {
            return Ok(());
        }
        let Some(attempt) = self.begin(one, message, None, now).await? else { return Ok(()) };
        let answer = self.request(one, message, resolved, true, true).await;
        self.end(one, rule, resolved, attempt, false, &answer).await
    }

    /// Writes down that an attempt is about to be made. `None` when none may be.
    async fn begin(
        &self,
        one: &ClaimedDelivery,
        message: &Message,
        unless_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<i32>, Error> {
        let told = Told { title: &message.title, body: &message.text };
        match self.catalog.begin_delivery(one, told, unless_since, now, LEASE).await? {
            Begun::Yes { attempt } => Ok(Some(attempt)),
            Begun::Repeated { by, at } => {
                let detail = format!("the same was sent at {} as {by}", at.to_rfc3339());
                self.settle(one, Fate::ended(DeliveryState::Suppressed, "repeated", detail), now).await?;
                Ok(None)
            }
            Begun::Busy => {
                let fate = Fate::pending(now + SOON, "waiting", "the same is being sent just now");
                self.settle(one, fate, now).await?;
                Ok(None)
            }
            Begun::Lost => Ok(None),
        }
    }

    async fn request(
        &self,
        one: &ClaimedDelivery,
        message: &Message,
        resolved: &Resolved,
        slack: bool,
        plain: bool,
    ) -> Result<Response, HttpError> {
        let request = if slack {
            channel::slack(message, resolved, plain)
        } else {
            channel::webhook(one, message, resolved, self.clock.now())
                .map_err(|error| HttpError::Invalid(error.to_string()))?
        };
        self.http.send(request).await
    }

    async fn end(
        &self,
        one: &ClaimedDelivery,
        rule: &Rule,
        resolved: &Resolved,
        attempt: i32,
        keyed: bool,
        answer: &Result<Response, HttpError>,
    ) -> Result<(), Error> {
        let at = self.clock.now();
        let made = Made { attempt, at, keyed, redactor: &resolved.redactor };
        let Verdict { outcome, status, detail, mut fate } = answer::judge(answer, &made);
        let late = (outcome == Outcome::Sent)
            .then(|| (at - one.signal.occurred_at - rule.wait()).num_seconds().max(0));
        if let Some(seconds) = late.filter(|seconds| *seconds > LATE) {
            "late".clone_into(&mut fate.reason);
            let late = manifest::Span::seconds(seconds.unsigned_abs());
            fate.detail = format!("the channel took it {late} after it should have been sent");
        }
        if fate.state == DeliveryState::Failed {
            tracing::warn!(
                delivery.id = %one.id,
                notification = one.notification,
                channel = one.channel,
                reason = fate.reason,
                "Could not deliver {}: {}",
                one.id,
                fate.detail
            );
        }
        let end = AttemptEnd {
            id: one.id,
            fence: one.fence,
            attempt,
            outcome,
            status,
            detail,
            fate,
            late_seconds: late,
        };
        if !self.write_end(&end).await? {
            tracing::warn!(delivery.id = %one.id, "The claim of {} ran out while it was sent", one.id);
        }
        Ok(())
    }

    /// An end that is not written makes the attempt one that was cut, so a database that is away is waited for.
    #[expect(clippy::disallowed_methods, reason = "a wait for the database itself cannot be kept in it")]
    async fn write_end(&self, end: &AttemptEnd) -> Result<bool, Error> {
        for pause in [100, 500, 2000] {
            match self.catalog.end_delivery(end, self.clock.now()).await {
                Err(error) if error.is_transient() => {
                    tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                }
                written => return Ok(written?),
            }
        }
        Ok(self.catalog.end_delivery(end, self.clock.now()).await?)
    }

    async fn settle(&self, one: &ClaimedDelivery, fate: Fate, now: Timestamp) -> Result<(), Error> {
        let settled = crate::concluded(one, fate);
        Ok(self.catalog.settle_deliveries(&[settled], now).await?)
    }
}

/// What becomes of a delivery whose connection cannot be used.
fn unusable(one: &ClaimedDelivery, error: &connections::Error, now: Timestamp) -> Fate {
    let detail = answer::with_causes(error);
    let connections::Error::Secret { source, .. } = error else {
        return Fate::ended(DeliveryState::Failed, "channel_invalid", detail);
    };
    let began = one.wait_until.unwrap_or(one.created_at);
    match source {
        SecretError::Unavailable { .. } if now - began < SECRETS_AWAY => {
            Fate::pending(now + ASK_AGAIN, "secret_unavailable", detail)
        }
        SecretError::Unavailable { .. } => Fate::ended(DeliveryState::Failed, "secret_unavailable", detail),
        SecretError::Missing(_) | SecretError::Denied { .. } | SecretError::NotConfigured(_) => {
            Fate::ended(DeliveryState::Failed, "secret_missing", detail)
        }
    }
}

fn refuses_blocks(response: &Response) -> bool {
    let text = String::from_utf8_lossy(&response.body);
    response.status == 400 && ["invalid_blocks", "invalid_attachments"].iter().any(|word| text.contains(word))
}
