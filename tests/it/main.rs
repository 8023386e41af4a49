//! The integration tests: the real service against the simulated plant and foreign servers, over real sockets.

mod demo;
mod harness;
mod law;
mod process;
mod skip;
