//! Our own certificate: made on first need, kept for years, its key readable by us alone.

use std::path::Path;

use opcua::crypto::PrivateKey;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, SanType,
};

use super::{Certificate, OWN_CERTIFICATE, OWN_KEY, PkiError};
use crate::secret::{keep_private, private_dir, put};
use crate::tls::{around, host_name};

/// Length of our key. All policies take it.
const KEY_BITS: u32 = 2_048;
/// A pair is pinned by hand in every PLC, so that a short life would cost many walks.
const YEARS: i16 = 10;

/// The pair in `dir`; makes what is missing of it. `now_s` are UTC seconds.
pub(super) fn ensure(dir: &Path, now_s: i64) -> Result<Certificate, PkiError> {
    let (certificate, key) = (dir.join(OWN_CERTIFICATE), dir.join(OWN_KEY));
    match (certificate.exists(), key.exists()) {
        (true, true) => check_mode(&key)?,
        (true, false) => return Err(PkiError::KeyMissing { certificate, key }),
        (false, has_key) => {
            let folder = key.parent().unwrap_or(dir);
            private_dir(folder).map_err(PkiError::at(folder))?;
            // The key is written first: a certificate without its key would be of no use, and pinned in vain.
            let pem = match has_key {
                true => {
                    check_mode(&key)?;
                    std::fs::read_to_string(&key).map_err(PkiError::at(&key))?
                }
                false => {
                    let pem = new_key()?;
                    put(&key, pem.as_bytes(), 0o600).map_err(PkiError::at(&key))?;
                    pem
                }
            };
            let der = new_certificate(&pem, now_s)?;
            put(&certificate, &der, 0o644).map_err(PkiError::at(&certificate))?;
        }
    }
    let der = std::fs::read(&certificate).map_err(PkiError::at(&certificate))?;
    Certificate::from_der(&der).map_err(|what| PkiError::Strange { path: certificate, what })
}

fn check_mode(key: &Path) -> Result<(), PkiError> {
    keep_private(key, &std::fs::metadata(key).map_err(PkiError::at(key))?)
        .map_err(PkiError::OpenKey)
}

/// A new RSA key as PEM. The key comes from the OPC UA library's own RSA, since *ring* makes none.
fn new_key() -> Result<String, PkiError> {
    let failed = |what: String| PkiError::NotMade { what };
    let key = PrivateKey::new(KEY_BITS).map_err(|error| failed(error.to_string()))?;
    let der = key.to_der().map_err(|error| failed(error.to_string()))?;
    let pair = KeyPair::try_from(der.as_bytes()).map_err(|error| failed(error.to_string()))?;
    Ok(pair.serialize_pem())
}

/// A self-signed certificate for a key, as OPC 10000-6 6.2.2 wants an application instance to have.
fn new_certificate(key_pem: &str, now_s: i64) -> Result<Vec<u8>, PkiError> {
    let make = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let key = KeyPair::from_pkcs8_pem_and_sign_algo(key_pem, &PKCS_RSA_SHA256)?;
        let host = host_name();
        // A PLC without a battery wakes up in the past.
        let [from, until] = around(now_s, jiff::Span::new().years(YEARS), rcgen::date_time_ymd)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, format!("Capline on {host}"));
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = name;
        // The URI stands first, where some servers alone look for it.
        params.subject_alt_names = vec![
            SanType::URI(format!("urn:{host}:capline").try_into()?),
            SanType::DnsName(host.try_into()?),
        ];
        (params.not_before, params.not_after) = (from, until);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::ContentCommitment,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::DataEncipherment,
            KeyUsagePurpose::KeyCertSign,
        ];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        Ok(params.self_signed(&key)?.der().to_vec())
    };
    make().map_err(|error| PkiError::NotMade { what: error.to_string() })
}
