//! Holds by themselves; that they keep what they name is tested with retention.

use super::{HoldKind, NewHold};
use crate::{
    Error,
    retention::tests::{documented, key, said},
    tests_support::{catalog, now},
};

fn hold(name: &str, selector: &str) -> NewHold {
    NewHold {
        name: name.to_owned(),
        kind: HoldKind::Incident,
        reason: "who opened the door".to_owned(),
        selector: selector.to_owned(),
        since: None,
        until: None,
        created_by: Some("ada".to_owned()),
    }
}

#[tokio::test]
async fn a_hold_is_made_listed_released_and_made_again() {
    let (_db, catalog) = catalog().await;
    let bucket = key("AWS::S3::Bucket", "logs");
    catalog.record(&[said(&bucket, 5, documented("logs", 1))], now()).await.unwrap();
    let made = catalog.hold(&hold("door", "type=AWS::S3::Bucket"), now()).await.unwrap().unwrap();
    assert_eq!(
        (made.kind.as_str(), made.resources, made.created_by.as_deref()),
        ("incident", 1, Some("ada"))
    );
    assert_eq!(catalog.holds().await.unwrap(), [made]);
    assert!(catalog.release_hold("door", now()).await.unwrap());
    let released = catalog.holds().await.unwrap().remove(0);
    assert_eq!((released.resources, released.released_at), (0, Some(now())));
    let again = catalog.hold(&hold("door", "name=none"), now()).await.unwrap().unwrap();
    assert_eq!((again.resources, again.released_at), (0, None));
}

#[tokio::test]
async fn a_selector_that_means_nothing_makes_no_hold() {
    let (_db, catalog) = catalog().await;
    for wrong in ["nothing=1", "name=", "(((", "since=tomorrow"] {
        let refused = catalog.hold(&hold("odd", wrong), now()).await;
        assert!(matches!(refused, Err(Error::BadSelector { .. })), "{wrong}: {refused:?}");
    }
    assert_eq!(catalog.holds().await.unwrap(), []);
}
