//! A simulated capsule plant that knows exactly what it made.
//!
//! The service under test reads registers over real sockets; the plant keeps a ledger beside them
//! that nothing spoils. A test compares the two.
//!
//! ```text
//! Model  fillers ─► polisher ─► detector ─► weigher ─► hopper ─► bottle counter
//!          │  pure: (seed, plant time) ─► state; what is full or stands blocks what is before it
//!          ├─► ledger             the truth, nothing wraps
//!          └─► registers, nodes   the view of the PLCs, both of the same truth
//! Plant  clock ─► model ─► modbus, opcua, http   real time and real sockets
//!          faults spoil the view, never the model
//! ```
//!
//! Where is what:
//! - [`model`]: the plant as a function of plant time; [`line`] is what happens next on it, [`machines`] its machines,
//!   [`stops`] is why they stop, [`random`] where chance comes from.
//! - [`ledger`]: the truth. [`registers`]: what the PLCs show of it, with an encoder of its own.
//! - [`plant`]: the running plant; [`clock`], [`modbus`], [`opcua`], [`http`] and [`faults`].
//! - [`load`]: servers and clients that only make work, for figures of speed; [`pace`] measures the model itself.
//!
//! Invariants:
//! - The model knows neither real time nor sockets. Speed, polling and faults cannot change what
//!   is made: the same seed at the same plant time is the same plant.
//! - A capsule is counted once: along the whole line, infeed = good + Σ rejects + samples + what is at
//!   and between the machines, after every event ([`Ledger::unaccounted`]).
//! - Nothing here uses the service's code, so that an error in it cannot cancel out.
//! - Plant time that is held stands still for everything, heartbeats and PLC clocks included.

#![allow(rustdoc::private_intra_doc_links, reason = "the map names private modules")]

mod clock;
mod faults;
mod http;
mod ledger;
mod line;
pub mod load;
mod machines;
mod modbus;
mod model;
mod opcua;
mod pace;
mod plant;
mod random;
pub mod registers;
mod stops;
#[cfg(test)]
mod tests;

pub use clock::utc_now_us;
pub use faults::{Event, FaultSet, Faults, ModbusFaults, OpcUaFaults};
pub use ledger::{
    BatchRecord, CounterLedger, DetectorLedger, FillerLedger, IntervalRecord, Ledger,
    PolisherLedger, RejectClass, SampleRecord, Standing, StopRecord, WeigherLedger,
};
pub use machines::{counter::PER_BOTTLE, filler::BORES, weigher::LAG_US};
pub use model::{Counters, MOST_FILLERS, Model, ModelConfig, RejectModel, WeightModel};
pub use opcua::NAMESPACE;
pub use pace::Pace;
pub use plant::{Plant, PlantConfig, PlantError};
pub use registers::NodeValue;
pub use stops::{CHANGEOVER, CLEANING, Preset, State};
