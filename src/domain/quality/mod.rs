//! Minutes → subgroups → charts → signals: what the quality engineer works with.
//!
//! | module | what it holds |
//! |---|---|
//! | [`characteristic`] | what is charted, how, and the defaults of a line |
//! | [`counter_units`] | what the counters of a station count, where that is no capsule |
//! | [`subgroup`] | minutes joined into subgroups, one minute at a time; breaks, stages, start-up, coverage |
//! | [`limits`] | a law as a versioned record: baseline, exclusions, author, hash; when it may judge, and when it may page |
//! | [`panels`] | limits of the panels of a chart of measurements, which spend one alarm budget together |
//! | [`stream`] | subgroups judged one at a time under the limits in force |
//! | [`monitor`] | a running chart: late and corrected minutes are judged again and both versions are told |
//! | [`signal`] | signals collapsed into incidents that people work on; alarm budget; reasons compared in a report |
//! | [`bores`] | weights of samples bore by bore: which bores fill differently |
//! | [`cusum`] | the CUSUM of z, a companion to look at |
//! | [`record`] | what is kept: incidents with the work on them, points as they were told |
//! | [`weights`] | single weights beside their tolerance and the normal law fitted to them |
//! | [`workbench`] | a span of history under chosen limits, and the replay of proposed ones |
//! | [`overview`] | a chart as every screen shows it, under the limits in force |

pub mod bores;
pub mod characteristic;
pub mod counter_units;
pub mod cusum;
pub mod limits;
pub mod monitor;
pub mod overview;
pub mod panels;
pub mod record;
pub mod signal;
pub mod stream;
pub mod subgroup;
pub mod weights;
pub mod workbench;

#[cfg(test)]
mod count_alarm_tests;
#[cfg(test)]
mod counter_units_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod overview_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wander_alarm_tests;
#[cfg(test)]
mod weight_alarm_tests;
#[cfg(test)]
mod weight_tests;

pub use overview::{Chart, Overview};
