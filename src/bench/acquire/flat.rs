//! One connection as fast as it goes, against the same read done by the library alone and by libmodbus.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::stats::quantile as stats;
use domain::units::LineId;
use simulators::load;
use tokio::sync::mpsc;

use super::load::{Kind, LibModbus, Server};
use super::setup::{Load, Seen, VALUES, config, watch};
use super::{Stop, cpu};
use crate::bench::table::{Aim, Row};
use crate::clock::Clock;
use crate::sources::{Feed, Sources};

pub(super) const WHAT: &str = "one connection as fast as it goes, 125 registers";

/// All ways are measured in turn so many times, and the median of each is given: what else the machine does hits all.
const ROUNDS: u32 = 3;

const LOAD: Load = Load { lines: 1, devices: 1, period_ms: None, priority: None };

pub(super) async fn measure(each: Duration, stop: &Stop) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(Kind::Modbus, None)?;
    let time = each / ROUNDS;
    let libmodbus = LibModbus::build()?;
    let (mut bare, mut c, mut read, mut stored) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        if stop.is_set() {
            break;
        }
        bare.push(bare_loop(server.addr, time, stop).await?);
        if let (Ok(program), false) = (&libmodbus, stop.is_set()) {
            // Ended early it has no figure, and that is no failure.
            match program.run(server.addr, time, stop).await {
                Err(_) if stop.is_set() => {}
                rate => c.push(rate?),
            }
        }
        read.push(only_read(server.addr, time, stop).await?);
        stored.push(watch(server.addr, LOAD, time, stop).await?);
    }
    let (bare, seconds) = (median(&bare), each.as_secs_f64());
    let mut rows =
        vec![Row::new(format!("{WHAT}: tokio-modbus alone"), seconds).figure("polls", bare, "/s")];
    let name = format!("{WHAT}: libmodbus, in C");
    rows.push(match libmodbus {
        Err(missing) => Row::new(name, 0.0).note(missing),
        Ok(_) => Row::new(name, seconds).figure("polls", median(&c), "/s"),
    });
    let (rate, spent): (Vec<f64>, Vec<f64>) = read.into_iter().unzip();
    let rate = median(&rate);
    let row = Row::new(format!("{WHAT}: read and decoded"), seconds)
        .figure("polls", rate, "/s")
        .figure("of tokio-modbus alone", rate / bare, "")
        .figure("processor", median(&spent), "µs a poll")
        .note(format!("{VALUES} values a poll; no ledger, no store"));
    rows.push(row);
    let of_stored = |of: fn(&Seen) -> f64| median(&stored.iter().map(of).collect::<Vec<_>>());
    let rate = of_stored(Seen::stored_per_s);
    let spent = |seen: &Seen| seen.cpu.as_secs_f64() * 1e6 / seen.done as f64;
    let sum = |i: usize| stored.iter().map(|seen| seen.sums[i]).sum::<u64>() as f64;
    let row = Row::new(format!("{WHAT}: stored"), seconds)
        .figure("polls", rate, "/s")
        .aim(Aim::AtLeast(10_000.0))
        .figure("of tokio-modbus alone", rate / bare, "")
        .aim(Aim::AtLeast(0.6))
        .figure("processor", of_stored(spent), "µs a poll")
        .figure("planned", sum(0), "")
        .figure("done", sum(1), "")
        .figure("missed", sum(2), "")
        .figure("dropped", stored.iter().map(|seen| seen.dropped).sum::<u64>() as f64, "")
        .note(format!(
            "{VALUES} values a poll through ledger and durable store; what was dropped is no stored poll"
        ));
    rows.push(row);
    Ok(rows)
}

/// The middle of some figures; no number of none.
fn median(of: &[f64]) -> f64 {
    stats::median(of).unwrap_or(f64::NAN)
}

/// Polls a second of the library alone, on a thread of its own as the poll thread is.
async fn bare_loop(addr: SocketAddr, time: Duration, stop: &Stop) -> anyhow::Result<f64> {
    let stop = stop.clone();
    let looped = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(load::bare_loop(addr, time, &stop.0))?)
    });
    let (n, took) = looped.await??;
    Ok(n as f64 / took.as_secs_f64())
}

/// Polls a second, and processor time of each in µs, when snapshots go to somebody who throws them away.
async fn only_read(addr: SocketAddr, time: Duration, stop: &Stop) -> anyhow::Result<(f64, f64)> {
    let scratch = tempfile::tempdir()?;
    let config = config(scratch.path(), addr, LOAD)?;
    let device = config.lines.first().and_then(|line| line.devices.first());
    let config = device.context("the load has a device")?.clone();
    let (out, mut queue) = mpsc::channel(4_096);
    let sources = Sources::start(
        vec![Feed { line: LineId::new("L1"), device: 0, config, out }],
        Clock::real(),
    )?;
    let taken = Arc::new(AtomicU64::new(0));
    let count = taken.clone();
    let taker = tokio::spawn(async move {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, 1_024).await > 0 {
            count.fetch_add(batch.len() as u64, Relaxed);
            batch.clear();
            // As the task of a line does.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let began = Instant::now();
    while taken.load(Relaxed) == 0 {
        ensure!(began.elapsed() < Duration::from_secs(20), "the load server does not answer");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let done = || sources.pace().iter().map(|pace| pace.done).sum::<u64>();
    let (before, spent, since) = (done(), cpu(), Instant::now());
    stop.pass(time).await;
    let (n, spent, took) = ((done() - before) as f64, cpu() - spent, since.elapsed());
    sources.stop().await;
    taker.await?;
    Ok((n / took.as_secs_f64(), spent.as_secs_f64() * 1e6 / n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[5.0]), 5.0);
        assert!(median(&[]).is_nan(), "nothing reaches no aim");
    }
}
