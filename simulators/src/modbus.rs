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

use crate::{plant::Core, registers::address};

/// Unit identifier of CF01.
const FILLER_UNIT: u8 = 1;
/// Most registers one request may ask for (Modbus application protocol, 6.3).
const MOST_REGISTERS: u16 = 125;
/// A torn answer is new up to here: in the middle of `AccCount`.
const TEAR_AT: usize = address::PROCESSED_ACC_COUNT + 1;

/// Serves until the task is aborted.
pub(crate) async fn serve(core: Arc<Core>, listener: TcpListener) {
    let plc = Arc::new(Plc { core, kept: Mutex::default() });
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

fn accept(plc: &Arc<Plc>, stream: TcpStream) -> Option<(Arc<Plc>, TcpStream)> {
    let is_refused = plc.core.faults.get().modbus.refuse_connections;
    (!is_refused && stream.set_nodelay(true).is_ok()).then(|| (Arc::clone(plc), stream))
}

struct Plc {
    core: Arc<Core>,
    kept: Mutex<Kept>,
}

/// Images that faults need again.
#[derive(Default)]
struct Kept {
    last: Vec<u16>,
    frozen: Option<Vec<u16>>,
}

impl Service for Plc {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

    fn call(&self, request: SlaveRequest<'static>) -> Self::Future {
        count_write(&request.request, &self.core.write_attempts);
        let faults = self.core.faults.get().modbus;
        let answer = match faults.exception.and_then(exception_code) {
            Some(exception) => Err(exception),
            None => self.answer(&request, faults.freeze),
        };
        Box::pin(async move {
            if faults.delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
            }
            if faults.mute { Ok(None) } else { answer.map(Some) }
        })
    }
}

impl Plc {
    fn answer(
        &self,
        request: &SlaveRequest<'static>,
        freeze: bool,
    ) -> Result<Response, ExceptionCode> {
        let unit = request.slave;
        if !self.core.units.contains(&unit) {
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
                    FILLER_UNIT => self.image(freeze),
                    unit => self.core.at_now(|model| model.holding_registers(unit)),
                };
                Ok(Response::ReadHoldingRegisters(part(&image, from, n)?))
            }
            // The function exists, even where a PLC has no input register at any address.
            Request::ReadInputRegisters(from, n) => {
                let image = self.core.at_now(|model| model.input_registers(unit));
                Ok(Response::ReadInputRegisters(part(&image, from, n)?))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }

    /// The registers as the faults let them be seen.
    fn image(&self, freeze: bool) -> Vec<u16> {
        // Both images are replaced as a whole, so a panic elsewhere cannot leave half of one.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let image = self.core.at_now(|model| model.holding_registers(FILLER_UNIT));
        if freeze {
            return kept.frozen.get_or_insert(image).clone();
        }
        kept.frozen = None;
        let earlier = std::mem::replace(&mut kept.last, image.clone());
        let has_new_stroke = earlier.first().is_some_and(|seq| *seq != image[address::SEQ_HEAD]);
        if has_new_stroke && self.core.faults.take_torn() {
            return [&image[..TEAR_AT], &earlier[TEAR_AT..]].concat();
        }
        image
    }
}

/// The registers that were asked for, if they are all there.
fn part(image: &[u16], from: u16, n: u16) -> Result<Vec<u16>, ExceptionCode> {
    let (from, n) = (usize::from(from), usize::from(n));
    image.get(from..from + n).map(<[u16]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
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
fn exception_code(code: u8) -> Option<ExceptionCode> {
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
