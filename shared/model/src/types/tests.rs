use proptest::prelude::*;

use super::*;
use crate::{aws_key, key_from_arn, key_from_arn_seen_in};

const ACCOUNT: &str = "111122223333";

fn spelt<'a>(
    kind: &'a str,
    id: Option<&'a str>,
    name: Option<&'a str>,
    arn: Option<&'a str>,
) -> Option<ResourceKey> {
    aws_key(&Spelling { account: ACCOUNT, region: "eu-central-1", kind, id, name, arn })
}

fn short(key: Option<ResourceKey>) -> String {
    key.map_or_else(|| "none".to_owned(), |k| format!("{} {} {}", k.region, k.kind, k.native_id))
}

type Case = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, &'static str);
// Type, ARN, Config's resourceId and resourceName, the key
const CASES: &[Case] = &[
    (
        "AWS::EC2::Instance",
        "arn:aws:ec2:eu-central-1:111122223333:instance/i-1",
        Some("i-1"),
        None,
        "eu-central-1 AWS::EC2::Instance i-1",
    ),
    (
        "AWS::IAM::Role",
        "arn:aws:iam::111122223333:role/service-role/web",
        Some("AROAJPQ3VWRJFHJWRDBDY"),
        Some("web"),
        "global AWS::IAM::Role web",
    ),
    (
        "AWS::IAM::Role",
        "arn:aws:sts::111122223333:assumed-role/web/session@example.com",
        None,
        Some("web"),
        "global AWS::IAM::Role web",
    ),
    (
        "AWS::RDS::DBInstance",
        "arn:aws:rds:eu-central-1:111122223333:db:orders",
        Some("db-OX46LTRYPXEQTAX3IQPQ4PNEWQ"),
        Some("Orders"),
        "eu-central-1 AWS::RDS::DBInstance orders",
    ),
    (
        "AWS::S3::Bucket",
        "arn:aws:s3:::shop-logs",
        Some("shop-logs"),
        Some("shop-logs"),
        "global AWS::S3::Bucket shop-logs",
    ),
    (
        "AWS::S3::Bucket",
        "arn:aws:s3:::shop-logs/a/b.txt",
        Some("shop-logs"),
        None,
        "global AWS::S3::Bucket shop-logs",
    ),
    (
        "AWS::Lambda::Function",
        "arn:aws:lambda:eu-central-1:111122223333:function:pay:live",
        Some("pay:7"),
        Some("111122223333:function:pay"),
        "eu-central-1 AWS::Lambda::Function pay",
    ),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/shop/50dc",
        Some("arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/shop/50dc"),
        Some("shop"),
        "eu-central-1 AWS::ElasticLoadBalancingV2::LoadBalancer app/shop/50dc",
    ),
    (
        "AWS::ElasticLoadBalancing::LoadBalancer",
        "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/classic",
        Some("classic"),
        Some("classic"),
        "eu-central-1 AWS::ElasticLoadBalancing::LoadBalancer classic",
    ),
    (
        "AWS::SQS::Queue",
        "arn:aws:sqs:eu-central-1:111122223333:orders",
        Some("https://sqs.eu-central-1.amazonaws.com/111122223333/orders"),
        None,
        "eu-central-1 AWS::SQS::Queue orders",
    ),
    (
        "AWS::SecretsManager::Secret",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-a1B2c3",
        Some("prod/db"),
        Some("prod/db"),
        "eu-central-1 AWS::SecretsManager::Secret prod/db",
    ),
    (
        "AWS::SSM::Parameter",
        "arn:aws:ssm:eu-central-1:111122223333:parameter/prod/db",
        Some("/prod/db"),
        None,
        "eu-central-1 AWS::SSM::Parameter prod/db",
    ),
    (
        "AWS::Logs::LogGroup",
        "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/pay:*",
        Some("/aws/lambda/pay"),
        None,
        "eu-central-1 AWS::Logs::LogGroup /aws/lambda/pay",
    ),
    (
        "AWS::AutoScaling::AutoScalingGroup",
        "arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:9f1c:autoScalingGroupName/shop",
        None,
        Some("shop"),
        "eu-central-1 AWS::AutoScaling::AutoScalingGroup shop",
    ),
    (
        "AWS::Route53::HostedZone",
        "arn:aws:route53:::hostedzone/Z1",
        Some("/hostedzone/Z1"),
        Some("example.com."),
        "global AWS::Route53::HostedZone Z1",
    ),
    (
        "AWS::::Account",
        "arn:aws:iam::111122223333:root",
        Some("whatever"),
        None,
        "global AWS::::Account 111122223333",
    ),
];

#[test]
fn every_way_to_spell_a_resource_gives_one_key() {
    for (kind, arn, id, name, expected) in CASES {
        assert_eq!(short(spelt(kind, None, None, Some(arn))), *expected, "{kind} by its ARN");
        assert_eq!(short(spelt(kind, Some(arn), None, None)), *expected, "{kind} by its ARN as id");
        assert_eq!(short(spelt(kind, *id, *name, None)), *expected, "{kind} by id and name");
        assert_eq!(short(spelt(kind, *id, *name, Some(arn))), *expected, "{kind} as a Config item");
        let seen = Arn::parse(arn).and_then(|arn| key_from_arn_seen_in(&arn, ACCOUNT, "eu-central-1"));
        assert_eq!(short(seen), *expected, "{kind} by its ARN alone");
    }
}

#[test]
fn a_spelling_without_a_native_id_gives_no_key() {
    assert_eq!(spelt("AWS::IAM::Role", Some("AROAJPQ3VWRJFHJWRDBDY"), None, None), None);
    assert_eq!(spelt("AWS::EC2::Instance", None, None, None), None);
    assert_eq!(spelt("AWS::EC2::Instance", Some(" "), None, None), None);
    let managed = Arn::parse("arn:aws:iam::aws:policy/ReadOnlyAccess").unwrap();
    assert_eq!(key_from_arn(&managed), None, "AWS's own policies are in no account");
    let bucket = Arn::parse("arn:aws:s3:::shop-logs").unwrap();
    assert_eq!(key_from_arn(&bucket), None, "a bucket's ARN does not say whose it is");
    let finding = Arn::parse("arn:aws:securityhub:eu-central-1:111122223333:control/x/S3.1").unwrap();
    assert_eq!(key_from_arn(&finding), None);
}

#[test]
fn a_type_without_a_rule_follows_the_general_one() {
    let arn = "arn:aws:aidevops:eu-central-1:111122223333:agent-space/a-1";
    let by_arn = key_from_arn(&Arn::parse(arn).unwrap());
    assert_eq!(short(by_arn), "eu-central-1 AWS::Aidevops::AgentSpace a-1");
    let new_type = "arn:aws:ec2:eu-central-1:111122223333:verified-access-group/vagr-1";
    assert_eq!(
        short(key_from_arn(&Arn::parse(new_type).unwrap())),
        "eu-central-1 AWS::EC2::VerifiedAccessGroup vagr-1"
    );
    assert_eq!(
        short(spelt("AWS::New::Thing", Some("t-1"), Some("name"), None)),
        "eu-central-1 AWS::New::Thing t-1"
    );
}

#[test]
fn other_spellings_of_a_type_are_the_type() {
    for name in ["AWS::EC2::INSTANCE", "AwsEc2Instance", "aws::ec2::instance"] {
        assert_eq!(known_type(name).map(|t| t.name), Some("AWS::EC2::Instance"));
    }
    assert_eq!(known_type("AWS::Elasticsearch::Domain").map(|t| t.name), Some("AWS::OpenSearch::Domain"));
}

#[test]
fn the_arn_of_a_part_leads_to_the_whole_and_is_no_name_of_it() {
    let cases = [
        ("arn:aws:s3:::shop-logs", "arn:aws:s3:::shop-logs/a/b.txt"),
        ("arn:aws:iam::111122223333:role/path/web", "arn:aws:sts::111122223333:assumed-role/web/session"),
        (
            "arn:aws:lambda:eu-central-1:111122223333:function:pay",
            "arn:aws:lambda:eu-central-1:111122223333:function:pay:7",
        ),
        (
            "arn:aws:logs:eu-central-1:111122223333:log-group:/x",
            "arn:aws:logs:eu-central-1:111122223333:log-group:/x:log-stream:y",
        ),
    ];
    let key = |arn: &str| {
        Arn::parse(arn).and_then(|arn| key_from_arn_seen_in(&arn, ACCOUNT, "eu-central-1")).unwrap()
    };
    for (whole, part) in cases {
        assert_eq!(key(whole), key(part));
        assert!(key(whole).is_named(whole), "{whole}");
        assert!(!key(whole).is_named(part), "{part}");
    }
    assert!(key("arn:aws:s3:::shop-logs").is_named("shop-logs.s3.amazonaws.com"));
}

#[test]
fn a_foreign_accounts_arn_keeps_its_account() {
    let arn = "arn:aws:kms:eu-central-1:444455556666:key/k-1";
    let key = spelt("AWS::KMS::Key", None, None, Some(arn)).unwrap();
    assert_eq!(key.account, "444455556666");
}

#[test]
fn the_partition_follows_the_arn_or_the_region() {
    let gov = aws_key(&Spelling {
        account: ACCOUNT,
        region: "us-gov-west-1",
        kind: "AWS::EC2::VPC",
        id: Some("vpc-1"),
        ..Spelling::default()
    });
    assert_eq!(gov.unwrap().partition, "aws-us-gov");
    let china = key_from_arn(&Arn::parse("arn:aws-cn:iam::111122223333:role/web").unwrap());
    assert_eq!(china.unwrap().partition, "aws-cn");
}

#[test]
fn no_type_is_there_twice() {
    assert_eq!(
        BY_NAME.len(),
        TYPES
            .iter()
            .map(|t| 1 + t.also.iter().filter(|a| folded(a) != folded(t.name)).count())
            .sum::<usize>()
    );
}

proptest! {
    #[test]
    fn two_accounts_never_share_a_key(
        index in 0..TYPES.len(),
        id in "[a-zA-Z0-9:/._-]{1,40}",
        accounts in ("[0-9]{12}", "[0-9]{12}"),
    ) {
        prop_assume!(accounts.0 != accounts.1);
        let of = |account| aws_key(&Spelling {
            account, region: "eu-central-1", kind: TYPES[index].name, id: Some(&id), ..Spelling::default()
        });
        if let (Some(one), Some(other)) = (of(&accounts.0), of(&accounts.1)) {
            prop_assert_ne!(one.id(), other.id());
        }
    }

    #[test]
    fn an_id_inside_its_types_arn_is_the_same_resource(index in 0..TYPES.len(), id in "[a-z][a-z0-9]{6,20}") {
        let kind = &TYPES[index];
        let whole = kind.arns.iter().find(|arn| arn.ends_with("/<*>") || arn.ends_with(":<*>"));
        if let Some((service, resource)) = whole.and_then(|arn| arn.split_once(':'))
            && !resource.starts_with("::")
        {
            let arn = format!("arn:aws:{service}:eu-central-1:{ACCOUNT}:{}", resource.replace("<*>", &id));
            prop_assert_eq!(spelt(kind.name, Some(&id), None, None), spelt(kind.name, None, None, Some(&arn)));
        }
    }

    #[test]
    fn no_text_panics(kind in "\\PC*", id in "\\PC*", arn in "(arn:aws:[a-z0-9-]{0,20}:[a-z0-9-]{0,8}:([0-9]{12})?:)?\\PC*") {
        let spelling = Spelling { account: ACCOUNT, region: "eu-central-1", kind: &kind, id: Some(&id), arn: Some(&arn), name: None };
        let keys = [aws_key(&spelling), Arn::parse(&arn).and_then(|arn| key_from_arn(&arn))];
        prop_assert!(keys.iter().flatten().all(|key| !key.native_id.is_empty()));
    }
}
