//! Figures that we state about ourselves, computed from the simulated plant by one function each, so that anybody can
//! compute them again from a seed.

pub mod month;
pub mod spc;
mod weights;
