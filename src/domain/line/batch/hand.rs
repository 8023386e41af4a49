//! Batches opened and closed by a person, where the machine tells no batch of its own.

use std::sync::Arc;

use crate::units::StationId;

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is to be done.
    pub act: Act,
    /// Who asks.
    pub by: Arc<str>,
}

/// What can be done with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Opens a batch; the one that is open ends there.
    Open {
        /// Its id, never empty.
        id: Arc<str>,
        /// What is made, empty where nobody said.
        product: Arc<str>,
    },
    /// Closes the open batch.
    Close {
        /// The batch that is meant, none for whichever is open.
        id: Option<Arc<str>>,
    },
}

/// Whether a batch was opened or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// It was opened.
    Opened,
    /// It was closed.
    Closed,
}

impl Did {
    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Did::Opened => "opened",
            Did::Closed => "closed",
        }
    }

    /// What has that word.
    pub fn from_word(word: &str) -> Option<Did> {
        [Did::Opened, Did::Closed].into_iter().find(|did| did.word() == word)
    }
}

/// An order that was carried out, to be kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub did: Did,
    /// The batch.
    pub id: Arc<str>,
    /// Start of the batch in UTC microseconds, by which it is found.
    pub start_us: i64,
    /// When it was done, UTC microseconds: the reading up to which everything was counted before.
    pub at_us: i64,
    /// What is made, empty where nobody said or for a close.
    pub product: Arc<str>,
    /// Who did it.
    pub by: Arc<str>,
}

/// Why an order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A batch of that id is open.
    #[error("batch {0} is open already; close it first or choose another id")]
    AlreadyOpen(Arc<str>),
    /// There is nothing to close.
    #[error("no batch is open; there is nothing to close")]
    NoneOpen,
    /// Another batch than the one that was meant is open.
    #[error("batch {open} is open and not {asked}; look again which one is to be closed")]
    Other {
        /// The batch that was meant.
        asked: Arc<str>,
        /// The batch that is open.
        open: Arc<str>,
    },
    /// The machine tells its batch itself.
    #[error("{station} tells batch {id} itself, and its id wins; change the batch at the machine")]
    Told {
        /// The counting station.
        station: StationId,
        /// The id that it tells.
        id: Arc<str>,
    },
    /// The counters cannot be read, so that nobody knows what belongs to which batch.
    #[error(
        "{0} is not read now, so that the count at the border would not be known; try again once it is back"
    )]
    NotRead(StationId),
    /// The service is being stopped.
    #[error("the service is being stopped; try again once it is back")]
    Stopping,
}
