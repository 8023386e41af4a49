//! The line to a device: TCP, TLS or serial, and what must be waited for before the next request.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_serial::SerialPortBuilderExt;

use super::tls;
use crate::config::{Parity, SerialPort, Transport, Wire};
use crate::sources::plan::Request;

/// A line that stays noisy for so many times its silence is of no use.
const MOST_NOISE: u32 = 20;

/// What carries bytes.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Io for T {}

/// How frames travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// With a transaction number (MBAP): a late answer is known as one.
    Tcp,
    /// With a check sum and no number: a late answer looks like one to the next request.
    Rtu,
}

/// A line, which outlives its connections: several devices on one serial port share one.
pub(in crate::sources) struct Track {
    wire: Wire,
    /// Held from a request to its answer, so that requests of several devices follow each other.
    pub(super) state: tokio::sync::Mutex<State>,
}

/// What happened on the line last.
#[derive(Default)]
pub(super) struct State {
    /// When the next request may be sent.
    pub(super) free_at: Option<Instant>,
    /// Whether something may still come: a request is under way, or was not answered as it should be.
    pub(super) noisy: bool,
    /// Requests whose answers may still come, with the units they went to and the moments when they were sent.
    pub(super) lost: Vec<(u8, Request, Instant)>,
}

impl State {
    /// When the last request to this unit was sent whose answer may still come.
    pub(super) fn lost_at(&self, unit: u8) -> Option<Instant> {
        self.lost.iter().filter(|(of, ..)| *of == unit).map(|(.., at)| *at).max()
    }

    /// A request whose answer cannot be mistaken for one that was lost: part of the longest of them, of another length
    /// than all. None if there is no such length.
    pub(super) fn challenge(&self, unit: u8) -> Option<Request> {
        let lost =
            || self.lost.iter().filter(|(of, ..)| *of == unit).map(|(_, request, _)| request);
        let longest = lost().max_by_key(|request| request.count)?;
        let step = if longest.table.is_of_bits() { 8 } else { 1 };
        let is_new = |count: &u16| {
            let request = Request { count: *count, ..longest.without_tags() };
            lost().all(|other| shape(other) != shape(&request))
        };
        let count = (1..=longest.count / step).map(|n| n * step).find(is_new)?;
        Some(Request { count, ..longest.without_tags() })
    }
}

/// What tells the answers to two requests of a unit apart: function, and bytes of data.
fn shape(request: &Request) -> (u8, u16) {
    let bytes = match request.table.is_of_bits() {
        true => request.count.div_ceil(8),
        false => request.count * 2,
    };
    (request.table.function(), bytes)
}

impl Track {
    pub(in crate::sources) fn new(wire: Wire) -> Arc<Track> {
        Arc::new(Track { wire, state: tokio::sync::Mutex::default() })
    }

    pub(super) fn pause(&self) -> Duration {
        self.wire.pause()
    }

    /// How long an unanswered line must be silent before it is used again.
    pub(super) fn quiet(&self) -> Duration {
        self.wire.quiet
    }

    /// Connects. Has no timeout of its own.
    pub(super) async fn connect(&self) -> io::Result<(Box<dyn Io>, Framing)> {
        match &self.wire.transport {
            Transport::Tcp(address) => Ok((Box::new(tcp(address).await?), Framing::Tcp)),
            Transport::RtuOverTcp(address) => Ok((Box::new(tcp(address).await?), Framing::Rtu)),
            Transport::Tls(address, files) => {
                let connector = tls::Connector::new(address, files)?;
                let stream = connector.greet(tcp(address).await?).await?;
                Ok((Box::new(stream), Framing::Tcp))
            }
            Transport::Serial(port) => Ok((Box::new(open(port)?), Framing::Rtu)),
        }
    }
}

/// The tracks of serial ports, so that each port has one as long as a device uses it.
#[derive(Default)]
pub(in crate::sources) struct Tracks(HashMap<SerialPort, Weak<Track>>);

impl Tracks {
    /// The track of a device; a new one but for a serial port that is known.
    pub(in crate::sources) fn of(&mut self, wire: &Wire) -> Arc<Track> {
        match wire.serial() {
            Some(port) => {
                let known = self.0.get(port).and_then(Weak::upgrade);
                known.unwrap_or_else(|| {
                    let track = Track::new(wire.clone());
                    self.0.insert(port.clone(), Arc::downgrade(&track));
                    track
                })
            }
            None => Track::new(wire.clone()),
        }
    }
}

async fn tcp(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A request is one small segment: waiting to fill it would cost up to 40 ms.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Opens a serial port that others of this process may have open too.
fn open(port: &SerialPort) -> io::Result<tokio_serial::SerialStream> {
    let parity = match port.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let stop_bits = match port.stop_bits {
        2 => tokio_serial::StopBits::Two,
        _ => tokio_serial::StopBits::One,
    };
    let builder = tokio_serial::new(&port.path, port.baud)
        .parity(parity)
        .stop_bits(stop_bits)
        .exclusive(false);
    builder.open_native_async().map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("{}: {error}", port.path))
    })
}

/// A stream with two handles: the client reads answers from one, and the other throws away what is late.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Box<dyn Io>>>);

impl Shared {
    pub(super) fn new(io: Box<dyn Io>) -> Shared {
        Shared(Arc::new(Mutex::new(io)))
    }

    fn with<T>(&self, act: impl FnOnce(Pin<&mut Box<dyn Io>>) -> T) -> T {
        // A stream has no half-made state that a panic elsewhere could leave.
        act(Pin::new(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Throws away what comes until nothing has come for `quiet`. Returns how many bytes there were.
    pub(super) async fn settle(&mut self, quiet: Duration) -> io::Result<usize> {
        let (mut thrown, until) = (0, Instant::now() + quiet * MOST_NOISE);
        let mut buffer = [0; 256];
        while let Ok(read) = timeout(quiet, self.read(&mut buffer)).await {
            match read? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => thrown += n,
            }
            if Instant::now() > until {
                return Err(io::Error::other("the line does not fall silent"));
            }
        }
        Ok(thrown)
    }
}

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_read(cx, buf))
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|io| io.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|io| io.poll_shutdown(cx))
    }
}
