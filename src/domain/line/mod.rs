//! The line: what its counters say was made, and what follows from it.

pub mod counter;
