//! Figures that we state about ourselves, by one function each, so that anybody can have them again: computed from the
//! simulated plant and a seed, or measured on this machine.

pub mod acquire;
pub mod all;
pub mod count;
pub mod forward;
pub mod machine;
pub mod month;
mod nothing;
pub mod plant;
mod reasons;
pub mod spc;
pub mod store;
mod table;
mod watched;
pub mod web;
mod weights;
