//! What a simulated plant lets people see and do that no real one does: the truth, and faults on demand.
//!
//! The web knows no simulator. It asks through this trait, which the demo answers; without one the page and its API do
//! not exist.

use domain::detection::{Expected, Sign};
use domain::plc_map::Title;
use domain::units::{LineId, TagId};

/// A simulated plant. An error says for people why something cannot be done.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Simulator: Send + Sync {
    /// The line that it plays.
    fn line(&self) -> LineId;

    /// Seed of all its randomness.
    fn seed(&self) -> u64;

    /// Seeds and speeds are fixed for a run. Why no other run can be begun; none where one can.
    fn no_reset(&self) -> Option<String>;

    /// Begins anew with this seed and speed, soon after the answer.
    fn reset(&self, seed: u64, speed: f64) -> Result<(), String>;

    /// Whether plant time stands still.
    fn is_held(&self) -> bool;

    /// Lets plant time stand still or go on. Blocks.
    fn hold(&self, held: bool) -> Result<(), String>;

    /// Kinds of faults, in the order in which they are shown.
    fn faults(&self) -> Vec<SimulatedFault>;

    /// Signs that the plant gives without a fault too.
    fn natural(&self) -> Vec<Sign>;

    /// Puts a fault in, for so long on the line's clock and with this figure; without them as its kind has them. One that
    /// happens once takes no time.
    fn inject(
        &self,
        fault: usize,
        lasts_us: Option<i64>,
        figure: Option<f64>,
    ) -> Result<Injection, String>;

    /// Takes all faults out that last.
    fn clear(&self) -> Result<(), String>;

    /// All faults that were put in since [`Simulator::since_us`], oldest first.
    fn injections(&self) -> Vec<Injection>;

    /// Since when faults can be put in and what is said is scored, UTC microseconds.
    fn since_us(&self) -> i64;

    /// Counters of which it knows the truth.
    fn counters(&self) -> Vec<TagId>;

    /// How many capsules a counter would have had to count by a moment, as the least and the most that it can be; none
    /// for a moment that is too long ago.
    fn truth(&self, counter: &TagId, at_us: i64) -> Option<(u64, u64)>;
}

/// A kind of fault.
#[derive(Clone, Debug)]
pub struct SimulatedFault {
    /// One word for programs.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// What it does, in a sentence.
    pub about: Title,
    /// How long it lasts unless told otherwise, microseconds of the line's clock; none for what happens once.
    pub lasts_us: Option<i64>,
    /// What it takes beside that, unless told otherwise, and its unit.
    pub figure: Option<(f64, &'static str)>,
    /// Whether people put it in by a button of its own kind, and not by that of a fault.
    pub by_clock: bool,
    /// How it is to be noticed.
    pub expected: Expected,
}

/// A fault that was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// Its number, from 1.
    pub number: u64,
    /// Position of its kind.
    pub fault: usize,
    /// Begin, UTC microseconds of the line's clock.
    pub from_us: i64,
    /// When it ends, ended or is planned to; none where it lasts until it is taken out.
    pub to_us: Option<i64>,
}
