//! A wire that fails as told, between the service and a machine.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::WriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::fault::Fault;
use super::record::{Listener, Speech, note};

/// A wire to one address.
pub(crate) struct Proxy {
    pub(crate) address: String,
    fault: watch::Sender<Fault>,
    accepts: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(there: SocketAddr, speech: Speech) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let here = listener.local_addr().expect("it has an address");
        let (fault, faults) = watch::channel(Fault::None);
        let accepts = tokio::spawn(accept(listener, here, there, speech, faults));
        Proxy { address: here.to_string(), fault, accepts }
    }

    /// Puts a fault into the wire, or takes it out.
    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

async fn accept(
    listener: TcpListener,
    here: SocketAddr,
    there: SocketAddr,
    speech: Speech,
    mut faults: watch::Receiver<Fault>,
) {
    let mut listener = Some(listener);
    let mut links = tokio::task::JoinSet::new();
    loop {
        let refuses = *faults.borrow_and_update() == Fault::Refused;
        match (refuses, &listener) {
            (true, Some(_)) => listener = None,
            (false, None) => match TcpListener::bind(here).await {
                Ok(again) => listener = Some(again),
                // A connection of the test itself may have been given the port for a moment.
                Err(_) => sleep(Duration::from_millis(1)).await,
            },
            _ => {}
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = faults.changed() => if changed.is_err() { return },
            accepted = accepted => if let Ok((near, _)) = accepted {
                links.spawn(link(near, there, speech, faults.clone()));
            },
        }
        while links.try_join_next().is_some() {}
    }
}

/// One connection until it ends.
async fn link(
    mut near: TcpStream,
    there: SocketAddr,
    speech: Speech,
    mut faults: watch::Receiver<Fault>,
) {
    let fault = *faults.borrow_and_update();
    if fault == Fault::HalfOpen {
        // Held until the client gives up, or the machine is back and knows nothing of it.
        let mut byte = [0; 1024];
        let gone = async { while near.read(&mut byte).await.is_ok_and(|n| n > 0) {} };
        tokio::select! {
            () = gone => {}
            _ = faults.changed() => {}
        }
        return;
    }
    if fault != Fault::Reset {
        let Ok(mut far) = TcpStream::connect(there).await else { return };
        if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
            return;
        }
        let mut heard = Listener::new(speech);
        pass(&mut near, &mut far, speech, &mut faults, &mut heard).await;
        let more = heard.seen.into_iter().filter(|(_, n)| *n > 1);
        more.for_each(|(asked, n)| note(asked, n - 1));
    }
    if *faults.borrow() == Fault::Reset {
        // Then closing sends RST rather than FIN.
        let _ = near.set_zero_linger();
    }
}

/// Passes on what comes until the connection ends by itself or by a fault.
async fn pass(
    near: &mut TcpStream,
    far: &mut TcpStream,
    speech: Speech,
    faults: &mut watch::Receiver<Fault>,
    heard: &mut Listener,
) {
    let (mut near_in, near_out) = near.split();
    let (mut far_in, mut far_out) = far.split();
    let mut replies = Replies { speech, bytes: Vec::new(), held: None, left: None, out: near_out };
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let fault = *faults.borrow_and_update();
        replies.left = match (fault, replies.left) {
            (Fault::CutAfter(n), None) => Some(n),
            (Fault::CutAfter(_), left) => left,
            _ => None,
        };
        match fault {
            Fault::Reset | Fault::Refused | Fault::HalfOpen => return,
            Fault::BlackHole => {
                if faults.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        tokio::select! {
            changed = faults.changed() => if changed.is_err() { return },
            read = near_in.read(&mut asked) => {
                let Some(bytes) = some(read, &asked) else { return };
                heard.hear(bytes).into_iter().for_each(|asked| note(asked, 1));
                if far_out.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = far_in.read(&mut answered) => {
                let Some(bytes) = some(read, &answered) else { return };
                replies.bytes.extend_from_slice(bytes);
                if replies.send(fault).await.is_none() {
                    return;
                }
            }
        }
    }
}

fn some(read: std::io::Result<usize>, bytes: &[u8]) -> Option<&[u8]> {
    read.ok().filter(|n| *n > 0).map(|n| &bytes[..n])
}

/// Replies on their way to the client.
struct Replies<'a> {
    speech: Speech,
    bytes: Vec<u8>,
    /// A reply that waits for the next.
    held: Option<Vec<u8>>,
    /// Bytes that pass before the connection is cut.
    left: Option<usize>,
    out: WriteHalf<'a>,
}

impl Replies<'_> {
    /// Sends all whole replies, spoilt as the fault wants it. None when the connection is to end.
    async fn send(&mut self, fault: Fault) -> Option<()> {
        while let Some(n) = self.speech.length(&self.bytes).filter(|n| *n <= self.bytes.len()) {
            let mut frame: Vec<u8> = self.bytes.drain(..n).collect();
            let is_modbus = self.speech == Speech::ModbusTcp;
            match fault {
                Fault::Late(late) => sleep(late).await,
                Fault::Twice => self.write(&frame, None).await?,
                Fault::HeldBack => {
                    let Some(held) = self.held.replace(frame) else { continue };
                    frame = held;
                }
                Fault::WrongTransaction if is_modbus => frame[1] = frame[1].wrapping_add(1),
                Fault::WrongUnit if is_modbus => frame[6] = frame[6].wrapping_add(1),
                // The other function of the same shape: input registers for holding registers.
                Fault::WrongFunction if is_modbus => frame[7] ^= 7,
                Fault::WrongLength if is_modbus && frame.len() > 11 => {
                    let shorter = (frame.len() - 2 - 6) as u16;
                    frame[4..6].copy_from_slice(&shorter.to_be_bytes());
                    frame[8] -= 2;
                    // The first register is lost, so that all that follow are one place off.
                    frame.drain(9..11);
                }
                _ => {}
            }
            if fault != Fault::HeldBack
                && let Some(held) = self.held.take()
            {
                self.write(&held, None).await?;
            }
            let pause = match fault {
                Fault::Dribble(pause) => Some(pause),
                _ => None,
            };
            self.write(&frame, pause).await?;
        }
        Some(())
    }

    /// Writes a reply, a byte at a time if there is a pause between them.
    async fn write(&mut self, frame: &[u8], pause: Option<Duration>) -> Option<()> {
        if let Some(left) = &mut self.left {
            let passed = frame.len().min(*left);
            *left -= passed;
            if passed < frame.len() {
                self.out.write_all(&frame[..passed]).await.ok()?;
                return None;
            }
        }
        let Some(pause) = pause else { return self.out.write_all(frame).await.ok() };
        for byte in frame {
            self.out.write_all(&[*byte]).await.ok()?;
            sleep(pause).await;
        }
        Some(())
    }
}
