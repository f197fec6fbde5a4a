//! A server that answers as S3 does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use crate::data::skip;

/// moto, which implements S3's side. `pip install 'moto[server,s3]'`.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    address: String,
}

impl Moto {
    /// Starts it on a free port. `None`, with a printed line, where it is not installed.
    ///
    /// # Panics
    /// When it ends before it listens; or when it is not installed and `PERIGEE_REQUIRE_DATA=1` says that it must be.
    #[must_use]
    pub fn start() -> Option<Self> {
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut server) = command.spawn() else {
            skip("moto is not installed: pip install 'moto[server,s3]'");
            return None;
        };
        let log = server.stderr.take().map(BufReader::new);
        let address = log.into_iter().flat_map(BufRead::lines).map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("Running on http://")?;
            Some(address.trim().to_owned())
        });
        let Some(address) = address else { panic!("moto ended before it listened") };
        Some(Self { server, address })
    }

    /// Where it listens: `http://127.0.0.1:50123`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object, and its bucket. `key` is encoded as in a URL.
    ///
    /// # Panics
    /// When moto does not take it.
    pub fn put(&self, bucket: &str, key: &str, body: &str) {
        self.send(&format!("/{bucket}"), "");
        self.send(&format!("/{bucket}/{key}"), body);
    }

    /// moto looks whether there is a signature, not at it, so this needs no AWS.
    fn send(&self, path: &str, body: &str) {
        let sent = || {
            let mut stream = TcpStream::connect(&self.address)?;
            let (address, size) = (&self.address, body.len());
            write!(stream, "PUT {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {size}\r\n")?;
            write!(
                stream,
                "authorization: AWS4-HMAC-SHA256 Credential=any/20260303/us-east-1/s3/aws4_request\r\n"
            )?;
            write!(stream, "connection: close\r\n\r\n{body}")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = sent().unwrap_or_else(|error| panic!("cannot put {path}: {error}"));
        assert!(answer.starts_with("HTTP/1.1 200"), "cannot put {path}: {answer}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}
