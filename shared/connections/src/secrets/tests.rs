use std::{fs, sync::Arc};

use model::SecretRef;
use ports::{SecretError, Secrets};

use crate::{Chain, LocalSecrets};

async fn read(reference: SecretRef) -> Result<String, SecretError> {
    LocalSecrets.read(&reference).await.map(|secret| secret.expose().to_owned())
}

fn at(path: &std::path::Path) -> SecretRef {
    SecretRef::File(path.display().to_string())
}

#[tokio::test]
async fn a_file_is_read_without_its_last_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "two\nlines\r\n").unwrap();
    assert_eq!(read(at(&path)).await.unwrap(), "two\nlines");
    assert!(matches!(read(at(&folder.path().join("none"))).await, Err(SecretError::Missing(_))));
}

#[tokio::test]
async fn a_file_that_is_no_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long");
    fs::write(&long, "x".repeat(70_000)).unwrap();
    assert!(matches!(read(at(&long)).await, Err(SecretError::Unavailable { .. })));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/proc/self/environ", &link).unwrap();
    for refused in [at(&link), at(folder.path()), SecretRef::File("key".to_owned()), at("/dev/zero".as_ref())]
    {
        let error = read(refused.clone()).await.unwrap_err();
        assert!(matches!(error, SecretError::Denied { .. }), "{refused}: {error}");
    }
}

#[tokio::test]
async fn a_variable_is_read_unless_it_is_our_own() {
    assert!(!read(SecretRef::Env("PATH".to_owned())).await.unwrap().is_empty());
    assert!(matches!(
        read(SecretRef::Env("NO_SUCH_VARIABLE".to_owned())).await,
        Err(SecretError::Missing(_))
    ));
    for ours in ["AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "PERIGEE_TOKEN"] {
        let error = read(SecretRef::Env(ours.to_owned())).await.unwrap_err();
        assert!(matches!(error, SecretError::Denied { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_chain_asks_the_first_store_that_knows_the_kind() {
    let chain = Chain(vec![Arc::new(Chain::default()), Arc::new(LocalSecrets)]);
    assert!(chain.read(&SecretRef::Env("PATH".to_owned())).await.is_ok());
    let unknown = chain.read(&SecretRef::Ssm("/key".to_owned())).await.unwrap_err();
    assert!(matches!(unknown, SecretError::NotConfigured(_)));
}
