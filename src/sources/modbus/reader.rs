//! A Modbus connection that can only read.

use std::io;

use domain::plc_map::Table;
use domain::reading::Miss;
use tokio::net::TcpStream;
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::{Error, Request as Call, Response, Slave};

use crate::sources::plan::Request;

/// One connection to one unit. Its only requests are the four reads, function codes 1 to 4.
///
/// The library's context can write registers. It is locked up in here, private to this file, so that nothing else
/// in the service can express a write to a machine, today or by a later mistake.
///
/// After any failure but a refusal the connection must be dropped: a late reply would be taken for the answer to
/// the next request (tokio-modbus issue 324).
pub(super) struct Reader {
    context: Context,
}

/// What a device answered: bits or registers, as many as were asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Coils or discrete inputs.
    Bits(Vec<bool>),
    /// Holding or input registers.
    Words(Vec<u16>),
}

/// Why there is no answer; one variant for each reaction.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The device is there and said no: keep the connection.
    #[error("the device refused with exception {0}")]
    Refused(u8),
    /// The answer is not one to this request: drop the connection.
    #[error("the reply does not fit the request: {0}")]
    Mismatch(String),
    /// The connection is of no more use.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
}

impl ReadError {
    /// What the poll is booked as.
    pub(super) fn miss(&self) -> Miss {
        match self {
            ReadError::Refused(code) => Miss::Refused { code: u32::from(*code) },
            ReadError::Mismatch(_) => Miss::Mismatch,
            ReadError::Broken(_) => Miss::Broken,
        }
    }

    /// Whether the connection can be used again. This is the only place that decides it.
    pub(super) fn keeps_connection(&self) -> bool {
        matches!(self, ReadError::Refused(_))
    }
}

impl Reader {
    /// Connects to `host:port`. Has no timeout of its own.
    pub(super) async fn connect(address: &str, unit: u8) -> io::Result<Reader> {
        let stream = TcpStream::connect(address).await?;
        // A request is one small segment: waiting to fill it would cost up to 40 ms.
        stream.set_nodelay(true)?;
        Ok(Reader { context: tcp::attach_slave(stream, Slave(unit)) })
    }

    /// Sends one planned request. Has no timeout of its own.
    pub(super) async fn read(&mut self, request: &Request) -> Result<Reply, ReadError> {
        let Request { first, count, .. } = *request;
        match request.table {
            Table::Coil => self.coils(first, count).await,
            Table::Discrete => self.discretes(first, count).await,
            Table::Holding => self.holding(first, count).await,
            Table::Input => self.input(first, count).await,
        }
    }

    async fn coils(&mut self, first: u16, count: u16) -> Result<Reply, ReadError> {
        match self.call(Call::ReadCoils(first, count)).await? {
            Response::ReadCoils(bits) => bits_of(bits, count),
            other => Err(unfit(&other)),
        }
    }

    async fn discretes(&mut self, first: u16, count: u16) -> Result<Reply, ReadError> {
        match self.call(Call::ReadDiscreteInputs(first, count)).await? {
            Response::ReadDiscreteInputs(bits) => bits_of(bits, count),
            other => Err(unfit(&other)),
        }
    }

    async fn holding(&mut self, first: u16, count: u16) -> Result<Reply, ReadError> {
        match self.call(Call::ReadHoldingRegisters(first, count)).await? {
            Response::ReadHoldingRegisters(words) => words_of(words, count),
            other => Err(unfit(&other)),
        }
    }

    async fn input(&mut self, first: u16, count: u16) -> Result<Reply, ReadError> {
        match self.call(Call::ReadInputRegisters(first, count)).await? {
            Response::ReadInputRegisters(words) => words_of(words, count),
            other => Err(unfit(&other)),
        }
    }

    /// The library checks transaction, unit and function. Its own read methods check the length by a debug
    /// assertion only, which is why they are not used.
    async fn call(&mut self, call: Call<'static>) -> Result<Response, ReadError> {
        match self.context.call(call).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(exception)) => Err(ReadError::Refused(exception.into())),
            Err(Error::Protocol(e)) => Err(ReadError::Mismatch(e.to_string())),
            Err(Error::Transport(e)) => match e.kind() {
                // Both come from the decoder: the frame is no Modbus, or shorter than it says.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    Err(ReadError::Mismatch(e.to_string()))
                }
                _ => Err(ReadError::Broken(e)),
            },
        }
    }

    /// Closes the connection in order: some PLCs hold on to a slot of a connection that was only dropped.
    pub(super) async fn close(mut self) {
        if let Err(e) = self.context.disconnect().await {
            tracing::debug!(error = %e, "a connection was closed by the device first");
        }
    }
}

/// Bits come in whole bytes, so up to seven more than asked for are as it should be.
fn bits_of(mut bits: Vec<bool>, count: u16) -> Result<Reply, ReadError> {
    if bits.len() != usize::from(count).next_multiple_of(8) {
        return Err(length(bits.len(), count));
    }
    bits.truncate(usize::from(count));
    Ok(Reply::Bits(bits))
}

fn words_of(words: Vec<u16>, count: u16) -> Result<Reply, ReadError> {
    match words.len() == usize::from(count) {
        true => Ok(Reply::Words(words)),
        false => Err(length(words.len(), count)),
    }
}

fn length(found: usize, count: u16) -> ReadError {
    ReadError::Mismatch(format!("{found} values instead of {count}"))
}

fn unfit(response: &Response) -> ReadError {
    ReadError::Mismatch(format!("an answer to {:?}", response.function_code()))
}
