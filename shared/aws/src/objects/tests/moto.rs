//! Against moto, which implements S3's side. `pip install 'moto[server,s3]'`; without it the test is skipped with a
//! line that says so, unless `PERIGEE_REQUIRE_DATA=1`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;

struct Moto {
    server: Child,
    endpoint: String,
}

impl Moto {
    /// Starts moto on a free port. `None` where it is not installed.
    fn start() -> Option<Self> {
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().ok()?;
        let lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let endpoint = lines.map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("Running on ")?;
            Some(address.trim().to_owned())
        });
        Some(Self { endpoint: endpoint.expect("moto says where it listens, or ends"), server })
    }

    /// PUTs a bucket or an object; moto asks for no signature.
    async fn put(&self, objects: &Objects, path: &str, body: &'static str) {
        let body = aws_smithy_types::body::SdkBody::from(body);
        let request = http::Request::put(format!("{}/{path}", self.endpoint)).body(body).unwrap();
        let response = objects.connector.call(request.try_into().unwrap()).await.unwrap();
        assert!(response.status().is_success(), "{path}: {response:?}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

#[tokio::test]
async fn what_moto_serves_is_read() {
    let Some(moto) = Moto::start() else {
        assert!(
            std::env::var_os("PERIGEE_REQUIRE_DATA").is_none(),
            "moto is missing: pip install 'moto[server,s3]'"
        );
        return println!("skipped: moto is not installed (pip install 'moto[server,s3]')");
    };
    let objects = objects(&moto.endpoint, &NoSleep::default());
    moto.put(&objects, "logs", "").await;
    moto.put(&objects, "logs/AWSLogs/a%20b%2Bc/%C3%A9.json", r#"{"Records":[]}"#).await;
    let location =
        |key: &str| ObjectLocation { bucket: "logs".to_owned(), key: key.to_owned(), region: None };

    let found = objects.get(&location("AWSLogs/a b+c/\u{e9}.json"), 100).await.unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), r#"{"Records":[]}"#);
    let missing = objects.get(&location("AWSLogs/none"), 100).await.unwrap_err();
    assert!(matches!(missing, ObjectError::Missing(_)), "{missing:?}");
    let large = objects.get(&location("AWSLogs/a b+c/\u{e9}.json"), 5).await.unwrap_err();
    assert!(matches!(large, ObjectError::TooLarge { limit: 5, .. }), "{large:?}");
    let no_bucket = ObjectLocation { bucket: "nothing".to_owned(), ..location("a") };
    assert!(matches!(objects.get(&no_bucket, 100).await, Err(ObjectError::Missing(_))));
}
