use ports::Secret;

use crate::Redactor;

fn knowing(secrets: &[&str]) -> Redactor {
    let mut redactor = Redactor::new();
    for secret in secrets {
        redactor.add(&Secret::new((*secret).to_owned()));
    }
    redactor
}

#[test]
fn a_secret_is_taken_out_in_each_form_that_it_takes() {
    let redactor = knowing(&["pa\"ss word/1"]);
    for text in ["pa\"ss word/1", "{\"k\":\"pa\\\"ss word/1\"}", "?k=pa%22ss+word%2F1&b", "cGEic3Mgd29yZC8x"]
    {
        let shown = redactor.redact(text);
        assert!(shown.contains("***") && !shown.contains("word"), "{shown}");
    }
}

#[test]
fn a_secret_that_holds_another_is_taken_out_whole() {
    assert_eq!(knowing(&["abc", "abcdef"]).redact("x abcdef y abc z"), "x *** y *** z");
}

#[test]
fn the_path_of_a_secret_address_is_taken_out_by_itself() {
    let redactor = knowing(&["https://hooks.example.com/services/T1/B1/abcdefghijkl"]);
    assert_eq!(redactor.redact("POST /services/T1/B1/abcdefghijkl failed"), "POST *** failed");
    assert_eq!(redactor.redact("token abcdefghijkl at hooks.example.com"), "token *** at hooks.example.com");
}

#[test]
fn its_debug_shows_nothing() {
    assert!(!format!("{:?}", knowing(&["hunter22"])).contains("hunter22"));
}
