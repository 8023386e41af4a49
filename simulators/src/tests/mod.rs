//! Laws of the plant, and what clients see of it over real sockets.

mod given;
mod injections;
mod laws;
mod line;
mod opcua;
mod premises;
mod scenarios;
mod score;
mod sockets;
mod traces;
mod verdict;
mod views;
mod wire;

use crate::{Model, ModelConfig, Preset};

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;

/// A plant of this seed and preset at a plant time.
fn plant_at(seed: u64, preset: Preset, plant_us: i64) -> Model {
    let mut model = Model::new(ModelConfig { seed, preset, ..ModelConfig::default() });
    model.advance_to(plant_us);
    model
}
