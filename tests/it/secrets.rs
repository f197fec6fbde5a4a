//! Law 5: secrets that stand where they do in real events are nowhere in what is kept, logged, printed or answered.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    process::Command,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::process::{Place, random};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

/// Secrets, each with a word for where it was planted. A marker is letters and digits, so that it reads the same in
/// JSON, in HTML and in a URL.
struct Garden {
    random: fastrand::Rng,
    markers: BTreeMap<String, String>,
    lines: Vec<String>,
}

impl Garden {
    fn marker(&mut self, place: &str) -> String {
        let marker: String = (0..36).map(|_| self.random.alphanumeric()).collect();
        let known = self.markers.insert(place.to_owned(), marker.clone());
        assert_eq!(known, None, "{place} is planted twice");
        marker
    }

    fn id(&mut self) -> String {
        let mut hex = |length| (0..length).map(|_| self.random.digit(16)).collect::<String>();
        format!("{}-{}-4{}-8{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
    }

    /// A call, as CloudTrail records it.
    fn call(&mut self, source: &str, name: &str, request: Value, response: Value) -> Value {
        let mut call = json!({
            "eventVersion": "1.10", "eventID": self.id(), "requestID": self.id(), "eventTime": "2026-03-03T02:13:00Z",
            "eventSource": format!("{source}.amazonaws.com"), "eventName": name, "awsRegion": REGION,
            "sourceIPAddress": "192.0.2.10", "userAgent": "aws-cli/2.15.0", "eventType": "AwsApiCall",
            "readOnly": false, "managementEvent": true, "recipientAccountId": ACCOUNT,
            "userIdentity": {
                "type": "IAMUser", "principalId": "AIDAEXAMPLEEXAMPLE", "accountId": ACCOUNT, "userName": "dana",
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/dana"),
            },
        });
        call["requestParameters"] = request;
        call["responseElements"] = response;
        call
    }

    /// An item, as Config delivers it.
    fn item(kind: &str, id: &str, configuration: Value) -> Value {
        let mut item = json!({
            "version": "1.3", "accountId": ACCOUNT, "awsRegion": REGION, "resourceType": kind, "resourceId": id,
            "resourceName": id, "configurationItemCaptureTime": "2026-03-03T02:14:00.000Z",
            "configurationItemStatus": "OK", "configurationStateId": "1772504040000",
            "supplementaryConfiguration": {}, "tags": {}, "relationships": [],
        });
        item["configuration"] = configuration;
        item
    }

    /// An event of our own, as EventBridge delivers it.
    fn event(&mut self, kind: &str, resource: &str, detail: Value) -> Value {
        let mut event = json!({
            "version": "0", "id": self.id(), "source": "shop.platform", "detail-type": kind, "account": ACCOUNT,
            "region": REGION, "time": "2026-03-03T02:15:00Z", "resources": [resource],
        });
        event["detail"] = detail;
        event
    }

    fn plant(&mut self, event: &Value) {
        self.lines.push(event.to_string());
    }
}

/// Compute: what instances, functions, tasks and builds are started with.
fn compute(garden: &mut Garden) {
    let secret = garden.marker("Lambda environment in Config");
    let environment = json!({"variables": {"GREETING": secret}});
    let item = Garden::item(
        "AWS::Lambda::Function",
        "mailer",
        json!({"functionName": "mailer", "environment": environment}),
    );
    garden.plant(&item);
    let secret = garden.marker("Lambda environment in a call");
    let request = json!({"functionName": "mailer", "environment": {"variables": {"GREETING": secret}}});
    let call = garden.call("lambda", "UpdateFunctionConfiguration20150331v2", request.clone(), request);
    garden.plant(&call);
    for (service, name) in [
        ("ec2", "RunInstances"),
        ("ec2", "CreateLaunchTemplate"),
        ("autoscaling", "CreateLaunchConfiguration"),
    ] {
        let secret = garden.marker(&format!("user data of {name}"));
        let script = BASE64_STANDARD.encode(format!("#!/bin/sh\nrun --with {secret}\n"));
        let request = match name {
            "CreateLaunchTemplate" => {
                json!({"CreateLaunchTemplateRequest": {"LaunchTemplateName": "web", "LaunchTemplateData": {"UserData": script}}})
            }
            _ => {
                json!({"launchConfigurationName": "web", "imageId": "ami-0123456789abcdef0", "userData": script})
            }
        };
        let call = garden.call(service, name, request, Value::Null);
        garden.plant(&call);
    }
    let secret = garden.marker("user data in plain text in Config");
    let item = Garden::item(
        "AWS::AutoScaling::LaunchConfiguration",
        "web-1",
        json!({"userData": format!("#!/bin/sh\nexport X={secret}")}),
    );
    garden.plant(&item);
    let secret = garden.marker("environment of a task definition");
    let container =
        json!([{"name": "app", "image": "app:1", "environment": [{"name": "GREETING", "value": secret}]}]);
    let request = json!({"family": "checkout", "containerDefinitions": container});
    let call =
        garden.call("ecs", "RegisterTaskDefinition", request.clone(), json!({"taskDefinition": request}));
    garden.plant(&call);
    let secret = garden.marker("environment of a task definition in Config");
    let container =
        json!([{"Name": "app", "Image": "app:1", "Environment": [{"Name": "GREETING", "Value": secret}]}]);
    let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/checkout:7");
    let item = Garden::item("AWS::ECS::TaskDefinition", &arn, json!({"ContainerDefinitions": container}));
    garden.plant(&item);
    let secret = garden.marker("environment of a build");
    let variables = json!([{"name": "GREETING", "value": secret, "type": "PLAINTEXT"}]);
    let request = json!({"name": "shop", "environment": {"type": "LINUX_CONTAINER", "environmentVariables": variables}});
    let call = garden.call("codebuild", "CreateProject", request.clone(), json!({"project": request}));
    garden.plant(&call);
}

/// Databases, parameters, secrets and identities.
fn keepers(garden: &mut Garden) {
    let secret = garden.marker("RDS master password");
    let request =
        json!({"dBInstanceIdentifier": "orders", "masterUsername": "app", "masterUserPassword": secret});
    let call = garden.call(
        "rds",
        "ModifyDBInstance",
        request,
        json!({"pendingModifiedValues": {"masterUserPassword": "****"}}),
    );
    garden.plant(&call);
    let secret = garden.marker("SSM parameter");
    let call = garden.call(
        "ssm",
        "PutParameter",
        json!({"name": "/shop/greeting", "type": "String", "value": secret}),
        json!({"version": 2}),
    );
    garden.plant(&call);
    for (name, field) in [("CreateSecret", "secretString"), ("PutSecretValue", "secretBinary")] {
        let secret = garden.marker(&format!("{field} of {name}"));
        let call = garden.call(
            "secretsmanager",
            name,
            json!({"name": "shop/orders", "secretId": "shop/orders", field: secret}),
            Value::Null,
        );
        garden.plant(&call);
    }
    let secret = garden.marker("password of a login profile");
    let call = garden.call(
        "iam",
        "CreateLoginProfile",
        json!({"userName": "omar", "password": secret}),
        json!({"loginProfile": {"userName": "omar"}}),
    );
    garden.plant(&call);
    let secret = garden.marker("secret access key");
    let key = json!({"userName": "omar", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": secret});
    let call = garden.call("iam", "CreateAccessKey", json!({"userName": "omar"}), json!({"accessKey": key}));
    garden.plant(&call);
    let secret = garden.marker("session token");
    let key = "ASIAIOSFODNN7EXAMPLE";
    let credentials =
        json!({"accessKeyId": key, "expiration": "Mar 3, 2026, 3:13:00 AM", "sessionToken": secret});
    let role = json!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/platform"), "roleSessionName": "dana"});
    let call = garden.call("sts", "AssumeRole", role, json!({"credentials": credentials}));
    garden.plant(&call);
    let (key, password) =
        (garden.marker("parameter of a stack"), garden.marker("password in a template in a string"));
    let template = json!({"Resources": {"Db": {"Properties": {"MasterUserPassword": password}}}}).to_string();
    let parameters = json!([{"parameterKey": "DbPassword", "parameterValue": key}]);
    let request = json!({"stackName": "shop", "parameters": parameters, "templateBody": template});
    let call = garden.call("cloudformation", "CreateStack", request, Value::Null);
    garden.plant(&call);
}

/// Texts: what programs, headers, messages and tags let slip.
fn texts(garden: &mut Garden) {
    let queue = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:orders");
    let cluster = format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/shop");
    let secret = garden.marker("connection string");
    let event = garden.event(
        "Worker Started",
        &queue,
        json!({"target": format!("postgres://app:{secret}@db.example.com:5432/orders")}),
    );
    garden.plant(&event);
    let secret = garden.marker("private key");
    let pem = format!(
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE{secret}\n{secret}AQAB\n-----END RSA PRIVATE KEY-----\n"
    );
    let event = garden.event("Key Rolled", &queue, json!({"note": format!("new key: {pem}")}));
    garden.plant(&event);
    let (bearer, token) = (garden.marker("bearer token"), garden.marker("JSON web token"));
    let (head, body) =
        (BASE64_STANDARD.encode(r#"{"alg":"HS256"}"#), BASE64_STANDARD.encode(r#"{"sub":"dana"}"#));
    let token = format!("{}.{}.{token}", head.trim_end_matches('='), body.trim_end_matches('='));
    let headers = json!({"x-forwarded": format!("Bearer {bearer}"), "x-caller": token});
    let event = garden.event("Request Refused", &queue, json!({"headers": headers}));
    garden.plant(&event);
    let (github, slack) = (garden.marker("GitHub token"), garden.marker("Slack token"));
    let said = [format!("git clone failed for ghp_{github}"), format!("xoxb-2444333222111-{slack}")];
    let event = garden.event("Hook Failed", &queue, json!({"said": said}));
    garden.plant(&event);
    let (data, plain) =
        (garden.marker("data of a Kubernetes Secret"), garden.marker("string data of a Kubernetes Secret"));
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"},
        "data": {"greeting": BASE64_STANDARD.encode(data)}, "stringData": {"other": plain},
    });
    let about = json!({"resource": "secrets", "name": "db"});
    let detail = json!({"kind": "Event", "verb": "create", "objectRef": about, "requestObject": object});
    let event = garden.event("Kubernetes Audit Event", &cluster, detail);
    garden.plant(&event);
    let secret = garden.marker("JSON in JSON in a string");
    let inner = json!({"db": json!({"user": "app", "password": secret}).to_string()}).to_string();
    let event = garden.event("Order Placed", &queue, json!({"payload": inner}));
    garden.plant(&event);
    let secret = garden.marker("error message");
    let mut call =
        garden.call("rds", "CreateDBInstance", json!({"dBInstanceIdentifier": "orders-2"}), Value::Null);
    call["errorCode"] = json!("InvalidParameterValue");
    call["errorMessage"] =
        json!(format!("The parameter MasterUserPassword is not valid: password={secret} is too weak"));
    garden.plant(&call);
    let (named, looks) =
        (garden.marker("tag with a telling name"), garden.marker("tag with a telling value"));
    let tags = json!({"db-password": named, "note": format!("ghp_{looks}")});
    let mut item = Garden::item("AWS::SQS::Queue", "orders", json!({"QueueName": "orders"}));
    item["tags"] = tags;
    item["ARN"] = json!(queue);
    garden.plant(&item);
    let secret = garden.marker("signed address");
    let address = format!(
        "https://shop.s3.amazonaws.com/x?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE&X-Amz-Signature={secret}"
    );
    let mut call = garden.call(
        "s3",
        "PutObject",
        json!({"bucketName": "shop", "key": "x", "from": address.clone()}),
        Value::Null,
    );
    call["userAgent"] = json!(format!("[{address}]"));
    garden.plant(&call);
}

/// Input that is refused: what it says must not be repeated with the reason.
fn refused(garden: &mut Garden) {
    let secret = garden.marker("line that is no JSON");
    garden.lines.push(format!("password={secret}"));
    let secret = garden.marker("envelope of no known shape");
    garden.lines.push(json!({"password": secret, "neither": "event"}).to_string());
    let secret = garden.marker("time that is a password");
    let mut event = garden.event("Order Placed", "orders", json!({}));
    event["time"] = json!(format!("password={secret}"));
    garden.plant(&event);
    let secret = garden.marker("account that is a token");
    let mut call = garden.call("iam", "CreateUser", json!({"userName": "x"}), Value::Null);
    call["recipientAccountId"] = json!(format!("ghp_{secret}"));
    call["userIdentity"] = json!({"type": "Unknown", "accountId": format!("ghp_{secret}")});
    garden.plant(&call);
    // What is cut takes the lines behind it with it.
    let secret = garden.marker("line that is cut");
    garden
        .lines
        .push(format!(r#"{{"eventName": "CreateUser", "requestParameters": {{"password": "{secret}"#));
}

/// How a marker may be written: as it is, in hex, and in base64 at each of the three places in a group of bytes. Half
/// of one is as bad.
fn spellings(marker: &str) -> Vec<String> {
    let (start, end) = marker.split_at(marker.len() / 2);
    let hex = marker.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded = (0..3).map(|before| {
        let whole = BASE64_STANDARD.encode(format!("{}{marker}", " ".repeat(before)));
        // The ends depend on what stands beside the marker.
        whole.get(4..whole.len() - 4).unwrap().to_owned()
    });
    [start.to_owned(), end.to_owned(), hex].into_iter().chain(encoded).collect()
}

/// What must hold none of the markers.
struct Inspector {
    /// Every spelling, with the place that it was planted at.
    spellings: Vec<(String, String)>,
    leaks: BTreeSet<String>,
    inspected: usize,
}

impl Inspector {
    fn inspect(&mut self, what: &str, text: &str) {
        self.inspected += 1;
        for (spelling, planted) in &self.spellings {
            if let Some((before, _)) = text.split_once(spelling.as_str()) {
                let skipped = before.chars().count().saturating_sub(60);
                let before: String = before.chars().skip(skipped).collect();
                self.leaks.insert(format!("{planted}: in {what}, after `{before}`"));
            }
        }
    }
}

/// Everything that the database holds, as text.
fn dump(place: &Place) -> String {
    let mut beside_the_server = embedded::installed().into_iter().map(|found| found.dir.join("pg_dump"));
    let program = beside_the_server.find(|program| program.is_file());
    let output = Command::new(program.unwrap_or("pg_dump".into()))
        .args(["--username", "postgres", "--dbname", "perigee", "--inserts", "--host"])
        .arg(place.data().join("socket"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every page of a list; returns the items.
fn list(place: &Place, path: &str, inspector: &mut Inspector) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = place.get(&format!("/api/v1{path}?limit=20{cursor}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        inspector.inspect(&format!("/api/v1{path}"), &answer.text);
        let page = answer.json();
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// All that the API answers about what there is.
fn api(place: &Place, inspector: &mut Inspector) {
    for path in
        ["/changes", "/findings", "/rejected", "/health", "/checks", "/runs", "/deliveries", "/manifests"]
    {
        list(place, path, inspector);
    }
    for path in ["sources", "counts", "openapi.json", "digest", "metrics", "healthz"] {
        let path = format!("/api/v1/{path}");
        let answer = place.get(&path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        inspector.inspect(&path, &answer.text);
    }
    let resources = list(place, "/resources", inspector);
    assert!(resources.len() > 10, "{} resources", resources.len());
    for id in resources.iter().map(|resource| resource["id"].as_str().unwrap()) {
        for below in ["", "/graph"] {
            let path = format!("/api/v1/resources/{id}{below}");
            let answer = place.get(&path);
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            inspector.inspect(&path, &answer.text);
        }
        for below in ["history", "changes", "edges", "findings", "health", "runs"] {
            list(place, &format!("/resources/{id}/{below}"), inspector);
        }
    }
}

/// Every page that the pages lead to.
fn pages(place: &Place, inspector: &mut Inspector) {
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut ahead = VecDeque::from(["/".to_owned()]);
    while let Some(path) = ahead.pop_front() {
        let answer = place.get(&path);
        inspector.inspect(&path, &answer.text);
        assert_eq!(answer.status, 200, "{path}");
        if answer.kind.starts_with("text/html") {
            let links = answer.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
            for link in links.filter(|link| link.starts_with('/')) {
                let link = link.split('#').next().unwrap().replace("&amp;", "&");
                if seen.insert(link.clone()) && seen.len() < 400 {
                    ahead.push_back(link);
                }
            }
        }
    }
    assert!(seen.len() > 30, "{} pages", seen.len());
}

#[test]
fn no_planted_secret_is_kept_logged_printed_or_answered() {
    let mut garden = Garden { random: random("secrets"), markers: BTreeMap::new(), lines: Vec::new() };
    [compute, keepers, texts, refused].iter().for_each(|plant| plant(&mut garden));
    let planted = |(place, marker): (&String, &String)| {
        spellings(marker).into_iter().map(|it| (it, place.clone())).collect::<Vec<_>>()
    };
    let spellings = garden.markers.iter().flat_map(planted).collect();
    let mut inspector = Inspector { spellings, leaks: BTreeSet::new(), inspected: 0 };

    let place = Place::new();
    let input = place.path().join("planted.jsonl");
    fs::write(&input, garden.lines.join("\n")).unwrap();
    let server = place.up(&["--no-sample"]);
    let output = place.run(&["ingest", input.to_str().unwrap()]);
    inspector.inspect("what `ingest` prints", &format!("{output:?}"));
    let counts = place.feed(&[input]);
    inspector.inspect("what `ingest --output json` prints", &counts.to_string());
    // All but the refused ones were taken, so they were looked for where they could be.
    assert_eq!((&counts["rejected"], &counts["ignored"]), (&json!(5), &json!(0)), "{counts:#}");
    assert_eq!(counts["duplicate"], json!(garden.lines.len() - 5), "{counts:#}");

    for command in ["query", "changes", "findings", "rejected"] {
        inspector.inspect(command, &place.say(&[command, "--all"]));
        inspector.inspect(command, &place.say(&[command, "--all", "--output", "yaml"]));
    }
    api(&place, &mut inspector);
    pages(&place, &mut inspector);
    inspector.inspect("the database", &dump(&place));
    server.stop();
    for log in [place.log(), place.data().join("postgres.log")] {
        inspector.inspect(&log.display().to_string(), &fs::read_to_string(&log).unwrap());
    }
    println!("{} secrets looked for in {} texts", garden.markers.len(), inspector.inspected);
    assert!(inspector.leaks.is_empty(), "{:#?}", inspector.leaks);
}
