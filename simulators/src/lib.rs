//! A simulated capsule plant that knows exactly what it made.
//!
//! The service under test reads registers over real sockets; the plant keeps a ledger beside them
//! that nothing spoils. A test compares the two.
//!
//! ```text
//! Model  filler ─► conveyor (30 s) ─► weigher        pure: (seed, plant time) ─► state
//!          │                             │
//!          ├─► ledger                    ├─► ledger  the truth, nothing wraps
//!          └─► registers                 └─► nodes   the view of the PLCs
//! Plant  clock ─► model ─► modbus, opcua, http       real time and real sockets
//!          faults of the view spoil what is seen, never what is made
//! ```
//!
//! Where is what:
//! - [`model`]: the plant as a function of plant time; [`filler`] and [`weigher`] are its machines,
//!   [`stops`] is why they stop, [`random`] where chance comes from.
//! - [`ledger`]: the truth. [`registers`]: what the PLCs show of it, with an encoder of its own.
//! - [`plant`]: the running plant; [`clock`], [`modbus`], [`opcua`], [`http`].
//! - [`catalogue`]: the faults by name; [`injections`]: which strike when; [`disturb`] is what they do to the machine,
//!   [`spoil`] to its registers, [`wire`] to its frames; [`faults`]: the same as switches.
//! - [`load`]: servers and clients that only make work, for figures of speed.
//!
//! Invariants:
//! - The model knows neither real time nor sockets. Speed, polling and faults cannot change what
//!   is made: the same seed at the same plant time is the same plant.
//! - A capsule is counted once: `infeed = made + Σ rejects + samples + in_process` after every
//!   stroke.
//! - Nothing here uses the service's code, so that an error in it cannot cancel out.
//! - Plant time that is held stands still for everything, heartbeats and PLC clocks included.

#![allow(rustdoc::private_intra_doc_links, reason = "the map names private modules")]

mod catalogue;
mod clock;
mod disturb;
mod faults;
mod filler;
mod http;
mod injections;
mod ledger;
pub mod load;
mod modbus;
mod model;
mod opcua;
mod plant;
mod random;
pub mod registers;
mod spoil;
mod stops;
#[cfg(test)]
mod tests;
mod weigher;
mod wire;

pub use catalogue::{Entry, Fault, Figure, Happens, Side, Text};
pub use clock::utc_now_us;
pub use faults::{Event, FaultSet, Faults, ModbusFaults, OpcUaFaults};
pub use filler::BORES;
pub use injections::{InjectError, Injection};
pub use ledger::{
    BatchRecord, IntervalRecord, Ledger, RejectClass, SampleRecord, StopRecord, WeigherLedger,
};
pub use model::{Counters, Model, ModelConfig, RejectModel, WeightModel};
pub use opcua::NAMESPACE;
pub use plant::{Plant, PlantConfig, PlantError};
pub use registers::NodeValue;
pub use stops::{CHANGEOVER, CLEANING, Preset, State};
pub use weigher::LAG_US;
