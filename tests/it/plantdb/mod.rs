//! The plant database: real PostgreSQL, links that fail, boxes that are not who they say, and TimescaleDB.

mod book;
mod cluster;
mod dashboard;
mod measure;
mod once;
mod proxy;
mod reconcile;
mod schema;
mod stranger;
mod timescale;
