//! What somebody says about the plant: the service over its public interface, or a naive reader. Both are scored alike.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

/// A count as it is reported: between two numbers, with the best one in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The least it can be.
    pub low: u64,
    /// Best supported value.
    pub best: u64,
    /// The most it can be.
    pub high: u64,
}

impl Said {
    /// A count without doubt.
    pub fn exactly(n: u64) -> Said {
        Said { low: n, best: n, high: n }
    }

    /// Whether a number lies in it.
    pub fn holds(self, n: u64) -> bool {
        (self.low..=self.high).contains(&n)
    }

    /// How far its ends are apart.
    pub fn width(self) -> u64 {
        self.high.saturating_sub(self.low)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.width() {
            0 => write!(f, "{}", self.best),
            _ => write!(f, "{} [{}, {}]", self.best, self.low, self.high),
        }
    }
}

/// A counter as it is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SaidCounter {
    /// All that was counted.
    pub total: Said,
    /// Causes of entries that were more than an ordinary step, oldest first.
    pub causes: Vec<String>,
}

/// A stop as it is reported. Times are UTC by the clock of who reports, in microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidStop {
    /// Start.
    pub from_us: i64,
    /// End; none while it lasts.
    pub to_us: Option<i64>,
    /// Kind of cause.
    pub cause: String,
    /// Reason code as read.
    pub reason: Option<i64>,
    /// The machine that is to blame.
    pub key: Option<String>,
}

/// A signal: an alarm, or an incident of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidSignal {
    /// When it was raised, UTC in microseconds since 1970; for a chart, the end of the first subgroup that it is of.
    pub at_us: i64,
    /// What: the word of an alarm, `chart` for an incident of a chart.
    pub word: String,
    /// Tag, or the machine where it is of no single tag; characteristic of a chart.
    pub about: String,
}

/// A batch as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidBatch {
    /// Its number.
    pub id: String,
    /// Start, UTC in microseconds since 1970.
    pub from_us: i64,
    /// End; none while it lasts.
    pub to_us: Option<i64>,
    /// Capsules loaded.
    pub infeed: Said,
    /// Good capsules ejected.
    pub made: Said,
    /// Capsules rejected, all classes.
    pub rejected: Said,
}

/// A bore that is said to fill differently from the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidBore {
    /// The machine whose samples say so.
    pub station: String,
    /// Its number, from 1.
    pub bore: u16,
    /// Whether it fills less; else more.
    pub less: bool,
}

/// All that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Counters by tag; those that nobody told of are left out.
    pub counters: BTreeMap<String, SaidCounter>,
    /// Stops of the line, oldest first.
    pub stops: Vec<SaidStop>,
    /// Signals, oldest first.
    pub signals: Vec<SaidSignal>,
    /// Batches, oldest first.
    pub batches: Vec<SaidBatch>,
    /// Bores that fill differently.
    pub bores: Vec<SaidBore>,
}

impl Report {
    /// What was said since an earlier report. Counts of both parts add up to the whole, low, best and high alike.
    #[must_use]
    pub fn since(mut self, base: &Report) -> Report {
        for (tag, counter) in &mut self.counters {
            let Some(before) = base.counters.get(tag).map(|counter| counter.total) else {
                continue;
            };
            let total = &mut counter.total;
            *total = Said {
                low: total.low.saturating_sub(before.low),
                best: total.best.saturating_sub(before.best),
                high: total.high.saturating_sub(before.high),
            };
        }
        self
    }
}

/// Somebody who says what the plant has done.
pub trait Reporter {
    /// What is said of these tags, and of all else since a moment of the reporter's clock.
    fn report(
        &self,
        tags: &[&str],
        from_us: i64,
    ) -> impl Future<Output = Result<Report, ReportError>> + Send;

    /// The reporter's clock: UTC in microseconds since 1970.
    fn now_us(&self) -> impl Future<Output = Result<i64, ReportError>> + Send;
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Nobody answers.
    #[error("{url}: {error}; is it running, and is the address right?")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What came instead.
        error: String,
    },
    /// The answer is not what was asked for.
    #[error("{url}: {problem}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The address makes no sense.
    #[error(
        "{0:?} is no address; write one such as http://127.0.0.1:8080 or https://line-1.plant:8443"
    )]
    Address(String),
    /// A server that shows a certificate, and none is known that it must lead to.
    #[error("{0}: name the certificate that it shows, or its authority, with --ca")]
    NoAuthority(String),
    /// A file of certificates is of no use.
    #[error("{}: {problem}; write the certificates in PEM", .file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}
