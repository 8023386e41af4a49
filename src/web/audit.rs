//! What is noted after the act: signing in and out, refused and locked. An entry that cannot be kept is an error of the
//! log; nobody is turned away for it. What changes a record is noted in the transaction of the change instead, or not done.

use super::App;

/// Keeps what is audited after the act. Never blocks for long: it is called where something has just been done.
pub trait Audit: Send + Sync {
    /// Keeps a note.
    fn note(&self, note: AuditNote);
}

/// Something that must be audited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditNote {
    /// Who did it: the name of an account, or what was tried as one; empty for nobody known.
    pub who: String,
    /// The address that it came from; empty where there is none.
    pub where_from: String,
    /// What was done, one word: `login`, `login_failed`, `lockout`, `logout`, `signature_refused`.
    pub what: &'static str,
    /// To whom or what.
    pub subject: String,
    /// How it was before; empty for nothing.
    pub old: String,
    /// How it is now; empty for nothing.
    pub new: String,
    /// Why, in the words of who did it; empty where nobody was asked.
    pub reason: String,
}

/// Tells the log and nobody else.
#[derive(Clone, Copy, Debug)]
pub struct LogOnly;

impl Audit for LogOnly {
    fn note(&self, note: AuditNote) {
        let AuditNote { who, where_from, what, subject, old, new, reason } = note;
        tracing::info!(target: "capline::audit", what, who, where_from, subject, old, new, reason);
    }
}

/// Notes what must be audited.
pub fn audited(app: &App, note: AuditNote) {
    app.parts().audit.note(note);
}
