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
//!          faults of the view spoil what is seen, never what is made
//! ```
//!
//! Where is what:
//! - [`model`]: the plant as a function of plant time, made from a [`config`]; [`mod@line`] is what happens next on it,
//!   [`machines`] its machines, [`stops`] is why they stop, [`random`] where chance comes from.
//! - [`ledger`]: the truth; [`standing`] finds who stopped whom. [`registers`]: what the PLCs show of it, with an encoder of its own.
//! - [`plant`]: the running plant; [`clock`], [`modbus`], [`opcua`], [`http`].
//! - [`catalogue`]: the faults by name; [`injections`]: which strike when; [`disturb`] is what they do to the machine,
//!   [`spoil`] to its registers, [`wire`] to its frames; [`faults`]: the same as switches.
//! - [`scenario`]: plants with faults, and in [`expect`] what must be said of them; [`score`] judges a [`report`], which
//!   a [`service_line`] gives, and a [`naive`] reader as the control: stops in [`stop_score`], signals in
//!   [`signal_score`], batches in [`batch_score`], and in [`verdict`] what of it is wrong; a [`server`] of HTTP is what it
//!   asks, by way of [`reach`], and [`remote_plant`] a plant behind one.
//! - [`trace`]: registers as a table, recorded and shown again.
//! - [`given`]: what is given on the command line of `capline-sim`.
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

mod batch_score;
mod catalogue;
mod clock;
mod config;
mod disturb;
mod expect;
mod faults;
mod given;
mod http;
mod injections;
mod ledger;
mod line;
pub mod load;
mod machines;
mod mishaps;
mod modbus;
mod model;
mod naive;
mod opcua;
mod pace;
mod plant;
mod random;
mod reach;
pub mod registers;
mod remote_plant;
mod report;
mod scenario;
mod score;
mod server;
mod service_line;
mod signal_score;
mod spoil;
mod standing;
mod stop_score;
mod stops;
#[cfg(test)]
mod tests;
mod trace;
mod verdict;
mod wire;

pub use batch_score::BatchScore;
pub use catalogue::{Entry, Fault, Figure, Happens, Side, Text};
pub use clock::utc_now_us;
pub use config::{Counters, MOST_FILLERS, ModelConfig, RejectModel, WeightModel};
pub use expect::{Counts, Expect, POLL_US, Watched, worst_us};
pub use faults::{Event, FaultSet, Faults, ModbusFaults, OpcUaFaults};
pub use given::{ignored, length, scenario_file};
pub use injections::{InjectError, Injection, ServiceFault};
pub use ledger::{
    BatchRecord, CounterLedger, DetectorLedger, FillerLedger, IntervalRecord, Ledger, OWN,
    PolisherLedger, RejectClass, SampleRecord, Standing, StopRecord, WeigherLedger,
};
pub use machines::{counter::PER_BOTTLE, filler::BORES, weigher::LAG_US};
pub use model::Model;
pub use naive::{Naive, Now};
pub use opcua::NAMESPACE;
pub use pace::Pace;
pub use plant::{Plant, PlantConfig, PlantError};
pub use registers::NodeValue;
pub use remote_plant::RemotePlant;
pub use report::{
    Report, ReportError, Reporter, Said, SaidBatch, SaidBore, SaidCounter, SaidSignal, SaidStop,
};
pub use scenario::{Output, Place, Scenario, ScenarioError};
pub use score::{
    CountScore, INFEED, MOST_SCORED, N_COUNTERS, OUTPUT, OUTPUT_BESIDE, Score, StartedAnew,
    Summary, TooManyFillers, Truth, tags, truths,
};
pub use server::Server;
pub use service_line::{Missed, ServiceLine, faults as shown_faults};
pub use signal_score::SignalScore;
pub use stop_score::{KeyScore, StopScore};
pub use stops::{CHANGEOVER, CLEANING, HAND_OVER, Preset, State};
pub use trace::{Change, Image, Recorder, Replay, Table, Trace, TraceError};
