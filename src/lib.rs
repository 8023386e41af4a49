//! Capline: an edge service that keeps an exact account of every capsule of a line.

pub mod config;

pub mod clock;

pub mod sources;

pub mod historian;

pub mod web;

pub mod service;

pub mod selftest;

#[cfg(feature = "demo")]
pub mod demo;
