//! Servers that only make work, and the bare client to compare with: for figures of speed, not for counts.
//!
//! Their counters run at 6,500 capsules a minute by the clock, whoever asks and how often, so that a ledger finds nothing
//! odd in them. There is no model and no ledger behind them.

mod modbus;
mod opcua;

pub use modbus::{REGISTERS, bare_loop, serve as serve_modbus};
pub use opcua::serve as serve_opcua;

/// Name of the node of an item, behind `s=`.
pub fn item(n: usize) -> String {
    format!("Load.Item{n:04}")
}
