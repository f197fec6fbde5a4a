//! Against a server that answers what it is told.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use super::*;

/// Serves the answers one after the other, each on a connection of its own; gives back the requests' first lines.
fn serve(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let requests = answers.into_iter().map(|answer| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = Vec::new();
            while head.last().is_none_or(|line: &String| !line.is_empty()) {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                head.push(line.trim().to_owned());
            }
            let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            std::io::copy(&mut reader.take(length.unwrap_or(0)), &mut std::io::sink()).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            head.swap_remove(0)
        });
        requests.collect()
    });
    (Client::new(&Connection { url, token: Some("sesame".to_owned()) }), served)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// What one answer means.
fn meaning(answer: String) -> Error {
    let (client, served) = serve(vec![answer]);
    let error = client.get("/digest", &[]).unwrap_err();
    served.join().unwrap();
    error
}

#[test]
fn a_list_is_read_page_after_page_until_there_is_enough() {
    let page = |items: &str, next: &str| answer("200 OK", "", &format!("{{\"items\": [{items}]{next}}}"));
    let pages = || vec![page("1, 2", ", \"next\": \"a b\""), page("3", "")];
    let (client, served) = serve(pages());
    let list = client.list("/changes", &[("q", "x=y z".to_owned())], usize::MAX).unwrap();
    assert_eq!(list, serde_json::json!({"items": [1, 2, 3]}));
    let requests = served.join().unwrap();
    assert_eq!(requests[0], "GET /api/v1/changes?q=x%3Dy%20z&limit=1000 HTTP/1.1");
    assert!(requests[1].contains("limit=1000&cursor=a%20b"), "{requests:?}");

    let (client, served) = serve(pages().into_iter().take(1).collect());
    let list = client.list("/changes", &[], 2).unwrap();
    assert_eq!(list, serde_json::json!({"items": [1, 2], "next": "a b"}));
    assert!(served.join().unwrap()[0].contains("limit=2"));
}

#[test]
fn a_busy_server_says_when_to_come_back() {
    let body = r#"{"title": "Busy", "detail": "Send it again.", "status": 503}"#;
    let busy = meaning(answer("503 Service Unavailable", "retry-after: 2\r\n", body));
    assert!(matches!(&busy, Error::Busy { retry_after: Some(after), .. } if after.as_secs() == 2), "{busy}");
    let proxy = meaning(answer("502 Bad Gateway", "", "<html>"));
    assert!(matches!(proxy, Error::Busy { retry_after: None, .. }), "{proxy}");
}

#[test]
fn a_refusal_is_the_servers_own_words() {
    let body =
        r#"{"title": "The search cannot be read", "detail": "column 6: a value is missing", "status": 400}"#;
    let refused = explain(meaning(answer("400 Bad Request", "", body)));
    assert!(refused.is::<Usage>(), "{refused}");
    assert_eq!(refused.to_string(), "column 6: a value is missing");
    let missing = explain(meaning(answer("404 Not Found", "", r#"{"title": "No such thing"}"#)));
    assert!(!missing.is::<Usage>());
    assert_eq!(missing.to_string(), "No such thing");
}

#[test]
fn a_resource_that_is_not_there_is_looked_for_with_a_command() {
    let body = r#"{"title": "There is no such thing", "detail": "GET /api/v1/resources?q=... searches."}"#;
    let missing = || meaning(answer("404 Not Found", "", body));
    let said = explain_missing(missing(), Some("shop-db")).to_string();
    assert!(said.contains("`shop-db`") && said.contains("perigee query"), "{said}");
    assert!(!said.contains("GET"), "{said}");
    assert!(explain_missing(missing(), None).to_string().contains("GET"));
}

#[test]
fn what_is_no_perigee_is_said_to_be_none() {
    for stranger in
        [answer("200 OK", "", "<html>"), answer("404 Not Found", "", "<html>"), "nonsense\r\n\r\n".to_owned()]
    {
        let error = meaning(stranger);
        assert!(matches!(error, Error::NotPerigee { .. }), "{error:?}");
        assert!(error.to_string().contains("say where Perigee is with --url"));
    }
}

#[test]
fn a_server_that_hangs_up_was_there() {
    let error = meaning(String::new());
    assert!(matches!(error, Error::Cut { .. }), "{error:?}");
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{".to_owned();
    let error = meaning(half);
    assert!(matches!(error, Error::Cut { .. }), "{error:?}");
}

#[test]
fn a_reference_may_hold_anything() {
    let path = resource_path("arn:aws:s3:::a/b c", "/history");
    assert_eq!(path, "/resources/arn%3Aaws%3As3%3A%3A%3Aa%2Fb%20c/history");
}
