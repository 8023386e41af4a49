//! What acquisition costs and how well it keeps its pace, measured on this machine: one table.
//!
//! The devices are a process of their own, so that their work is not counted as ours: servers of [`simulators::load`], to
//! which this binary is started once more. What is measured is the service as it runs in a plant, with ledger and durable
//! store, unless a row says otherwise.

mod flat;
mod load;
mod paced;
mod setup;
mod subscription;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub use super::machine::Machine;
pub use super::table::{Aim, Figure, Figures, Row};
pub use load::{Kind, serve};

/// How long a pause goes on before it is asked whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Rows that are measured one after the other.
pub const STEPS: u64 = 6;

/// Set to end early: the row under way ends with what it has, and no other begins.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end.
    pub fn set(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether the end was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Waits until the end was asked for.
    pub(super) async fn asked(&self) {
        while !self.is_set() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Lets a time pass, or less.
    pub(super) async fn pass(&self, time: Duration) {
        let since = Instant::now();
        while let Some(left) = time.checked_sub(since.elapsed()).filter(|_| !self.is_set()) {
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }
}

/// Measures all rows, each for so long. `progress` hears what is measured next.
///
/// A row that cannot be measured says why, and the others are measured all the same.
pub async fn run(each: Duration, stop: &Stop, progress: impl Fn(&'static str)) -> Figures {
    let machine = Machine::read();
    let mut rows = Vec::new();
    let mut add = |what: &'static str, measured: anyhow::Result<Vec<Row>>| match measured {
        Ok(measured) => rows.extend(measured),
        Err(error) => rows.push(Row::failed(what, &format!("{error:#}"))),
    };
    if begins(stop, flat::WHAT, &progress) {
        add(flat::WHAT, flat::measure(each, stop).await);
    }
    if begins(stop, paced::MANY, &progress) {
        add(paced::MANY, paced::many(each, stop).await);
    }
    if begins(stop, paced::ONE, &progress) {
        add(paced::ONE, paced::one(each, stop).await);
    }
    for priority in [None, Some(paced::PRIORITY)] {
        let what = paced::late_what(priority);
        if begins(stop, what, &progress) {
            add(what, paced::late(each, stop, priority).await);
        }
    }
    if begins(stop, subscription::WHAT, &progress) {
        add(subscription::WHAT, subscription::measure(each, stop).await);
    }
    Figures { machine, rows, interrupted: stop.is_set() }
}

fn begins(stop: &Stop, what: &'static str, progress: &impl Fn(&'static str)) -> bool {
    let begins = !stop.is_set();
    if begins {
        progress(what);
    }
    begins
}

/// Processor time of this process, all threads.
fn cpu() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec as u32)
}
