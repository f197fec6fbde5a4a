use super::*;

fn judge() -> Judge {
    let (rules, faults) = Rules::new(Vec::new());
    assert_eq!(faults, []);
    Judge { rules, kind: None, now: "2026-03-03T02:13:00Z".parse().unwrap() }
}

fn judged(text: &str) -> Vec<Value> {
    let judge = judge();
    input::items(text).into_iter().map(|item| judge.line(item)).collect()
}

#[test]
fn lines_are_judged_at_the_instant_that_they_name() {
    let pod = |now: &str| {
        format!(
            r#"{{"id":"a","now":"{now}","other":1,"resource":{{"apiVersion":"v1","kind":"Pod",
            "metadata":{{"name":"p","creationTimestamp":"2026-03-03T02:00:00Z"}},"status":{{"phase":"Pending"}}}}}}"#
        )
        .replace('\n', " ")
    };
    let text = format!("{}\n{}\n", pod("2026-03-03T02:04:59Z"), pod("2026-03-03T02:05:00Z"));
    let lines = judged(&text);
    assert_eq!(lines[0]["health"], "unknown");
    assert_eq!(lines[0]["until"], "2026-03-03T02:05:00Z");
    assert_eq!(lines[1]["health"], "unhealthy");
    assert_eq!(lines[1]["id"], "a");
}

#[test]
fn a_bad_line_says_where_it_stands_and_stops_no_other() {
    let text = "\n{\"id\":1,\"resource\":3}\nnot json\n{\"id\":2,\"resource\":{},\"now\":\"soon\"}\n\
                {\"id\":3,\"type\":\"AWS::CloudWatch::Alarm\",\"resource\":{\"StateValue\":\"OK\"}}\n[]\n7";
    let lines = judged(text);
    let errors: Vec<_> = lines.iter().map(|line| line["line"].as_u64()).collect();
    assert_eq!(errors, [Some(2), Some(3), Some(4), None, Some(7)]);
    assert_eq!(
        lines[3],
        json!({
            "id": 3, "health": "healthy", "status": "OK", "ready": true, "reason": "",
            "rule": "builtin/aws-cloudwatch-alarm",
        })
    );
    assert_eq!(judged("rubbish\n{\"id\":1,\"resource\":{}}\n")[0]["line"], 1);
}

#[test]
fn lists_documents_over_many_lines_and_yaml_are_taken() {
    let alarm = json!({"resourceType": "AWS::CloudWatch::Alarm", "resourceId": "a", "configuration": {"stateValue": "ALARM"}});
    let snapshot = serde_json::to_string_pretty(&json!({"configurationItems": [alarm, alarm]})).unwrap();
    let ids: Vec<_> = judged(&snapshot).iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, ["AWS::CloudWatch::Alarm/a", "AWS::CloudWatch::Alarm/a"]);

    let yaml =
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: shop}\n";
    assert_eq!(judged(yaml)[0]["id"], "Kubernetes::core::Namespace/shop");
}

#[test]
fn rules_of_people_speak_first_and_wrong_ones_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let rule = |name: &str, status: &str| {
        format!(
            "apiVersion: perigee.dev/v1\nkind: HealthRule\nmetadata: {{name: {name}}}\nspec:\n  \
             types: [\"AWS::CloudWatch::Alarm\"]\n  cases: [{{health: warning, status: {status}}}]\n"
        )
    };
    fs::write(folder.path().join("a.yaml"), rule("mine", "Mine")).unwrap();
    fs::write(folder.path().join("b.yaml"), rule("wrong", "'${{ resource.nope }}'")).unwrap();
    fs::write(folder.path().join("notes.txt"), "no manifest").unwrap();
    let (written, whole) = written(&[folder.path().to_path_buf()]).unwrap();
    assert_eq!((written.len(), whole), (1, false));
    let (rules, _) = Rules::new(written);
    let verdict =
        rules.judge_document(json!({"StateValue": "OK"}), Some("AWS::CloudWatch::Alarm"), judge().now);
    assert_eq!((verdict.status.as_str(), verdict.rule.as_deref()), ("Mine", Some("mine")));
}
