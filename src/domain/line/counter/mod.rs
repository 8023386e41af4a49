//! The counter ledger (a stub until the real one is merged).

use crate::units::Count;

/// What a counter register can do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Stub.
    pub step: u64,
}

/// What must be durable.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Stub.
    pub total: Count,
}

/// Why a count was booked as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Stub.
    Step,
}
