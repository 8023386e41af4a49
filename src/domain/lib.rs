//! The pure core of Capline: what a capsule line is, counted and judged.
//!
//! Nothing in this crate waits, opens a file or asks what time it is: time and randomness are arguments,
//! and doubt is a value ([`units::Count`], [`reading::Quality`]) instead of an error.
//!
//! Modules in reading order; a module may use those above it and never those below:
//!
//! | module | what it holds |
//! |---|---|
//! | [`units`] | counts with doubt, moments, identifiers |
//! | [`stats`] | intervals, quantiles, moments of distributions |
//! | [`spc`] | control charts and their rules |
//! | [`reading`] | what a device said, and when, and how sure it was |
//! | [`plc_map`] | which register or node means what |
//! | [`line`] | the counter ledger, states, minutes, shifts, the tracker of one line |
//! | [`quality`] | minutes → subgroups → charts |

pub mod units;

pub mod stats;

pub mod spc;

pub mod reading;

pub mod plc_map;

pub mod line;

pub mod quality;
