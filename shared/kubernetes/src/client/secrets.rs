//! Secrets that are kept in a cluster: read at use, one at a time.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use model::SecretRef;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use ports::{ClusterError, Secret, SecretError, Secrets};
use serde_json::Value;

use super::{JSON, Kubernetes};
use crate::answer::Question;

/// What would end a segment of a path, or mean something in it.
const SEGMENT: &AsciiSet =
    &CONTROLS.add(b' ').add(b'/').add(b'?').add(b'#').add(b'%').add(b'"').add(b'<').add(b'>').add(b'\\');

#[async_trait]
impl Secrets for Kubernetes {
    /// Reads references to Kubernetes Secrets, in the cluster of the current context or the one that this runs in.
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        let SecretRef::KubernetesSecret { namespace, name, key } = reference else {
            return Err(SecretError::NotConfigured(reference.clone()));
        };
        if [namespace, name].iter().any(|part| part.is_empty() || part.starts_with('.')) {
            return Err(SecretError::Missing(reference.clone()));
        }
        let failed = |error: ClusterError| failed(reference, error);
        let client = self.client(None, None).await.map_err(failed)?;
        let question = Question {
            server: &client.server,
            what: format!("reading the Secret {namespace}/{name}"),
            needs: format!(
                "bind us to a Role of namespace {namespace} with the verb get on the secret {name}"
            ),
        };
        let segment = |text| utf8_percent_encode(text, SEGMENT);
        let path = format!("/api/v1/namespaces/{}/secrets/{}", segment(namespace), segment(name));
        let secret = client.get(&path, JSON, client.limits.short, &question).await.map_err(failed)?;
        let held = secret.get("data").and_then(|data| data.get(key)).and_then(Value::as_str);
        let held = held.ok_or_else(|| SecretError::Missing(reference.clone()))?;
        let value = STANDARD.decode(held).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        value.map(Secret::new).ok_or_else(|| SecretError::Unavailable {
            reference: reference.clone(),
            source: "its value is no text".into(),
        })
    }
}

fn failed(reference: &SecretRef, error: ClusterError) -> SecretError {
    let reference = reference.clone();
    match error {
        ClusterError::Refused { status: 404, .. } => SecretError::Missing(reference),
        ClusterError::Denied { needs, .. } => SecretError::Denied { reference, needs },
        other => SecretError::Unavailable { reference, source: Box::new(other) },
    }
}
