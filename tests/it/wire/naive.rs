//! The control: clients as they are often written. What the service does right must be wrong here, on the same wire.

use std::time::Duration;

use capline::clock::boot_us;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// A value that was shown, and the moments between which it is said to have been read.
pub(crate) struct Shown {
    /// Register of a counter with two words.
    pub(crate) first: u16,
    pub(crate) value: u64,
    pub(crate) between_us: (i64, i64),
}

/// Time for an answer, as the service has it.
const LIMIT: Duration = Duration::from_millis(100);

/// Reads two pairs of registers in turn, every 10 ms. It takes whatever comes for the answer to its last request, and
/// keeps its connection as long as there is one.
pub(crate) async fn believe(address: &str, over: impl Future<Output = ()>) -> Vec<Shown> {
    let mut shown = Vec::new();
    tokio::select! {
        () = over => {}
        () = read_for_ever(address, &mut shown) => {}
    }
    shown
}

async fn read_for_ever(address: &str, shown: &mut Vec<Shown>) {
    loop {
        if let Ok(Ok(mut stream)) = timeout(LIMIT, TcpStream::connect(address)).await {
            let _ = stream.set_nodelay(true);
            for (first, number) in [13, 15].into_iter().cycle().zip((0..=u8::MAX).cycle()) {
                let from_us = boot_us();
                match timeout(LIMIT, ask(&mut stream, first, number)).await {
                    Ok(None) => break,
                    Ok(Some(value)) => {
                        shown.push(Shown { first, value, between_us: (from_us, boot_us()) });
                    }
                    Err(_) => {}
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// One request and the frame that comes next. None when the connection has ended.
async fn ask(stream: &mut TcpStream, first: u16, number: u8) -> Option<u64> {
    let [high, low] = first.to_be_bytes();
    stream.write_all(&[0, number, 0, 0, 0, 6, 1, 3, high, low, 0, 2]).await.ok()?;
    let mut head = [0; 6];
    stream.read_exact(&mut head).await.ok()?;
    let mut rest = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]]))];
    stream.read_exact(&mut rest).await.ok()?;
    let data = rest.get(3..)?;
    Some(data.iter().take(4).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Polls devices one after the other, each when it was answered, as a single loop does. The share of the polls of the
/// first that were due every `period` and made.
pub(crate) async fn in_turn(addresses: &[&str], period: Duration, run: Duration) -> f64 {
    let mut streams = Vec::new();
    for address in addresses {
        streams.push(TcpStream::connect(address).await.expect("the device is there"));
    }
    let (began, mut made) = (Instant::now(), 0.0);
    while began.elapsed() < run {
        let round = Instant::now();
        for (at, stream) in streams.iter_mut().enumerate() {
            if let Ok(Some(_)) = timeout(LIMIT, ask(stream, 13, 0)).await
                && at == 0
            {
                made += 1.0;
            }
        }
        sleep(period.saturating_sub(round.elapsed())).await;
    }
    made * period.as_secs_f64() / run.as_secs_f64()
}
