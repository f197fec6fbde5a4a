//! Secrets that stand where they do in real events.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::Garden;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

/// Plants all of them.
pub(super) fn plant(garden: &mut Garden) {
    [compute, keepers, texts, refused].iter().for_each(|plant| plant(garden));
}

impl Garden {
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
