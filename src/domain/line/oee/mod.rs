//! The KPIs of ISO 22400-2, from whole microseconds and whole capsules to exact fractions.
//!
//! Formulas as in the ontology of the standard (hsu-aut/IndustrialStandard-ODP-ISO22400-2, 54c749b);
//! the names of its elements stand beside ours.
//!
//! - A KPI whose denominator is 0 is undefined (`None`), never 0 % or 100 %.
//! - Effectiveness above 100 % is reported as it is: the ideal cycle is wrong, and capping would hide it.
//! - OEE = good × ideal cycle / planned busy time, whatever is called a micro-stop: moving that limit
//!   moves availability and effectiveness against each other.
//! - Unknown time (no communication) is neither running nor stopped. OEE is an interval: all of it
//!   stopped, to all of it running as well as the known time.

mod ratio;
#[cfg(test)]
mod tests;

use std::ops::Add;

pub use ratio::Ratio;

use crate::units::Count;

/// The ideal cycle (planned run time per item, PRI): `us` microseconds for `items` items. The machine
/// makes 6,500 a minute, which no decimal number of seconds states exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Microseconds.
    pub us: u64,
    /// Items made in them.
    pub items: u64,
}

impl Cycle {
    /// The cycle of a machine that makes `n` items a minute.
    pub const fn per_minute(n: u64) -> Cycle {
        Cycle { us: 60_000_000, items: n }
    }

    /// The ideal time of so many items in microseconds.
    pub fn time_of(self, items: u64) -> Option<Ratio> {
        Some(Ratio::new(u128::from(self.us), u128::from(self.items))?.times(Ratio::whole(items)))
    }
}

/// Times and quantities of one machine over some period; sums of periods are sums of these.
/// Times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Elements {
    /// Planned busy time (PBT): operating time less planned stops.
    pub planned_busy_us: u64,
    /// Actual production time (APT): running.
    pub production_us: u64,
    /// Actual unit setup time (AUST).
    pub setup_us: u64,
    /// Actual unit busy time (AUBT): an order was on the machine.
    pub unit_busy_us: u64,
    /// Actual order execution time (AOET): from the start of the order to its end.
    pub order_us: u64,
    /// Actual unit delay time (ADET): stopped unplanned, minor stoppages included.
    pub delay_us: u64,
    /// Time of which nothing is known, inside the planned busy time.
    pub unknown_us: u64,
    /// Produced quantity (PQ): good and bad.
    pub produced: u64,
    /// Good quantity (GQ).
    pub good: u64,
    /// Scrap quantity (SQ).
    pub scrap: u64,
    /// Good parts (GP): good at the first pass, without rework.
    pub good_first: u64,
    /// Inspected parts (IP).
    pub inspected: u64,
    /// Failures.
    pub failures: u64,
    /// Sum of the times between failures (TBF): setup and production, without delays.
    pub between_failures_us: u64,
    /// Sum of the times to repair (TTR).
    pub repair_us: u64,
}

impl Elements {
    /// APT / PBT.
    pub fn availability(&self) -> Option<Ratio> {
        ratio(self.production_us, self.planned_busy_us)
    }

    /// PRI · PQ / APT. Above 100 % the ideal cycle is wrong.
    pub fn effectiveness(&self, ideal: Cycle) -> Option<Ratio> {
        ideal.time_of(self.produced)?.over(Ratio::whole(self.production_us))
    }

    /// GQ / PQ.
    pub fn quality_ratio(&self) -> Option<Ratio> {
        ratio(self.good, self.produced)
    }

    /// Overall equipment effectiveness: PRI · GQ / PBT, which is availability × effectiveness ×
    /// quality ratio with the production time cancelled. Unknown time counts as stopped.
    pub fn oee(&self, ideal: Cycle) -> Option<Ratio> {
        ideal.time_of(self.good)?.over(Ratio::whole(self.planned_busy_us))
    }

    /// OEE from all unknown time stopped to all of it running as well as the known time, and from the
    /// least to the most that was good. Where nothing is known at all, it may have run ideally.
    pub fn oee_between(&self, ideal: Cycle, good: Count) -> Option<(Ratio, Ratio)> {
        let planned = Ratio::whole(self.planned_busy_us);
        let low = ideal.time_of(good.low())?.over(planned)?;
        let high = ideal.time_of(good.high())?;
        let (run, unknown) = (Ratio::whole(self.production_us), Ratio::whole(self.unknown_us));
        let high = running_too(high, run, unknown).over(planned)?;
        Some((low, high))
    }

    /// Net equipment effectiveness: (AUST + APT) / PBT × effectiveness × quality ratio. Setup is no loss.
    pub fn nee(&self, ideal: Cycle) -> Option<Ratio> {
        let processing = self.setup_us.saturating_add(self.production_us);
        Some(ratio(processing, self.production_us)?.times(self.oee(ideal)?))
    }

    /// The part of the planned busy time of which something is known.
    pub fn coverage(&self) -> Option<Ratio> {
        ratio(self.planned_busy_us.saturating_sub(self.unknown_us), self.planned_busy_us)
    }

    /// PQ / AOET, in items per minute.
    pub fn throughput_per_minute(&self) -> Option<Ratio> {
        Ratio::new(u128::from(self.produced) * 60_000_000, u128::from(self.order_us))
    }

    /// AUBT / PBT.
    pub fn allocation_efficiency(&self) -> Option<Ratio> {
        ratio(self.unit_busy_us, self.planned_busy_us)
    }

    /// APT / AUBT.
    pub fn utilisation_efficiency(&self) -> Option<Ratio> {
        ratio(self.production_us, self.unit_busy_us)
    }

    /// APT / (APT + ADET).
    pub fn technical_efficiency(&self) -> Option<Ratio> {
        ratio(self.production_us, self.production_us.saturating_add(self.delay_us))
    }

    /// AUST / (AUST + APT).
    pub fn setup_ratio(&self) -> Option<Ratio> {
        ratio(self.setup_us, self.setup_us.saturating_add(self.production_us))
    }

    /// SQ / PQ.
    pub fn scrap_ratio(&self) -> Option<Ratio> {
        ratio(self.scrap, self.produced)
    }

    /// GP / IP: good without rework. Rework counts once as produced and never here.
    pub fn first_pass_yield(&self) -> Option<Ratio> {
        ratio(self.good_first, self.inspected)
    }

    /// Mean time between failures in microseconds: ΣTBF / n. Undefined without a failure.
    pub fn mtbf_us(&self) -> Option<Ratio> {
        ratio(self.between_failures_us, self.failures)
    }

    /// Mean time to repair in microseconds: ΣTTR / n. Undefined without a failure.
    pub fn mttr_us(&self) -> Option<Ratio> {
        ratio(self.repair_us, self.failures)
    }
}

/// The ideal time of what was made in the time `run`, if the time `unknown` had been used like it.
pub(super) fn running_too(made: Ratio, run: Ratio, unknown: Ratio) -> Ratio {
    let pace = made.over(run).unwrap_or(Ratio::ONE);
    made.plus(pace.times(unknown))
}

fn ratio(num: u64, den: u64) -> Option<Ratio> {
    Ratio::new(u128::from(num), u128::from(den))
}

impl Add for Elements {
    type Output = Elements;
    fn add(self, other: Elements) -> Elements {
        let sum = u64::saturating_add;
        Elements {
            planned_busy_us: sum(self.planned_busy_us, other.planned_busy_us),
            production_us: sum(self.production_us, other.production_us),
            setup_us: sum(self.setup_us, other.setup_us),
            unit_busy_us: sum(self.unit_busy_us, other.unit_busy_us),
            order_us: sum(self.order_us, other.order_us),
            delay_us: sum(self.delay_us, other.delay_us),
            unknown_us: sum(self.unknown_us, other.unknown_us),
            produced: sum(self.produced, other.produced),
            good: sum(self.good, other.good),
            scrap: sum(self.scrap, other.scrap),
            good_first: sum(self.good_first, other.good_first),
            inspected: sum(self.inspected, other.inspected),
            failures: sum(self.failures, other.failures),
            between_failures_us: sum(self.between_failures_us, other.between_failures_us),
            repair_us: sum(self.repair_us, other.repair_us),
        }
    }
}
