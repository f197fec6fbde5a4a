use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

fn masked(mut value: Value) -> String {
    details(&mut value);
    value.to_string()
}

/// The planted secret of every case: none of them may be left.
const PLANTED: &str = "hunter2-Tr0ub4dor";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
const PEM: &str =
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nhunter2-Tr0ub4dor\n-----END RSA PRIVATE KEY-----";

/// Where secrets stand in the documents of AWS and Kubernetes.
fn planted() -> Vec<(&'static str, Value)> {
    let p = PLANTED;
    vec![
        (
            "RDS master password",
            json!({"requestParameters": {"masterUserPassword": p, "dBInstanceIdentifier": "orders"}}),
        ),
        ("IAM login profile", json!({"requestParameters": {"userName": "a", "password": p}})),
        (
            "STS session",
            json!({"credentials": {"accessKeyId": "ASIAEXAMPLE", "sessionToken": p, "secretAccessKey": p}}),
        ),
        ("access key", json!({"accessKey": {"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": p}})),
        ("Lambda variables", json!({"environment": {"variables": {"DB_HOST": p, "MODE": p}}})),
        ("Lambda variables of Config", json!({"configuration": {"Environment": {"Variables": {"X": p}}}})),
        (
            "ECS containers",
            json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "MODE", "value": p}]}]}),
        ),
        (
            "ECS overrides",
            json!({"overrides": {"containerOverrides": [{"environment": [{"name": "X", "value": p}]}]}}),
        ),
        (
            "CodeBuild",
            json!({"environment": {"environmentVariables": [{"name": "X", "type": "PLAINTEXT", "value": p}]}}),
        ),
        ("Kubernetes container", json!({"spec": {"containers": [{"env": [{"name": "X", "value": p}]}]}})),
        (
            "Kubernetes Secret",
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": p}, "stringData": {"b": p}}),
        ),
        (
            "Kubernetes Secret in an annotation",
            json!({"annotations": {"last-applied": json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": p}}).to_string()}}),
        ),
        ("EC2 user data", json!({"userData": {"value": p}})),
        ("launch template", json!({"LaunchTemplateData": {"UserData": p}})),
        ("Secrets Manager", json!({"name": "prod/db", "secretString": p, "secretBinary": p})),
        ("stack parameter", json!({"parameters": [{"parameterKey": "DbPassword", "parameterValue": p}]})),
        (
            "Glue connection",
            json!({"connectionProperties": {"USERNAME": "u", "PASSWORD": p, "ENCRYPTED_PASSWORD": p}}),
        ),
        ("ElastiCache", json!({"authToken": p})),
        (
            "API destination",
            json!({"authParameters": {"apiKeyAuthParameters": {"apiKeyName": "x", "apiKeyValue": p}}}),
        ),
        ("Cognito", json!({"authParameters": {"USERNAME": "u", "PASSWORD": p}})),
        ("certificate", json!({"privateKey": PEM, "certificateBody": "public"})),
        ("key under any name", json!({"blob": format!("prefix {PEM} suffix")})),
        ("VPN", json!({"customerGatewayConfiguration": format!("<pre_shared_key>{p}</pre_shared_key>")})),
        ("command", json!({"command": ["run", "--password", p, format!("--api-key={p}")]})),
        ("JDBC", json!({"url": format!("jdbc:mysql://db/x?user=u&password={p}")})),
        ("connection string", json!({"url": format!("postgres://app:{p}@db.example.com/shop")})),
        ("bearer", json!({"headers": format!("Authorization: Bearer {p}")})),
        ("message", json!({"errorMessage": format!("cannot connect with password: {p} at 192.0.2.1")})),
        ("JSON in a string", json!({"requestPayload": json!({"db": {"password": p}}).to_string()})),
        ("JSON in JSON", json!({"a": json!({"b": json!({"secret": p}).to_string()}).to_string()})),
        ("numbered", json!({"password1": p, "token_2": p, "userPasswordPlain": p})),
        ("number", json!({"password": 8_675_309, "other": p.len()})),
        (
            "signed address",
            json!({"location": format!("https://b.s3.amazonaws.com/x?X-Amz-Signature={p}&X-Amz-Security-Token={p}")}),
        ),
        (
            "beanstalk",
            json!({"namespace": "aws:elasticbeanstalk:application:environment", "optionName": "X", "value": p}),
        ),
        ("log driver", json!({"options": {"splunk-token": p}})),
        ("tag", json!({"tags": [{"key": "db-password", "value": p}]})),
    ]
}

#[test]
fn no_planted_secret_survives() {
    for (what, value) in planted() {
        let after = masked(value);
        assert!(!after.contains(PLANTED) && !after.contains("8675309"), "{what}: {after}");
        assert!(after.contains(MASKED), "{what}: {after}");
    }
}

#[test]
fn secrets_are_known_by_their_looks_under_any_name() {
    let looks = [
        SECRET_KEY,
        JWT,
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "github_pat_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz",
        "xoxb-2444333222111-2444333222111-abcdefABCDEF",
        concat!("sk_li", "ve_4eC39HqLyjWDarjtT1zdp7dc"),
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "glpat-ABCDEFGHIJKLMNOPQRST",
        "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    ];
    for secret in looks {
        for value in
            [json!({"note": secret}), json!({"note": format!("use {secret}, please")}), json!([secret])]
        {
            let after = masked(value);
            assert!(!after.contains(secret) && after.contains(MASKED), "{secret}: {after}");
        }
        assert!(!text(&format!("failed for {secret}")).contains(secret));
    }
}

#[test]
fn a_rejection_quotes_no_secret() {
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let call = json!({
        "eventVersion": "1.10", "eventID": "3f0c", "eventTime": "2026-03-03T02:13:00Z", "eventName": "CreateUser",
        "eventSource": "iam.amazonaws.com", "awsRegion": "us-east-1", "recipientAccountId": token,
    });
    let rejection = crate::read(&call, "2026-03-03T03:00:00Z".parse().unwrap()).unwrap_err();
    assert_eq!(rejection.reason, crate::Reason::NoAccount);
    assert!(!rejection.message.contains(token) && rejection.message.contains(MASKED), "{rejection}");
}

#[test]
fn what_only_names_or_counts_secrets_stays() {
    let harmless = json!({
        "secretArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3",
        "secretId": "prod/db",
        "name": "prod/db",
        "passwordLastUsed": "2024-05-01T10:00:00Z",
        "passwordPolicy": {"minimumPasswordLength": 14, "maxPasswordAge": 90},
        "PasswordUpdated": "Success",
        "passwordResetRequired": true,
        "manageMasterUserPassword": true,
        "nextToken": "abc",
        "clientRequestToken": "3f0c",
        "tokenQuotas": {"max": 5},
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "secrets": [{"name": "DB", "valueFrom": "arn:aws:ssm:eu-central-1:111122223333:parameter/db"}],
        "volumes": [{"secret": {"secretName": "web-tls", "defaultMode": null}}],
        "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0"},
        "policy": "{\"Statement\":[{\"Action\":\"secretsmanager:GetSecretValue\",\"Resource\":\"*\"}]}",
        "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "value": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "message": "User is not authorized to perform: secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3",
    });
    assert_eq!(masked(harmless.clone()), harmless.to_string());
}

#[test]
fn masks_leave_the_shape_readable() {
    let check = |value: Value, expected: Expect| expected.assert_eq(&masked(value));
    check(
        json!({"credentials": {"accessKeyId": "ASIAEXAMPLE", "expiration": "May 1, 2024", "sessionToken": "x"}}),
        expect![[
            r#"{"credentials":{"accessKeyId":"ASIAEXAMPLE","expiration":"May 1, 2024","sessionToken":"***"}}"#
        ]],
    );
    check(
        json!({"Environment": {"Variables": {"DB": "x", "REGION": "y"}}}),
        expect![[r#"{"Environment":{"Variables":{"DB":"***","REGION":"***"}}}"#]],
    );
    check(
        json!({"url": "postgres://app:pw@db/shop", "policy": "{\"a\":{\"password\":\"x\",\"b\":1}}"}),
        expect![[
            r#"{"policy":"{\"a\":{\"b\":1,\"password\":\"***\"}}","url":"postgres://app:***@db/shop"}"#
        ]],
    );
}

#[test]
fn a_parameters_value_is_masked_in_the_call_and_in_the_document() {
    let mut put = json!({"requestParameters": {"name": "/prod/db", "value": PLANTED, "type": "String"}});
    call("ssm", "PutParameter", &mut put);
    assert!(!put.to_string().contains(PLANTED));
    let mut parameter = json!({"name": "/prod/db", "value": PLANTED});
    document("AWS::SSM::Parameter", &mut parameter);
    assert_eq!(parameter, json!({"name": "/prod/db", "value": MASKED}));
}

#[test]
fn masking_again_changes_nothing() {
    for (what, mut value) in planted() {
        details(&mut value);
        let once = value.clone();
        details(&mut value);
        assert_eq!(value, once, "{what}");
    }
}

#[test]
fn every_pattern_can_be_built() {
    assert_eq!(patterns::apply("nothing to hide"), "nothing to hide");
}
