//! The line: what its counters say was made, and what follows from it.
//!
//! Counters, states, minutes, shifts, and the tracker that ties them together.

pub mod counter;

pub mod state;

pub mod transition;

pub mod stop;

pub mod split;

pub mod weight;

pub mod weighing;

pub mod calendar;

pub mod curve;

pub mod minute;

pub mod output;
pub mod plan;

pub mod second;

pub mod trend;

pub mod event;

pub mod status;

pub mod chronicle;

pub mod tracker;

pub mod count_file;

pub mod oee;

pub mod batch;

pub mod rollup;

pub mod kpi;

pub mod balance;

pub mod oee_file;

pub mod report;

pub mod call;
