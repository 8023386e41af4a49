//! The line: what its counters say was made, and what follows from it.

pub mod counter;

pub mod count_file;
pub mod oee;
pub mod oee_file;
