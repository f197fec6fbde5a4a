use expect_test::{Expect, expect};

use crate::{CHANGES, RESOURCES, RULES, Schema, check as check_selector, parse};

#[expect(clippy::needless_pass_by_value, reason = "an Expect is written in place")]
fn check(text: &str, schema: &Schema<'_>, expected: Expect) {
    let checked = check_selector(&parse(text).unwrap(), schema);
    expected.assert_eq(&checked.map_or_else(|error| error.to_string(), |()| "fits".to_owned()));
}

#[test]
fn what_a_selector_names_must_be_there() {
    check(
        "type=AWS::EC2::* tags.a.b=c config.a[*]>1.5 since>now-1d changed>2026-03-03",
        &RESOURCES,
        expect!["fits"],
    );
    check("related(finding(severity=high)) | changed(actor=dana details.a=1)", &RESOURCES, expect!["fits"]);
    check(
        "a (b | -colour=red)",
        &RESOURCES,
        expect![
            "column 9: there is no field `colour`; the fields are id, type, account, region, name, native_id, provider, evidence, since, deleted_at, changed, tags, labels, config, properties, health, status, ready"
        ],
    );
    check(
        "related(colour=red)",
        &RESOURCES,
        expect![
            "column 9: there is no field `colour`; the fields are id, type, account, region, name, native_id, provider, evidence, since, deleted_at, changed, tags, labels, config, properties, health, status, ready"
        ],
    );
    check(
        "changed(severity=hihg)",
        &RESOURCES,
        expect![
            "column 9: `hihg` is no value of `severity`; its values are info, low, medium, high, critical"
        ],
    );
    check(
        "changed(related(a))",
        &RESOURCES,
        expect![
            "column 9: this place takes no `related(...)`: only what the thing itself says is known here"
        ],
    );
    check(
        "related(a)",
        &RULES,
        expect![
            "column 1: this place takes no `related(...)`: only what the thing itself says is known here"
        ],
    );
    check(
        "provider=aws",
        &RULES,
        expect![
            "column 1: there is no field `provider`; the fields are id, type, account, region, name, native_id, since, deleted_at, tags, labels, config, properties, health, status, ready"
        ],
    );
    check("tags=x", &RESOURCES, expect!["column 1: `tags` needs a key, as in `tags.env=prod`"]);
    check(
        "tags.a[0]=x",
        &RESOURCES,
        expect![[
            r#"column 1: `tags` has keys only; quote one that has a bracket in it, as in `tags."a[0]"=x`"#
        ]],
    );
    check(
        "config=x",
        &RESOURCES,
        expect!["column 1: `config` needs a path, as in `config.state.name=running`"],
    );
    check("name.first=x", &RESOURCES, expect!["column 1: `name` has no parts"]);
}

#[test]
fn what_is_compared_must_be_comparable() {
    check("type>3", &RESOURCES, expect!["column 1: a text can be compared with `=`, `!=` and `~` only"]);
    check(
        "since>yesterday",
        &RESOURCES,
        expect![
            "column 1: this field takes one instant, such as 2026-03-03T02:13:00Z, 2026-03-03 or now-24h"
        ],
    );
    check(
        "since=now,now-1d",
        &RESOURCES,
        expect![
            "column 1: this field takes one instant, such as 2026-03-03T02:13:00Z, 2026-03-03 or now-24h"
        ],
    );
    check("since~2026", &RESOURCES, expect!["column 1: `~` looks at texts, and `since` is none"]);
    check("ready=maybe", &RESOURCES, expect!["column 1: this field is `true` or `false`"]);
    check("ready>true", &RESOURCES, expect!["column 1: this field can be compared with `=` and `!=` only"]);
    check(
        "config.size>big",
        &RESOURCES,
        expect![
            "column 1: `>` compares numbers, sizes as 10GiB, lengths of time as 1h30m, and instants as 2026-03-03T02:13:00Z or now-24h"
        ],
    );
    check(
        "evidence=event,rumour",
        &RESOURCES,
        expect!["column 1: `rumour` is no value of `evidence`; its values are reference, event, document"],
    );
    check("since=* -ready=* health=un* evidence~^e", &RESOURCES, expect!["fits"]);
    check("read_only=false occurred_at<=now", &CHANGES, expect!["fits"]);
}
