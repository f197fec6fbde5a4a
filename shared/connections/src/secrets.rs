//! Secrets of this machine, and several stores as one.

use std::{env, io::Read, path::Path, sync::Arc};

use async_trait::async_trait;
use model::SecretRef;
use ports::{Secret, SecretError, Secrets};

#[cfg(test)]
mod tests;

/// How many bytes of a file are a secret; a longer file is something else.
const LONGEST: u64 = 64 * 1024;

/// Reads `env` and `file` references. Our own variables (the database's address, AWS credentials) and the files of the
/// kernel are not given out: who writes manifests is not therefore allowed to be us.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalSecrets;

#[async_trait]
impl Secrets for LocalSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) => variable(name, reference),
            SecretRef::File(path) => {
                let (path, of) = (path.clone(), reference.clone());
                let read = tokio::task::spawn_blocking(move || file(&path, &of));
                read.await.map_err(|source| unavailable(reference, source))?
            }
            SecretRef::SecretsManager { .. } | SecretRef::Ssm(_) | SecretRef::KubernetesSecret { .. } => {
                Err(SecretError::NotConfigured(reference.clone()))
            }
        }
    }
}

fn unavailable(
    reference: &SecretRef,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> SecretError {
    SecretError::Unavailable { reference: reference.clone(), source: source.into() }
}

fn denied(reference: &SecretRef, needs: &str) -> SecretError {
    SecretError::Denied { reference: reference.clone(), needs: needs.to_owned() }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a manifest names the variable, so no configuration can hold it"
)]
fn variable(name: &str, reference: &SecretRef) -> Result<Secret, SecretError> {
    let ours = ["PERIGEE_", "AWS_"].iter().any(|prefix| name.starts_with(prefix)) || name == "DATABASE_URL";
    if ours {
        return Err(denied(reference, "it is a variable of Perigee's own; use one of another name"));
    }
    match env::var(name) {
        Ok(value) => Ok(Secret::new(value)),
        Err(env::VarError::NotPresent) => Err(SecretError::Missing(reference.clone())),
        Err(env::VarError::NotUnicode(_)) => Err(unavailable(reference, "it is not UTF-8")),
    }
}

fn file(path: &str, reference: &SecretRef) -> Result<Secret, SecretError> {
    use std::io::ErrorKind;

    if !Path::new(path).is_absolute() {
        return Err(denied(reference, "a file is named by its absolute path"));
    }
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => SecretError::Missing(reference.clone()),
        ErrorKind::PermissionDenied => {
            denied(reference, "the file must be readable by the user that runs Perigee")
        }
        _ => unavailable(reference, error),
    };
    // Where it really lies, so that no link leads into the kernel's files, which show our environment.
    let real = Path::new(path).canonicalize().map_err(failed)?;
    if ["/proc", "/sys", "/dev"].iter().any(|folder| real.starts_with(folder)) {
        return Err(denied(reference, "a secret is kept in an ordinary file"));
    }
    let file = std::fs::File::open(&real).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(denied(reference, "a secret is kept in an ordinary file"));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(unavailable(reference, format!("it is longer than {LONGEST} bytes")));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| unavailable(reference, "it is not UTF-8"))?;
    // The line's end that an editor or `echo` leaves.
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(Secret::new(text))
}

/// Several stores as one: the first that knows the kind of reference answers.
#[derive(Debug, Clone, Default)]
pub struct Chain(pub Vec<Arc<dyn Secrets>>);

#[async_trait]
impl Secrets for Chain {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        for store in &self.0 {
            match store.read(reference).await {
                Err(SecretError::NotConfigured(_)) => {}
                answer => return answer,
            }
        }
        Err(SecretError::NotConfigured(reference.clone()))
    }
}
