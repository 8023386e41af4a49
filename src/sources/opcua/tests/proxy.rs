//! What stands between client and server, and can cut the line or swallow what goes over it.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the line between client and server does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wire {
    Sound,
    /// Looks connected, and nothing comes through.
    Swallow,
    /// Every connection is closed, now and when it is made.
    Cut,
}

pub(super) struct Proxy {
    pub(super) address: String,
    pub(super) wire: watch::Sender<Wire>,
}

impl Proxy {
    pub(super) async fn start(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (wire, state) = watch::channel(Wire::Sound);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, mut state) = (server.clone(), state.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let cut = state.clone();
                    tokio::select! {
                        _ = pump(&mut from_client, &mut to_server, state.clone()) => {}
                        _ = pump(&mut from_server, &mut to_client, cut) => {}
                        _ = state.wait_for(|wire| *wire == Wire::Cut) => {}
                    }
                });
            }
        });
        Proxy { address, wire }
    }
}

async fn pump(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    wire: watch::Receiver<Wire>,
) -> Option<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 65_536];
    loop {
        let n = from.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        if *wire.borrow() == Wire::Sound {
            to.write_all(&buffer[..n]).await.ok()?;
        }
    }
}
