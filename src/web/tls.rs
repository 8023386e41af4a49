//! The beginning of a connection where the screens are reached by TLS.

use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::limits::{Gate, WRITE_WITHIN, Why, read_head};

/// Time for TLS to be agreed on.
pub(super) const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// What the first record of TLS begins with (RFC 8446, 5.1: handshake).
const HANDSHAKE: u8 = 22;

/// A connection that requests can come over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Gate {
    /// Agrees on TLS where it is spoken here. None for somebody who was let go: without it, or too slow.
    pub(super) async fn greet(&self, mut stream: TcpStream) -> Option<Box<dyn Stream>> {
        let Some(tls) = self.tls() else { return Some(Box::new(paced(stream))) };
        let acceptor = TlsAcceptor::from(tls.config());
        let greet = async {
            let mut first = [0];
            match stream.peek(&mut first).await {
                Ok(0) => return Err((Why::Handshake, "nothing came".to_owned())),
                Ok(_) if first[0] == HANDSHAKE => {}
                Ok(_) => {
                    point_to_tls(&mut stream, first[0]).await;
                    return Err((Why::Plain, "plain text".to_owned()));
                }
                Err(error) => return Err((Why::Handshake, error.to_string())),
            }
            let agreed = acceptor.accept(paced(stream)).await;
            agreed.map_err(|error| (Why::Handshake, error.to_string()))
        };
        let late = (Why::Handshake, "it took too long".to_owned());
        match tokio::time::timeout(HANDSHAKE_WITHIN, greet).await.unwrap_or(Err(late)) {
            Ok(stream) => Some(Box::new(stream)),
            Err((why, cause)) => {
                tracing::debug!(cause, "no TLS was agreed on");
                self.refuse(why);
                None
            }
        }
    }
}

/// Ends a connection whose other side does not read.
fn paced(stream: TcpStream) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_WITHIN));
    Box::pin(stream)
}

/// Says to a browser that was pointed here with `http://` where to go. To anything that is no HTTP nothing is said.
async fn point_to_tls(stream: &mut TcpStream, first: u8) {
    if !first.is_ascii_uppercase() {
        return;
    }
    let Ok(head) = read_head(stream).await else { return };
    let host = head.lines().skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let plain =
        |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b));
    let address = match host.filter(plain) {
        Some(host) => format!("https://{host}/"),
        None => "an address that begins with https://".to_owned(),
    };
    let body = format!("Capline speaks TLS here. Open {address}\n此处使用 TLS，请打开 {address}\n");
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // Who has gone meanwhile needs no answer.
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}
