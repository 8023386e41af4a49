//! A subscription to a thousand counters: is every value there, or marked where some are not?

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use domain::plc_map::PlcMap;
use domain::reading::{Outcome, Quality, Snapshot, Value};
use domain::units::LineId;
use simulators::load;
use tokio::sync::mpsc;

use super::load::{Kind, STEP, Server};
use super::{Stop, cpu};
use crate::bench::table::{Aim, Row};
use crate::clock::Clock;
use crate::config::{DeviceConfig, Wire};
use crate::sources::{Feed, Sources};

pub(super) const WHAT: &str = "OPC UA, 1,000 items at 100 Hz";

const ITEMS: usize = 1_000;

/// How long the first value may take.
const FIRST: Duration = Duration::from_secs(20);

pub(super) async fn measure(each: Duration, stop: &Stop) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(Kind::OpcUa { items: ITEMS }, None)?;
    let address = format!("opc.tcp://{}/", server.addr);
    let scratch = tempfile::tempdir()?;
    let config = device(address, scratch.path())?;
    let (out, mut queue) = mpsc::channel(4_096);
    let sources = Sources::start(
        vec![Feed { line: LineId::new("L1"), device: 0, config, out }],
        Clock::real(),
    )?;
    let mut book = Book::new(ITEMS);
    let began = Instant::now();
    while book.received == 0 {
        ensure!(began.elapsed() < FIRST && !stop.is_set(), "no value came in {FIRST:?}");
        if let Ok(Some(snapshot)) =
            tokio::time::timeout(Duration::from_millis(100), queue.recv()).await
        {
            book.take(&snapshot);
        }
    }
    let (first, spent, since) = (book.received, cpu(), Instant::now());
    while let Some(left) = each.checked_sub(since.elapsed()).filter(|_| !stop.is_set()) {
        let wait = left.min(Duration::from_millis(100));
        if let Ok(Some(snapshot)) = tokio::time::timeout(wait, queue.recv()).await {
            book.take(&snapshot);
        }
    }
    let (time, spent) = (since.elapsed().as_secs_f64(), cpu() - spent);
    let received = (book.received - first) as f64;
    let dropped: u64 = sources.pace().iter().map(|pace| pace.dropped).sum();
    sources.stop().await;
    let row = Row::new(WHAT, time)
        .figure("values", received, "")
        .figure("values a second", received / time, "/s")
        .figure("lost unmarked", book.lost as f64, "")
        .aim(Aim::AtMost(0.0))
        .figure("lost and marked", book.marked as f64, "")
        .figure("dropped", dropped as f64, "")
        .aim(Aim::AtMost(0.0))
        .figure("processor", spent.as_secs_f64() / time * 100.0, "% of a core")
        .aim(Aim::AtMost(15.0))
        .note(format!(
            "read and decoded, each value compared with the one before; no store; {} links, server steps each {STEP:?}",
            book.links
        ));
    Ok(vec![row])
}

fn device(address: String, pki: &Path) -> anyhow::Result<DeviceConfig> {
    let mut text = format!(
        "[machine]\nstation = 'LOAD'\ntitle = {{ en = 'Load', zh = '负载' }}\nprotocol = 'opcua'\n\
         max_per_minute = 6500\n[opcua]\nnamespace = '{}'\n[groups]\nall = '50ms'\n",
        simulators::NAMESPACE
    );
    for n in 0..ITEMS {
        let item = load::item(n);
        text += &format!(
            "[[tag]]\nid = '{item}'\nnode = 's={item}'\ntype = 'u32'\nrole = 'condition'\n"
        );
    }
    let map = PlcMap::parse("load.toml", &text).map_err(|problems| {
        anyhow!("{}", problems.first().map_or_else(String::new, ToString::to_string))
    });
    Ok(DeviceConfig {
        map: Arc::new(map.context("the map of the load server")?),
        wire: Wire::tcp(&address),
        address,
        connect_timeout: Duration::from_secs(5),
        reply_timeout: Duration::from_secs(2),
        backoff: (Duration::from_millis(100), Duration::from_secs(1)),
        opcua: crate::config::OpcUaAccess { pki: pki.to_owned(), ..Default::default() },
    })
}

/// What came of each counter. Each goes up by one, so that a number which is left out was lost.
struct Book {
    last: Vec<Option<u64>>,
    received: u64,
    /// Lost, and nothing said so.
    lost: u64,
    /// Lost, and the value after them says so, or a poll that was missed.
    marked: u64,
    /// Times that values began to come: more than one means that the session was lost.
    links: u64,
    broken: bool,
}

impl Book {
    fn new(items: usize) -> Book {
        Book { last: vec![None; items], received: 0, lost: 0, marked: 0, links: 0, broken: true }
    }

    fn take(&mut self, snapshot: &Snapshot) {
        let readings = match &snapshot.outcome {
            Outcome::Taken(readings) => readings,
            Outcome::Missed(_) => {
                self.broken = true;
                return;
            }
        };
        if !readings.is_empty() && std::mem::take(&mut self.broken) {
            self.links += 1;
            // What the outage cost is marked by the polls that were missed.
            self.last.fill(None);
        }
        for reading in readings {
            let (Value::Unsigned(value), Some(last)) =
                (&reading.value, self.last.get_mut(usize::from(reading.tag)))
            else {
                continue;
            };
            if reading.quality == Quality::Bad {
                continue;
            }
            self.received += 1;
            let skipped = last.map_or(0, |last| value.saturating_sub(last + 1));
            match reading.quality {
                // The mark of an overflow.
                Quality::Uncertain => self.marked += skipped,
                _ => self.lost += skipped,
            }
            *last = Some(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::reading::{Miss, Reading};
    use domain::units::Moment;

    use super::*;

    fn snapshot(outcome: Outcome) -> Snapshot {
        let taken_at = Moment::default();
        Snapshot { device: 0, group: 0, taken_at, round_trip_us: 0, polls: 1, outcome }
    }

    fn values(of: &[(u64, Quality)]) -> Snapshot {
        let reading = |&(value, quality): &(u64, Quality)| Reading {
            tag: 0,
            value: Value::Unsigned(value),
            quality,
            status: 0,
            source_us: None,
        };
        snapshot(Outcome::Taken(of.iter().map(reading).collect()))
    }

    #[test]
    fn a_number_left_out_is_a_loss_unless_it_is_marked() {
        let good = |n| (n, Quality::Good);
        let mut book = Book::new(1);
        book.take(&values(&[good(5), good(6), good(7)]));
        assert_eq!((book.received, book.lost, book.marked, book.links), (3, 0, 0, 1));
        book.take(&values(&[good(9)]));
        assert_eq!((book.lost, book.marked), (1, 0), "8 is missing and nothing says so");
        book.take(&values(&[(13, Quality::Uncertain), good(14)]));
        assert_eq!((book.lost, book.marked), (1, 3));
        book.take(&snapshot(Outcome::Missed(Miss::Disconnected)));
        book.take(&values(&[good(90)]));
        assert_eq!(
            (book.lost, book.marked, book.links),
            (1, 3, 2),
            "an outage is told by its misses"
        );
    }
}
