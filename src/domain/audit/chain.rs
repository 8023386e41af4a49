//! How entries are bound to each other, and the search for what is not as it was.
//!
//! The hash of an entry is SHA-256 of these texts in this order, each as a netstring (its length in bytes as a decimal
//! number, a colon, its bytes in UTF-8, a comma; D. J. Bernstein, 1997):
//!
//! `capline-audit/1`, number, at_us, local, account, name, from_where, what, subject, old, new, reason, prev_hash
//!
//! Numbers are decimal. `prev_hash` is the hash of the entry before; that of entry 1 is SHA-256 of the netstrings
//! `capline-audit/1` and the identity of the journal. So anybody can recompute the chain with SQL and any program that
//! knows SHA-256. The hash needs no key: whoever can write the whole file can also recompute all of it, which is why
//! heads are told to others (the plant database, final reports, a file beside the journal) and compared with them.

use std::fmt;

use super::{Entry, What};
use crate::digest::sha256;

/// First text of each entry: which encoding it is.
const FORM: &str = "capline-audit/1";

/// The end of a chain, for whoever keeps it elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry, 0 without any.
    pub number: i64,
    /// Its hash; empty without any.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.hash)
    }
}

impl Head {
    /// Reads what [`Head`] shows: `17 0f3c…`. Capitals are the same hash.
    pub fn parse(text: &str) -> Option<Head> {
        let (number, hash) = text.trim().split_once(' ')?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = number.parse().ok().filter(|number| *number > 0)?;
        is_hash.then(|| Head { number, hash: hash.to_ascii_lowercase() })
    }
}

/// Texts as netstrings, one after the other: no two lists of texts give the same.
pub fn netstrings<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(|text| format!("{}:{text},", text.len())).collect()
}

/// What stands before the first entry of a journal.
pub fn genesis(uuid: &str) -> String {
    sha256(netstrings([FORM, uuid]))
}

/// The hash of an entry that follows on `prev_hash`; what the entry says of its own hashes is not looked at.
pub fn hash(entry: &Entry, prev_hash: &str) -> String {
    let (number, at_us) = (entry.number.to_string(), entry.at_us.to_string());
    sha256(netstrings([
        FORM,
        &number,
        &at_us,
        &entry.local,
        &entry.account,
        &entry.name,
        &entry.from,
        &entry.what,
        &entry.subject,
        &entry.old,
        &entry.new,
        &entry.reason,
        prev_hash,
    ]))
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The entry; where entries are missing, the first of them.
    pub number: i64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Entries from this one to that number are not there.
    Missing(i64),
    /// This field is not as it was written.
    Field(&'static str),
    /// One of the fields is not as it was written, and the hash does not tell which.
    Content,
    /// It does not follow on the entry before: that one was changed, or something was put between or taken out.
    Link,
    /// It stands where another one belongs.
    Order,
    /// The chain is of another journal.
    Journal(String),
    /// The chain ends here, but that head was told of it: the rest was cut off.
    Cut(Head),
    /// The head that was told of this entry is another one: it, or one before it, was written anew.
    Rewritten(Head),
    /// What belongs to it is not there or not as it was; in words.
    Record(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match &self.fault {
            Fault::Missing(last) if *last == number => write!(f, "entry {number} is missing"),
            Fault::Missing(last) => write!(f, "entries {number} to {last} are missing"),
            Fault::Field(field) => write!(f, "entry {number}: {field} was changed"),
            Fault::Content => write!(f, "entry {number}: was changed, its hash is another one"),
            Fault::Link => write!(
                f,
                "entry {number}: does not follow on the entry before; that one was changed, or something was put between or taken out"
            ),
            Fault::Order => write!(f, "entry {number}: stands where another one belongs"),
            Fault::Journal(uuid) => {
                write!(f, "entry {number}: the chain is not that of journal {uuid}")
            }
            Fault::Cut(head) => write!(
                f,
                "entries {} to {} were cut off: head {} with hash {} was told of this chain",
                number + 1,
                head.number,
                head.number,
                head.hash
            ),
            Fault::Rewritten(head) => write!(
                f,
                "entry {number}: it, or one before it, was written anew; its hash was told as {}",
                head.hash
            ),
            Fault::Record(what) => write!(f, "entry {number}: {what}"),
        }
    }
}

/// A chain that is looked through, entry by entry in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    last: Head,
    /// Hash of the last entry as its content gives it.
    given: String,
    /// Identity that the chain says the journal has.
    uuid: Option<String>,
}

impl Chain {
    /// The last entry that was looked at.
    pub fn head(&self) -> &Head {
        &self.last
    }

    /// Identity that the chain says the journal has; none before its first entry.
    pub fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    /// Looks at the next entry. After something wrong it goes on from what is there, so that all is found.
    pub fn check(&mut self, entry: &Entry) -> Vec<Finding> {
        let due = self.last.number + 1;
        let find = |number, fault| Finding { number, fault };
        let mut found = Vec::new();
        if entry.number > due {
            found.push(find(due, Fault::Missing(entry.number - 1)));
        } else if entry.number < due {
            found.push(find(entry.number, Fault::Order));
        }
        let before = match due {
            1 => genesis(&entry.new),
            _ => self.last.hash.clone(),
        };
        let own = hash(entry, &entry.prev_hash);
        let follows = entry.prev_hash == before;
        let fault = match (own == entry.hash, follows) {
            (true, true) => None,
            // Only its link was changed: with the right one its hash is right.
            (false, false) if hash(entry, &before) == entry.hash => Some(Fault::Field("prev_hash")),
            (false, _) => Some(changed(entry).map_or(Fault::Content, Fault::Field)),
            // What is missing explains it.
            (true, false) if !found.is_empty() => None,
            // The entry before had its hash changed, and this one still knows what it was.
            (true, false) if entry.prev_hash == self.given => None,
            (true, false) => Some(Fault::Link),
        };
        found.extend(fault.map(|fault| find(entry.number, fault)));
        if What::from_word(&entry.what).is_none() && found.is_empty() {
            found.push(find(entry.number, Fault::Field("what")));
        }
        self.learn(entry);
        self.given = own;
        self.last = Head { number: entry.number, hash: entry.hash.clone() };
        found
    }

    fn learn(&mut self, entry: &Entry) {
        match What::from_word(&entry.what) {
            Some(What::JournalBegun) if self.uuid.is_none() => self.uuid = Some(entry.new.clone()),
            Some(What::JournalRestored) if self.uuid.as_deref() == Some(entry.old.as_str()) => {
                self.uuid = Some(entry.new.clone());
            }
            _ => {}
        }
    }
}

/// The field that contradicts another one, where there is one.
fn changed(entry: &Entry) -> Option<&'static str> {
    let is_hash =
        |text: &str| text.len() == 64 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
    if !is_hash(&entry.hash) {
        return Some("hash");
    }
    if !is_hash(&entry.prev_hash) {
        return Some("prev_hash");
    }
    if What::from_word(&entry.what).is_none() {
        return Some("what");
    }
    let local = entry.local.parse::<jiff::Timestamp>().ok().map(|local| local.as_microsecond());
    (local != Some(entry.at_us)).then_some("at_us or local")
}
