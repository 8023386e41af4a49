//! The audit trail as the web asks for it, and what others note in it.

use domain::audit::{
    Actor, Configuration, ConfigurationUse, Entry, Filter, Looked, Note, Signature, Signed, What,
};
use domain::units::LineId;
use tracing::error;

use super::history::StoredHistory;
use crate::web::{Audit, AuditNote, Trail};

impl Trail for StoredHistory {
    fn note(&self, note: Note) -> Result<(), String> {
        self.0.note(note).map_err(|error| error.to_string())
    }

    fn entries(&self, filter: &Filter, limit: usize) -> Result<Vec<Entry>, String> {
        self.0.audit(filter, limit).map_err(|error| error.to_string())
    }

    fn looked(&self) -> Result<Looked, String> {
        self.0.audit_looked().map_err(|error| error.to_string())
    }

    fn signatures(&self, line: &LineId, kind: Signed) -> Result<Vec<Signature>, String> {
        self.0.signatures(line, kind).map_err(|error| error.to_string())
    }

    fn configurations(&self) -> Result<Vec<ConfigurationUse>, String> {
        self.0.configurations().map_err(|error| error.to_string())
    }

    fn configuration(&self, sha256: &str) -> Result<Option<Configuration>, String> {
        self.0.configuration(sha256).map_err(|error| error.to_string())
    }
}

impl Audit for StoredHistory {
    /// Durable on return. One that cannot be kept is an error of the log: what it tells of was done already.
    fn note(&self, note: AuditNote) {
        let AuditNote { who, where_from, what, subject, old, new, reason } = note;
        let Some(what) = What::from_word(what) else {
            error!(what, who, subject, "the audit trail has no such word");
            return;
        };
        let (account, name) = (who.clone(), who);
        let by = Actor { account, name, from: where_from, signs: None };
        let note = Note { by, what, subject, old, new, reason };
        if let Err(error) = self.0.note(note) {
            error!(what = what.word(), %error, "the audit trail could not take an entry");
        }
    }
}
