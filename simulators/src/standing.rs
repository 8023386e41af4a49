//! How every machine stands, why it stood and what it rejected, put together when the ledger is made.
//!
//! A machine cannot know who starves it: by the time nothing comes any more, the one before it may run again. Here the
//! stops of both are at hand. A machine is starved by the last stop of the one before it that can have reached it; by none
//! where that has ended too long ago, as at a change of batch, in which the filler runs on empty.

use std::collections::BTreeMap;

use crate::{
    catalogue::Fault,
    ledger::{OWN, Standing, StopRecord},
    line::Line,
    machines::{belt::Transit, detector, filler::Filler, polisher, weigher},
    stops::STARVED_REASON,
};

/// When nothing comes any more because of a stop of the machine before, in microseconds.
#[derive(Clone, Copy)]
struct Reach {
    /// At the least so long after its begin, where its belt stands.
    stands_us: i64,
    /// And where its belt runs empty first.
    starved_us: i64,
    /// At the most so long after its end.
    late_us: i64,
}

/// Capsules come again so long after a stop at the latest: a filler that starts slowly, is empty and discards what it
/// makes first needs half a minute, and one of four side by side four times as long.
const COMES_AGAIN_US: i64 = 120_000_000;
/// And a full hopper lasts so long: 45,000 capsules at the design rate, and as long again for a slow line.
const HOPPER_US: i64 = 15 * 60_000_000;

/// Every machine of a line, by its tag.
pub(crate) fn machines(line: &Line, now_us: i64) -> BTreeMap<String, Standing> {
    let Line { fillers, polisher, detector, weigher, counter, .. } = line;
    let mut all: BTreeMap<String, Standing> = fillers
        .iter()
        .map(|filler| (filler.station().to_owned(), of_filler(filler, now_us)))
        .collect();
    // Several fillers starve the polisher together, when the last of them has stopped.
    let mut before: Vec<StopRecord> = fillers.iter().flat_map(to_blame).collect();
    before.sort_by_key(|stop| stop.from_us);

    let (polished, detected, weighed) =
        (polisher.ledger(), detector.ledger(now_us), weigher.ledger());
    let reach = |stands_us: i64, starved_us: i64| {
        let late_us = starved_us + COMES_AGAIN_US;
        Reach { stands_us, starved_us, late_us }
    };
    for (tag, transit, reach, rejected, injected) in [
        (
            "PS02",
            &polisher.transit,
            reach(polisher::FEED_US, polisher::FEED_US),
            polished.empty + polished.halves,
            None,
        ),
        (
            "MD03",
            &detector.transit,
            reach(detector::LAG_US, polisher::PASS_US + detector::LAG_US),
            detected.dumped,
            None,
        ),
        (
            "CW04",
            &weigher.transit,
            reach(weigher::FROM_DETECTOR_US, weigher::FROM_DETECTOR_US),
            weighed.under + weighed.over + weighed.unweighed,
            Some((Fault::WornDosator, weigher.worn_rejects)),
        ),
    ] {
        let mut stops = transit.stops(now_us);
        name_who_starves(&mut stops, &before, reach);
        before.clone_from(&stops);
        let rejects_by_cause = by_cause(rejected, injected);
        all.insert(tag.to_owned(), of_transit(transit, stops, rejects_by_cause, now_us));
    }
    let mut stops = counter.stops();
    // The hopper is what comes late of a stop, and how late depends on how full it was.
    let late_us = COMES_AGAIN_US + HOPPER_US;
    name_who_starves(&mut stops, &before, Reach { stands_us: 0, starved_us: 0, late_us });
    let of_counter = Standing {
        state: counter.state(),
        stop_reason: counter.stop_reason(),
        state_us: counter.state_us(now_us),
        stops,
        rejects_by_cause: by_cause(counter.ledger().short_capsules, None),
    };
    all.insert("BC05".to_owned(), of_counter);
    all
}

fn of_filler(filler: &Filler, now_us: i64) -> Standing {
    let injected = filler.injected_rejects.iter().map(|(fault, n)| (*fault, *n));
    Standing {
        state: filler.state(),
        stop_reason: filler.stop.map_or(0, |stop| stop.code),
        state_us: filler.state_us(now_us),
        stops: filler.stops.clone(),
        rejects_by_cause: by_cause(filler.totals.rejected(), injected),
    }
}

fn of_transit(
    transit: &Transit,
    stops: Vec<StopRecord>,
    rejects_by_cause: BTreeMap<String, u64>,
    now_us: i64,
) -> Standing {
    Standing {
        state: transit.state(now_us),
        stop_reason: transit.stop_reason(now_us),
        state_us: transit.state_us(now_us),
        stops,
        rejects_by_cause,
    }
}

/// The stops of a filler with whom those behind it have to blame: itself, whatever it waits for, unless another machine
/// of the line stops it.
fn to_blame(filler: &Filler) -> impl Iterator<Item = StopRecord> {
    filler.stops.iter().map(|stop| {
        let by = stop.by.clone().or(Some(filler.station().into()));
        StopRecord { by, ..stop.clone() }
    })
}

fn name_who_starves(stops: &mut [StopRecord], before: &[StopRecord], reach: Reach) {
    let starved = stops.iter_mut().filter(|stop| stop.code == STARVED_REASON);
    for stop in starved {
        let from_us = stop.from_us;
        let reaches = |one: &&StopRecord| {
            let least_us = match one.code {
                STARVED_REASON => reach.starved_us,
                _ => reach.stands_us,
            };
            one.from_us + least_us <= from_us
                && one.to_us.is_none_or(|to_us| from_us <= to_us + reach.late_us)
        };
        let begun = before.partition_point(|one| one.from_us <= from_us);
        if let Some(cause) = before[..begun].iter().rev().find(reaches) {
            stop.by.clone_from(&cause.by);
            stop.injected = cause.injected;
        }
    }
}

/// All rejects of a machine, parted into those of each injected fault and its own.
fn by_cause(
    rejected: u64,
    injected: impl IntoIterator<Item = (Fault, u64)>,
) -> BTreeMap<String, u64> {
    let injected = injected.into_iter().filter(|(_, n)| *n > 0);
    let mut causes: BTreeMap<String, u64> = injected.map(|(fault, n)| (fault.name(), n)).collect();
    let own = rejected - causes.values().sum::<u64>();
    causes.insert(OWN.to_owned(), own);
    causes
}
