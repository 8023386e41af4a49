//! Who may connect: so many at once, in all and from one address; and who is let go because it stands still.
//!
//! A machine of the plant network that opens connections without end gets no more of them than its share, and each only for
//! as long as it goes on with it. Nothing of that reaches the lines: they share no lock with the web.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::error::{RETRY_AFTER_S, WebError};
use super::gauges::{Gauge, GaugeKind};
use crate::config::WebLimits;
use crate::tls;

/// Time for an answer, or a part of a stream, to leave for somebody who does not read.
pub(super) const WRITE_WITHIN: Duration = Duration::from_secs(20);
/// Bytes of an answer that the system keeps for somebody who does not read; it takes twice as many.
const SEND_BUFFER: usize = 64 * 1024;
/// Who is refused a connection is told so in this time, or not at all.
const REFUSE_WITHIN: Duration = Duration::from_secs(2);
/// So many are told at once; who comes beyond finds the connection closed.
const REFUSED_AT_ONCE: usize = 64;
/// Bytes of a request that are read before it is refused: an answer to what was not read may be lost.
const REFUSED_HEAD: usize = 16 * 1024;

/// Why somebody was refused or let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// All connections are taken.
    Full,
    /// All connections of this address are taken.
    Address,
    /// All live screens are taken.
    Screens,
    /// No TLS was agreed on, or not in time.
    Handshake,
    /// Plain HTTP where TLS is spoken.
    Plain,
    /// The head of a request did not come in time.
    Head,
    /// The answer was not read in time.
    Answer,
}

impl Why {
    const ALL: [Why; 7] =
        [Why::Full, Why::Address, Why::Screens, Why::Handshake, Why::Plain, Why::Head, Why::Answer];

    fn word(self) -> &'static str {
        match self {
            Why::Full => "full",
            Why::Address => "address",
            Why::Screens => "screens",
            Why::Handshake => "handshake",
            Why::Plain => "plain",
            Why::Head => "head",
            Why::Answer => "answer",
        }
    }
}

/// The way to the screens: how they are reached, and how many may.
pub struct Gate {
    limits: WebLimits,
    tls: Option<Arc<tls::Server>>,
    open: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
    refused: [AtomicU64; Why::ALL.len()],
    refusing: Arc<Semaphore>,
}

impl Default for Gate {
    /// Plain HTTP with the limits that a configuration has by default.
    fn default() -> Gate {
        Gate::new(WebLimits::default(), None)
    }
}

/// What counts as one address: of IPv6 the network, because one machine has as many addresses in it as it likes.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (!0 << 64))),
        v4 => v4,
    }
}

impl Gate {
    /// A gate with these limits; with a certificate it speaks TLS and nothing else.
    pub(crate) fn new(limits: WebLimits, tls: Option<Arc<tls::Server>>) -> Gate {
        Gate {
            limits,
            tls,
            open: AtomicUsize::new(0),
            by_address: Mutex::default(),
            refused: Default::default(),
            refusing: Arc::new(Semaphore::new(REFUSED_AT_ONCE)),
        }
    }

    /// Whether the screens are reached by TLS, so that a cookie may be for it alone.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// What a browser is to keep in mind: that this machine speaks TLS. Not with a certificate made by ourselves: who could
    /// not go past its warning any more would be locked out.
    pub(super) fn is_strict(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_own())
    }

    /// The certificate, where there is one.
    pub(super) fn tls(&self) -> Option<&Arc<tls::Server>> {
        self.tls.as_ref()
    }

    /// A place for a connection, given back when it is dropped.
    pub(super) fn enter(self: &Arc<Gate>, from: IpAddr) -> Result<Place, Why> {
        let from = network(from);
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.load(Ordering::Relaxed) >= self.limits.connections {
            return Err(self.refuse(Why::Full));
        }
        let its = by_address.entry(from).or_default();
        if *its >= self.limits.per_address {
            return Err(self.refuse(Why::Address));
        }
        *its += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Place { gate: self.clone(), from })
    }

    /// Counts somebody who is refused or let go.
    pub(crate) fn refuse(&self, why: Why) -> Why {
        self.refused[why as usize].fetch_add(1, Ordering::Relaxed);
        why
    }

    /// Tells somebody that there is no place. Over TLS that would cost more than a place, so that the connection is closed
    /// without a word.
    pub(super) fn turn_away(&self, mut stream: TcpStream) {
        if self.is_tls() {
            return;
        }
        let Ok(turn) = self.refusing.clone().try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _turn = turn;
            let tell = async {
                read_head(&mut stream).await?;
                stream.write_all(refusal().as_bytes()).await?;
                stream.shutdown().await
            };
            // Who does not listen is gone all the same.
            let _ = tokio::time::timeout(REFUSE_WITHIN, tell).await;
        });
    }

    /// What it measures, for whoever monitors.
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        let gauge = |name, help, value| Gauge {
            name,
            help,
            kind: GaugeKind::Gauge,
            labels: Vec::new(),
            value,
        };
        let open = self.open.load(Ordering::Relaxed) as f64;
        let mut gauges =
            vec![gauge("capline_web_connections", "Connections to the screens open now", open)];
        gauges.extend(Why::ALL.map(|why| Gauge {
            name: "capline_web_refused",
            help: "Connections and screens that were refused or let go",
            kind: GaugeKind::Counter,
            labels: vec![("why", why.word().to_owned())],
            value: self.refused[why as usize].load(Ordering::Relaxed) as f64,
        }));
        if let Some(tls) = &self.tls {
            let end = tls.certificate().not_after_s as f64;
            let name = "capline_web_certificate_end_seconds";
            gauges.push(gauge(
                name,
                "When the certificate of the screens expires, UTC seconds",
                end,
            ));
        }
        gauges
    }
}

/// A place for one connection.
pub(super) struct Place {
    gate: Arc<Gate>,
    from: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let gate = &self.gate;
        let mut by_address = gate.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        gate.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(its) = by_address.get_mut(&self.from) {
            *its -= 1;
            // Addresses come and go; the table must not keep them all.
            if *its == 0 {
                by_address.remove(&self.from);
            }
        }
    }
}

/// Lets the system keep little of what somebody does not read, for all connections of a listener.
pub(super) fn bound_memory(listener: &tokio::net::TcpListener) {
    if let Err(error) = rustix::net::sockopt::set_socket_send_buffer_size(listener, SEND_BUFFER) {
        tracing::debug!(%error, "the system chooses how much it keeps for a screen");
    }
}

/// Reads the head of a request, or as much as its refusal is worth.
pub(super) async fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < REFUSED_HEAD {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn refusal() -> String {
    let view = WebError::Full.view();
    let body = serde_json::to_string(&view).unwrap_or_default();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         retry-after: {RETRY_AFTER_S}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
