//! Statistics without charts: summaries, distributions, intervals and diagnostics.
//!
//! Everything here is a function of its arguments and answers `None` where a number is not defined
//! (an empty sample, a probability outside `[0, 1]`, a NaN), so that no caller can divide by a surprise.
//! What a control chart makes of these numbers is in [`crate::spc`].

pub mod comparison;
pub mod distribution;
pub mod interval;
pub mod normality;
pub mod overdispersion;
pub mod quadrature;
pub mod quantile;
pub mod summary;
pub mod weibull;

#[cfg(test)]
mod tests;
