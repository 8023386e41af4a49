//! Who is let in. Where people sign in, each request is let through here or refused: by its session, by the token of a
//! display, or because the route asks nobody. A route that [`need`] does not name for writing is not written to.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::account::{Account, Right, Role};

use super::displays::Bucket;
use super::error::WebError;
use super::who::{Access, Asked, Via, Who};
use super::{App, Shown, blocking};
use crate::clock::boot_us;

/// Attempts to sign in from one address: so many at once, and so many a second in the long run.
const TRIES: (f64, f64) = (10.0, 0.1);
/// Addresses remembered at once.
const ADDRESSES: usize = 1_000;
/// How long a browser keeps the token of a display: as long as browsers keep anything. It is renewed by each wall.
const DISPLAY_KEPT: &str = "; Max-Age=34560000";

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
    let roots = ["/admin/audit", "/api/v1/audit", "/api/v1/configurations"];
    roots.iter().any(|root| path.starts_with(root))
}

/// Whether a path is about users or tokens.
fn is_admins(path: &str) -> bool {
    ["/admin", "/api/v1/admin"].iter().any(|root| {
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

/// What a request shows to be let in.
#[derive(Clone, Debug)]
pub(crate) enum Ticket {
    /// The token of a session.
    Session(String),
    /// The token of a display.
    Display(String),
}

/// Names of the two cookies. Over TLS browsers keep them to this host and to TLS.
fn cookie_names(secure: bool) -> [&'static str; 2] {
    match secure {
        true => ["__Host-capline", "__Host-capline-display"],
        false => ["capline-session", "capline-display"],
    }
}

/// A cookie that scripts cannot read and other sites cannot use; an empty token takes it away.
fn cookie(name: &str, token: &str, secure: bool, kept: &str) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let kept = if token.is_empty() { "; Max-Age=0" } else { kept };
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{kept}").parse().ok()
}

/// The cookie of a session; it goes with the browser, and an empty token takes it away.
pub(crate) fn session_cookie(token: &str, secure: bool) -> Option<HeaderValue> {
    cookie(cookie_names(secure)[0], token, secure, "")
}

fn display_cookie(token: &str, secure: bool) -> Option<HeaderValue> {
    cookie(cookie_names(secure)[1], token, secure, DISPLAY_KEPT)
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
    for ticket in tickets(request.headers(), secure) {
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
    let back = asked.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    go(&format!("{first}?to={}", back.collect::<String>()))
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

/// Attempts to sign in by address.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, Bucket>>);

impl Attempts {
    /// Whether another attempt from an address is looked at.
    pub(super) fn lets_pass(&self, address: IpAddr) -> Result<(), WebError> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = boot_us();
        if attempts.len() >= ADDRESSES && !attempts.contains_key(&address) {
            // Those that have rested long enough to begin anew are forgotten.
            attempts.retain(|_, bucket| !bucket.has_rested(TRIES, now_us));
            if attempts.len() >= ADDRESSES {
                return Err(WebError::TooOften);
            }
        }
        match attempts.entry(address).or_default().lets_pass(TRIES, now_us) {
            true => Ok(()),
            false => Err(WebError::TooOften),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_is_held_up_and_others_are_not() {
        let attempts = Attempts::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let passed = (0..50).filter(|_| attempts.lets_pass(one).is_ok()).count();
        assert!((10..20).contains(&passed), "{passed}");
        assert!(attempts.lets_pass(other).is_ok());
    }

    #[test]
    fn cookies_belong_to_this_host_and_to_no_script() {
        let secure = session_cookie("00ff", true).unwrap();
        let told = "__Host-capline=00ff; Path=/; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(secure, told);
        let plain = session_cookie("00ff", false).unwrap();
        assert_eq!(plain, "capline-session=00ff; Path=/; HttpOnly; SameSite=Strict");
        assert!(session_cookie("", false).unwrap().to_str().unwrap().ends_with("Max-Age=0"));
        assert!(session_cookie("a\nb", false).is_none());
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
        assert_eq!(need(&Method::POST, "/api/v1/admin/anything"), admin);
    }

    #[test]
    fn pages_and_orders_are_use_and_what_pages_ask_for_is_not() {
        assert!(is_used(&Method::GET, "/spc") && is_used(&Method::POST, "/api/v1/session"));
        assert!(!is_used(&Method::GET, "/events") && !is_used(&Method::POST, "/api/v1/ack/paint"));
        assert!(!is_used(&Method::GET, "/api/v1/lines/{id}/stops"));
    }
}
