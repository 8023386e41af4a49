//! Who asks: nobody in particular where the service is open, else an account by its session or a display by its token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::account::{Right, Role, is_free, is_plain, printed_key};

use super::api::{NAME, optional, text};
use super::error::WebError;
use super::{App, Peer, Shown};

/// Who may ask at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody who reaches the address. Names are typed, not proven.
    Open,
    /// Accounts that sign in, and displays with a token.
    Users {
        /// Whether browsers reach the service over TLS alone, so that cookies may be kept to that.
        secure: bool,
    },
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The name of the account; none where the service is open, and for a display.
    pub user: Option<Box<str>>,
    /// The name on records; that of the display for a token, empty where the service is open.
    pub printed: Box<str>,
    /// The role. Where the service is open nothing rests on it: ask [`Who::may`].
    pub role: Role,
    /// How that is known.
    pub via: Via,
    /// Whether the account is for nothing but choosing another password.
    pub must_change: bool,
}

/// How it is known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// It is not: the service is open.
    Open,
    /// By a session.
    Session,
    /// By the token of a display.
    Token,
}

impl Who {
    /// Anybody, where the service is open.
    pub fn open() -> Who {
        Who {
            user: None,
            printed: "".into(),
            role: Role::Viewer,
            via: Via::Open,
            must_change: false,
        }
    }

    /// Whether the asker has a right. Where the service is open everybody has all of them; whether anything may be
    /// written at all is asked elsewhere.
    pub fn may(&self, right: Right) -> bool {
        match self.via {
            Via::Open => true,
            Via::Session | Via::Token => self.role.may(right),
        }
    }

    /// Whether the asker may write here what takes a right. Where the service is open that depends on the service alone.
    pub(crate) fn writes(&self, app: &App, right: Right) -> bool {
        match self.via {
            Via::Open => app.parts().writes,
            Via::Session | Via::Token => self.role.may(right),
        }
    }

    /// The name that stands on a record: that of the account, else the one that is given under `key`.
    ///
    /// # Errors
    /// Another name than that of the account, or none where nobody is signed in.
    pub(crate) fn signs(&self, key: &str, given: &str) -> Result<String, WebError> {
        match self.known(key, given)? {
            Some(printed) => Ok(printed),
            None => typed(text(key, given, NAME)?),
        }
    }

    /// The same where a record may be without a name: empty then.
    ///
    /// # Errors
    /// Another name than that of the account.
    pub(crate) fn may_sign(&self, key: &str, given: &str) -> Result<String, WebError> {
        match self.known(key, given)? {
            Some(printed) => Ok(printed),
            None => typed(optional(key, given, NAME)?),
        }
    }

    fn known(&self, key: &str, given: &str) -> Result<Option<String>, WebError> {
        if !self.is_known() {
            return Ok(None);
        }
        match given.trim().is_empty() || printed_key(given) == printed_key(&self.printed) {
            true => Ok(Some(self.printed.to_string())),
            false => {
                let printed = &self.printed;
                let message = format!("{key} is not {printed}, who is signed in; leave it out");
                Err(WebError::Parameter(message))
            }
        }
    }

    /// Whether the name on records is known, so that none is asked for.
    pub fn is_known(&self) -> bool {
        self.via == Via::Session
    }
}

/// A name that somebody typed, which proves nothing but must not look like that of the service.
fn typed(name: String) -> Result<String, WebError> {
    let fit = is_plain(&name).and_then(|()| is_free(&name));
    fit.map_err(|why| WebError::Parameter(why.to_string()))?;
    Ok(name)
}

/// What the check of roles has found out about a request.
#[derive(Clone, Debug)]
pub(crate) struct Asked(pub(crate) Who);

impl FromRequestParts<Shown> for Who {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, shown: &Shown) -> Result<Who, WebError> {
        match parts.extensions.get::<Asked>() {
            Some(Asked(who)) => Ok(who.clone()),
            None if shown.now().parts().access == Access::Open => Ok(Who::open()),
            None => Err(WebError::SignIn),
        }
    }
}

/// The address that a request came from; empty where there is no connection.
pub struct WhereFrom(pub String);

impl<S: Send + Sync> FromRequestParts<S> for WhereFrom {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<WhereFrom, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>();
        Ok(WhereFrom(peer.map_or_else(String::new, |Peer(ip)| ip.to_canonical().to_string())))
    }
}
