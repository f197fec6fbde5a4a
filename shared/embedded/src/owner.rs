//! As whom the server runs. PostgreSQL refuses to run as root, so root gives it another user.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use nix::unistd::{Gid, Uid, User};

use crate::Error;

/// The user that the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) uid: u32,
    gid: u32,
    /// Whether this process is root and has to hand files over.
    switch: bool,
}

impl Owner {
    /// Ourselves; for root the owner of an existing cluster, else `postgres`, else `nobody`.
    pub(crate) fn choose(cluster: &Path) -> Result<Self, Error> {
        let me = Uid::effective();
        if !me.is_root() {
            return Ok(Self {
                name: name_of(me),
                uid: me.as_raw(),
                gid: Gid::effective().as_raw(),
                switch: false,
            });
        }
        if let Ok(existing) = fs::metadata(cluster)
            && existing.uid() != 0
        {
            let name = name_of(Uid::from_raw(existing.uid()));
            return Ok(Self { name, uid: existing.uid(), gid: existing.gid(), switch: true });
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self {
                name: user.name,
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
                switch: true,
            })
            .ok_or(Error::NoUser)
    }

    /// Makes `command` run as this user, in a process group of its own, speaking English.
    pub(crate) fn command(&self, program: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command.process_group(0).env("LC_ALL", "C").env_remove("PGDATA").env_remove("PGPORT");
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes a folder that only this user may enter. One that exists must already be theirs.
    pub(crate) fn private_dir(&self, path: &Path) -> Result<(), Error> {
        let io_error = |source| self.explain(format!("make {}", path.display()), path, source);
        match fs::create_dir(path) {
            Ok(()) => {
                if self.switch {
                    chown(path, Some(self.uid), Some(self.gid)).map_err(io_error)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Not followed: in a shared temporary folder a link may be somebody's trap.
                let found = fs::symlink_metadata(path).map_err(io_error)?;
                if !found.is_dir() || found.uid() != self.uid {
                    return Err(self.not_permitted(path));
                }
            }
            Err(error) => return Err(io_error(error)),
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io_error)
    }

    /// The error for `path`, with its own sentence where one fits better than the bare cause.
    pub(crate) fn explain(&self, what: impl Into<String>, path: &Path, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::PermissionDenied => self.not_permitted(path),
            io::ErrorKind::StorageFull => Error::DiskFull { data_dir: path.to_owned() },
            _ => Error::io(what, source),
        }
    }

    fn not_permitted(&self, path: &Path) -> Error {
        Error::NotPermitted { user: format!("user {}", self.name), path: path.to_owned() }
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
