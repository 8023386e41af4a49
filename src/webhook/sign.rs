//! The signature of a message: HMAC-SHA256 (RFC 2104, FIPS 180-4) over its id, its time and its body.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// A secret in the form of Standard Webhooks begins with this; the rest is base64.
const PREFIX: &str = "whsec_";
/// Shorter secrets can be guessed: the least that the convention allows.
const SHORTEST: usize = 24;

/// What messages are signed with. It is never shown.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Why a secret cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is too short.
    #[error(
        "the secret has {0} bytes and needs {SHORTEST} at least; make one with `openssl rand -base64 32`"
    )]
    Short(usize),
    /// What follows the prefix is not base64.
    #[error("what follows {PREFIX} in the secret is not base64; copy it again from the receiver")]
    NotBase64,
}

impl Key {
    /// The key of a secret: after `whsec_` its bytes as base64, else the text itself.
    ///
    /// # Errors
    /// It is too short, or not base64 after the prefix.
    pub fn new(secret: &Secret) -> Result<Key, KeyError> {
        let key = match secret.expose().strip_prefix(PREFIX) {
            Some(text) => STANDARD.decode(text).map_err(|_| KeyError::NotBase64)?,
            None => secret.expose().as_bytes().to_owned(),
        };
        match key.len() {
            n if n < SHORTEST => Err(KeyError::Short(n)),
            _ => Ok(Key(key)),
        }
    }

    /// The header `webhook-signature` of a message: `v1,` and the signature as base64. `sent_s` is the header
    /// `webhook-timestamp`, in seconds since 1970.
    pub fn sign(&self, id: &str, sent_s: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .expect("HMAC takes keys of any length (RFC 2104, section 2)");
        for part in [id, ".", &sent_s.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<Key, KeyError> {
        Key::new(&Secret::new(secret))
    }

    /// The example of the specification (standard-webhooks/spec, "Signature scheme").
    #[test]
    fn the_published_example_has_its_published_signature() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn id_time_and_body_are_all_signed() {
        let key = key("0123456789abcdef01234567").unwrap();
        let signed = key.sign("a", 1, "{}");
        for (id, sent_s, body) in [("b", 1, "{}"), ("a", 2, "{}"), ("a", 1, "{} ")] {
            assert_ne!(key.sign(id, sent_s, body), signed);
        }
    }

    #[test]
    fn a_secret_that_can_be_guessed_or_is_cut_off_is_refused_and_none_is_shown() {
        assert_eq!(key("0123456789abcdef0123456").unwrap_err(), KeyError::Short(23));
        assert_eq!(key("whsec_MfKQ").unwrap_err(), KeyError::Short(3));
        assert_eq!(key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS").unwrap_err(), KeyError::NotBase64);
        assert_eq!(format!("{:?}", key("0123456789abcdef01234567").unwrap()), "Key");
    }
}
