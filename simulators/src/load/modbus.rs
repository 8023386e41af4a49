//! A Modbus server with 125 cheap registers, and a client that does nothing but read them.

use std::{
    future::{Ready, ready},
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::{
    ExceptionCode, Request, Response, Slave, SlaveRequest,
    client::{Reader, tcp},
    server::{Service, tcp::Server},
};

/// Registers of the server: as many as one request may ask for.
pub const REGISTERS: u16 = 125;

/// Registers from here on hold still; those before are six counters of 32 bits, a state and a heartbeat.
const STEADY: u16 = 14;
const STATE: u16 = 12;
const HEARTBEAT: u16 = 13;
/// The code of a machine that runs.
const EXECUTE: u16 = 3;
/// Of capsules in 100 µs at 6,500 a minute, as a fraction: 6,500 / 600,000.
const RATE: (u64, u64) = (13, 1_200);

/// Serves every unit until the future is dropped. The heartbeat changes ten times a second.
///
/// # Errors
/// The listener is of no more use.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let since = Instant::now();
    let connected = |stream: TcpStream, _peer| {
        let accepted = stream.set_nodelay(true).map(|()| Some((Plc { since }, stream)));
        ready(accepted)
    };
    let failed = |error: io::Error| tracing::debug!(%error, "a Modbus connection ended");
    Server::new(listener).serve(&connected, failed).await
}

struct Plc {
    since: Instant,
}

impl Service for Plc {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: SlaveRequest<'static>) -> Self::Future {
        ready(match request.request {
            Request::ReadHoldingRegisters(from, n) if n > 0 && from + n <= REGISTERS => {
                Ok(Response::ReadHoldingRegisters(words(self.since.elapsed(), from, n)))
            }
            Request::ReadHoldingRegisters(..) => Err(ExceptionCode::IllegalDataAddress),
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}

/// Registers after a time: counter `i` makes the 2ⁱ-th part of the rate.
fn words(passed: Duration, from: u16, n: u16) -> Vec<u16> {
    let tenths_ms = passed.as_micros() as u64 / 100;
    let count = tenths_ms * RATE.0 / RATE.1;
    let word = |register: u16| match register {
        STATE => EXECUTE,
        HEARTBEAT => (tenths_ms / 1_000) as u16,
        STEADY.. => register,
        counter => {
            let value = (count >> (counter / 2)) as u32;
            if counter % 2 == 0 { (value >> 16) as u16 } else { value as u16 }
        }
    };
    (from..from + n).map(word).collect()
}

/// Reads all registers again and again on one connection, until `stop` is set or `limit` has passed: what the library can
/// do when nothing is done with what it brings. How often it read, and for how long.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn bare_loop(
    addr: SocketAddr,
    limit: Duration,
    stop: &AtomicBool,
) -> io::Result<(u64, Duration)> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut client = tcp::attach_slave(stream, Slave(1));
    let (since, mut n) = (Instant::now(), 0);
    // The clock is looked at now and then: a look at each read would be work too.
    while n % 64 != 0 || (since.elapsed() < limit && !stop.load(Ordering::Relaxed)) {
        let answer = client.read_holding_registers(0, REGISTERS).await.map_err(io::Error::other)?;
        let words = answer.map_err(io::Error::other)?;
        if words.len() != usize::from(REGISTERS) {
            return Err(io::Error::other(format!("{} registers", words.len())));
        }
        n += 1;
    }
    Ok((n, since.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counters_run_at_the_rate_of_the_line() {
        let minute = words(Duration::from_secs(60), 0, REGISTERS);
        assert_eq!(u32::from(minute[0]) << 16 | u32::from(minute[1]), 6_500);
        assert_eq!(u32::from(minute[2]) << 16 | u32::from(minute[3]), 3_250);
        assert_eq!((minute[12], minute[13], minute[124]), (3, 600, 124));
        let later = words(Duration::from_secs(60), 12, 2);
        assert_eq!(later, minute[12..14], "a part is a part of the whole");
    }

    #[tokio::test]
    async fn the_bare_loop_reads_until_it_is_stopped() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener));
        let (go, stop) = (AtomicBool::new(false), AtomicBool::new(true));
        let read = bare_loop(addr, Duration::from_millis(20), &go);
        let (n, took) = read.await.unwrap();
        assert!(n > 0 && n % 64 == 0 && took >= Duration::from_millis(20), "{n} in {took:?}");
        let stopped = bare_loop(addr, Duration::from_secs(3_600), &stop);
        assert_eq!(stopped.await.unwrap().0, 0);
        server.abort();
    }
}
