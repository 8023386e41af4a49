//! The integration tests: the real service against the simulated plant, over real sockets.

mod demo;
