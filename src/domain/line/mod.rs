//! The line: what its counters say was made, and what follows from it.
//!
//! Counters, states, minutes, shifts, and the tracker that ties them together.

pub mod counter;

pub mod count_file;

pub mod state;

pub mod transition;

pub mod output;

pub mod stop;

pub mod weight;

pub mod weighing;

pub mod calendar;

pub mod minute;

pub mod event;

pub mod oee;

pub mod oee_file;

pub mod split;

pub mod second;

pub mod trend;

pub mod batch;

pub mod rollup;

pub mod curve;

pub mod kpi;

pub mod balance;

pub mod report;

pub mod call;

pub mod layout;

pub mod chronicle;

pub mod status;

pub mod tracker;
