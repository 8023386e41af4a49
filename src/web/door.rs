//! Who is let in. Where people sign in, each request is let through here or refused: by its session, by the token of a
//! display, or because the route asks nobody. A route that [`need`] does not name for writing is not written to.

use std::fmt;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::account::{Account, Right, Role};

use super::address::escaped;
use super::cookies::{cookie_names, display_cookie};
use super::error::WebError;
use super::who::{Access, Asked, Via, Who};
use super::{App, Shown, blocking};

/// What a route asks of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nobody,
    /// To be signed in, whoever it is: also where the password has to be changed first.
    Account,
    /// A right.
    Right(Right),
}

/// What a route asks; none where a method does not belong to it.
pub(crate) fn need(method: &Method, path: &str) -> Option<Need> {
    match *method {
        Method::GET | Method::HEAD => Some(match path {
            "/login" | "/setup" | "/assets/{name}" | "/healthz" | "/readyz" => Need::Nobody,
            "/account" => Need::Account,
            _ if is_audit(path) => Need::Right(Right::Audit),
            _ if is_admins(path) => Need::Right(Right::Administer),
            _ => Need::Right(Right::Read),
        }),
        Method::POST => written(path),
        _ => None,
    }
}

/// Whether a path is about the audit trail or what was in force.
fn is_audit(path: &str) -> bool {
    let roots = ["/admin/audit", "/api/v1/audit", "/api/v1/audit.csv", "/api/v1/configurations"];
    is_below(path, &roots)
}

/// Whether a path is about users or tokens.
fn is_admins(path: &str) -> bool {
    is_below(path, &["/admin", "/api/v1/admin"])
}

/// Whether a path is one of these or below one.
pub(super) fn is_below(path: &str, roots: &[&str]) -> bool {
    roots.iter().any(|root| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn written(path: &str) -> Option<Need> {
    let of_line = path.strip_prefix("/api/v1/lines/{id}");
    let right = match of_line.unwrap_or(path) {
        "/api/v1/login" | "/api/v1/setup" => return Some(Need::Nobody),
        "/api/v1/logout" | "/api/v1/password" => return Some(Need::Account),
        "/api/v1/session" | "/api/v1/ack/paint" => Right::Read,
        "/stops/revisions"
        | "/batches"
        | "/batches/close"
        | "/calls"
        | "/calls/{number}/take"
        | "/calls/{number}/close"
        | "/reports/gaps" => Right::Work,
        "/charts/{characteristic}/limits"
        | "/charts/{characteristic}/limits/{version}/decision"
        | "/incidents/{incident}/work"
        | "/reports/final"
        | "/reports/final/{number}/signatures" => Right::Judge,
        "/api/v1/reload" | "/api/v1/sim/clear" | "/api/v1/sim/hold" | "/api/v1/sim/inject"
        | "/api/v1/sim/reset" => Right::Administer,
        path if is_admins(path) => Right::Administer,
        _ => return None,
    };
    Some(Need::Right(right))
}

/// Whether a person does something by that: opens a page or writes. What pages ask for by themselves keeps no session
/// alive, or a screen that nobody looks at would.
fn is_used(method: &Method, path: &str) -> bool {
    let by_itself = ["/api/", "/events", "/metrics"].iter().any(|root| path.starts_with(root));
    match *method {
        Method::POST => path != "/api/v1/ack/paint",
        _ => !by_itself,
    }
}

/// What a request shows to be let in. No log is told what it is.
#[derive(Clone)]
pub(crate) enum Ticket {
    /// The token of a session.
    Session(String),
    /// The token of a display.
    Display(String),
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ticket::Session(_) => "Session(…)",
            Ticket::Display(_) => "Display(…)",
        })
    }
}

/// The tickets of a request, the one that counts first.
fn tickets(headers: &HeaderMap, secure: bool) -> Vec<Ticket> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(bearer) = bearer {
        // Who names a token means it: a cookie beside it is not looked at.
        let token = bearer.strip_prefix("Bearer ").unwrap_or_default();
        return vec![Ticket::Display(token.trim().to_owned())];
    }
    let [session, display] = cookie_names(secure);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs: Vec<(&str, &str)> =
        cookies.flat_map(|all| all.split(';')).filter_map(|c| c.trim().split_once('=')).collect();
    let of = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
    of(session).map(Ticket::Session).into_iter().chain(of(display).map(Ticket::Display)).collect()
}

impl From<Account> for Who {
    fn from(account: Account) -> Who {
        let Account { name, printed, role, must_change } = account;
        Who { user: Some(name), printed, role, via: Via::Session, must_change }
    }
}

impl App {
    /// Whose ticket that is; none if it is worth nothing, or not any more.
    pub(crate) async fn admits(
        &self,
        ticket: &Ticket,
        used: bool,
    ) -> Result<Option<Who>, WebError> {
        let accounts = self.parts().accounts.clone();
        let ticket = ticket.clone();
        blocking(move || match &ticket {
            Ticket::Session(token) => Ok(accounts.session(token, used)?.map(Who::from)),
            Ticket::Display(token) => Ok(accounts.display(token)?.map(|printed| Who {
                user: None,
                printed,
                role: Role::Viewer,
                via: Via::Token,
                must_change: false,
            })),
        })
        .await
    }
}

/// Lets a request through or refuses it. Where the service is open everybody is let through.
pub(super) async fn door(State(shown): State<Shown>, mut request: Request, next: Next) -> Response {
    let app = shown.now();
    let Access::Users { secure } = app.parts().access else { return next.run(request).await };
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = path.unwrap_or_default();
    let Some(need) = need(request.method(), &path) else {
        return WebError::WrongMethod.into_response();
    };
    if let Some(token) = wall_token(&path, &request) {
        let uri = request.uri().clone();
        return hang(&app, &uri, &token, secure).await;
    }
    let used = is_used(request.method(), &path);
    let mut found = None;
    // What needs nobody is answered also while the record cannot be read.
    let shown = if need == Need::Nobody { Vec::new() } else { tickets(request.headers(), secure) };
    for ticket in shown {
        match app.admits(&ticket, used).await {
            Ok(Some(who)) => {
                found = Some((who, ticket));
                break;
            }
            Ok(None) => {}
            Err(error) => return error.into_response(),
        }
    }
    if let Err(refused) = passes(need, found.as_ref().map(|(who, _)| who)) {
        return match (&refused, is_page(&request, &path)) {
            (WebError::SignIn, true) if found.is_none() => lead("/login", &request),
            (WebError::OwnPassword, true) => lead("/account", &request),
            _ => refused.into_response(),
        };
    }
    let renewed = match &found {
        Some((_, Ticket::Display(token))) if path.starts_with("/wall") => {
            display_cookie(token, secure)
        }
        _ => None,
    };
    if let Some((who, ticket)) = found {
        request.extensions_mut().insert(Asked(who));
        request.extensions_mut().insert(ticket);
    }
    let mut response = next.run(request).await;
    if let Some(cookie) = renewed {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether who asks may pass.
fn passes(need: Need, who: Option<&Who>) -> Result<(), WebError> {
    match (need, who) {
        (Need::Nobody, _) => Ok(()),
        (_, None) => Err(WebError::SignIn),
        (Need::Account, Some(who)) if who.user.is_some() => Ok(()),
        (Need::Account, Some(_)) => Err(WebError::SignIn),
        (Need::Right(_), Some(who)) if who.must_change => Err(WebError::OwnPassword),
        (Need::Right(right), Some(who)) if who.may(right) => Ok(()),
        (Need::Right(right), Some(_)) => Err(WebError::Role(right.least())),
    }
}

/// Whether a browser asks for a page that it shows.
fn is_page(request: &Request, path: &str) -> bool {
    let by_program = ["/api/", "/events", "/metrics"].iter().any(|root| path.starts_with(root));
    !by_program && !request.headers().contains_key(header::AUTHORIZATION)
}

/// Sends a browser to the page that comes first, with the way back.
fn lead(first: &str, request: &Request) -> Response {
    let asked = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // Slashes mean nothing in a query, and are easier to read as they are.
    go(&format!("{first}?to={}", escaped(asked).replace("%2F", "/")))
}

fn go(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response()
}

/// The token in the address of a wall, as it is hung up.
fn wall_token(path: &str, request: &Request) -> Option<String> {
    let is_wall = path == "/wall" || path.starts_with("/wall/");
    let query = request.uri().query().filter(|_| is_wall)?;
    query.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned)
}

/// Lets a wall keep its token and sends it to its clean address: a token must not stand in a history.
async fn hang(app: &App, uri: &Uri, token: &str, secure: bool) -> Response {
    let known = match app.admits(&Ticket::Display(token.to_owned()), false).await {
        Ok(known) => known.is_some(),
        Err(error) => return error.into_response(),
    };
    let path = uri.path();
    let rest = uri.query().unwrap_or_default().split('&');
    let rest: Vec<&str> = rest.filter(|pair| !pair.starts_with("token=")).collect();
    let clean =
        if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
    let mut response = go(if known { &clean } else { "/login" });
    if let Some(cookie) = display_cookie(token, secure).filter(|_| known) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_log_is_told_a_token() {
        for ticket in [Ticket::Session("00ff".to_owned()), Ticket::Display("00ff".to_owned())] {
            let said = format!("{ticket:?} {:?}", Some(&ticket));
            assert!(said.contains("(…)") && !said.contains("00ff"), "{said}");
        }
    }

    #[test]
    fn what_nobody_named_is_not_written_to() {
        assert_eq!(need(&Method::POST, "/api/v1/lines/{id}/new"), None);
        assert_eq!(need(&Method::DELETE, "/api/v1/lines"), None);
        assert_eq!(need(&Method::POST, "/api/v1/administer"), None);
        let admin = Some(Need::Right(Right::Administer));
        assert_eq!(need(&Method::GET, "/admin"), admin);
        let audit = Some(Need::Right(Right::Audit));
        assert_eq!(need(&Method::GET, "/admin/audit"), audit);
        assert_eq!(need(&Method::GET, "/api/v1/configurations/{sha256}"), audit);
        assert_eq!(need(&Method::GET, "/api/v1/audit.csv"), audit);
        assert_eq!(need(&Method::GET, "/api/v1/audits"), Some(Need::Right(Right::Read)));
        assert_eq!(need(&Method::POST, "/api/v1/admin/anything"), admin);
    }

    #[test]
    fn pages_and_orders_are_use_and_what_pages_ask_for_is_not() {
        assert!(is_used(&Method::GET, "/spc") && is_used(&Method::POST, "/api/v1/session"));
        assert!(!is_used(&Method::GET, "/events") && !is_used(&Method::POST, "/api/v1/ack/paint"));
        assert!(!is_used(&Method::GET, "/api/v1/lines/{id}/stops"));
    }
}
