//! Signing in, and what follows from who is signed in.

use axum::extract::Extension;
use domain::account::Order;
use domain::audit::{Filter, Note, What};
use futures_util::StreamExt;
use serde_json::json;

use super::matrix::{PASSWORD, Plant};
use super::*;
use crate::web::{Access, Trail, router};

const USERS: Access = Access::Users { secure: false };

fn request(method: &str, path: &str, cookie: &str, body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header(header::HOST, "127.0.0.1:8080");
    request = request.header(header::CONTENT_TYPE, "application/json");
    if !cookie.is_empty() {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

async fn post(app: &App, path: &str, cookie: &str, body: Value) -> Answer {
    ask(app, request("POST", path, cookie, &body)).await
}

async fn open(app: &App, path: &str, cookie: &str) -> Answer {
    ask(app, request("GET", path, cookie, &Value::Null)).await
}

fn credentials(name: &str, password: &str) -> Value {
    json!({ "name": name, "password": password })
}

/// What has been audited.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<Note>>);

impl Trail for Heard {
    fn note(&self, note: Note) -> Result<(), String> {
        self.0.lock().unwrap().push(note);
        Ok(())
    }
}

/// Shows: ACC-08
#[tokio::test]
async fn a_session_begins_with_a_cookie_and_ends_when_it_is_told() {
    let plant = Plant::new(USERS);
    let answer = post(&plant.app, "/api/v1/login", "", credentials("Operator", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["printed"], "operator Li");
    let set = answer.header(header::SET_COOKIE).to_owned();
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{set}");
    let cookie = set.split(';').next().unwrap();
    assert_eq!(cookie.len(), "capline-session=".len() + 64);
    let view = open(&plant.app, "/api/v1/session", cookie).await.json();
    assert_eq!((&view["role"], &view["via"]), (&json!("operator"), &json!("session")));
    let gone = post(&plant.app, "/api/v1/logout", cookie, json!({})).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert!(gone.header(header::SET_COOKIE).contains("Max-Age=0"));
    let after = open(&plant.app, "/api/v1/session", cookie).await;
    assert_eq!(
        (after.status, &after.json()["code"]),
        (StatusCode::UNAUTHORIZED, &json!("sign_in"))
    );
    // Over TLS the cookie is another one, and the plain one is none.
    let secure = Plant::new(Access::Users { secure: true });
    let answer = post(&secure.app, "/api/v1/login", "", credentials("operator", PASSWORD)).await;
    let set = answer.header(header::SET_COOKIE).to_owned();
    assert!(set.starts_with("__Host-capline=") && set.ends_with("; Secure"), "{set}");
    let plain = open(&secure.app, "/api/v1/session", secure.ticket('q')).await;
    assert_eq!(plain.status, StatusCode::UNAUTHORIZED);
}

/// Shows: ACC-07
#[tokio::test]
async fn whatever_is_wrong_the_words_are_the_same_and_the_trail_tells_them_apart() {
    let mut plant = Plant::new(USERS);
    let heard = Arc::new(Heard::default());
    let mut parts = plant.app.parts().clone();
    parts.trail = heard.clone();
    plant.app = App::new(parts);
    plant
        .accounts
        .change("viewer", crate::web::Change::Disable, &Order::default())
        .unwrap()
        .unwrap();
    let mut told = BTreeSet::new();
    let mut tries = vec![("nobody", PASSWORD), ("viewer", PASSWORD), ("", "")];
    tries.extend([("quality", "wrong horse"); 5]);
    tries.push(("quality", PASSWORD));
    for (name, password) in tries {
        let answer = post(&plant.app, "/api/v1/login", "", credentials(name, password)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header(header::SET_COOKIE), "");
        told.insert(answer.body);
    }
    assert_eq!(told.len(), 1, "one answer for all");
    let notes = heard.0.lock().unwrap();
    let words: Vec<&str> = notes.iter().map(|note| note.new.as_str()).collect();
    assert_eq!(words[..3], ["unknown", "disabled", "unknown"]);
    assert_eq!(notes.iter().filter(|note| note.what == What::LockedOut).count(), 1);
    assert_eq!(words.last(), Some(&"locked"));
    assert!(notes.iter().all(|note| note.by.name == note.by.account));
    let said = format!("{notes:?}");
    assert!(!said.contains("wrong horse") && !said.contains(PASSWORD), "no password in the trail");
}

/// Shows: ACC-07
#[tokio::test]
async fn guesses_of_one_address_are_held_up() {
    let plant = Plant::new(USERS);
    let peer = crate::web::Peer("192.0.2.7".parse().unwrap());
    let router = router(plant.app.clone(), false).layer(Extension(peer));
    let mut statuses = BTreeSet::new();
    for n in 0..20 {
        let request = request("POST", "/api/v1/login", "", &credentials(&format!("u{n}"), "x"));
        statuses.insert(router.clone().call(request).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, BTreeSet::from([401, 429]));
}

#[tokio::test]
async fn who_is_signed_in_signs_and_nobody_else() {
    let plant = Plant::new(USERS);
    let (operator, quality) = (plant.ticket('o'), plant.ticket('q'));
    let batches = "/api/v1/lines/L1/batches";
    let other = post(&plant.app, batches, operator, json!({ "id": "B1", "by": "Zhang" })).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    assert!(other.text().contains("operator Li, who is signed in"), "{}", other.text());
    let calls = "/api/v1/lines/L1/calls";
    for by in [Value::Null, json!(""), json!("OPERATOR  Li")] {
        let mut body = json!({ "need": "machine", "station": "CF01" });
        if !by.is_null() {
            body["by"] = by;
        }
        let call = post(&plant.app, calls, operator, body).await;
        assert_eq!(call.status, StatusCode::OK, "{}", call.text());
        assert_eq!(call.json()["opened"]["by"], "operator Li");
    }
    let call = post(&plant.app, calls, operator, json!({ "need": "quality", "by": "Zhang" })).await;
    assert_eq!(call.status, StatusCode::BAD_REQUEST);
    // A display signs nothing, and a low role is told which one it takes.
    let work = json!({ "kind": "note", "text": "x" });
    let path = "/api/v1/lines/L1/incidents/1/work";
    let low = post(&plant.app, path, operator, work.clone()).await;
    assert_eq!((low.status, &low.json()["code"]), (StatusCode::FORBIDDEN, &json!("role")));
    assert!(low.text().contains("this needs the role quality"), "{}", low.text());
    let admin = post(&plant.app, path, plant.ticket('a'), work.clone()).await;
    assert_eq!(admin.status, StatusCode::FORBIDDEN, "who gives roles judges nothing");
    let none = post(&plant.app, path, quality, work).await;
    assert!(none.text().contains("no incident 1"), "{}", none.text());
}

#[tokio::test]
async fn pages_lead_to_the_sign_in_and_back_and_show_what_the_role_may() {
    let plant = Plant::new(USERS);
    let away = open(&plant.app, "/stops?line=L1&window=day", "").await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    let to = away.header(header::LOCATION);
    assert_eq!(to, "/login?to=/stops%3Fline%3DL1%26window%3Dday");
    let page = open(&plant.app, to, "").await;
    assert!(page.text().contains("data-to=\"/stops?line=L1&amp;window=day\""), "{}", page.text());
    let elsewhere = open(&plant.app, "/login?to=//evil.example", "").await;
    assert!(elsewhere.text().contains("data-to=\"/\""), "{}", elsewhere.text());
    assert_eq!(open(&plant.app, "/setup", "").await.header(header::LOCATION), "/login");
    for (asker, works, judges, keeps) in [
        ('v', false, false, false),
        ('o', true, false, false),
        ('q', true, true, false),
        ('a', false, false, true),
    ] {
        let cookie = plant.ticket(asker);
        let stops = open(&plant.app, "/stops", cookie).await;
        assert!(stops.text().contains(&format!("data-calls=\"{works}\"")), "{asker}");
        assert!(
            stops.text().contains("id=\"author\" type=\"hidden\""),
            "{asker}: no name is asked for"
        );
        assert!(stops.text().contains("id=\"sign-out\""), "{asker}");
        assert_eq!(stops.text().contains("href=\"/admin"), keeps, "{asker}");
        let spc = open(&plant.app, "/spc", cookie).await;
        assert!(spc.text().contains(&format!("data-writes=\"{judges}\"")), "{asker}");
        let data = open(&plant.app, "/data", cookie).await;
        assert_eq!(data.text().contains("reload-button"), keeps, "{asker}");
    }
    // Where nobody signs in the page says so, and asks for a name.
    let (app, _sender) = running();
    let stops = get(&app, "/stops").await;
    assert!(stops.text().contains("no sign-in") && !stops.text().contains("sign-out"));
    assert!(stops.text().contains("id=\"author\" name=\"author\""));
}

/// Shows: ACC-16
#[tokio::test]
async fn a_wall_is_hung_up_with_its_token_once() {
    let plant = Plant::new(USERS);
    let cookie = plant.ticket('d');
    let token = cookie.split_once('=').unwrap().1;
    let hung = open(&plant.app, &format!("/wall/L1?lang=zh&token={token}"), "").await;
    assert_eq!(hung.status, StatusCode::SEE_OTHER);
    assert_eq!(hung.header(header::LOCATION), "/wall/L1?lang=zh");
    assert!(hung.header(header::SET_COOKIE).starts_with(cookie));
    let wall = open(&plant.app, "/wall/L1?lang=zh", cookie).await;
    assert_eq!(wall.status, StatusCode::OK);
    let set: Vec<&str> =
        wall.headers.get_all(header::SET_COOKIE).iter().map(|set| set.to_str().unwrap()).collect();
    assert!(set.iter().any(|set| set.starts_with(cookie)), "it is renewed: {set:?}");
    let wrong = open(&plant.app, "/wall/L1?token=00", "").await;
    assert_eq!((wrong.header(header::LOCATION), wrong.header(header::SET_COOKIE)), ("/login", ""));
    // A program sends the same token.
    let bearer = format!("Bearer {token}");
    let metrics = get_with(&plant.app, "/metrics", "authorization", &bearer).await;
    assert_eq!(metrics.status, StatusCode::OK);
    for wrong in ["Bearer 00", "Basic dTpw", "Bearer"] {
        let refused = get_with(&plant.app, "/metrics", "authorization", wrong).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let number = plant.accounts.displays().unwrap()[0].number;
    plant.accounts.revoke_display(number, &Order::default()).unwrap().unwrap();
    assert_eq!(open(&plant.app, "/wall/L1", cookie).await.status, StatusCode::SEE_OTHER);
}

/// Shows: ACC-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_screen_ends_with_its_session() {
    let plant = Plant::new(USERS);
    let cookie = plant.ticket('v');
    let asked = request("GET", "/events", cookie, &Value::Null);
    let answer = router(plant.app.clone(), true).call(asked).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut frames = answer.into_body().into_data_stream();
    assert!(frames.next().await.is_some(), "it is live");
    plant
        .accounts
        .change("viewer", crate::web::Change::Disable, &Order::default())
        .unwrap()
        .unwrap();
    let end = async { while frames.next().await.is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(60), end).await;
    assert!(ended.is_ok(), "the stream goes on");
}

#[tokio::test]
async fn users_are_kept_by_administrators_and_each_change_has_its_reason() {
    let plant = Plant::new(USERS);
    let admin = plant.ticket('a');
    let new = |reason: &str| {
        json!({ "name": "wang", "printed": "Wang Fang", "role": "operator", "password": PASSWORD,
                "reason": reason })
    };
    let users = "/api/v1/admin/users";
    let silent = post(&plant.app, users, admin, new(" ")).await;
    assert!(silent.text().contains("reason is empty"), "{}", silent.text());
    assert_eq!(post(&plant.app, users, admin, new("joins")).await.status, StatusCode::NO_CONTENT);
    let twice = post(&plant.app, users, admin, new("joins")).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let change = |body: Value| post(&plant.app, "/api/v1/admin/users/wang", admin, body);
    for (body, status) in [
        (json!({ "act": "role", "role": "quality", "reason": "promoted" }), 204),
        (json!({ "act": "role", "role": "root", "reason": "x" }), 400),
        (json!({ "act": "role", "reason": "x" }), 400),
        (json!({ "act": "reset", "password": "short", "reason": "x" }), 400),
        (json!({ "act": "reset", "password": "another horse", "reason": "forgotten" }), 204),
        (json!({ "act": "disable", "reason": "left" }), 204),
        (json!({ "act": "erase", "reason": "x" }), 400),
    ] {
        let answer = change(body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
    }
    let listed = open(&plant.app, users, admin).await.json();
    let wang = listed.as_array().unwrap().iter().find(|user| user["name"] == "wang").unwrap();
    assert_eq!((&wang["role"], &wang["state"]), (&json!("quality"), &json!("disabled")));
    let last = json!({ "act": "disable", "reason": "x" });
    let last = post(&plant.app, "/api/v1/admin/users/admin", admin, last).await;
    assert!(last.text().contains("last administrator"), "{}", last.text());
    let shown = json!({ "name": "Wall 2", "reason": "new screen" });
    let token = post(&plant.app, "/api/v1/admin/displays", admin, shown).await.json();
    assert_eq!(token["token"].as_str().map(str::len), Some(64));
    let revoked = json!({ "reason": "broken" });
    let path = "/api/v1/admin/displays/2/revoke";
    assert_eq!(post(&plant.app, path, admin, revoked).await.status, StatusCode::NO_CONTENT);
    // Each one that was taken is in the trail with who, before and after, and why; what was refused is not.
    let filter = Filter { who: Some("admin Li".to_owned()), ..Filter::default() };
    let mut entries = plant.app.parts().trail.entries(&filter, 99).unwrap();
    entries.reverse();
    let told = entries.iter().map(|entry| {
        let domain::audit::Entry { what, subject, old, new, reason, .. } = entry;
        assert_eq!(entry.account, "admin");
        format!("{what} {subject}: {old} > {new} ({reason})")
    });
    let expected = [
        "user_add wang:  > Wang Fang, operator (joins)",
        "user_change wang: operator > role: quality (promoted)",
        "user_change wang:  > reset: new password (forgotten)",
        "user_change wang: enabled > disable: disabled (left)",
        "display_add Wall 2:  >  (new screen)",
        "display_revoke Wall 2:  >  (broken)",
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
