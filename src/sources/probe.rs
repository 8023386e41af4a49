//! Reads a run of registers of a device that no map describes yet. Read-only like everything here.

use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::{MAX_BITS, MAX_REGISTERS, Table};
use tokio::time::timeout;

use super::modbus::{Reader, Reply, Track};
use super::plan::Request;
use crate::config::Wire;

/// A device being looked at.
pub struct Probe {
    track: Arc<Track>,
    unit: u8,
    limit: Duration,
    reader: Option<Reader>,
}

/// Why a device could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No connection was made.
    #[error("cannot connect: {0}; check address, port and cable")]
    Connect(std::io::Error),
    /// The device said no to this range.
    #[error("{0} for {1} {2} to {3}; try a shorter range, another table or another unit")]
    Refused(String, &'static str, u16, u32),
    /// The connection was lost; the next read makes a new one.
    #[error("{0}")]
    Lost(String),
}

impl Probe {
    /// Nothing is contacted before the first read. Connecting and each reply may take `limit`.
    pub fn new(wire: Wire, limit: Duration) -> Probe {
        let unit = wire.unit.unwrap_or(1);
        Probe { track: Track::new(wire), unit, limit, reader: None }
    }

    /// Reads `count` registers, or bits as 0 and 1, from `first`, in as few requests as the protocol allows.
    ///
    /// # Errors
    /// See [`ProbeError`]. After any but a refusal the next read connects anew.
    pub async fn read(
        &mut self,
        table: Table,
        first: u16,
        count: u16,
    ) -> Result<Vec<u16>, ProbeError> {
        let most = if table.is_of_bits() { MAX_BITS } else { MAX_REGISTERS };
        let mut words = Vec::with_capacity(usize::from(count));
        while words.len() < usize::from(count) {
            let done = words.len() as u16;
            let count = (count - done).min(most);
            let request =
                Request { table, first: first.saturating_add(done), count, tags: Vec::new() };
            match self.ask(&request).await? {
                Reply::Words(found) => words.extend(found),
                Reply::Bits(found) => words.extend(found.into_iter().map(u16::from)),
            }
        }
        Ok(words)
    }

    async fn ask(&mut self, request: &Request) -> Result<Reply, ProbeError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.connect().await?,
        };
        match reader.read(request, self.limit).await {
            Ok(reply) => {
                self.reader = Some(reader);
                Ok(reply)
            }
            Err(error) if error.keeps_connection() => {
                self.reader = Some(reader);
                let last = u32::from(request.first) + u32::from(request.count) - 1;
                Err(ProbeError::Refused(
                    error.to_string(),
                    request.table.word(),
                    request.first,
                    last,
                ))
            }
            Err(error) => Err(ProbeError::Lost(error.to_string())),
        }
    }

    async fn connect(&self) -> Result<Reader, ProbeError> {
        let attempt = timeout(self.limit, Reader::connect(self.track.clone(), self.unit));
        let late = |_| {
            std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                format!("no answer in {:?}", self.limit),
            )
        };
        attempt.await.map_err(late).and_then(|made| made).map_err(ProbeError::Connect)
    }

    /// Closes the connection in order.
    pub async fn close(self) {
        if let Some(reader) = self.reader {
            let _ = timeout(self.limit, reader.close()).await;
        }
    }
}
