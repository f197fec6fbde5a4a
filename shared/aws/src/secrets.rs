//! [`ports::Secrets`] over Secrets Manager and the parameter store of SSM.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use model::SecretRef;
use ports::{Secret, SecretError};
use serde_json::Value;

use crate::failure::{self, Kind};

#[cfg(test)]
mod tests;

/// Secrets of Secrets Manager and parameters of SSM, read anew each time with the ambient credentials.
#[derive(Debug)]
pub struct Secrets {
    manager: aws_sdk_secretsmanager::Client,
    parameters: aws_sdk_ssm::Client,
}

impl Secrets {
    /// With the configuration that the AWS command line would use here.
    pub async fn from_env() -> Self {
        Self::new(&aws_config::load_from_env().await)
    }

    /// With a given configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            manager: aws_sdk_secretsmanager::Client::new(config),
            parameters: aws_sdk_ssm::Client::new(config),
        }
    }

    async fn secret(
        &self,
        reference: &SecretRef,
        id: &str,
        key: Option<&str>,
    ) -> Result<Secret, SecretError> {
        let sent = self.manager.get_secret_value().secret_id(id).send().await;
        let needs = "the reader needs secretsmanager:GetSecretValue on it, and kms:Decrypt on its key";
        let answer = sent.map_err(|error| explain(reference, needs, &error))?;
        let binary = || answer.secret_binary.and_then(|blob| String::from_utf8(blob.into_inner()).ok());
        let text = answer.secret_string.or_else(binary).ok_or_else(|| SecretError::Unavailable {
            reference: reference.clone(),
            source: "it is not a text".into(),
        })?;
        let Some(key) = key else { return Ok(Secret::new(text)) };
        let object: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        match object.get(key) {
            Some(Value::String(value)) => Ok(Secret::new(value.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Secret::new(value.to_string())),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => {
                Err(SecretError::Missing(reference.clone()))
            }
        }
    }

    async fn parameter(&self, reference: &SecretRef, name: &str) -> Result<Secret, SecretError> {
        let sent = self.parameters.get_parameter().name(name).with_decryption(true).send().await;
        let needs = "the reader needs ssm:GetParameter on it, and kms:Decrypt on its key";
        let answer = sent.map_err(|error| explain(reference, needs, &error))?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.map(Secret::new).ok_or_else(|| SecretError::Missing(reference.clone()))
    }
}

#[async_trait]
impl ports::Secrets for Secrets {
    async fn read(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::SecretsManager { id, key } => self.secret(reference, id, key.as_deref()).await,
            SecretRef::Ssm(name) => self.parameter(reference, name).await,
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::KubernetesSecret { .. } => {
                Err(SecretError::NotConfigured(reference.clone()))
            }
        }
    }
}

/// What an error of the SDK means for the reader of a secret. AWS's messages name the secret, never its value.
fn explain<E>(reference: &SecretRef, needs: &str, error: &SdkError<E, HttpResponse>) -> SecretError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let reference = reference.clone();
    let failure = failure::of(error);
    match failure.kind {
        Kind::Missing => SecretError::Missing(reference),
        Kind::Denied => SecretError::Denied { reference, needs: needs.to_owned() },
        Kind::Expired => SecretError::Unavailable {
            reference,
            source: format!("the AWS credentials have expired: {}", failure.message).into(),
        },
        Kind::Throttled | Kind::NoCredentials | Kind::Unavailable | Kind::Refused => {
            SecretError::Unavailable { reference, source: failure.message.into() }
        }
    }
}
