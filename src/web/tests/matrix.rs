//! Who may ask what: every route of the description and every page, asked by every role on a real journal. Which routes
//! there are is not taken from the list of the door, nor is who may pass.

use axum::http::Method;
use domain::account::{Asking, NewAccount, Order, Role, SessionLimits};
use domain::digest::sha256;

use super::*;
use crate::accounts::Accounts;
use crate::historian::{AccountBook, Historian, Options};
use crate::service::{KeptAccounts, StoredHistory};
use crate::web::{Access, router};

/// Who asks: nobody, a session that has ended, a display, somebody of quality with a password that was given to them, and
/// each role.
const ASKERS: &str = "-xdmvoqa";
/// Who passes. Nobody needs to be known.
const ALL: &str = ASKERS;
const READ: &str = "dvoqa";
const ACCOUNT: &str = "mvoqa";
const WORK: &str = "oq";
const JUDGE: &str = "q";
const ADMIN: &str = "a";
const AUDIT: &str = "qa";

const ROWS: &[(&str, &str, &str)] = &[
    // Pages.
    ("GET", "/", READ),
    ("GET", "/wall", READ),
    ("GET", "/wall/{id}", READ),
    ("GET", "/line", READ),
    ("GET", "/stops", READ),
    ("GET", "/rejects", READ),
    ("GET", "/spc", READ),
    ("GET", "/spc/{characteristic}", READ),
    ("GET", "/reports", READ),
    ("GET", "/report/shift", READ),
    ("GET", "/report/batch", READ),
    ("GET", "/report/final", READ),
    ("GET", "/data", READ),
    ("GET", "/maps/{station}", READ),
    ("GET", "/sim", READ),
    ("GET", "/admin", ADMIN),
    ("GET", "/admin/audit", AUDIT),
    ("GET", "/account", ACCOUNT),
    ("GET", "/login", ALL),
    ("GET", "/setup", ALL),
    ("GET", "/assets/{name}", ALL),
    // What is read.
    ("GET", "/api/openapi.json", READ),
    ("GET", "/api/v1/alerts", READ),
    ("GET", "/api/v1/audit", AUDIT),
    ("GET", "/api/v1/audit.csv", AUDIT),
    ("GET", "/api/v1/configurations", AUDIT),
    ("GET", "/api/v1/configurations/{sha256}", AUDIT),
    ("GET", "/api/v1/displays", READ),
    ("GET", "/api/v1/forward", READ),
    ("GET", "/api/v1/lines", READ),
    ("GET", "/api/v1/lines/{id}/balance", READ),
    ("GET", "/api/v1/lines/{id}/batches", READ),
    ("GET", "/api/v1/lines/{id}/bores", READ),
    ("GET", "/api/v1/lines/{id}/calls", READ),
    ("GET", "/api/v1/lines/{id}/characteristics", READ),
    ("GET", "/api/v1/lines/{id}/charts", READ),
    ("GET", "/api/v1/lines/{id}/charts/{characteristic}", READ),
    ("GET", "/api/v1/lines/{id}/charts/{characteristic}/limits", READ),
    ("GET", "/api/v1/lines/{id}/charts/{characteristic}/limits/{version}/replay", READ),
    ("GET", "/api/v1/lines/{id}/charts/{characteristic}/points", READ),
    ("GET", "/api/v1/lines/{id}/counters/{tag}", READ),
    ("GET", "/api/v1/lines/{id}/curve", READ),
    ("GET", "/api/v1/lines/{id}/data", READ),
    ("GET", "/api/v1/lines/{id}/events", READ),
    ("GET", "/api/v1/lines/{id}/explain/{value}", READ),
    ("GET", "/api/v1/lines/{id}/hours", READ),
    ("GET", "/api/v1/lines/{id}/incidents", READ),
    ("GET", "/api/v1/lines/{id}/losses", READ),
    ("GET", "/api/v1/lines/{id}/minutes", READ),
    ("GET", "/api/v1/lines/{id}/minutes.csv", READ),
    ("GET", "/api/v1/lines/{id}/rejects", READ),
    ("GET", "/api/v1/lines/{id}/reports", READ),
    ("GET", "/api/v1/lines/{id}/series", READ),
    ("GET", "/api/v1/lines/{id}/shifts", READ),
    ("GET", "/api/v1/lines/{id}/snapshot", READ),
    ("GET", "/api/v1/lines/{id}/stops", READ),
    ("GET", "/api/v1/lines/{id}/stops/{number}", READ),
    ("GET", "/api/v1/lines/{id}/tags", READ),
    ("GET", "/api/v1/lines/{id}/trends", READ),
    ("GET", "/api/v1/reload", READ),
    ("GET", "/api/v1/session", READ),
    ("GET", "/api/v1/sim", READ),
    ("GET", "/events", READ),
    ("GET", "/healthz", ALL),
    ("GET", "/metrics", READ),
    ("GET", "/readyz", ALL),
    // Sessions and screens.
    ("POST", "/api/v1/ack/paint", READ),
    ("POST", "/api/v1/login", ALL),
    ("POST", "/api/v1/logout", ACCOUNT),
    ("POST", "/api/v1/password", ACCOUNT),
    ("POST", "/api/v1/session", READ),
    ("POST", "/api/v1/setup", ALL),
    // What happened at the line.
    ("POST", "/api/v1/lines/{id}/batches", WORK),
    ("POST", "/api/v1/lines/{id}/batches/close", WORK),
    ("POST", "/api/v1/lines/{id}/calls", WORK),
    ("POST", "/api/v1/lines/{id}/calls/{number}/close", WORK),
    ("POST", "/api/v1/lines/{id}/calls/{number}/take", WORK),
    ("POST", "/api/v1/lines/{id}/reports/gaps", WORK),
    ("POST", "/api/v1/lines/{id}/stops/revisions", WORK),
    // What is judged.
    ("POST", "/api/v1/lines/{id}/charts/{characteristic}/limits", JUDGE),
    ("POST", "/api/v1/lines/{id}/charts/{characteristic}/limits/{version}/decision", JUDGE),
    ("POST", "/api/v1/lines/{id}/incidents/{incident}/work", JUDGE),
    ("POST", "/api/v1/lines/{id}/reports/final", JUDGE),
    ("POST", "/api/v1/lines/{id}/reports/final/{number}/signatures", JUDGE),
    // Users, displays and the configuration.
    ("GET", "/api/v1/admin/displays", ADMIN),
    ("GET", "/api/v1/admin/users", ADMIN),
    ("POST", "/api/v1/admin/displays", ADMIN),
    ("POST", "/api/v1/admin/displays/{number}/revoke", ADMIN),
    ("POST", "/api/v1/admin/users", ADMIN),
    ("POST", "/api/v1/admin/users/{name}", ADMIN),
    ("POST", "/api/v1/reload", ADMIN),
    // The simulated plant, where there is one.
    ("POST", "/api/v1/sim/clear", ADMIN),
    ("POST", "/api/v1/sim/hold", ADMIN),
    ("POST", "/api/v1/sim/inject", ADMIN),
    ("POST", "/api/v1/sim/reset", ADMIN),
];

/// An app on a real journal with an account of each role and a display, and what each asker shows.
pub(super) struct Plant {
    _dir: tempfile::TempDir,
    pub(super) app: App,
    pub(super) accounts: Accounts,
    pub(super) book: AccountBook,
    _sender: Sender,
    tickets: BTreeMap<char, String>,
}

pub(super) const PASSWORD: &str = "correct horse";
/// What an administrator told them first.
pub(super) const GIVEN: &str = "given horse";

impl Plant {
    pub(super) fn new(access: Access) -> Plant {
        let dir = tempfile::tempdir().unwrap();
        let historian = Historian::open(dir.path(), Options::default()).unwrap();
        let book = AccountBook::within(&historian);
        let accounts = Accounts::new(book.clone(), SessionLimits::default());
        let (order, mut tickets) = (Order::default(), BTreeMap::new());
        for role in Role::ALL {
            let (name, printed) = (role.word().to_owned(), format!("{} Li", role.word()));
            let new = NewAccount { name, printed, role, password: GIVEN.to_owned() };
            assert_eq!(accounts.add(new, &order), Ok(Ok(())));
            let token = accounts.login(role.word(), GIVEN).unwrap().unwrap().token;
            assert_eq!(accounts.own_password(&token, (GIVEN, PASSWORD), &order), Ok(Ok(())));
            let letter = role.word().chars().next().unwrap();
            tickets.insert(letter, format!("capline-session={token}"));
        }
        let (name, printed) = ("newcomer".to_owned(), "Zhou Lei".to_owned());
        let new = NewAccount { name, printed, role: Role::Quality, password: GIVEN.to_owned() };
        assert_eq!(accounts.add(new, &order), Ok(Ok(())));
        let token = accounts.login("newcomer", GIVEN).unwrap().unwrap().token;
        tickets.insert('m', format!("capline-session={token}"));
        // Begun long ago, by who could do most.
        let old_us = Clock::real().now().utc_us - 13 * 60 * MINUTE_US;
        let login = book.login("quality", Asking::SignIn).unwrap().unwrap();
        assert!(book.begin_session(&sha256("old"), &login, (old_us, old_us)).unwrap());
        tickets.insert('x', "capline-session=old".to_owned());
        let display = accounts.add_display("Wall 1", &order).unwrap().unwrap();
        tickets.insert('d', format!("capline-display={display}"));
        let history = || Arc::new(StoredHistory(historian.clone()));
        let (app, sender) = fixture::app_with(Clock::real(), history(), history(), true);
        let mut parts = app.parts().clone();
        parts.accounts = Arc::new(KeptAccounts(accounts.clone()));
        parts.reports = history();
        parts.trail = history();
        parts.access = access;
        let status = fixture::status(Clock::real().now(), Case::Running);
        sender.send_replace(Some(Arc::new(status)));
        Plant { _dir: dir, app: App::new(parts), accounts, book, _sender: sender, tickets }
    }

    /// What an asker shows.
    pub(super) fn ticket(&self, asker: char) -> &str {
        self.tickets.get(&asker).map_or("", String::as_str)
    }

    /// Whether a request of an asker passes: nobody sends it away, whatever comes of it then.
    async fn passes(&self, asker: char, (method, path): (&str, &str), origin: &str) -> bool {
        let path = path.replace("{id}", "L1").replace("{name}", "app.css");
        let path = path.replace("{characteristic}", "reject_fraction").replace("{tag}", "CF01.X");
        let path = path.replace("{value}", "good").replace(['{', '}'], "");
        let path = path.replace("version", "1").replace("incident/", "1/").replace("number", "1");
        let mut request = Request::builder().method(method).uri(&path);
        request = request.header(header::HOST, "127.0.0.1:8080").header(header::ORIGIN, origin);
        request = request.header(header::CONTENT_TYPE, "application/json");
        let ticket = self.ticket(asker);
        if !ticket.is_empty() {
            request = request.header(header::COOKIE, ticket);
        }
        let request = request.body(Body::from("{}")).unwrap();
        // The body is not waited for: that of a stream never ends.
        let answer = router(self.app.clone(), true).call(request).await.unwrap();
        let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let away = ["/login?to=", "/account?to="];
        let sent_away = to.is_some_and(|to| away.iter().any(|page| to.starts_with(page)));
        let refused = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::INTERNAL_SERVER_ERROR,
        ];
        // Wrong credentials have passed the door.
        let guessed = path == "/api/v1/login" && answer.status() == StatusCode::UNAUTHORIZED;
        !sent_away && (guessed || !refused.contains(&answer.status()))
    }

    /// What of the table does not hold.
    async fn violations(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        // Last, because the sessions are gone afterwards; elsewhere comes before here for the same reason.
        let ends = |row: &&(&str, &str, &str)| row.1 == "/api/v1/logout";
        let rows = ROWS.iter().filter(|row| !ends(row)).chain(ROWS.iter().filter(ends));
        for (method, path, passing) in rows {
            for asker in ASKERS.chars() {
                let may = passing.contains(asker);
                let foreign = self.passes(asker, (*method, *path), "http://evil.example").await;
                // Signing in is refused to other pages by the same status as to guesses.
                if foreign != (may && *method == "GET") && *path != "/api/v1/login" {
                    wrong.push(format!("{method} {path} by {asker} elsewhere: passes {foreign}"));
                }
                let passes = self.passes(asker, (*method, *path), "http://127.0.0.1:8080").await;
                if passes != may {
                    wrong.push(format!("{method} {path} by {asker}: passes {passes}"));
                }
            }
        }
        wrong
    }
}

/// Methods and paths of the description, and the pages.
fn asked() -> BTreeSet<(String, String)> {
    let description = serde_json::to_value(api::description()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let described = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
        methods.filter(|m| m != "PARAMETERS").map(move |method| (method, path.clone()))
    });
    let shown = crate::web::pages::routes().into_iter().map(|(path, _)| path);
    let shown = shown.chain(["/assets/{name}"]).map(|path| ("GET".to_owned(), path.to_owned()));
    described.chain(shown).collect()
}

fn rows() -> BTreeSet<(String, String)> {
    ROWS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect()
}

/// Shows: ACC-06
#[test]
fn every_route_has_its_row_and_every_row_its_route() {
    let (asked, rows) = (asked(), rows());
    assert_eq!(rows.len(), ROWS.len(), "a row stands there twice");
    let missing: Vec<_> = asked.difference(&rows).collect();
    let over: Vec<_> = rows.difference(&asked).collect();
    assert!(
        missing.is_empty() && over.is_empty(),
        "without a row: {missing:?}; without a route: {over:?}"
    );
    // Each path that is routed is in the table, whatever the description says.
    let routed: BTreeSet<&str> = routes().iter().map(|(path, _)| *path).collect();
    let listed: BTreeSet<&str> = ROWS.iter().map(|(_, path, _)| *path).collect();
    assert_eq!(routed, listed);
}

/// Shows: ACC-06, ACC-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_those_pass_who_may() {
    let plant = Plant::new(Access::Users { secure: false });
    assert_eq!(plant.violations().await, Vec::<String>::new());
}

/// The negative control: with nobody at the door, the same table and the same judge find what is wrong.
/// Shows: ACC-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_door_the_table_does_not_hold() {
    let plant = Plant::new(Access::Open);
    let wrong = plant.violations().await;
    for expected in [
        "GET /api/v1/lines by -: passes true",
        "GET /events by x: passes true",
        "POST /api/v1/lines/{id}/charts/{characteristic}/limits by v: passes true",
        "POST /api/v1/reload by o: passes true",
        "POST /api/v1/lines/{id}/reports/final by m: passes true",
    ] {
        assert!(wrong.iter().any(|found| found == expected), "{expected} is not in {wrong:?}");
    }
    // Also where nobody checks roles, another page writes nothing.
    assert!(!wrong.iter().any(|found| found.contains("elsewhere") && found.contains("POST")));
}

#[tokio::test]
async fn methods_that_no_row_has_are_taken_of_nobody() {
    let plant = Plant::new(Access::Users { secure: false });
    let rows = rows();
    let methods = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for (path, _) in routes() {
        for method in &methods {
            if rows.contains(&(method.to_string(), path.to_owned())) {
                continue;
            }
            for asker in "-qa".chars() {
                let asked = (method.as_str(), path);
                let passes = plant.passes(asker, asked, "http://127.0.0.1:8080").await;
                assert!(!passes, "{method} {path} by {asker}");
            }
        }
    }
}
