//! The `resource` variable of a bare document.

use serde_json::{Map, Value, json};

/// The `resource` that rules see, of a bare document: a Kubernetes object, a Config item (its `configuration` may be
/// text, as in a snapshot file), or the configuration alone with its type. Nothing that is not there is made up.
#[must_use]
pub fn resource_of(document: Value, kind: Option<&str>) -> Value {
    if let Some(kind) = kubernetes_type(&document) {
        return kubernetes(document, &kind);
    }
    let word = |name: &str| document.get(name).and_then(Value::as_str);
    match word("resourceType").map(str::to_owned) {
        Some(kind) if document.get("configuration").is_some() => config_item(document, &kind),
        found => bare(document, &canonical(kind.or(found.as_deref()).unwrap_or_default())),
    }
}

/// A type as the catalog spells it, however a document does.
fn canonical(kind: &str) -> String {
    model::known_type(kind).map_or(kind, |known| known.name).to_owned()
}

/// `Kubernetes::<group or core>::<Kind>`, of anything that says its API version and kind.
fn kubernetes_type(document: &Value) -> Option<String> {
    let version = document.get("apiVersion")?.as_str()?;
    let kind = document.get("kind")?.as_str()?;
    let group = version.split_once('/').map_or("core", |(group, _)| group);
    Some(format!("Kubernetes::{group}::{kind}"))
}

fn kubernetes(document: Value, kind: &str) -> Value {
    let meta = |name: &str| document.pointer(&format!("/metadata/{name}"));
    let word = |name: &str| meta(name).and_then(Value::as_str).unwrap_or_default();
    let name = word("name").to_owned();
    let native_id = match word("namespace") {
        "" => name.clone(),
        namespace => format!("{namespace}/{name}"),
    };
    let labels = meta("labels").filter(|labels| labels.is_object()).cloned().unwrap_or_else(|| json!({}));
    let mut resource = bare(Value::Null, kind);
    set(&mut resource, "name", json!(name));
    set(&mut resource, "native_id", json!(native_id));
    set(&mut resource, "labels", labels);
    set(&mut resource, "config", document);
    resource
}

fn config_item(mut document: Value, kind: &str) -> Value {
    let word = |name: &str| document.get(name).and_then(Value::as_str).map(|text| json!(text));
    let mut resource = bare(Value::Null, &canonical(kind));
    let id = word("resourceId").unwrap_or_else(|| json!(""));
    for (name, value) in [
        ("name", word("resourceName").unwrap_or_else(|| id.clone())),
        ("native_id", id.clone()),
        ("account", word("awsAccountId").or_else(|| word("accountId")).unwrap_or_else(|| json!(""))),
        ("region", word("awsRegion").unwrap_or_else(|| json!(""))),
    ] {
        set(&mut resource, name, value);
    }
    if let Some(tags) = document.get_mut("tags").filter(|tags| tags.is_object()) {
        set(&mut resource, "tags", tags.take());
    }
    let config = document.get_mut("configuration").map_or(Value::Null, Value::take);
    let config = match config {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other,
    };
    set(&mut resource, "config", config);
    resource
}

fn bare(config: Value, kind: &str) -> Value {
    let mut resource = json!({
        "id": "", "type": kind, "name": "", "native_id": "", "account": "", "region": "",
        "tags": {}, "labels": {}, "aliases": [],
    });
    set(&mut resource, "config", config);
    resource
}

fn set(resource: &mut Value, name: &str, value: Value) {
    if let Some(fields) = resource.as_object_mut() {
        let fields: &mut Map<String, Value> = fields;
        fields.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_the_resource_that_rules_see() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}});
        let resource = resource_of(pod.clone(), None);
        assert_eq!(resource["type"], "Kubernetes::core::Pod");
        assert_eq!(resource["native_id"], "b/a");
        assert_eq!(resource["config"], pod);

        let item = json!({
            "resourceType": "AWS::EC2::Instance", "resourceId": "i-1", "awsRegion": "eu-west-1",
            "awsAccountId": "111122223333", "configuration": "{\"state\":{\"name\":\"running\"}}",
            "tags": {"env": "prod"},
        });
        let resource = resource_of(item, None);
        assert_eq!(resource["config"]["state"]["name"], "running");
        assert_eq!(resource["tags"]["env"], "prod");
        assert_eq!(resource["name"], "i-1");

        let bare = resource_of(json!({"StackStatus": "CREATE_COMPLETE"}), Some("AWS::Cloudformation::Stack"));
        assert_eq!(bare["type"], "AWS::CloudFormation::Stack");
    }
}
