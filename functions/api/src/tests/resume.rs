//! A database that resumes slowly: nobody listens, then it says that it is starting up, then it is there.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use catalog::{Catalog, ConnectOptions};
use futures_util::future::join_all;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
};

use super::{Server, serve};
use crate::Config;

/// What Postgres answers while it starts: severity, code and message of an error response.
const STARTING: &[u8] = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn reach(host: &str, port: u16) -> Box<dyn Stream> {
    if host.starts_with('/') {
        let socket = Path::new(host).join(format!(".s.PGSQL.{port}"));
        return Box::new(UnixStream::connect(socket).await.unwrap());
    }
    Box::new(TcpStream::connect((host, port)).await.unwrap())
}

/// Refuses as a server that starts does.
async fn refuse(mut caller: TcpStream) {
    let length = caller.read_u32().await.unwrap_or(4) as usize;
    let mut startup = vec![0; length.saturating_sub(4)];
    if caller.read_exact(&mut startup).await.is_err() {
        return;
    }
    let mut answer = vec![b'E'];
    answer.extend(u32::try_from(STARTING.len() + 4).unwrap().to_be_bytes());
    answer.extend(STARTING);
    drop(caller.write_all(&answer).await);
}

/// Stands before the database: refuses until it is `ready`, passes everything on after.
async fn stand_before(listener: TcpListener, host: String, port: u16, ready: Arc<AtomicBool>) {
    while let Ok((mut caller, _)) = listener.accept().await {
        if ready.load(Ordering::SeqCst) {
            let mut database = reach(&host, port).await;
            tokio::spawn(async move { copy_bidirectional(&mut caller, &mut database).await });
        } else {
            tokio::spawn(refuse(caller));
        }
    }
}

#[tokio::test]
async fn while_the_database_resumes_everything_asks_for_patience_and_then_is_there() {
    let paths = ["/", "/runs", "/resources/sg-0a1b2c3d", "/api/v1/health", "/healthz"];
    let real = Server::at_work().await;
    let own = ConnectOptions { url: real.db().url().to_owned(), max_connections: 1, pooler: false };
    let (host, port, user) = own.address().unwrap();
    // The folder of the socket, where that is how the server is reached.
    let socket = own.url.split_once("host=").and_then(|(_, rest)| rest.split('&').next());
    let host = socket
        .map_or(host, |folder| percent_encoding::percent_decode_str(folder).decode_utf8_lossy().into_owned());
    let name = own.url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap();
    let url = format!("postgres://{user}@{front}/{name}?sslmode=disable");
    let catalog = Catalog::connect(&ConnectOptions { url, max_connections: 2, pooler: false }).unwrap();
    let server =
        Server { router: serve(&catalog, Config { local: true, ..Config::default() }), catalog, db: None };
    let ready = Arc::new(AtomicBool::new(false));
    tokio::spawn(stand_before(listener, host, port, Arc::clone(&ready)));

    for (path, answer) in paths.iter().zip(join_all(paths.map(|path| server.get(path))).await) {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "2", "{path}");
        assert!(
            answer.text.contains("a few seconds") && !answer.text.contains("starting up"),
            "{}",
            answer.text
        );
    }
    // Who asks just before it is there waits, and is answered.
    let asked = join_all(paths.map(|path| server.get(path)));
    let resumes = async {
        #[expect(clippy::disallowed_methods, reason = "the database takes this long to resume")]
        tokio::time::sleep(Duration::from_millis(700)).await;
        ready.store(true, Ordering::SeqCst);
    };
    let (answers, ()) = tokio::join!(asked, resumes);
    for (path, answer) in paths.iter().zip(answers) {
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    }
}
