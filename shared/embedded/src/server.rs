//! Starting, adopting and stopping the server.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::process::Child;

use crate::{
    Binaries, Error, Settings, Sharing,
    cluster::{self, SUPERUSER},
    folder::Folder,
    owner::Owner,
    pidfile::{self, PidFile, Status},
    wait,
};

/// The port only names the socket file; nothing listens on TCP.
const PORT: u16 = 5432;

/// Recovery after a power cut replays at most a gigabyte of log.
const READY_LIMIT: Duration = Duration::from_secs(300);
/// A fast stop writes one checkpoint.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// A server that runs answers at once, even when it is busy.
const ANSWER_LIMIT: Duration = Duration::from_millis(500);
/// Sessions of a killed server notice within moments that it is gone; until then a new one may not start.
const LEFTOVER_PAUSE: Duration = Duration::from_millis(250);
const LEFTOVER_ATTEMPTS: u32 = 60;

/// A server that answers.
#[derive(Debug)]
pub struct Postgres {
    pid: i32,
    /// Ours to wait for; `None` when the server was adopted.
    child: Option<Child>,
    socket_dir: PathBuf,
    port: u16,
    cluster: PathBuf,
    log: PathBuf,
    folder: Option<Folder>,
}

/// Starts the server of a data folder, or adopts the one that runs there. Makes folder, cluster and database
/// [`crate::DATABASE`] where they are missing.
///
/// # Errors
/// See [`Error`]: each says what to do.
pub async fn start(settings: &Settings) -> Result<Postgres, Error> {
    let (data_dir, sharing) = (settings.data_dir.clone(), settings.sharing);
    let folder = tokio::task::spawn_blocking(move || Folder::open(&data_dir, sharing))
        .await
        .map_err(|source| Error::io("open the data folder", source.into()))??;
    let running = match running(&folder).await? {
        Some(pid_file) => {
            tracing::debug!(
                pid = pid_file.pid,
                "Adopted the PostgreSQL that runs in {}",
                folder.path.display()
            );
            Process { pid_file, child: None }
        }
        None => launch(&folder, settings).await?,
    };
    let Process { pid_file, child } = running;
    let (cluster, log) = (folder.cluster(), folder.log());
    let folder = match sharing {
        Sharing::Exclusive => Some(folder),
        Sharing::Shared => {
            folder.unlock();
            None
        }
    };
    Ok(Postgres {
        pid: pid_file.pid,
        child,
        socket_dir: pid_file.socket_dir.unwrap_or_default(),
        port: pid_file.port.unwrap_or(PORT),
        cluster,
        log,
        folder,
    })
}

/// A ready server's word on itself, and the process where it is our child.
struct Process {
    pid_file: PidFile,
    child: Option<Child>,
}

/// The server that already runs on this folder, once it is ready.
async fn running(folder: &Folder) -> Result<Option<PidFile>, Error> {
    let cluster = folder.cluster();
    wait::until(READY_LIMIT, || match pidfile::read(&cluster) {
        None => Some(None),
        Some(found) if !pidfile::is_server(found.pid, &cluster) => Some(None),
        Some(found) => match found.status {
            // One that was just killed looks ready, too, until the kernel is done with it.
            Status::Ready if answers(&found) => Some(Some(found)),
            Status::Ready | Status::Starting | Status::Stopping => None,
        },
    })
    .await
    .ok_or_else(|| not_ready(READY_LIMIT, folder))
}

/// Whether the server takes a connection and says a word: to the question for TLS it says no, or yes.
fn answers(found: &PidFile) -> bool {
    const TLS_QUESTION: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let Some(dir) = &found.socket_dir else { return false };
    let socket = dir.join(format!(".s.PGSQL.{}", found.port.unwrap_or(PORT)));
    let asked = UnixStream::connect(socket).and_then(|mut stream| {
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.write_all(&TLS_QUESTION)?;
        stream.read_exact(&mut [0])
    });
    asked.is_ok()
}

/// Clears away what a dead server left and the next would stumble over: a process of its number exists, be it another
/// one or its own that nobody has collected yet. That its sessions are gone, too, the next server sees for itself.
fn clear_leftovers(cluster: &Path, socket_dir: &Path) -> Result<(), Error> {
    if pidfile::read(cluster).is_some_and(|found| pidfile::process_exists(found.pid)) {
        remove(&pidfile::path(cluster))?;
    }
    remove(&socket_dir.join(format!(".s.PGSQL.{PORT}.lock")))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("remove {}", path.display()), source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn launch(folder: &Folder, settings: &Settings) -> Result<Process, Error> {
    let binaries = cluster::choose_binaries(folder)?;
    let owner = Owner::choose(&folder.cluster())?;
    cluster::ensure(folder, &binaries, &owner, settings).await?;
    let socket_dir = folder.socket_dir(&owner)?;
    clear_leftovers(&folder.cluster(), &socket_dir)?;
    let mut pause = tokio::time::interval(LEFTOVER_PAUSE);
    for _ in 0..LEFTOVER_ATTEMPTS {
        pause.tick().await;
        if let Some(process) = attempt(folder, settings, &binaries, &owner, &socket_dir).await? {
            return Ok(process);
        }
    }
    Err(not_ready(LEFTOVER_PAUSE * LEFTOVER_ATTEMPTS, folder))
}

/// The ready server; `None` when sessions of a server that was killed still hold its shared memory.
async fn attempt(
    folder: &Folder,
    settings: &Settings,
    binaries: &Binaries,
    owner: &Owner,
    socket_dir: &Path,
) -> Result<Option<Process>, Error> {
    let cluster = folder.cluster();
    let mut log = folder.open_log()?;
    let log_start = log.seek(SeekFrom::End(0)).map_err(|source| Error::io("read the log", source))?;
    let mut command = owner.command(&binaries.program("postgres"));
    command.arg("-D").arg(&cluster).args(arguments(settings, socket_dir));
    command.current_dir(&cluster).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut child = command.spawn().map_err(|source| owner.explain("start PostgreSQL", &cluster, source))?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    let outcome = wait::until(READY_LIMIT, || match child.try_wait() {
        Ok(Some(_)) | Err(_) => Some(None),
        // The file may still be the one of a server before this.
        Ok(None) => pidfile::read(&cluster)
            .filter(|found| Some(found.pid) == pid && found.status == Status::Ready)
            .map(Some),
    })
    .await
    .ok_or_else(|| not_ready(READY_LIMIT, folder))?;
    if let Some(pid_file) = outcome {
        return Ok(Some(Process { pid_file, child: Some(child) }));
    }
    let said = read_from(&folder.log(), log_start);
    if said.contains("pre-existing shared memory block") {
        return Ok(None);
    }
    Err(cluster::diagnose(&said, folder, owner)
        .unwrap_or_else(|| Error::Failed { log: folder.log(), tail: cluster::last_lines(&said, 3) }))
}

/// The server's settings. Statements, parameters and rows stay out of its log: they may hold what must not be kept.
fn arguments(settings: &Settings, socket_dir: &Path) -> Vec<String> {
    let sockets = format!("unix_socket_directories=\"{}\"", socket_dir.display());
    let port = format!("port={PORT}");
    let mut values = vec![
        "listen_addresses=",
        &sockets,
        "unix_socket_permissions=0700",
        &port,
        "max_connections=200",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_wal_size=1GB",
        "jit=off",
        "log_min_error_statement=panic",
        "log_error_verbosity=terse",
        "log_statement=none",
    ];
    if !settings.durable {
        values.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
    }
    values.iter().flat_map(|value| ["-c".to_owned(), (*value).to_owned()]).collect()
}

fn not_ready(limit: Duration, folder: &Folder) -> Error {
    Error::NotReady { seconds: limit.as_secs(), log: folder.log() }
}

/// What was appended to a file since `offset`; empty when it cannot be read, for this is only for messages.
fn read_from(path: &Path, offset: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut bytes)
    });
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

impl Postgres {
    /// The address of a database of this server, as sqlx and libpq read it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let host = self.socket_dir.to_string_lossy();
        let host = utf8_percent_encode(&host, NON_ALPHANUMERIC);
        let database = utf8_percent_encode(database, NON_ALPHANUMERIC);
        format!("postgres:///{database}?host={host}&port={}&user={SUPERUSER}", self.port)
    }

    /// The folder of the server's socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The server's process number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether the server was running before we came.
    #[must_use]
    pub fn was_adopted(&self) -> bool {
        self.child.is_none()
    }

    /// Whether the server still runs. A child that ended is collected.
    pub fn is_running(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => pidfile::is_server(self.pid, &self.cluster),
        }
    }

    /// Stops the server: sessions are ended, everything is written. Dropping instead leaves it running, to be
    /// adopted by the next start.
    ///
    /// # Errors
    /// When it may not be signalled or does not end in time.
    pub async fn stop(mut self) -> Result<(), Error> {
        if self.is_running() {
            pidfile::stop_fast(self.pid).map_err(|errno| Error::io("stop PostgreSQL", errno.into()))?;
        }
        wait::until(STOP_LIMIT, || (!self.is_running()).then_some(()))
            .await
            .ok_or_else(|| Error::NotStopped { seconds: STOP_LIMIT.as_secs(), log: self.log.clone() })?;
        // Held until here, so that nobody starts on the folder while its server goes down.
        drop(self.folder.take());
        Ok(())
    }
}
