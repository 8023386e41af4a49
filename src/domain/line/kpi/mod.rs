//! The KPIs of ISO 22400-2 for an hour, a shift or a batch, from its sums. Formulas in [`oee`](super::oee).
//!
//! How the elements of the standard are taken from a line:
//!
//! | element | from |
//! |---|---|
//! | planned busy time (PBT) | all time less what was planned; set-up stays in, it is no planned stop |
//! | production time (APT) | state execute or completing at the counting station; of several side by side, at any of them |
//! | set-up time (AUST) | state set-up |
//! | delay time (ADET) | internal, external and unexplained stops, micro-stops included |
//! | order time (AOET) | time in which a batch was open; all busy time of a line that tells no batch |
//! | busy time of the unit (AUBT) | PBT less the time of which nothing is known |
//! | produced (PQ) | good + rejected + samples, so that start-up rejects are in |
//! | good (GQ) | good + samples, or good alone ([`Policy`]) |
//! | failures | stops for a cause inside the machine; repair time is the time of these |
//! | time between failures | production and set-up time |
//!
//! Of machines side by side the quantities are added and the time is that of the line: one that stands while another runs
//! is a loss of speed, not of time.
//!
//! Nothing is fed twice on a capsule line, so that there is no rework and good parts are good at the first pass.

#[cfg(test)]
mod tests;

use super::minute::Counted;
use super::oee::{Cycle, Elements, Ratio};
use super::output::Stations;
use super::rollup::Rollup;
use super::state::TimeClass;
use crate::units::Count;

/// What a plant decides about its KPIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Ideal cycle: that of the slower of the product's validated speed and the line's target.
    pub ideal: Cycle,
    /// Whether a capsule taken for inspection counts as good.
    pub samples_are_good: bool,
}

impl Policy {
    /// The usual policy of a line that makes `n` capsules a minute.
    pub const fn per_minute(n: u64) -> Policy {
        Policy { ideal: Cycle::per_minute(n), samples_are_good: true }
    }
}

/// All KPIs of a period. `None` is undefined: its denominator is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kpis {
    /// What they are calculated from.
    pub elements: Elements,
    /// Good quantity with its doubt.
    pub good: Count,
    /// APT / PBT.
    pub availability: Option<Ratio>,
    /// PRI · PQ / APT, never capped.
    pub effectiveness: Option<Ratio>,
    /// Effectiveness is above 100 %: the ideal rate is too low.
    pub above_ideal: bool,
    /// GQ / PQ.
    pub quality_ratio: Option<Ratio>,
    /// PRI · GQ / PBT.
    pub oee: Option<Ratio>,
    /// OEE if all unknown time stood and all doubtful capsules were not made, and if it all ran.
    pub oee_between: Option<(Ratio, Ratio)>,
    /// Known part of the planned busy time, and of what was never recorded ([`Kpis::with_unrecorded`]).
    pub coverage: Option<Ratio>,
    /// OEE with set-up as no loss.
    pub nee: Option<Ratio>,
    /// PQ / AOET, capsules a minute.
    pub throughput_per_minute: Option<Ratio>,
    /// AUBT / PBT.
    pub allocation_efficiency: Option<Ratio>,
    /// APT / AUBT.
    pub utilisation_efficiency: Option<Ratio>,
    /// APT / (APT + ADET).
    pub technical_efficiency: Option<Ratio>,
    /// AUST / (AUST + APT).
    pub setup_ratio: Option<Ratio>,
    /// SQ / PQ.
    pub scrap_ratio: Option<Ratio>,
    /// GP / IP.
    pub first_pass_yield: Option<Ratio>,
    /// Mean time between failures in microseconds.
    pub mtbf_us: Option<Ratio>,
    /// Mean time to repair in microseconds.
    pub mttr_us: Option<Ratio>,
}

impl Kpis {
    /// The KPIs of a period at the stations that count it.
    pub fn of(rollup: &Rollup, stations: &impl Stations, policy: &Policy) -> Kpis {
        let (elements, good) = elements(rollup, stations, policy);
        Kpis::from_elements(elements, good, policy)
    }

    /// The KPIs of several periods together: of their sums, never a mean.
    pub fn of_all<'a>(
        rollups: impl IntoIterator<Item = &'a Rollup>,
        stations: &impl Stations,
        policy: &Policy,
    ) -> Kpis {
        let all = rollups.into_iter().map(|rollup| elements(rollup, stations, policy));
        let start = (Elements::default(), Count::ZERO);
        let (elements, good) = all.fold(start, |sum, next| (sum.0 + next.0, sum.1 + next.1));
        Kpis::from_elements(elements, good, policy)
    }

    fn from_elements(elements: Elements, good: Count, policy: &Policy) -> Kpis {
        let ideal = policy.ideal;
        let effectiveness = elements.effectiveness(ideal);
        Kpis {
            elements,
            good,
            availability: elements.availability(),
            effectiveness,
            above_ideal: effectiveness.is_some_and(|effectiveness| effectiveness > Ratio::ONE),
            quality_ratio: elements.quality_ratio(),
            oee: elements.oee(ideal),
            oee_between: elements.oee_between(ideal, good),
            coverage: elements.coverage(),
            nee: elements.nee(ideal),
            throughput_per_minute: elements.throughput_per_minute(),
            allocation_efficiency: elements.allocation_efficiency(),
            utilisation_efficiency: elements.utilisation_efficiency(),
            technical_efficiency: elements.technical_efficiency(),
            setup_ratio: elements.setup_ratio(),
            scrap_ratio: elements.scrap_ratio(),
            first_pass_yield: elements.first_pass_yield(),
            mtbf_us: elements.mtbf_us(),
            mttr_us: elements.mttr_us(),
        }
    }

    /// Coverage of a period of which so many microseconds were never recorded, because the service did not run yet: they
    /// are not known. All other KPIs are those of the recorded time.
    #[must_use]
    pub fn with_unrecorded(self, us: u64) -> Kpis {
        let elements = self.elements;
        let known_us = elements.planned_busy_us.saturating_sub(elements.unknown_us);
        let asked_us = elements.planned_busy_us.saturating_add(us);
        Kpis { coverage: Ratio::new(u128::from(known_us), u128::from(asked_us)), ..self }
    }

    /// The same where it is not known how much of the planned time was set-up: what rests on that is not known either.
    #[must_use]
    pub fn without_setup(self) -> Kpis {
        Kpis {
            availability: None,
            oee: None,
            oee_between: None,
            coverage: None,
            nee: None,
            throughput_per_minute: None,
            allocation_efficiency: None,
            utilisation_efficiency: None,
            setup_ratio: None,
            mtbf_us: None,
            ..self
        }
    }
}

/// The elements of a period at the stations that count it, and the good quantity with its doubt.
fn elements(rollup: &Rollup, stations: &impl Stations, policy: &Policy) -> (Elements, Count) {
    let spending = &rollup.spending;
    let time = |class| spending.time.of(class).max(0).unsigned_abs();
    let us = |us: i64| us.max(0).unsigned_abs();
    let samples = rollup.count(stations, &Counted::Sample);
    let passed = rollup.count(stations, &Counted::Good);
    let rejected = rollup.rejected(stations);
    let good = if policy.samples_are_good { passed + samples } else { passed };
    let produced = (passed + samples + rejected).best();
    let (production_us, setup_us) = (time(TimeClass::Run), us(spending.setup_us));
    let planned_busy_us = us(spending.busy_us());
    let unknown_us = time(TimeClass::Unknown);
    let order_us = match spending.order_us {
        0 => planned_busy_us,
        order_us => us(order_us),
    };
    let elements = Elements {
        planned_busy_us,
        production_us,
        setup_us,
        unit_busy_us: planned_busy_us.saturating_sub(unknown_us),
        order_us,
        delay_us: time(TimeClass::Internal) + time(TimeClass::External) + time(TimeClass::Idle),
        unknown_us,
        produced,
        good: good.best(),
        scrap: rejected.best(),
        good_first: good.best(),
        inspected: produced,
        failures: spending.failures,
        between_failures_us: production_us + setup_us,
        repair_us: time(TimeClass::Internal),
    };
    (elements, good)
}
