//! Faults of the frames of Modbus TCP: what a library that answers each request once cannot do by itself.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{faults::ModbusFaults, plant::Core};

/// Position of the unit in a frame: behind the transaction number, the protocol and the length.
const UNIT_AT: usize = 6;

/// A connection whose answers are spoilt on their way out. It relies on the server writing whole frames, one for each
/// request.
pub(crate) struct Wire {
    stream: TcpStream,
    core: Arc<Core>,
    /// Bytes that the stream has not taken yet.
    out: Vec<u8>,
    last: Vec<u8>,
    held: Option<Vec<u8>>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, core: Arc<Core>) -> Wire {
        Wire { stream, core, out: Vec::new(), last: Vec::new(), held: None }
    }

    /// What goes out for a frame.
    fn spoilt(&mut self, frame: &[u8], faults: ModbusFaults) -> Vec<u8> {
        let mut sent = frame.to_vec();
        if faults.wrong_transaction
            && let Some(byte) = sent.first_mut()
        {
            *byte ^= 0x5A;
        }
        if faults.wrong_unit
            && let Some(unit) = sent.get_mut(UNIT_AT)
        {
            *unit ^= 0x50;
        }
        let before = std::mem::replace(&mut self.last, sent.clone());
        if faults.duplicate {
            sent.splice(0..0, before);
        }
        match self.held.take() {
            Some(held) => sent.extend(held),
            None if faults.reorder => self.held = Some(std::mem::take(&mut sent)),
            None => {}
        }
        sent
    }

    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let n = ready!(Pin::new(&mut self.stream).poll_write(context, &self.out))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.drain(..n);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        frame: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(context))?;
        let faults = self.core.faults_now().modbus;
        let sent = self.spoilt(frame, faults);
        self.out = sent;
        Poll::Ready(Ok(frame.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
