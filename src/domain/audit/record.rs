//! What is signed: the canonical text of a record, and the signature that is bound to it.
//!
//! A signature is the name as printed, the time, and what it means, bound to SHA-256 of the record (21 CFR 11.50 and
//! 11.70). Records are netstrings ([`super::chain::netstrings`]) that begin with their kind.

use super::chain::netstrings;
use super::{Actor, Meaning};
use crate::digest::sha256;
use crate::line::report::{FinalReport, GapNote};
use crate::quality::limits::{Decision, Limits};

/// Kinds of records that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signed {
    /// A decision about limits: record `characteristic/version`.
    Limits,
    /// What was said about a gap: record is the number of the note.
    GapNote,
    /// A final report: record is its number.
    Report,
}

impl Signed {
    /// All kinds.
    pub const ALL: [Signed; 3] = [Signed::Limits, Signed::GapNote, Signed::Report];

    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Signed::Limits => "limits",
            Signed::GapNote => "gap_note",
            Signed::Report => "report",
        }
    }

    /// That of a word.
    pub fn from_word(word: &str) -> Option<Signed> {
        Signed::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A signature as kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// When, UTC microseconds.
    pub at_us: i64,
    /// Line of the record.
    pub line: String,
    /// Word of a [`Signed`].
    pub kind: String,
    /// Which record of that kind and line.
    pub record: String,
    /// SHA-256 of the canonical record.
    pub record_sha256: String,
    /// Word of a [`Meaning`].
    pub meaning: String,
    /// Account whose password was given.
    pub account: String,
    /// Name as printed.
    pub name: String,
}

impl Signature {
    /// That of somebody who signs; none of somebody who does not.
    pub fn of(
        by: &Actor,
        at_us: i64,
        line: &str,
        record: (Signed, String, String),
    ) -> Option<Signature> {
        let meaning: Meaning = by.signs?;
        let (kind, record, record_sha256) = record;
        Some(Signature {
            at_us,
            line: line.to_owned(),
            kind: kind.word().to_owned(),
            record,
            record_sha256,
            meaning: meaning.word().to_owned(),
            account: by.account.clone(),
            name: by.name.clone(),
        })
    }

    /// What the audit trail keeps of it: SHA-256 of all its parts.
    pub fn sha256(&self) -> String {
        let at_us = self.at_us.to_string();
        sha256(netstrings([
            "capline-signature/1",
            &at_us,
            &self.line,
            &self.kind,
            &self.record,
            &self.record_sha256,
            &self.meaning,
            &self.account,
            &self.name,
        ]))
    }

    /// Which record it is of, in words.
    pub fn subject(&self) -> String {
        format!("{} {} {}", self.line, self.kind, self.record)
    }
}

/// SHA-256 of limits with the decision about them.
pub fn limits_sha256(line: &str, limits: &Limits, decision: &Decision) -> String {
    let (canonical, at_us) = (limits.canonical(), decision.at_us.to_string());
    let verdict = decision.verdict.word();
    sha256(netstrings([
        "capline-limits-decision/1",
        line,
        &canonical,
        verdict,
        &at_us,
        &decision.by,
        &decision.reason,
    ]))
}

/// SHA-256 of what was said about a gap.
pub fn gap_note_sha256(line: &str, note: &GapNote) -> String {
    let (gap, at_us) = (note.gap.to_string(), note.at_us.to_string());
    sha256(netstrings(["capline-gap-note/1", line, &gap, &at_us, &note.author, &note.text]))
}

/// SHA-256 of a final report with the hashes of its figures and of its page.
pub fn report_sha256(line: &str, report: &FinalReport) -> String {
    let (start_us, version) = (report.start_us.to_string(), report.version.to_string());
    let made_us = report.made_us.to_string();
    sha256(netstrings([
        "capline-report/1",
        line,
        report.kind.word(),
        &start_us,
        &version,
        &made_us,
        &report.author,
        &report.lang,
        &report.data_sha256,
        &report.page_sha256,
    ]))
}
