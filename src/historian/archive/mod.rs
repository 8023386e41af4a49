//! The plant database: PostgreSQL 15 or newer, with or without TimescaleDB. How it is reached and what its errors
//! mean; the tables are made by [`mod@migrate`], the rows come from `forward`.

mod connect;
mod migrate;
mod reaction;
mod survey;

pub use crate::secret::{Secret, SecretError};
pub use connect::{Address, Tls};
pub use migrate::{Migrated, Variant, migrate, script};
pub use survey::{Holding, survey};

pub(super) use connect::{Plant, connect};
pub(super) use migrate::check;
pub(super) use reaction::{Reaction, Trouble};

/// Where a box forwards to, and under which name.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server and the database.
    pub address: Address,
    /// Name of the site.
    pub site: String,
    /// Name of this box, which no other box that writes into the database may have.
    pub edge: String,
}
