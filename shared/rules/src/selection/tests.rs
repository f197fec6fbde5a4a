use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-03-03T12:00:00Z".parse().unwrap()
}

#[test]
fn a_selector_describes_what_it_says() {
    let resource = json!({
        "type": "AWS::EC2::Instance", "name": "web-1", "native_id": "i-1", "region": "eu-west-1",
        "tags": {"env": "prod", "a.b": "c", "cost": "12"}, "labels": {"app.kubernetes.io/name": "web"},
        "health": {"health": "warning", "status": "Slow", "ready": false}, "since": "2026-03-02T12:00:00Z",
        "deleted_at": null, "aliases": ["ip-10-0-0-1", "arn:aws:ec2:eu-west-1:1:instance/i-1"],
        "config": {
            "size": "20GiB", "count": 3, "text": "3", "on": true, "nothing": null, "timeout": "1h30m",
            "launched": "2026-03-03T11:00:00Z", "description": "The front door",
            "nets": [{"status": "in-use"}, {"status": "free"}],
        },
    });
    for (text, holds) in [
        ("", true),
        ("type=AWS::EC2::*", true),
        ("type=AWS::RDS::*", false),
        ("tags.env=prod,test", true),
        ("tags.env!=prod", false),
        ("tags.team!=shop", true),
        ("tags.team=\"\"", false),
        ("tags.a.b=c", true),
        ("tags.cost>9", true),
        ("labels.app.kubernetes.io/name=web", true),
        ("name=web-*", true),
        ("health=warning ready=false status=Slow", true),
        ("WEB", true),
        ("door", true),
        ("ip-10", true),
        ("arn:aws:ec2:eu-west-1:1:instance/i-1", true),
        ("arn:aws:ec2:eu-west-1:1:instance", false),
        ("other", false),
        ("other | web", true),
        ("-other (name=x | region=eu-*)", true),
        ("-(web prod)", false),
        ("name~\"^web-[0-9]$\" name!~WEB name~\"(?i)WEB\"", true),
        ("config.size>10GiB config.size<=20GiB -config.size>5", true),
        ("config.timeout>1h config.timeout<2h", true),
        ("config.count=3 config.text=3 config.on=true", true),
        ("config.count>2.5 config.text>2.5", true),
        ("config.nothing=* | config.gone=*", false),
        ("config.nets=* properties.on=*", true),
        ("config.launched>now-2h -config.launched>now-30m", true),
        ("config.nets[0].status=in-use config.nets[*].status=free", true),
        ("config.nets[1].status=in-use | config.nets[2]=*", false),
        ("since=2026-03-02T13:00:00+01:00 since<now-23h -deleted_at=*", true),
    ] {
        let selector = selector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        selector::check(&selector, &selector::RULES).unwrap();
        assert_eq!(describes(&selector, &resource, &Alone, now()), holds, "{text}");
    }
}

#[test]
fn wildcards_take_any_text_between_the_pieces() {
    assert!(wild(&["a", "b", "c"], "a-b-c"));
    assert!(wild(&["", ""], ""));
    assert!(!wild(&["ab", "ba"], "aba"));
    assert!(!wild(&["a", "b", "b"], "ab"));
}
