//! Statistical process control: charts, their limits and the rules that judge them.
//!
//! Every chart is the same three steps, so that a finished series and a running line cannot disagree:
//! *fit* a law to the points that estimate, *plot* each subgroup under that law, *judge* the plotted point
//! ([`chart::Judge`]). Fitting looks at a whole baseline; plotting and judging take one point at a time with
//! a bounded memory, and the batch functions are a loop over them.
//!
//! Definitions and sources are named where they are used; the 95 cases in `tests/cases/spc` hold them to it.

pub mod arl;
pub mod attribute;
pub mod capability;
pub mod case;
pub mod chart;
pub mod constants;
pub mod count_limits;
pub mod dispersion;
pub mod histogram;
pub mod individuals;
pub mod memory;
pub mod multivariate;
pub mod p_prime;
pub mod pareto;
pub mod rare;
pub mod rules;
pub mod short_run;
pub mod subgroup_length;
pub mod variables;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
