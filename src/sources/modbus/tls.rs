//! Modbus/TCP Security: both sides show a certificate (MB-TCP-Security-v36, TLS 1.2 or newer, port 802).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::TlsFiles;
use crate::secret::read_private;
use crate::tls;

/// Greets one device.
pub(super) struct Connector {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Connector {
    /// Reads the certificates; `address` is `host:port`.
    pub(super) fn new(address: &str, files: &TlsFiles) -> io::Result<Connector> {
        let pem = read_private(&files.key)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        // What the library says of a key is not repeated: it may quote it.
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
            wrong(&files.key, "holds no private key in PEM form; name our private key, PEM")
        })?;
        let cert = tls::certificates(&files.cert).map_err(no_certificates(&files.cert))?;
        let client = tls::client(&files.ca).map_err(no_certificates(&files.ca))?;
        let config = client.with_client_auth_cert(cert, key).map_err(|error| {
            wrong(&files.cert, &format!("{error}; key and cert must belong together"))
        })?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = files.name.as_deref().unwrap_or(host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("\"{host}\" is no name of a host; set name"),
            )
        })?;
        Ok(Connector { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Shows our certificate and checks that of the device.
    pub(super) async fn greet(self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let greeted = self.connector.connect(self.name, stream).await;
        greeted.map_err(|error| match refusal(&error) {
            Some(words) => io::Error::new(error.kind(), words),
            None => error,
        })
    }
}

fn no_certificates(file: &Path) -> impl Fn(String) -> io::Error {
    move |why| wrong(file, &format!("{why}; name a PEM file of certificates"))
}

fn wrong(file: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {why}", file.display()))
}

/// What an error of TLS means for who has to mend it; none for an error of the connection below.
pub(super) fn refusal(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    let words = match error {
        Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => {
                "the certificate of the device is signed by no authority of ours; add its authority to ca".into()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate of the device has expired; renew it on the device, and look at the clocks".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate of the device is not valid yet; look at the clocks".into()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate of the device is for another name; write that name as name".into()
            }
            other => format!("the certificate of the device is not valid: {other:?}"),
        },
        Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure => {
                "the device wants another certificate of ours; look at cert".into()
            }
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied => {
                "the device does not trust our certificate; make its authority known to the device".into()
            }
            AlertDescription::CertificateExpired => {
                "our certificate has expired; renew cert and key".into()
            }
            other => format!("the device refused the connection: {other:?}"),
        },
        other => format!("no TLS with the device: {other}"),
    };
    Some(words)
}
