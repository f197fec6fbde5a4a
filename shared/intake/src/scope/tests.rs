use model::{
    Category, Change, ChangeId, ChangeResource, Completeness, Document, Finding, FindingId, FindingStatus,
    ObservationKey, Rank, Relation, ResourceFact, Role, Severity, Source, Timestamp,
};
use serde_json::{Value, json};

use super::*;

const OURS: &str = "111122223333";
const FOREIGN: &str = "444455556666";

fn ours() -> BTreeSet<String> {
    BTreeSet::from([OURS.to_owned()])
}

fn at() -> Timestamp {
    "2026-03-03T09:00:00Z".parse().unwrap()
}

fn bucket(account: &str, name: &str) -> ResourceKey {
    ResourceKey {
        provider: "aws".to_owned(),
        partition: "aws".to_owned(),
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        kind: "AWS::S3::Bucket".to_owned(),
        native_id: name.to_owned(),
    }
}

fn fact(key: ResourceKey, alias: Option<&str>, sighting: Sighting) -> ResourceFact {
    ResourceFact { key, aliases: alias.map(str::to_owned).into_iter().collect(), state_id: 0, sighting }
}

fn observation(account: &str) -> Observation {
    Observation {
        key: ObservationKey::of(&json!({})),
        source: Source::new("cloudtrail", Rank::Event),
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        occurred_at: at(),
        resources: Vec::new(),
        changes: Vec::new(),
        findings: Vec::new(),
        completeness: Completeness::OnlyThese,
    }
}

fn change(account: &str, touched: &[ResourceKey]) -> Change {
    let role = Role::Target;
    Change {
        id: ChangeId::of(&ObservationKey::of(&json!({})), 0),
        occurred_at: at(),
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        source: "cloudtrail".to_owned(),
        kind: "CopyObject".to_owned(),
        category: Category::Update,
        severity: Severity::Info,
        read_only: false,
        summary: String::new(),
        actor: None,
        source_address: None,
        user_agent: None,
        error_code: None,
        error_message: None,
        event_id: None,
        session_id: None,
        details: Value::Null,
        resources: touched.iter().cloned().map(|key| ChangeResource { key, role }).collect(),
        mentions: vec!["already named".to_owned()],
    }
}

fn finding(account: &str, resources: &[ResourceKey]) -> Finding {
    Finding {
        id: FindingId::of("securityhub", account, "eu-west-1", "f-1"),
        at: at(),
        first_seen: at(),
        account: account.to_owned(),
        region: "eu-west-1".to_owned(),
        product: "securityhub".to_owned(),
        external_id: "f-1".to_owned(),
        kind: "S3.4".to_owned(),
        title: String::new(),
        description: String::new(),
        severity: Severity::Low,
        status: FindingStatus::Open,
        details: Value::Null,
        resources: resources.to_vec(),
    }
}

#[test]
fn a_foreign_resource_is_a_name_on_the_change_and_no_row() {
    let (own, with_arn, without) =
        (bucket(OURS, "own"), bucket(FOREIGN, "with-arn"), bucket(FOREIGN, "without"));
    let mut observation = Observation {
        resources: vec![
            fact(own.clone(), None, Sighting::Present),
            fact(with_arn.clone(), Some("arn:aws:s3:::with-arn"), Sighting::Present),
            fact(without.clone(), None, Sighting::Mentioned),
        ],
        changes: vec![change(OURS, &[with_arn, own.clone(), without])],
        ..observation(OURS)
    };
    restrict(&mut observation, &ours()).unwrap();
    assert_eq!(observation.resources, [fact(own.clone(), None, Sighting::Present)]);
    assert_eq!(observation.changes[0].resources, [ChangeResource { key: own, role: Role::Target }]);
    let foreign = "444455556666/eu-west-1/AWS::S3::Bucket/without";
    assert_eq!(observation.changes[0].mentions, ["already named", "arn:aws:s3:::with-arn", foreign]);
}

#[test]
fn a_relation_to_a_foreign_resource_is_left_out() {
    let to = |account| Relation { kind: "is associated with".to_owned(), to: bucket(account, "far") };
    let document = Document { relations: [to(OURS), to(FOREIGN)].into(), ..Document::default() };
    let own = fact(bucket(OURS, "own"), None, Sighting::Documented(Box::new(document)));
    let mut observation = Observation { resources: vec![own], ..observation(OURS) };
    restrict(&mut observation, &ours()).unwrap();
    let Sighting::Documented(document) = &observation.resources[0].sighting else { panic!("a document") };
    assert_eq!(Vec::from_iter(&document.relations), [&to(OURS)]);
}

#[test]
fn findings_keep_our_resources_and_foreign_findings_go() {
    let resources = [bucket(OURS, "own"), bucket(FOREIGN, "far")];
    let mut observation = Observation {
        findings: vec![finding(OURS, &resources), finding(FOREIGN, &resources)],
        ..observation(OURS)
    };
    restrict(&mut observation, &ours()).unwrap();
    assert_eq!(observation.findings, [finding(OURS, &resources[..1])]);
}

#[test]
fn what_is_all_foreign_is_refused_and_says_which_account() {
    let refused = |observation: &mut Observation| restrict(observation, &ours()).unwrap_err();
    let whole = refused(&mut observation(FOREIGN));
    let within = refused(&mut Observation { findings: vec![finding(FOREIGN, &[])], ..observation(OURS) });
    for rejection in [whole, within] {
        assert_eq!(rejection.reason, Reason::ForeignAccount);
        assert!(rejection.message.contains(FOREIGN), "{rejection}");
    }
    assert_eq!(restrict(&mut observation(OURS), &ours()), Ok(()), "what says nothing is ours to record");
}

#[test]
fn a_cluster_is_not_an_account() {
    let pod = ResourceKey { provider: "kubernetes".to_owned(), ..bucket("cluster-uid", "pod") };
    let seen = fact(pod, None, Sighting::Present);
    let mut observation = Observation { resources: vec![seen.clone()], ..observation(OURS) };
    restrict(&mut observation, &ours()).unwrap();
    assert_eq!(observation.resources, [seen]);
}
