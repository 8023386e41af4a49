//! What an answer of the plant database means to us: the one place that decides.

use tokio_postgres::error::SqlState;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::historian) enum Reaction {
    /// Connect again and go on: the network, a server that restarts, a disk that is full there, a lock.
    Again,
    /// A row is not to its liking: find it and lay it aside.
    Row,
    /// A person has to do something there: rights, passwords, tables. Tried again, but seldom.
    Mend,
}

impl Reaction {
    /// By class of SQLSTATE (PostgreSQL, appendix A).
    pub(in crate::historian) fn to(error: &tokio_postgres::Error) -> Reaction {
        match error.code() {
            Some(code) => Reaction::to_state(code),
            // The client could not put a value into the form of its column.
            None if is_value(error) => Reaction::Row,
            None => Reaction::Again,
        }
    }

    pub(super) fn to_state(code: &SqlState) -> Reaction {
        match code.code().get(..2) {
            // Data exception, integrity constraint violation.
            Some("22" | "23") => Reaction::Row,
            // Program limit exceeded: a text of hundreds of megabytes.
            Some("54") => Reaction::Row,
            // Authorization, catalog name, syntax or access rule, no such feature.
            Some("28" | "3D" | "3F" | "42" | "0A") => Reaction::Mend,
            _ => Reaction::Again,
        }
    }
}

fn is_value(error: &tokio_postgres::Error) -> bool {
    error.to_string().starts_with("error serializing parameter")
}

/// Why forwarding does not go on right now.
#[derive(Debug, thiserror::Error)]
pub(in crate::historian) enum Trouble {
    /// An answer of the database or of the network.
    #[error("{0}")]
    Sql(#[from] tokio_postgres::Error),
    /// It did not answer in time.
    #[error("no answer within {0} s")]
    Silent(u64),
    /// The tables are not those of this version.
    #[error("{0}")]
    Schema(String),
    /// The watermark is not where we left it, or another session has the stream. Looking again tells which.
    #[error("the watermark of {0} is not where it was left")]
    Lost(&'static str),
    /// Someone else writes under our name, or we are not who we were. Nothing is written until a person has looked.
    #[error("{0}")]
    Stranger(String),
    /// Our own journal could not be read.
    #[error("{0}")]
    Journal(#[from] super::super::StoreError),
}

impl Trouble {
    /// What to do about it.
    pub(in crate::historian) fn reaction(&self) -> Reaction {
        match self {
            Trouble::Sql(error) => Reaction::to(error),
            Trouble::Silent(_) | Trouble::Lost(_) | Trouble::Journal(_) => Reaction::Again,
            Trouble::Schema(_) | Trouble::Stranger(_) => Reaction::Mend,
        }
    }

    /// It in words, with what the server said.
    pub(in crate::historian) fn words(&self) -> String {
        match self {
            Trouble::Sql(error) => words(error),
            other => other.to_string(),
        }
    }
}

/// An error of the driver with its cause: alone it says little more than `db error`.
pub(in crate::historian) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map_or(String::new(), |detail| format!(" ({detail})"));
        return format!("{}{detail} [{}]", said.message(), said.code().code());
    }
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
