//! A Modbus connection that can only read.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::Table;
use domain::reading::Miss;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::client::{Client, Context, rtu, tcp};
use tokio_modbus::{Error, Request as Call, Response, Slave};

use super::tls;
use super::track::{Framing, Io, Shared, State, Track};
use crate::sources::plan::Request;

/// After so many times the usual silence a lost answer does not come any more, where nothing else can prove it.
const LONG_WAIT: u32 = 10;

/// One connection to one unit. Its only requests are the four reads, function codes 1 to 4.
///
/// The library's context can write registers. It is locked up in here, private to this file, so that nothing else
/// in the service can express a write to a machine, today or by a later mistake.
///
/// After any failure but a refusal the connection must be dropped: a late reply would be taken for the answer to
/// the next request (tokio-modbus issue 324).
pub(in crate::sources) struct Reader {
    context: Context,
    unit: u8,
    track: Arc<Track>,
    /// Another handle to the line, where answers carry no number.
    line: Option<Shared>,
}

/// What a device answered: bits or registers, as many as were asked for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sources) enum Reply {
    /// Coils or discrete inputs.
    Bits(Vec<bool>),
    /// Holding or input registers.
    Words(Vec<u16>),
}

/// Why there is no answer; one variant for each reaction.
#[derive(Debug, thiserror::Error)]
pub(in crate::sources) enum ReadError {
    /// The device is there and said no: keep the connection.
    #[error("the device refused with exception {0} ({words})", words = exception(.0))]
    Refused(u8),
    /// The answer is not one to this request: drop the connection.
    #[error("the reply does not fit the request: {0}")]
    Mismatch(String),
    /// Nothing came in time: drop the connection.
    #[error("no reply in {0:?}")]
    Timeout(Duration),
    /// An answer that cannot be told from the next one may still come.
    #[error("waiting until no late reply can come any more")]
    Waiting,
    /// The connection is of no more use.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
}

/// The name that the Modbus specification gives to an exception.
fn exception(code: &u8) -> &'static str {
    match code {
        1 => "Illegal Function",
        2 => "Illegal Data Address",
        3 => "Illegal Data Value",
        4 => "Server Device Failure",
        5 => "Acknowledge",
        6 => "Server Device Busy",
        7 => "Negative Acknowledge",
        8 => "Memory Parity Error",
        10 => "Gateway Path Unavailable",
        11 => "Gateway Target Device Failed to Respond",
        _ => "not in the specification",
    }
}

impl ReadError {
    /// What the poll is booked as.
    pub(super) fn miss(&self) -> Miss {
        match self {
            ReadError::Refused(code) => Miss::Refused { code: u32::from(*code) },
            ReadError::Mismatch(_) => Miss::Mismatch,
            ReadError::Timeout(_) | ReadError::Waiting => Miss::Timeout,
            ReadError::Broken(_) => Miss::Broken,
        }
    }

    /// Whether the connection can be used again. This is the only place that decides it.
    pub(in crate::sources) fn keeps_connection(&self) -> bool {
        matches!(self, ReadError::Refused(_))
    }
}

impl Reader {
    /// Connects to a unit on this line. Has no timeout of its own.
    pub(in crate::sources) async fn connect(track: Arc<Track>, unit: u8) -> io::Result<Reader> {
        let (io, framing) = track.connect().await?;
        Ok(Reader::over(io, framing, track, unit))
    }

    /// A client of what is connected.
    pub(super) fn over(io: Box<dyn Io>, framing: Framing, track: Arc<Track>, unit: u8) -> Reader {
        match framing {
            Framing::Tcp => {
                let context = tcp::attach_slave(io, Slave(unit));
                Reader { context, unit, track, line: None }
            }
            Framing::Rtu => {
                let line = Shared::new(io);
                let context = rtu::attach_slave(line.clone(), Slave(unit));
                Reader { context, unit, track, line: Some(line) }
            }
        }
    }

    /// Sends one planned request when the line is free, and waits for the reply for at most `limit`.
    pub(in crate::sources) async fn read(
        &mut self,
        request: &Request,
        limit: Duration,
    ) -> Result<Reply, ReadError> {
        let track = self.track.clone();
        let mut state = track.state.lock().await;
        self.settle(&mut state, limit).await?;
        self.ask_in_turn(&mut state, request, limit).await
    }

    /// After a request that was not answered in time on a line without numbers: makes sure that its answer cannot be
    /// taken for one to the next request.
    ///
    /// First the line must fall silent. A device that is slower still is found out by a challenge of another length:
    /// answers come in the order of the requests, so when this one fits, no other is under way. Where no length is
    /// left, as when single registers were lost, the unit is left alone for much longer.
    async fn settle(&mut self, state: &mut State, limit: Duration) -> Result<(), ReadError> {
        let Some(line) = &mut self.line else {
            state.lost.clear();
            return Ok(());
        };
        let lost_at = state.lost_at(self.unit);
        let challenge = state.challenge(self.unit);
        if let (Some(at), None) = (lost_at, &challenge)
            && at.elapsed() < self.track.quiet() * LONG_WAIT
        {
            // Other units of the line go on meanwhile.
            return Err(ReadError::Waiting);
        }
        if state.noisy || lost_at.is_some() {
            let thrown = line.settle(self.track.quiet()).await.map_err(ReadError::Broken)?;
            if thrown > 0 {
                tracing::debug!(thrown, "bytes of a late reply were thrown away");
            }
            state.noisy = false;
        }
        if let Some(challenge) = challenge
            && let Err(error) = self.ask_in_turn(state, &challenge, limit).await
        {
            if error.keeps_connection() {
                // Refusals have no length: this one may be the late answer to what was lost.
                state.lost.push((self.unit, challenge, Instant::now()));
            }
            return Err(error);
        }
        state.lost.retain(|(unit, ..)| *unit != self.unit);
        Ok(())
    }

    /// One request and its reply, after the pause that the line needs.
    async fn ask_in_turn(
        &mut self,
        state: &mut State,
        request: &Request,
        limit: Duration,
    ) -> Result<Reply, ReadError> {
        if let Some(free_at) = state.free_at {
            sleep_until(free_at).await;
        }
        state.lost.push((self.unit, request.without_tags(), Instant::now()));
        state.noisy = true;
        let answer = timeout(limit, self.ask(request)).await;
        let pause = self.track.pause();
        state.free_at = (!pause.is_zero()).then(|| Instant::now() + pause);
        let answer = answer.unwrap_or(Err(ReadError::Timeout(limit)));
        if answer.as_ref().err().is_none_or(ReadError::keeps_connection) {
            state.lost.pop();
            state.noisy = false;
        }
        answer
    }

    async fn ask(&mut self, request: &Request) -> Result<Reply, ReadError> {
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
            Err(Error::Transport(e)) if tls::refusal(&e).is_some() => {
                let words = tls::refusal(&e).unwrap_or_default();
                Err(ReadError::Broken(io::Error::new(e.kind(), words)))
            }
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
    pub(in crate::sources) async fn close(mut self) {
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
