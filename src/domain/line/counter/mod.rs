//! The counter ledger (a stub until the real one is merged).

mod evidence;
mod settings;

pub use settings::{Fraction, Modulus, Resets, Settings};

use crate::units::Count;

/// What must be durable.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Stub.
    pub total: Count,
}
