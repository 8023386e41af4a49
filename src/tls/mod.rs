//! Certificates in PEM files, TLS clients that trust them and nobody else, and the certificate that our screens show.

mod certificate;
mod made;
mod server;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

pub use certificate::{Certificate, Thumbprint};
pub(crate) use made::around;
pub(crate) use server::{Ready, Server, Source};

/// What all encryption rests on.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates of a file, at least one.
///
/// # Errors
/// What is wrong with the file, without its name and a way out: only who asks knows what should be in it.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    Ok(found)
}

/// A client of TLS 1.2 or newer for servers whose certificate leads to one of this file.
///
/// # Errors
/// As [`certificates`], or one of them cannot be an authority.
pub(crate) fn client(ca: &Path) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots))
}

/// Name of this machine, in the letters that a certificate may have.
pub(crate) fn host_name() -> String {
    let system = rustix::system::uname();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = system.nodename().to_string_lossy().chars().map(plain).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
