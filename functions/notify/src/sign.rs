//! The signature of standard-webhooks.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use ports::Secret;
use sha2::Sha256;

/// Why a key cannot sign. The key is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key is not `whsec_` and base64")]
pub(crate) struct BadKey;

/// `v1,` and the base64 of the HMAC-SHA-256 of the id, the time and the body.
pub(crate) fn sign(key: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Result<String, BadKey> {
    let encoded = key.expose().trim().strip_prefix("whsec_").ok_or(BadKey)?;
    let key = STANDARD.decode(encoded).map_err(|_| BadKey)?;
    if key.is_empty() {
        return Err(BadKey);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| BadKey)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
