//! Webhooks: signed JSON over HTTP to other systems, by the convention of Standard Webhooks (standardwebhooks.com, 1.0.0).
//!
//! Each webhook has a task of its own ([`Courier`]): one that hangs delays no other, and nothing of the service waits for
//! any. A message is tried until it is taken or a day has passed, each time under the same id, so that a receiver can
//! tell a repetition.

mod courier;
mod post;
mod sign;

#[cfg(test)]
mod tests;

pub use courier::{Courier, Message, Tell, Tries};
pub use post::Target;
pub use sign::{Key, KeyError};

use std::sync::Arc;

/// A webhook.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Where it is.
    pub target: Target,
    /// What it is signed with.
    pub key: Key,
}
