//! How a server of HTTP is reached: in clear, or over TLS that leads to a certificate that was named.

use std::{fmt, io, path::Path, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// TLS for servers whose certificate is one of these, or leads to one.
#[derive(Clone, Debug)]
pub(crate) struct Trust(Arc<ClientConfig>);

/// What lets one in where people sign in.
#[derive(Clone)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    pub(crate) fn new(text: &str) -> Token {
        Token(text.trim().to_owned())
    }

    /// The header `Authorization`.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl Trust {
    /// The certificates of a PEM file. The error says what is wrong with it, without its name.
    pub(crate) fn in_file(ca: &Path) -> Result<Trust, String> {
        let read =
            CertificateDer::pem_file_iter(ca).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut roots = RootCertStore::empty();
        for certificate in read.map_err(|error| error.to_string())? {
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if roots.is_empty() {
            return Err("holds no certificate".to_owned());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        Ok(Trust(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// Connects to a host and port.
pub(crate) async fn connect(authority: &str, trust: Option<&Trust>) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(authority).await?;
    let Some(Trust(config)) = trust else { return Ok(Box::new(stream)) };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned());
    let connector = TlsConnector::from(Arc::clone(config));
    Ok(Box::new(connector.connect(name.map_err(io::Error::other)?, stream).await?))
}
