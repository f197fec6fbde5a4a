//! What is filled in, as values; and what is never sent back.

use serde_json::json;

use super::*;

fn playbook() -> Playbook {
    serde_json::from_value(json!({
        "parameters": [
            {"name": "note"}, {"name": "tasks", "type": "number"}, {"name": "force", "type": "boolean"},
            {"name": "size", "type": "number", "options": [1, 2]}, {"name": "token", "type": "secret", "required": true},
        ],
        "steps": [],
    }))
    .unwrap()
}

fn given(fields: &[(&str, &str)]) -> Given {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Given::read([("key", "k")].iter().chain(fields).map(own).collect()).unwrap()
}

#[test]
fn texts_become_what_the_parameters_are() {
    let given = given(&[
        ("resource", "r"),
        ("p.note", " 1 "),
        ("p.tasks", " 2.5"),
        ("p.force", "true"),
        ("p.size", "2"),
        ("p.token", "secretsManager:shop/token#key"),
        ("p.unknown", "x"),
        ("p.empty", ""),
    ]);
    let wanted = json!({
        "note": " 1 ", "tasks": 2.5, "force": true, "size": 2, "unknown": "x",
        "token": {"secretsManager": {"id": "shop/token", "key": "key"}},
    });
    assert_eq!(serde_json::to_value(given.parameters(&playbook())).unwrap(), wanted);
}

#[test]
fn what_cannot_be_read_stays_a_text_to_be_refused() {
    let given = given(&[("p.tasks", "many"), ("p.force", "maybe"), ("p.token", "hunter2")]);
    let wanted = json!({"tasks": "many", "force": "maybe", "token": "hunter2"});
    assert_eq!(serde_json::to_value(given.parameters(&playbook())).unwrap(), wanted);
}

#[test]
fn a_secret_that_was_typed_by_mistake_is_not_sent_back() {
    let playbook = playbook();
    let given = given(&[("p.token", "hunter2"), ("p.note", "<script>alert(1)</script>")]);
    let faults = ["params.token: say where it is kept".to_owned()];
    let shown = |place: usize| field(&playbook.parameters[place], &given, &faults, "f").0;
    assert!(!shown(4).contains("hunter2"), "{}", shown(4));
    assert!(shown(4).contains("aria-invalid") && shown(4).contains("say where it is kept"), "{}", shown(4));
    assert!(shown(0).contains("&lt;script&gt;") && !shown(0).contains("aria-invalid"), "{}", shown(0));
}

#[test]
fn a_form_without_a_key_or_with_a_field_of_no_form_is_refused() {
    let read = |fields: &[(&str, &str)]| {
        Given::read(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    assert_eq!(read(&[("p.note", "x")]).unwrap_err().kind, Kind::BadBody);
    assert_eq!(read(&[("key", "k"), ("other", "x")]).unwrap_err().kind, Kind::BadBody);
}

#[test]
fn a_fault_stands_beside_the_parameter_that_it_names() {
    let playbook = playbook();
    let named = |fault: &str| of(&playbook, fault).map(|parameter| parameter.name.clone());
    assert_eq!(named("params.tasks: must be a number").as_deref(), Some("tasks"));
    assert_eq!(named("`note`: there is no resource `tasks`").as_deref(), Some("note"));
    assert_eq!(named("params.colour: there is no such parameter"), None);
    assert_eq!(named("something else"), None);
}
