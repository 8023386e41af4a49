//! The audit trail: who did what, when, from where and why, as entries that follow from each other; and what a
//! person signs.
//!
//! An entry is never changed and never taken away. [`chain`] tells how entries are bound to each other, so that whoever
//! holds a later hash can prove that the earlier ones are as they were.

pub mod chain;
pub mod record;
mod second;
mod what;

#[cfg(test)]
mod tests;

use crate::digest::sha256;
pub use chain::{Chain, Fault, Finding, Head};
pub use record::{Signature, Signed};
pub use second::{NotSigned, SECOND, awaits_second, takes_second};
pub use what::{Meaning, What};

/// Who does something, and where they sit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// Account they are logged in with; empty where there are no users, and for the service itself.
    pub account: String,
    /// Name as it is printed. Where there are no users it is what somebody typed, and proves nothing.
    pub name: String,
    /// Where it came from: an address, a signal, a command line.
    pub from: String,
    /// What they sign it as, with their password; none where nothing is signed.
    pub signs: Option<Meaning>,
}

/// Name of what the service does of itself.
pub const SYSTEM: &str = "system";

impl Actor {
    /// The service itself.
    pub fn system() -> Actor {
        Actor::named(SYSTEM)
    }

    /// Somebody who only gave a name.
    pub fn named(name: impl Into<String>) -> Actor {
        Actor { name: name.into(), ..Actor::default() }
    }
}

impl Actor {
    /// Who and from where, in a few words: `Li at 10.0.0.7`, `SIGHUP`.
    pub fn told(&self) -> String {
        match (self.name.as_str(), self.from.as_str()) {
            ("", "") => "nobody known".to_owned(),
            ("" | SYSTEM, from) if !from.is_empty() => from.to_owned(),
            (name, "") => name.to_owned(),
            (name, from) => format!("{name} at {from}"),
        }
    }
}

/// What is to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub by: Actor,
    /// What was done.
    pub what: What,
    /// To what: a line, a record.
    pub subject: String,
    /// What it was before; empty where there was nothing.
    pub old: String,
    /// What it is since; empty where there is nothing.
    pub new: String,
    /// Why, in the words of who did it.
    pub reason: String,
}

impl Note {
    /// That something was done to something.
    pub fn new(by: &Actor, what: What, subject: impl Into<String>) -> Note {
        let (old, new, reason) = (String::new(), String::new(), String::new());
        Note { by: by.clone(), what, subject: subject.into(), old, new, reason }
    }

    /// What it was before and what it is since.
    #[must_use]
    pub fn change(self, old: impl Into<String>, new: impl Into<String>) -> Note {
        Note { old: old.into(), new: new.into(), ..self }
    }

    /// Why.
    #[must_use]
    pub fn why(self, reason: impl Into<String>) -> Note {
        Note { reason: reason.into(), ..self }
    }
}

/// An entry as it is kept: texts throughout, so that nothing that was stored is lost by reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without a gap.
    pub number: i64,
    /// When it was written, UTC microseconds.
    pub at_us: i64,
    /// The same by the clocks of the plant: RFC 3339 with the offset.
    pub local: String,
    /// Account; empty without one.
    pub account: String,
    /// Printed name.
    pub name: String,
    /// Where it came from.
    pub from: String,
    /// What was done: the word of a [`What`].
    pub what: String,
    /// To what.
    pub subject: String,
    /// What it was before.
    pub old: String,
    /// What it is since.
    pub new: String,
    /// Why.
    pub reason: String,
    /// Hash of the entry before; that of [`chain::genesis`] for the first one.
    pub prev_hash: String,
    /// [`chain::hash`] of this one.
    pub hash: String,
}

/// A configuration with the maps it names, as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// SHA-256 of the texts, each with its length before it.
    pub sha256: String,
    /// Names and texts, the configuration first.
    pub files: Vec<(String, String)>,
}

/// From when on a configuration was in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationUse {
    /// Which.
    pub sha256: String,
    /// Since when, UTC microseconds; until the next one.
    pub from_us: i64,
    /// Under which build.
    pub build: String,
}

impl Configuration {
    /// One of these files, with its hash.
    pub fn new(files: Vec<(String, String)>) -> Configuration {
        Configuration { sha256: sha256(digested(&files)), files }
    }

    /// Whether the texts are those of the hash.
    pub fn is_sound(&self) -> bool {
        sha256(digested(&self.files)) == self.sha256
    }

    /// Names of the files with SHA-256 of each.
    pub fn file_hashes(&self) -> Vec<(String, String)> {
        self.files.iter().map(|(name, text)| (name.clone(), sha256(text))).collect()
    }
}

/// The bytes that the hash of a configuration is of. The length in front: a text that moves from one file to the next is
/// another configuration.
fn digested(files: &[(String, String)]) -> Vec<u8> {
    files
        .iter()
        .flat_map(|(_, text)| {
            let length = (text.len() as u64).to_le_bytes();
            length.into_iter().chain(text.bytes()).collect::<Vec<u8>>()
        })
        .collect()
}

/// What is looked for in the trail.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only before this number; for the page that follows.
    pub before: Option<i64>,
    /// From then on, UTC microseconds.
    pub from_us: Option<i64>,
    /// Before then.
    pub to_us: Option<i64>,
    /// Only this.
    pub what: Option<What>,
    /// Part of an account or a name.
    pub who: Option<String>,
    /// Part of anything else.
    pub text: Option<String>,
}

/// How far the chain was looked through since the service started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The last entry that was looked at.
    pub head: Head,
    /// When, UTC microseconds.
    pub at_us: i64,
    /// What was wrong, at most a hundred.
    pub findings: Vec<Finding>,
}
