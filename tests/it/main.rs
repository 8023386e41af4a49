//! The integration tests: the real service against the simulated plant and foreign servers, over real sockets.

mod acquire;
mod andon;
mod audit;
mod backup;
mod cli;
mod demo;
mod export;
mod faults;
mod hand;
mod harness;
mod kills;
mod law;
mod layers;
mod peers;
mod plantdb;
mod process;
mod reload;
mod restart;
mod rust_text;
mod scenarios;
mod skip;
mod types;
mod users;
mod weights;
mod wire;
