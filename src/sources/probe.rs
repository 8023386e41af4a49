//! Reads a run of registers of a device that no map describes yet. Read-only like everything here.

use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::{MAX_BITS, MAX_REGISTERS, Table};
use tokio::time::timeout;

use super::modbus::{ReadError, Reader, Reply, Track};
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
    #[error("{words} for {table} {first} to {last}; {}", way_out(.code))]
    Refused {
        /// The exception in words.
        words: String,
        /// Its code.
        code: u8,
        /// The table that was read.
        table: &'static str,
        /// First register of the request.
        first: u16,
        /// Its last register.
        last: u32,
    },
    /// The connection was lost; the next read makes a new one.
    #[error("{0}")]
    Lost(String),
}

/// What to try after an exception.
fn way_out(code: &u8) -> &'static str {
    match code {
        1 => "the device has no such table: try another --table",
        2 | 3 => "try a shorter range, another --from or another --table",
        4 => "the device has a fault of its own: look at its panel",
        5 | 6 => "the device is busy: try again in a moment",
        10 => "the gateway has no way there: look into its routes and ports",
        11 => "is the --unit right, and is that device switched on?",
        _ => "try a shorter range, another --table or another --unit",
    }
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
                Err(ProbeError::Refused {
                    words: error.to_string(),
                    code: match error {
                        ReadError::Refused(code) => code,
                        _ => 0,
                    },
                    table: request.table.word(),
                    first: request.first,
                    last,
                })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_exception_means_and_what_to_try() {
        for (code, name, hint) in [
            (1, "Illegal Function", "--table"),
            (2, "Illegal Data Address", "shorter range"),
            (3, "Illegal Data Value", "shorter range"),
            (4, "Server Device Failure", "panel"),
            (5, "Acknowledge", "again"),
            (6, "Server Device Busy", "again"),
            (7, "Negative Acknowledge", "--unit"),
            (8, "Memory Parity Error", "--unit"),
            (10, "Gateway Path Unavailable", "routes"),
            (11, "Gateway Target Device Failed to Respond", "is the --unit right"),
            (99, "not in the specification", "--unit"),
        ] {
            let words = ReadError::Refused(code).to_string();
            let refused = ProbeError::Refused { words, code, table: "holding", first: 0, last: 9 };
            let told = refused.to_string();
            let begin =
                format!("the device refused with exception {code} ({name}) for holding 0 to 9; ");
            assert!(told.strip_prefix(&begin).is_some_and(|rest| rest.contains(hint)), "{told}");
        }
    }
}
