//! A secret of a connection is found nowhere.

use serde_json::json;

use super::world::{KEY, SIGNING_KEY, World};

#[tokio::test]
async fn a_secret_in_an_address_a_header_or_a_key_is_kept_nowhere() {
    let world = World::new().await;
    world.notification(json!({"to": ["hook", "leak", "slack", "echo", "refused"]})).await;
    let with = |url: serde_json::Value| {
        json!({"webhook": {
            "url": url, "secret": {"env": "SIGNING_KEY"}, "headers": {"Authorization": {"env": "TOKEN"}},
        }})
    };
    world.apply("Connection", "hook", with(json!(world.channel.url("hang")))).await;
    world.apply("Connection", "echo", with(json!(world.channel.url("echo")))).await;
    world.apply("Connection", "leak", with(json!({"env": "LEAK"}))).await;
    world.apply("Connection", "slack", json!({"slack": {"url": {"env": "SLACK"}}})).await;
    world.apply("Connection", "refused", with(json!({"env": "TOKEN"}))).await;
    world.told("checkout", "unhealthy").await;
    world.tick().await;
    let dump = world.dump().await;
    assert!(dump.contains("no hook at"), "the answer of the channel is kept: {dump}");
    let key = String::from_utf8_lossy(KEY).into_owned();
    for secret in ["plantedsecret", SIGNING_KEY, SIGNING_KEY.trim_start_matches("whsec_"), &key] {
        assert!(!dump.contains(secret), "{secret} is in {dump}");
    }
    assert!(world.channel.received().iter().any(|one| one.header("authorization") == "plantedsecret"));
    assert!(!format!("{:?}", world.notify).contains("plantedsecret"));
}
