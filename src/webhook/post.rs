//! One POST to a webhook: a connection of its own, no redirect, an answer of which little is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::tls;

/// Time for a connection, with its TLS.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Time for all of it.
const DONE_WITHIN: Duration = Duration::from_secs(10);
/// Of an answer that refuses, so many bytes are read, and so many characters kept.
const ANSWER_BYTES: usize = 16 * 1024;
const ANSWER_CHARS: usize = 200;

/// Where a webhook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name of the server as its certificate has it, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Certificates that the server's must lead to, PEM, read at each connection so that renewed ones are used; none
    /// for a server on this machine, which is reached in clear.
    pub ca: Option<PathBuf>,
}

/// What came of a POST: the status if there was one, and what is wrong with it, empty for 2xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) error: String,
}

/// The connection is carried as long as somebody waits for its answer.
struct Carrier(JoinHandle<()>);

impl Drop for Carrier {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Target {
    /// Posts JSON with these headers. It ends in ten seconds, whatever the other end does.
    pub(super) async fn post(&self, headers: &[(&str, String)], body: &str) -> Answer {
        let failed = |error| Answer { status: None, error };
        match timeout(DONE_WITHIN, self.exchange(headers, body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => failed(error),
            Err(_) => failed(format!("no answer within {} s", DONE_WITHIN.as_secs())),
        }
    }

    async fn exchange(&self, headers: &[(&str, String)], body: &str) -> Result<Answer, String> {
        let request = self.request(headers, body)?;
        let late = |_| format!("no connection within {} s", CONNECT_WITHIN.as_secs());
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let Some(ca) = &self.ca else {
            let stream = timeout(CONNECT_WITHIN, connecting).await.map_err(late)?;
            return ask(stream.map_err(|error| error.to_string())?, request).await;
        };
        let (connector, name) = greeter(ca, &self.host)?;
        let greeted =
            timeout(CONNECT_WITHIN, async { connector.connect(name, connecting.await?).await });
        let stream = greeted.await.map_err(late)?;
        ask(stream.map_err(|error| error.to_string())?, request).await
    }

    fn request(
        &self,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Request<Full<Bytes>>, String> {
        let host = match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        };
        let mut request = Request::post(self.path.as_str())
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("capline/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        request.body(body).map_err(|error| error.to_string())
    }
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let words = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
    let _carrier = Carrier(tokio::spawn(async move {
        // Whoever waits for the answer is told the same.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to a webhook ended");
        }
    }));
    let answer = sender.send_request(request).await.map_err(words)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(Answer { status: Some(status.as_u16()), error: String::new() });
    }
    let said = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
    let said = said.map(|body| shown(&body.to_bytes())).unwrap_or_default();
    let error = match status.is_redirection() {
        true => format!("{status}: redirects are not followed; write the address it leads to"),
        false if said.is_empty() => status.to_string(),
        false => format!("{status}: {said}"),
    };
    Ok(Answer { status: Some(status.as_u16()), error })
}

/// The beginning of an answer as one line: it is somebody else's text.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(ANSWER_CHARS).collect::<String>().trim().to_owned()
}

fn greeter(ca: &Path, host: &str) -> Result<(TlsConnector, ServerName<'static>), String> {
    let client = tls::client(ca).map_err(|why| {
        format!("{}: {why}; name a PEM file of the webhook's authority as ca", ca.display())
    })?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    Ok((TlsConnector::from(Arc::new(client.with_no_client_auth())), name))
}
