//! The plant database: real PostgreSQL, links that fail, boxes that are not who they say, and TimescaleDB.

mod adopted;
mod audit;
mod bench;
pub(crate) mod book;
pub(crate) mod cluster;
mod dashboard;
mod once;
mod proxy;
mod reconcile;
mod records;
mod schema;
mod stranger;
mod timescale;
