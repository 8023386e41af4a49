//! What the web asks of the audit trail, and who stands in it for a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::account::NoLogin;
use domain::audit::{
    Actor, Configuration, ConfigurationUse, Entry, Filter, Looked, Meaning, Note, Signature,
    Signed, What,
};
use domain::units::LineId;

use super::error::WebError;
use super::{Access, App, Shown, WhereFrom, Who};

/// The audit trail, signatures, and configurations that were in force. All methods block and are called off the async
/// threads; an error says why the record could not be read or written and goes to the log, not to the reader.
///
/// Each answers as a record that nobody works with, unless it is written otherwise: nothing is kept.
#[expect(clippy::missing_errors_doc, reason = "said once for all of them")]
pub trait Trail: Send + Sync {
    /// Notes something that has no row of its own. What cannot be noted is not to be done.
    fn note(&self, note: Note) -> Result<(), String> {
        let _ = note;
        Ok(())
    }

    /// Notes several things at once: all of them or none.
    fn note_all(&self, notes: Vec<Note>) -> Result<(), String> {
        notes.into_iter().try_for_each(|note| self.note(note))
    }

    /// Entries that fit, newest first.
    fn entries(&self, filter: &Filter, limit: usize) -> Result<Vec<Entry>, String> {
        let _ = (filter, limit);
        Ok(Vec::new())
    }

    /// How far the chain was looked through, and what was wrong.
    fn looked(&self) -> Result<Looked, String> {
        Ok(Looked::default())
    }

    /// Signatures of records of a kind of a line, oldest first.
    fn signatures(&self, line: &LineId, kind: Signed) -> Result<Vec<Signature>, String> {
        let _ = (line, kind);
        Ok(Vec::new())
    }

    /// From when on which configuration was in force, newest first.
    fn configurations(&self) -> Result<Vec<ConfigurationUse>, String> {
        Ok(Vec::new())
    }

    /// A configuration that was in force; none of that hash.
    fn configuration(&self, sha256: &str) -> Result<Option<Configuration>, String> {
        let _ = sha256;
        Ok(None)
    }
}

/// No trail: for a record that nobody works with.
#[derive(Clone, Copy, Debug)]
pub struct NoTrail;

impl Trail for NoTrail {}

/// Notes what was done already: signing in and out, refused and locked. One that cannot be kept is an error of the log;
/// nobody is turned away for it. Blocks: it is done on the thread that has just done the act, so that whoever hangs up
/// meanwhile leaves an entry all the same.
pub(super) fn noted(trail: &dyn Trail, note: Note) {
    all_noted(trail, vec![note]);
}

/// The same for what belongs together, which takes as long as one: an answer must not tell by its time that it locked.
pub(super) fn all_noted(trail: &dyn Trail, notes: Vec<Note>) {
    let what = notes.first().map_or("", |note| note.what.word());
    if let Err(error) = trail.note_all(notes) {
        tracing::error!(what, error, "the audit trail could not take an entry");
    }
}

/// Tells the audit trail that a password was wrong when it was asked for again, and that the account is locked where it
/// is since. Blocks, as [`noted`].
pub(super) fn tell_refused(trail: &dyn Trail, by: &Actor, what: What, why: NoLogin) {
    let locked = (why == NoLogin::WrongAndLocked).then_some(What::LockedOut);
    let refused = |what| Note::new(by, what, by.account.as_str()).why(why.word());
    all_noted(trail, [Some(what), locked].into_iter().flatten().map(refused).collect());
}

/// Who asks and from where, as the trail names them.
pub(crate) struct Asker {
    pub(crate) who: Who,
    from: String,
}

impl FromRequestParts<Shown> for Asker {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, shown: &Shown) -> Result<Asker, WebError> {
        let who = Who::from_request_parts(parts, shown).await?;
        let Ok(WhereFrom(from)) = WhereFrom::from_request_parts(parts, shown).await;
        Ok(Asker { who, from })
    }
}

impl Asker {
    /// Who stands in the trail. Where nobody is known it is the name that was `given`, which proves nothing.
    pub(crate) fn actor(&self, given: &str) -> Actor {
        let name = if self.who.printed.is_empty() { given } else { &self.who.printed };
        Actor {
            account: self.who.user.as_deref().unwrap_or_default().to_owned(),
            name: name.to_owned(),
            from: self.from.clone(),
            signs: None,
        }
    }

    /// The same with the name that is `given` under `key`, which must be that of the account where one is signed in.
    ///
    /// # Errors
    /// Another name than that of the account, or none where nobody is signed in.
    pub(crate) fn named(&self, key: &str, given: &str) -> Result<Actor, WebError> {
        Ok(self.actor(&self.who.signs(key, given)?))
    }

    /// The same where nobody needs to give a name.
    ///
    /// # Errors
    /// Another name than that of the account.
    pub(crate) fn perhaps_named(&self, key: &str, given: &str) -> Result<Actor, WebError> {
        Ok(self.actor(&self.who.may_sign(key, given)?))
    }

    /// Somebody as who signs: the password of the account is asked for again, and wrong ones lock that.
    /// Where there are no users nothing is signed.
    ///
    /// # Errors
    /// No password, or a wrong one, which the trail keeps.
    pub(crate) async fn signs(
        &self,
        app: &App,
        actor: Actor,
        (password, meaning): (Option<&str>, Meaning),
    ) -> Result<Actor, WebError> {
        if app.parts().access == Access::Open {
            return Ok(actor);
        }
        let Some(user) = self.who.user.clone() else { return Err(WebError::SignIn) };
        let Some(password) = password.filter(|password| !password.is_empty()) else {
            let message = "this is signed: give your password again, as password";
            return Err(WebError::Parameter(message.to_owned()));
        };
        let (password, trail) = (password.to_owned(), app.parts().trail.clone());
        let by = Actor { name: actor.account.clone(), signs: None, ..actor.clone() };
        let looked = app.hashing(move |accounts| {
            let looked = accounts.verify(&user, &password)?;
            if let Err(why) = &looked {
                tell_refused(trail.as_ref(), &by, What::SignatureRefused, *why);
            }
            Ok(looked)
        });
        match looked.await? {
            Ok(_) => Ok(Actor { signs: Some(meaning), ..actor }),
            Err(_) => Err(WebError::NoLogin),
        }
    }
}

/// The meaning of a signature: one of those that fit, the first where none is given.
pub(crate) fn meaning_of(given: Option<&str>, fit: &[Meaning]) -> Result<Meaning, WebError> {
    let first = fit.first().copied().unwrap_or(Meaning::Confirmed);
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(first) };
    let found = fit.iter().copied().find(|meaning| meaning.word() == given);
    found.ok_or_else(|| {
        let known: Vec<&str> = fit.iter().map(|meaning| meaning.word()).collect();
        WebError::unknown("meaning", given, &known.join(", "))
    })
}
