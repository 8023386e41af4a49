//! How much counting one core does: samples of one ledger, and snapshots of a whole line.
//!
//! Measured is the time that this thread spends on a core, so that what else runs on the machine matters little; of some
//! rounds the quickest counts, which others disturbed least.

mod load;

use std::hint::black_box;

use domain::line::counter::Counter;
use domain::line::tracker::{Carry, LineTracker};
use domain::reading::Snapshot;

use super::acquire::Stop;
use super::machine::Machine;
use super::table::{Aim, Figures, Row};
use load::{N_SAMPLES, N_SNAPSHOTS, PERIOD_US, Plant, core_ns, ledgers, model, samples, settings};

/// Samples that one ledger is to take in a second.
const SAMPLES_A_SECOND: f64 = 5e6;
/// Snapshots that one line is to take in a second.
const SNAPSHOTS_A_SECOND: f64 = 5e5;

/// Rounds of each row.
pub const ROUNDS: usize = 20;

/// Measures all rows in so many rounds each.
pub fn run(rounds: usize, stop: &Stop) -> Figures {
    let machine = Machine::read();
    let mut rows = Vec::new();
    for (name, evidence) in ledgers() {
        let samples = samples(evidence);
        let mut deltas = Vec::with_capacity(4);
        let (round_ns, seconds) = quickest(rounds, stop, || {
            let mut counter = Counter::new(settings());
            for sample in &samples {
                counter.sample(black_box(sample), &mut deltas);
                black_box(&deltas);
                deltas.clear();
            }
            black_box(counter.total());
        });
        let what = match name {
            "bare" => "one ledger, a counter alone",
            _ => "one ledger, a counter with uptime and batch",
        };
        rows.push(row(what, "samples", N_SAMPLES, SAMPLES_A_SECOND, (round_ns, seconds)));
    }
    let mut plant = Plant::new();
    let start = plant.at();
    let snapshots: Vec<Snapshot> = (0..N_SNAPSHOTS).map(|_| plant.next(PERIOD_US)).collect();
    let timed = quickest(rounds, stop, || {
        let mut tracker = LineTracker::new(model(), start, Carry::default());
        for snapshot in &snapshots {
            tracker.advance(black_box(snapshot));
        }
        black_box(tracker.total());
    });
    rows.push(row("a line of one filler", "snapshots", N_SNAPSHOTS, SNAPSHOTS_A_SECOND, timed));
    Figures { machine, rows, interrupted: stop.is_set() }
}

/// Core time of the quickest round in nanoseconds, and of all rounds in seconds. There is at least one.
fn quickest(rounds: usize, stop: &Stop, mut work: impl FnMut()) -> (u64, f64) {
    let (mut quickest_ns, mut all_ns) = (u64::MAX, 0);
    for round in 0..rounds.max(1) {
        if round > 0 && stop.is_set() {
            break;
        }
        let start_ns = core_ns();
        work();
        let took_ns = core_ns() - start_ns;
        quickest_ns = quickest_ns.min(took_ns);
        all_ns += took_ns;
    }
    (quickest_ns, all_ns as f64 / 1e9)
}

fn row(what: &str, name: &'static str, n: u64, aim: f64, (round_ns, seconds): (u64, f64)) -> Row {
    if round_ns == 0 {
        return Row::failed(what, "this system does not tell the core time of a thread");
    }
    let rate = n as f64 / (round_ns as f64 / 1e9);
    let row = Row::new(what, seconds).figure(name, rate, "/s of a core").aim(Aim::AtLeast(aim));
    row.note("core time of the quickest round")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_measured_and_says_what_it_is_to_reach() {
        let figures = run(1, &Stop::default());
        assert_eq!(figures.rows.len(), 3);
        for row in &figures.rows {
            let figure = &row.figures[0];
            assert!(figure.value > 0.0 && figure.aim.is_some() && !row.failed, "{row:?}");
        }
        // The negative control: a system without core time gives no figure instead of a splendid one.
        assert!(row("x", "samples", 1, 1.0, (0, 0.0)).failed);
    }
}
