//! What is sent, and what follows from the answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::world::{KEY, World};

/// HMAC-SHA-256 as RFC 2104 writes it, without the crate that the function uses.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut padded = [0_u8; 64];
    padded[..key.len()].copy_from_slice(key);
    let pad = |with: u8| padded.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), message.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

#[tokio::test]
async fn a_webhook_is_signed_and_says_what_happened() {
    let world = World::new().await;
    world
        .webhook(
            "ok",
            json!({"secret": {"env": "SIGNING_KEY"}, "headers": {"X-Team": "core", "webhook-id": "x"}}),
        )
        .await;
    world.notification(json!({"if": "signal.payload.health == 'unhealthy'"})).await;
    world.resource("checkout", "unhealthy").await;
    world.told("checkout", "unhealthy").await;
    world.told("checkout", "healthy").await;
    world.tick().await;
    assert_eq!(world.states().await, ["sent delivered"]);
    let (received, delivery) = (world.channel.received(), world.deliveries().await.remove(0));
    let [one] = received.as_slice() else { panic!("{received:?}") };
    let id = delivery.delivery.id.to_string();
    assert_eq!((one.header("webhook-id"), one.header("idempotency-key")), (id.as_str(), id.as_str()));
    let signed = [format!("{id}.{}.", one.header("webhook-timestamp")).as_bytes(), &one.body].concat();
    let expected = format!("v1,{}", STANDARD.encode(hmac(KEY, &signed)));
    assert_eq!(one.header("webhook-signature"), expected);
    assert_eq!(one.header("x-team"), "core");
    let body = one.json();
    assert_eq!(body["type"], "health.changed");
    assert_eq!(body["data"]["resource"]["name"], "checkout");
    assert_eq!(body["data"]["health"]["health"], "unhealthy");
    let title =
        "checkout (ECS service, 111122223333 eu-west-1) is unhealthy since 12:00 UTC: 0 of 2 tasks running";
    assert_eq!(body["data"]["title"], title);
    assert_eq!(delivery.delivery.title.as_deref(), Some(title));
    let link = body["data"]["link"].as_str().unwrap();
    assert!(link.starts_with("https://perigee.example.com/resources/"), "{link}");
    assert_eq!(delivery.delivery.late_seconds, Some(0));
}

#[tokio::test]
async fn a_channel_that_fails_is_asked_again_with_the_same_key() {
    let world = World::new().await;
    world.webhook("flaky", json!({})).await;
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    for (seconds, states) in [(0, "pending retrying"), (5, "pending retrying"), (15, "sent delivered")] {
        world.pass(seconds);
        world.tick().await;
        assert_eq!(world.states().await, [states]);
    }
    let received = world.channel.received();
    assert_eq!(received.len(), 3);
    assert!(
        received.iter().all(|one| one.header("idempotency-key") == received[0].header("idempotency-key"))
    );
    let delivery = world.deliveries().await.remove(0);
    let tries: Vec<_> = delivery.tries.iter().map(|t| (t.outcome.as_deref().unwrap(), t.status)).collect();
    assert_eq!(tries, [("failed", Some(500)), ("failed", Some(500)), ("sent", Some(200))]);
    assert_eq!(delivery.delivery.late_seconds, Some(20));
}

#[tokio::test]
async fn a_channel_that_asks_for_time_gets_it() {
    let world = World::new().await;
    world.webhook("busy", json!({})).await;
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    world.pass(29);
    world.tick().await;
    assert_eq!(world.states().await, ["pending retrying"]);
    world.pass(1);
    world.tick().await;
    assert_eq!(
        (world.states().await, world.channel.received().len()),
        (vec!["sent delivered".to_owned()], 2)
    );
}

#[tokio::test]
async fn a_channel_that_hangs_is_given_up_in_the_end() {
    let world = World::new().await;
    world.webhook("hang", json!({})).await;
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    assert_eq!(world.states().await, ["pending retrying"]);
    for _ in 0..8 {
        world.pass(1200);
        world.tick().await;
    }
    assert_eq!(
        (world.states().await, world.channel.received().len()),
        (vec!["failed timed_out".to_owned()], 9)
    );
}

#[tokio::test]
async fn redirects_metadata_addresses_and_refusals_end_it_at_once_with_a_reason() {
    let world = World::new().await;
    world.notification(json!({})).await;
    world.webhook("away", json!({})).await;
    world.told("one", "unhealthy").await;
    world.tick().await;
    world.apply("Connection", "hook", json!({"webhook": {"url": "http://169.254.169.254/latest/"}})).await;
    world.told("two", "unhealthy").await;
    world.tick().await;
    world.webhook("leak", json!({})).await;
    world.told("three", "unhealthy").await;
    world.tick().await;
    let mut states = world.states().await;
    states.sort();
    assert_eq!(states, ["failed redirect_refused", "failed refused_address", "failed rejected"]);
}

#[tokio::test]
async fn an_answer_without_end_is_an_answer() {
    let world = World::new().await;
    world.webhook("big", json!({})).await;
    world.notification(json!({})).await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    assert_eq!(world.states().await, ["sent delivered"]);
}

#[tokio::test]
async fn slack_gets_blocks_and_plain_text_where_it_does_not_take_them() {
    let world = World::new().await;
    world.apply("Connection", "hook", json!({"slack": {"url": {"env": "SLACK"}}})).await;
    let texts = json!({"title": "<!channel> ${{ resource.name }} & co", "body": "x".repeat(5000)});
    world.notification(texts).await;
    world.resource("checkout", "unhealthy").await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    let body = world.channel.received()[0].json();
    assert_eq!(body["blocks"][0]["text"]["text"], "<!channel> checkout & co");
    assert_eq!(body["blocks"][0]["text"]["type"], "plain_text");
    assert!(body["text"].as_str().unwrap().starts_with("*&lt;!channel&gt; checkout &amp; co*"), "{body}");
    assert_eq!(body["blocks"][1]["text"]["text"].as_str().unwrap().chars().count(), 3000);

    world.apply("Connection", "hook", json!({"slack": {"url": {"env": "BLOCKS"}}})).await;
    world.told("checkout", "warning").await;
    world.tick().await;
    assert!(world.channel.received()[2].json().get("blocks").is_none());
    let all = world.deliveries().await;
    let plain = all.iter().find(|one| one.tries.len() == 2).unwrap();
    assert_eq!(plain.delivery.state.as_str(), "sent");
    assert_eq!(plain.tries[0].status, Some(400));
}

#[tokio::test]
async fn texts_tell_of_the_event_and_not_of_later() {
    let world = World::new().await;
    world
        .notification(
            json!({"title": "${{ resource.tags.env }} ${{ signal.payload.health }}", "waitFor": "5m"}),
        )
        .await;
    world.resource("checkout", "unhealthy").await;
    world.told("checkout", "unhealthy").await;
    world.sql("update perigee.resources set tags = '{}'").await;
    world.pass(300);
    world.tick().await;
    assert_eq!(world.deliveries().await[0].delivery.title.as_deref(), Some("prod unhealthy"));
}
