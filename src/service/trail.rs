//! The audit trail as the web asks for it.

use domain::audit::{
    Configuration, ConfigurationUse, Entry, Filter, Looked, Note, Signature, Signed,
};
use domain::units::LineId;

use super::history::StoredHistory;
use crate::web::Trail;

impl Trail for StoredHistory {
    fn note(&self, note: Note) -> Result<(), String> {
        self.0.note(note).map_err(|error| error.to_string())
    }

    fn note_all(&self, notes: Vec<Note>) -> Result<(), String> {
        self.0.note_all(notes).map_err(|error| error.to_string())
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
