//! The data folder: made, locked, and with a place for the socket.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::unistd::Uid;

use crate::{Error, Sharing, owner::Owner};

/// The kernel's limit on a socket's whole path is 104 bytes on macOS and 108 on Linux; the file's name takes 14.
const SOCKET_DIR_LIMIT: usize = 86;

/// The log starts anew when it is larger than this at a start.
const LOG_LIMIT_BYTES: u64 = 10 * 1024 * 1024;

/// The folder and the lock that keeps others out. The kernel lets go of the lock when the process ends.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    lock: File,
}

/// How often, and how far apart, the lock is tried for.
const TRIES: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(20);

/// Tries for the lock. One that was let go of is held a moment longer where its holder was just starting a program: until
/// that runs, it is a copy of the holder with all its files.
#[expect(clippy::disallowed_methods, reason = "the folder is opened where blocking is allowed")]
fn try_for_a_moment(lock: &File) -> Result<(), TryLockError> {
    for _ in 1..TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            done => return done,
        }
    }
    lock.try_lock()
}

impl Folder {
    /// Makes the folder where it is missing, and takes the lock.
    pub(crate) fn open(path: &Path, sharing: Sharing) -> Result<Self, Error> {
        make(path)?;
        let path = path.canonicalize().map_err(|source| denied(path, source))?;
        let file = path.join("perigee.lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&file)
            .map_err(|source| denied(&path, source))?;
        let in_use = |pid| Error::InUse { data_dir: path.clone(), pid };
        match sharing {
            Sharing::Shared => lock.lock().map_err(|source| Error::io("lock the data folder", source))?,
            Sharing::Exclusive => match try_for_a_moment(&lock) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(in_use(holder(&mut lock))),
                Err(TryLockError::Error(source)) => return Err(Error::io("lock the data folder", source)),
            },
        }
        note_holder(&mut lock).map_err(|source| denied(&path, source))?;
        Ok(Self { path, lock })
    }

    /// Where the cluster lies.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Where the server writes what it has to say.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// Opens the log for the server, anew when it has become large.
    pub(crate) fn open_log(&self) -> Result<File, Error> {
        let path = self.log();
        let large = fs::metadata(&path).is_ok_and(|found| found.len() > LOG_LIMIT_BYTES);
        OpenOptions::new()
            .create(true)
            .append(!large)
            .write(true)
            .truncate(large)
            .mode(0o600)
            .open(&path)
            .map_err(|source| denied(&path, source))
    }

    /// A private folder for the socket: inside the data folder, or, where that path is too long for a socket or
    /// holds what the server's configuration cannot, in the temporary folder.
    pub(crate) fn socket_dir(&self, owner: &Owner) -> Result<PathBuf, Error> {
        let inside = self.path.join("socket");
        let dir = if fits(&inside) { inside } else { self.short_socket_dir(owner) };
        owner.private_dir(&dir)?;
        Ok(dir)
    }

    fn short_socket_dir(&self, owner: &Owner) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        self.path.hash(&mut hasher);
        let name = format!("perigee-{}-{:08x}", owner.uid, hasher.finish() & 0xffff_ffff);
        let temporary = env::temp_dir().join(&name);
        if fits(&temporary) { temporary } else { Path::new("/tmp").join(name) }
    }

    /// Lets other processes in.
    pub(crate) fn unlock(self) -> PathBuf {
        drop(self.lock);
        self.path
    }
}

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() <= SOCKET_DIR_LIMIT
        && dir.to_str().is_some_and(|text| text.chars().all(|c| c.is_alphanumeric() || "/._-+@ ".contains(c)))
}

/// Root's server runs as another user, who must be able to pass through the folder; what lies in it is private.
fn make(path: &Path) -> Result<(), Error> {
    let root = Uid::effective().is_root();
    let mode = if root { 0o711 } else { 0o700 };
    if let Ok(found) = fs::metadata(path) {
        let ours = root && found.uid() == 0 && found.mode() & 0o001 == 0;
        if ours && (is_empty(path) || path.join("perigee.lock").exists()) {
            let permissions = fs::Permissions::from_mode(found.mode() | 0o011);
            return fs::set_permissions(path, permissions).map_err(|source| denied(path, source));
        }
    }
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|source| denied(path, source))
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The error of an operation in the data folder by this process.
fn denied(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            Error::NotPermitted { user: "this user".to_owned(), path: path.to_owned() }
        }
        std::io::ErrorKind::StorageFull => Error::DiskFull { data_dir: path.to_owned() },
        _ => Error::io(format!("use {}", path.display()), source),
    }
}

/// Who holds the lock, as it wrote there. Only for the message: the lock itself is the kernel's.
fn holder(lock: &mut File) -> Option<i32> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn note_holder(lock: &mut File) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    writeln!(lock, "{}", std::process::id())
}
