use super::*;

fn of(vars: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> + Copy {
    move |name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn our_own_variable_goes_before_the_common_one() {
    let both = of(&[("DATABASE_URL", "postgres://other/db"), ("PERIGEE_DATABASE_URL", "postgres://ours/db")]);
    assert_eq!(database(both).unwrap().url, "postgres://ours/db");
    let options = database(of(&[("DATABASE_URL", "postgres://other/db")])).unwrap();
    assert_eq!(
        (options.url.as_str(), options.max_connections, options.pooler),
        ("postgres://other/db", 2, false)
    );
}

#[test]
fn a_missing_address_names_the_variable_and_an_example() {
    let error = database(of(&[])).unwrap_err().to_string();
    assert_eq!(
        error,
        "PERIGEE_DATABASE_URL is not set; set it to the address of a Postgres database, such as postgres://user@host/perigee"
    );
}

#[test]
fn a_value_that_means_nothing_is_refused_and_not_guessed() {
    let url = ("DATABASE_URL", "postgres://other/db");
    let cases: [(&'static [(&'static str, &'static str)], &str); 3] = [
        (&[("PERIGEE_DB_POOLER", "maybe")], "PERIGEE_DB_POOLER is `maybe`; it should be 1 or 0"),
        (
            &[("PERIGEE_DB_CONNECTIONS", "0")],
            "PERIGEE_DB_CONNECTIONS is `0`; it should be a number from 1 to 100",
        ),
        (
            &[("PERIGEE_DB_CONNECTIONS", "two")],
            "PERIGEE_DB_CONNECTIONS is `two`; it should be a number from 1 to 100",
        ),
    ];
    for (vars, expected) in cases {
        let vars = of(vars);
        let error =
            database(|name| if name == url.0 { Some(url.1.to_owned()) } else { vars(name) }).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn accounts_are_a_set_of_numbers_or_everything() {
    assert_eq!(accounts(of(&[])), Ok(None));
    let two = accounts(of(&[("PERIGEE_ACCOUNTS", "111122223333, 444455556666,")])).unwrap().unwrap();
    assert_eq!(Vec::from_iter(two), ["111122223333", "444455556666"]);
    assert_eq!(
        accounts(of(&[("PERIGEE_ACCOUNTS", "prod")])).unwrap_err().to_string(),
        "PERIGEE_ACCOUNTS is `prod`; it should be account numbers of 12 digits, separated by commas"
    );
}
