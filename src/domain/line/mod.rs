//! The line: counters, states, minutes, shifts and the tracker that ties them together.

pub mod counter;

pub mod state;

pub mod calendar;

pub mod minute;

pub mod event;

pub mod status;

pub mod tracker;
