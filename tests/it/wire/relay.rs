//! A relay between the service and one address, which reads off what is asked on the way. It runs on threads of its own,
//! so that no runtime of a test can hold it up.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use super::record::{Listener, Speech, note};

/// Passes on all that comes, in both directions, and ends a connection as the other side ended it.
pub(crate) struct Relay {
    here: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Relay {
    /// The address of a relay in front of an address of a configuration. An address where nobody listens now is left
    /// as it is: a refused connection must stay refused.
    pub(crate) fn before(address: &str) -> (String, Option<Relay>) {
        let (scheme, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), address),
        };
        let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, _)| (host, "/"));
        let reachable = || -> Option<SocketAddr> {
            let there = host.parse().ok()?;
            TcpStream::connect(there).ok().map(|_| there)
        };
        let Some(there) = reachable() else { return (address.to_owned(), None) };
        let relay = Relay::start(there, Speech::at(address));
        (format!("{scheme}{}{path}", relay.here), Some(relay))
    }

    fn start(there: SocketAddr, speech: Speech) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let here = listener.local_addr().expect("it has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let ends = stopped.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if ends.load(SeqCst) {
                    return;
                }
                thread::spawn(move || connection(&near, there, speech));
            }
        });
        Relay { here, stopped }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stopped.store(true, SeqCst);
        // Wakes the thread that waits for the next connection; it is gone already if that fails.
        let _ = TcpStream::connect(self.here);
    }
}

/// One connection, until either side ends it.
fn connection(near: &TcpStream, there: SocketAddr, speech: Speech) {
    let Ok(far) = TcpStream::connect(there) else { return };
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    let mut listener = Listener::new(speech);
    thread::scope(|scope| {
        scope.spawn(|| pass(&far, near, |_| {}));
        pass(near, &far, |bytes| {
            listener.hear(bytes).into_iter().for_each(|asked| note(asked, 1));
        });
    });
    // The first of each kind was noted as it came.
    let more = listener.seen.into_iter().filter(|(_, n)| *n > 1);
    more.for_each(|(asked, n)| note(asked, n - 1));
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, mut look: impl FnMut(&[u8])) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n) = from.read(&mut bytes)
        && n > 0
    {
        look(&bytes[..n]);
        if to.write_all(&bytes[..n]).is_err() {
            break;
        }
    }
    // Neither direction is of use without the other.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
