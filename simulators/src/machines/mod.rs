//! The machines of the line, in the order in which capsules pass them, and what carries capsules between them.
//!
//! Fillers decide at each stroke what happens to its capsules; behind them a stroke goes on as one [`Parcel`]. Polisher,
//! detector and weigher have no room between them: what stops one stops those before it, fillers included. Only the
//! hopper of the bottle counter is a buffer.

pub(crate) mod belt;
pub(crate) mod counter;
pub(crate) mod detector;
pub(crate) mod filler;
pub(crate) mod polisher;
mod rejects;
mod times;
mod tooling;
pub(crate) mod weigher;

/// What is left of the good capsules of one stroke.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    /// Which of parallel fillers made it, from 0.
    pub(crate) filler: u8,
    pub(crate) stroke: u64,
    pub(crate) capsules: u32,
    /// Deviation of the fill common to the stroke, as a share of the nominal fill.
    pub(crate) drift: f64,
}
