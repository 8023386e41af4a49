//! The PLCs of all machines on Modbus TCP, behind one gateway.
//!
//! It answers reads of holding registers, and of input registers for the detector, and refuses everything else as a PLC
//! would. Every machine has a unit of its own, see [`crate::Model::units`].
//! The model is advanced to the present when a request arrives, so the registers of one answer
//! always belong to one stroke.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::net::{TcpListener, TcpStream};
use tokio_modbus::{
    ExceptionCode, Request, Response, SlaveRequest,
    server::{Service, tcp::Server},
};

use crate::{
    faults::{ModbusFaults, Zeros},
    plant::Core,
    registers,
    spoil::{Spoiler, has_counters},
    wire::Wire,
};

/// Unit identifier of CF01.
const FILLER_UNIT: u8 = 1;
/// Most registers one request may ask for (Modbus application protocol, 6.3).
const MOST_REGISTERS: u16 = 125;

/// Serves until the task is aborted.
pub(crate) async fn serve(core: Arc<Core>, listener: TcpListener) {
    let plc = Arc::new(Plc { core, spoiler: Mutex::default() });
    let mut drops = plc.core.faults.connection_drops();
    let server = Server::new(listener);
    loop {
        let on_connected = |stream, _peer| std::future::ready(Ok(accept(&plc, stream)));
        let on_error = |error: io::Error| tracing::debug!(%error, "a Modbus connection ended");
        // Dropping the future of `serve` closes every connection and keeps the listener.
        tokio::select! {
            result = server.serve(&on_connected, on_error) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "the Modbus server could not accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            _ = drops.changed() => {}
        }
    }
}

fn accept(plc: &Arc<Plc>, stream: TcpStream) -> Option<(Connection, Wire)> {
    let is_refused = plc.core.faults_now().modbus.refuse_connections;
    (!is_refused && stream.set_nodelay(true).is_ok()).then(|| {
        let connection = Connection { plc: Arc::clone(plc), zeros: plc.core.faults.zeros() };
        (connection, Wire::new(stream, Arc::clone(&plc.core)))
    })
}

struct Plc {
    core: Arc<Core>,
    spoiler: Mutex<Spoiler>,
}

/// The PLCs as one connection sees them.
struct Connection {
    plc: Arc<Plc>,
    zeros: Zeros,
}

impl Service for Connection {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

    fn call(&self, request: SlaveRequest<'static>) -> Self::Future {
        let core = &self.plc.core;
        count_write(&request.request, &core.write_attempts);
        let faults = core.faults_now().modbus;
        let answer = match faults.exception.and_then(exception_code) {
            Some(exception) => Err(exception),
            None => self.answer(&request, faults),
        };
        Box::pin(async move {
            if faults.delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
            }
            if faults.mute { Ok(None) } else { answer.map(Some) }
        })
    }
}

impl Connection {
    fn answer(
        &self,
        request: &SlaveRequest<'static>,
        faults: ModbusFaults,
    ) -> Result<Response, ExceptionCode> {
        let unit = request.slave;
        let (_, exists) = registers::range(unit);
        let core = &self.plc.core;
        if !core.units.contains(&unit) {
            return Err(ExceptionCode::GatewayTargetDevice);
        }
        match request.request {
            Request::ReadHoldingRegisters(_, n) | Request::ReadInputRegisters(_, n)
                if n == 0 || n > MOST_REGISTERS =>
            {
                Err(ExceptionCode::IllegalDataValue)
            }
            Request::ReadHoldingRegisters(from, n) => {
                let image = match unit {
                    FILLER_UNIT => {
                        let is_zero = || has_counters(from, n) && self.zeros.take(&core.faults);
                        self.plc.image(faults, is_zero)
                    }
                    unit => core.at_now(|model| model.holding_registers(unit)),
                };
                Ok(Response::ReadHoldingRegisters(part(&image, exists.start, from, n)?))
            }
            // The function exists, even where a PLC has no input register at any address.
            Request::ReadInputRegisters(from, n) => {
                let image = core.at_now(|model| model.input_registers(unit));
                Ok(Response::ReadInputRegisters(part(&image, exists.start, from, n)?))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

impl Plc {
    /// The registers of the filler as the faults let them be seen.
    fn image(&self, faults: ModbusFaults, is_zero: impl FnOnce() -> bool) -> Vec<u16> {
        // Its images are replaced as a whole, so a panic elsewhere cannot leave half of one.
        let mut spoiler = self.spoiler.lock().unwrap_or_else(PoisonError::into_inner);
        let image = self.core.at_now(|model| model.holding_registers(FILLER_UNIT));
        spoiler.filler(image, faults, &self.core.faults, is_zero)
    }
}

/// The registers that were asked for, if they are all there: from the first that exists on.
fn part(image: &[u16], first: usize, from: u16, n: u16) -> Result<Vec<u16>, ExceptionCode> {
    let (from, n) = (usize::from(from), usize::from(n));
    let asked = image.get(from..from + n).filter(|_| from >= first);
    asked.map(<[u16]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
}

fn count_write(request: &Request<'_>, write_attempts: &AtomicU64) {
    if matches!(
        request,
        Request::WriteSingleCoil(..)
            | Request::WriteMultipleCoils(..)
            | Request::WriteSingleRegister(..)
            | Request::WriteMultipleRegisters(..)
            | Request::MaskWriteRegister(..)
            | Request::ReadWriteMultipleRegisters(..)
    ) {
        write_attempts.fetch_add(1, Ordering::Relaxed);
    }
}

/// The exception of a code; none for a code that Modbus does not define.
pub(crate) fn exception_code(code: u8) -> Option<ExceptionCode> {
    match code {
        1 => Some(ExceptionCode::IllegalFunction),
        2 => Some(ExceptionCode::IllegalDataAddress),
        3 => Some(ExceptionCode::IllegalDataValue),
        4 => Some(ExceptionCode::ServerDeviceFailure),
        5 => Some(ExceptionCode::Acknowledge),
        6 => Some(ExceptionCode::ServerDeviceBusy),
        8 => Some(ExceptionCode::MemoryParityError),
        10 => Some(ExceptionCode::GatewayPathUnavailable),
        11 => Some(ExceptionCode::GatewayTargetDevice),
        _ => None,
    }
}
