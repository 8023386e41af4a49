//! A link that fails: passes bytes on until a fault is put into it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};

/// What the link does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Passes everything.
    None,
    /// Cuts the connection in the middle of a message, after so many bytes in either direction.
    CutAfter(usize),
    /// Takes bytes and passes none on.
    Silent,
}

/// A link to a port of this machine.
pub(crate) struct Proxy {
    addr: SocketAddr,
    fault: Arc<Mutex<Fault>>,
    links: Arc<Mutex<Vec<AbortHandle>>>,
    listener: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(to: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let addr = listener.local_addr().expect("it has an address");
        let fault = Arc::new(Mutex::new(Fault::None));
        let links: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let (faults, kept) = (fault.clone(), links.clone());
        let listener = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let link = tokio::spawn(link(near, to, faults.clone()));
                lock(&kept).push(link.abort_handle());
            }
        });
        Proxy { addr, fault, links, listener }
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Puts a fault into the link.
    pub(crate) fn set(&self, fault: Fault) {
        *lock(&self.fault) = fault;
    }

    /// Cuts all connections and lets new ones pass.
    pub(crate) fn mend(&self) {
        self.set(Fault::None);
        lock(&self.links).drain(..).for_each(|link| link.abort());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.mend();
        self.listener.abort();
    }
}

async fn link(near: TcpStream, to: u16, fault: Arc<Mutex<Fault>>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::select! {
        () = pass(near_in, far_out, &fault) => {}
        () = pass(far_in, near_out, &fault) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fault: &Mutex<Fault>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(n) = from.read(&mut bytes).await
        && n > 0
    {
        let now = *lock(fault);
        match now {
            Fault::None => {
                if to.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
            Fault::CutAfter(left) if left < n => {
                // A part of a message, and then nothing.
                let _ = to.write_all(&bytes[..left]).await;
                return;
            }
            Fault::CutAfter(left) => {
                *lock(fault) = Fault::CutAfter(left - n);
                if to.write_all(&bytes[..n]).await.is_err() {
                    return;
                }
            }
            Fault::Silent => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
