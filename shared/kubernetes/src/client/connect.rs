//! From a kubeconfig to a client, and what it means when there is none.

use std::{error::Error as _, time::Duration};

use kube::{
    Config,
    client::AuthError,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use ports::ClusterError;
use tokio::{task::spawn_blocking, time::timeout};

use super::{Client, Limits};

/// Where kubeconfigs are looked for.
const WHERE: &str =
    "KUBECONFIG names a file, or ~/.kube/config is one, or this runs in a pod with a service account";

/// A client of a context of a kubeconfig.
pub(super) async fn client(
    limits: Limits,
    context: Option<String>,
    kubeconfig: Option<String>,
) -> Result<Client, ClusterError> {
    let (mut config, name) = configured(context, kubeconfig).await?;
    config.connect_timeout = Some(limits.connect);
    // What passes is tried again by whoever asks; a cluster that is busy must be said, not waited for.
    config.default_retry = false;
    let server = server(&config);
    // Making the client runs the plugin that fetches credentials, and waits for it.
    let made = spawn_blocking(move || {
        // Two providers of cryptography may be compiled in, and then one has to be chosen. It may be chosen already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = tokio::runtime::Handle::current();
        let _entered = runtime.enter();
        kube::Client::try_from(config)
    });
    let made = match timeout(limits.credentials, made).await {
        Ok(Ok(made)) => made,
        Ok(Err(_)) => return Err(not_configured("the program that fetches credentials failed")),
        Err(_) => return Err(not_configured(&slow(limits.credentials))),
    };
    let inner = made.map_err(|error| unsent(&server, &error))?;
    Ok(Client { inner, limits, server, name })
}

fn slow(limit: Duration) -> String {
    format!("the program of the kubeconfig that fetches credentials took more than {} s", limit.as_secs())
}

/// What a kubeconfig says, and what it calls the cluster.
async fn configured(
    context: Option<String>,
    kubeconfig: Option<String>,
) -> Result<(Config, Option<String>), ClusterError> {
    let read = match kubeconfig {
        Some(text) => Kubeconfig::from_yaml(&text).map_err(|error| not_configured(&told(&error)))?,
        None => match Kubeconfig::read() {
            Ok(read) => read,
            Err(error) => match Config::incluster() {
                Ok(config) if context.is_none() => return Ok((config, None)),
                Ok(_) | Err(_) => return Err(not_configured(&format!("{}; {WHERE}", told(&error)))),
            },
        },
    };
    let chosen = context.clone().or_else(|| read.current_context.clone());
    let found = read.contexts.iter().find(|named| Some(&named.name) == chosen.as_ref());
    let cluster = found.and_then(|named| named.context.as_ref()).map(|context| context.cluster.clone());
    let names: Vec<String> = read.contexts.iter().map(|named| named.name.clone()).collect();
    if cluster.is_none() {
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(not_configured(&match chosen {
            Some(name) => format!("the kubeconfig has no context {name}; it has {known}"),
            None => format!("the kubeconfig has no current context; name one of its contexts: {known}"),
        }));
    }
    let options = KubeConfigOptions { context: chosen, ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(read, &options).await;
    let config = config.map_err(|error| not_configured(&told(&error)))?;
    Ok((config, cluster.as_deref().map(short)))
}

/// What is wrong with a kubeconfig. A parser's words would quote the text, which holds credentials.
fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => {
            "the kubeconfig cannot be read: it is no YAML of a kubeconfig".to_owned()
        }
        other => other.to_string(),
    }
}

/// A cluster's name as people say it: EKS writes its ARN into the kubeconfig.
fn short(name: &str) -> String {
    let own = if name.starts_with("arn:") { name.rsplit('/').next() } else { None };
    own.unwrap_or(name).to_owned()
}

/// The address without what may be secret in it.
fn server(config: &Config) -> String {
    let url = &config.cluster_url;
    let host = url.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    format!("{}://{}", url.scheme_str().unwrap_or("https"), host.unwrap_or_default())
}

fn not_configured(message: &str) -> ClusterError {
    ClusterError::NotConfigured(message.to_owned())
}

/// Why a request was not answered.
pub(super) fn unsent(server: &str, error: &kube::Error) -> ClusterError {
    if let Some(auth) = auth_error(error) {
        return not_configured(&auth);
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let reason = cause.to_string();
    let proxy = matches!(
        error,
        kube::Error::ProxyProtocolDisabled { .. } | kube::Error::ProxyProtocolUnsupported { .. }
    );
    if proxy {
        return not_configured("the kubeconfig names a proxy, which this build cannot use");
    }
    ClusterError::Unreachable { server: server.to_owned(), reason }
}

/// Why there are no credentials, without what a program printed: it may have printed them.
fn auth_error(error: &kube::Error) -> Option<String> {
    let found = match error {
        kube::Error::Auth(found) => Some(found),
        kube::Error::Service(inner) => inner.downcast_ref::<AuthError>(),
        _ => error.source().and_then(|source| source.downcast_ref::<AuthError>()),
    }?;
    Some(match found {
        AuthError::AuthExecRun { cmd, out } => {
            let program = cmd.split_whitespace().next().unwrap_or_default();
            format!("{program}, which fetches credentials, ended with {}; log in again", out.status)
        }
        AuthError::AuthExecStart(source) => {
            format!("the program of the kubeconfig that fetches credentials cannot be started: {source}")
        }
        AuthError::ReadTokenFile(source, path) => {
            format!("the token file {} cannot be read: {source}", path.display())
        }
        AuthError::MissingCommand => "the kubeconfig names no program to fetch credentials".to_owned(),
        _ => "the credentials of the kubeconfig cannot be used".to_owned(),
    })
}
