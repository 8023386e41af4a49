//! The line: what its counters say was made, and what follows from it.
//!

pub mod counter;

pub mod state;

pub mod calendar;

pub mod minute;

pub mod event;

pub mod status;
