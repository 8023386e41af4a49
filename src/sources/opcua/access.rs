//! What proves who is who: our certificate, the trust in the server's, the user's password or certificate.

use std::path::PathBuf;

use domain::units::Moment;
use opcua::client::IdentityToken;
use opcua::types::{EndpointDescription, Error};

use super::endpoint::needs_trust;
use crate::config::{OpcUaAccess, PasswordPlace, Security, User};
use crate::secret::{Secret, SecretError, keep_private, resolve};
use crate::sources::pki::{Certificate, Pki, PkiError, Thumbprint, Trust};

/// Why nobody can be proved to be who he is.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccessError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the variable {0} with the password is not set")]
    NoPassword(String),
    #[error("{}: {cause}", path.display())]
    UserCertificate { path: PathBuf, cause: String },
    #[error("the server shows no usable certificate: {0}")]
    NoCertificate(String),
    #[error(
        "the certificate of the server is {why}: {subject}; compare its thumbprint with what the server shows, and then: capline pki trust --dir {} {thumbprint}",
        dir.display()
    )]
    Untrusted { why: &'static str, subject: String, thumbprint: Thumbprint, dir: PathBuf },
}

/// Our certificate and where it is.
pub(super) struct Own {
    pub(super) certificate: Certificate,
    pub(super) dir: PathBuf,
}

/// Our certificate, where it is needed; made on the first occasion, which takes a second.
pub(super) async fn own(access: &OpcUaAccess, now: Moment) -> Result<Option<Own>, AccessError> {
    if access.security == Security::None && !matches!(access.user, User::Certificate { .. }) {
        return Ok(None);
    }
    let pki = Pki::new(&access.pki);
    let now_s = now.utc_us.div_euclid(1_000_000);
    let made = match pki.own_if_made()? {
        // Looks at the key too.
        Some(_) => pki.own(now_s)?,
        None => {
            let pki = pki.clone();
            let made = tokio::task::spawn_blocking(move || pki.own(now_s)).await;
            made.map_err(|error| PkiError::NotMade { what: error.to_string() })??
        }
    };
    Ok(Some(Own { certificate: made, dir: access.pki.clone() }))
}

/// The server's certificate, where one is relied on; an error unless it is trusted.
pub(super) fn check_server(
    access: &OpcUaAccess,
    endpoint: &EndpointDescription,
) -> Result<Option<Certificate>, AccessError> {
    if !needs_trust(endpoint) {
        return Ok(None);
    }
    let der = endpoint.server_certificate.as_ref();
    let shown = Certificate::from_der(der).map_err(AccessError::NoCertificate)?;
    let pki = Pki::new(&access.pki);
    match pki.judge(&shown)? {
        Trust::Trusted => Ok(Some(shown)),
        Trust::Rejected => Err(AccessError::Untrusted {
            why: match pki.trusts_namesake(&shown) {
                true => "not the trusted one of that name, so it is a new one or another server's",
                false => "not trusted",
            },
            subject: shown.subject,
            thumbprint: shown.thumbprint,
            dir: access.pki.clone(),
        }),
    }
}

/// The user as the library wants it. Secrets are read anew for each session, so that a new password needs no restart.
pub(super) fn identity(user: &User) -> Result<IdentityToken, AccessError> {
    match user {
        User::Anonymous => Ok(IdentityToken::Anonymous),
        User::Named { name, password } => {
            let secret = match password {
                PasswordPlace::File(path) => Secret::read(path)?,
                PasswordPlace::Variable(variable) => std::env::var(variable)
                    .map(Secret::new)
                    .map_err(|_| AccessError::NoPassword(variable.clone()))?,
            };
            Ok(IdentityToken::new_user_name(name.as_str(), secret.expose()))
        }
        User::Certificate { certificate, key } => {
            let key = &resolve(key)?;
            let unreadable = |cause| SecretError::Unreadable { path: key.to_owned(), cause };
            keep_private(key, &std::fs::metadata(key).map_err(unreadable)?)?;
            let refused = |cause: Error| AccessError::UserCertificate {
                path: certificate.clone(),
                cause: cause.to_string(),
            };
            IdentityToken::new_x509_path(certificate, key).map_err(refused)
        }
    }
}
