//! What is done over the web stands in the audit trail of a real journal, and what is signed is bound to it.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::account::{Account, NoLogin, Role};
use domain::audit::{Filter, Signed};
use domain::units::LineId;
use serde_json::json;

use super::hand::post;
use super::*;
use crate::historian::audit::verify;
use crate::historian::{Historian, Options};
use crate::service::StoredHistory;
use crate::web::{Access, Accounts};

pub(super) const GAPS: &str = "/api/v1/lines/L1/reports/gaps";
pub(super) const FINAL: &str = "/api/v1/lines/L1/reports/final";

/// An app around a real journal.
pub(super) struct Scene {
    dir: tempfile::TempDir,
    pub(super) historian: Historian,
    pub(super) app: App,
    _sender: Sender,
}

pub(super) fn scene(access: Access) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let historian = Historian::open(dir.path(), Options::default()).unwrap();
    let (app, sender) = running();
    let mut parts = app.parts().clone();
    parts.access = access;
    parts.accounts = Arc::new(OnePassword::default());
    parts.quality = Arc::new(StoredHistory(historian.clone()));
    parts.reports = Arc::new(StoredHistory(historian.clone()));
    parts.trail = Arc::new(StoredHistory(historian.clone()));
    Scene { dir, historian, app: App::new(parts), _sender: sender }
}

impl Scene {
    /// What was done, and by whom, oldest first.
    pub(super) fn trail(&self) -> Vec<String> {
        let mut entries = self.historian.audit(&Filter::default(), 99).unwrap();
        entries.reverse();
        let word = |entry: domain::audit::Entry| {
            format!("{} {} by {}", entry.what, entry.subject, entry.name)
        };
        entries.into_iter().map(word).collect()
    }

    /// Asks as somebody who is signed in.
    pub(super) async fn post_as(&self, role: Role, path: &str, body: &Value) -> Answer {
        self.post_with(role.word(), path, body).await
    }

    /// Asks with the token of a session.
    pub(super) async fn post_with(&self, token: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, format!("capline-session={token}"));
        ask(&self.app, request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn get_as(&self, role: Role, path: &str) -> Answer {
        get_with(&self.app, path, "cookie", &format!("capline-session={}", role.word())).await
    }

    pub(super) fn end(self) -> (tempfile::TempDir, crate::historian::audit::Verified) {
        let Scene { dir, historian, app, _sender } = self;
        drop(app);
        historian.close().unwrap();
        let verified = verify(dir.path(), &[]).unwrap();
        (dir, verified)
    }
}

fn zhao(role: Role) -> Account {
    Account { name: "zhao.min".into(), printed: "Zhao Min".into(), role }
}

/// Somebody else of quality, and the token of their session.
pub(super) const WU: &str = "wu.lan";

/// One account with one password, and a session of it in each role. The third wrong password locks.
#[derive(Default)]
struct OnePassword(AtomicU32);

impl Accounts for OnePassword {
    fn verify(&self, name: &str, password: &str) -> Result<Result<Account, NoLogin>, String> {
        let account =
            Account { name: name.into(), printed: "Zhao Min".into(), role: Role::Quality };
        Ok(match password {
            "correct horse" => Ok(account),
            _ if self.0.fetch_add(1, Ordering::Relaxed) == 2 => Err(NoLogin::WrongAndLocked),
            _ => Err(NoLogin::Wrong),
        })
    }

    fn session(&self, token: &str, _: bool) -> Result<Option<Account>, String> {
        let wu = || Account { name: WU.into(), printed: "Wu Lan".into(), role: Role::Quality };
        Ok(if token == WU { Some(wu()) } else { Role::from_word(token).map(zhao) })
    }
}

pub(super) fn start() -> i64 {
    Clock::real().now().utc_us / 1_000 - 9_000_000
}

pub(super) async fn standing(scene: &Scene, start: i64) -> Value {
    let path = format!("/api/v1/lines/L1/reports?kind=shift&start_ms={start}");
    scene.get_as(Role::Quality, &path).await.json()
}

pub(super) fn gaps(standing: &Value) -> Vec<Value> {
    standing["gaps"].as_array().unwrap().iter().map(|gap| gap["gap"].clone()).collect()
}

#[tokio::test]
async fn what_people_do_over_the_web_is_in_the_trail() {
    let scene = scene(Access::Open);
    let start = start();
    let before = standing(&scene, start).await;
    let n_gaps = gaps(&before).len();
    let said = json!({ "kind": "shift", "start_ms": start, "gaps": gaps(&before), "by": "Bo", "why": "cable" });
    assert_eq!(post(&scene.app, GAPS, &said).await.status, StatusCode::OK);
    let seen = standing(&scene, start).await["data_sha256"].clone();
    let last = json!({ "kind": "shift", "start_ms": start, "lang": "en", "data_sha256": seen, "by": "An" });
    let made = post(&scene.app, FINAL, &last).await.json();
    let page = format!("/report/final?line=L1&start={start}&number={}", made["number"]);
    let page = get(&scene.app, &page).await;
    assert!(page.text().contains("Not signed: no users are configured."));
    assert!(page.text().contains("data-audit-head=\"") && page.text().contains("cafe01"));
    let csv = get(&scene.app, "/api/v1/lines/L1/minutes?format=csv").await;
    assert_eq!(csv.status, StatusCode::OK);
    get(&scene.app, "/api/v1/lines/L1/minutes").await;
    get(&scene.app, "/api/v1/audit.csv?what=nonsense").await;
    let trail = scene.trail();
    assert_eq!(trail[0], "journal_begun journal by system");
    assert!(
        trail[1..=n_gaps].iter().all(|entry| entry.starts_with("gap_explained L1 gap ")),
        "{trail:?}"
    );
    let rest: Vec<&str> =
        trail[n_gaps + 1..].iter().map(|e| e.split_whitespace().next().unwrap()).collect();
    assert_eq!(rest, ["report_finalised", "exported", "exported"], "{trail:?}");
    assert!(trail[n_gaps].ends_with("by Bo") && trail[n_gaps + 1].ends_with("by An"));
    assert!(trail.last().unwrap().contains("minutes?format=csv"));
    // Where there are no users nothing is signed.
    assert_eq!(scene.historian.signatures(&LineId::new("L1"), Signed::Report).unwrap(), []);
    let (_dir, verified) = scene.end();
    assert_eq!(verified.findings, []);
    assert!(
        verified.compared.iter().any(|with| with.contains("final report 1")),
        "{:?}",
        verified.compared
    );
}

/// Shows: ACC-13
#[tokio::test]
async fn a_record_is_signed_with_the_password_or_not_made() {
    let scene = scene(Access::Users { secure: false });
    let start = start();
    let before = standing(&scene, start).await;
    let said = |password: Value, meaning: &str| {
        let mut said = json!({ "kind": "shift", "start_ms": start, "gaps": gaps(&before), "by": "", "why": "cable", "meaning": meaning });
        said["password"] = password;
        said
    };
    let post = async |body: Value| scene.post_as(Role::Quality, GAPS, &body).await;
    // Without the password, with a meaning that is none, and with another password: nothing is kept.
    let none = post(said(Value::Null, "")).await;
    assert_eq!((none.status, &none.json()["code"]), (StatusCode::BAD_REQUEST, &json!("parameter")));
    assert!(none.text().contains("give your password again"));
    let odd = post(said(json!("correct horse"), "liked")).await;
    assert!(odd.text().contains("use confirmed, authored, reviewed"), "{}", odd.text());
    for _ in 0..3 {
        let wrong = post(said(json!("wrong horse"), "")).await;
        assert_eq!(
            (wrong.status, &wrong.json()["code"]),
            (StatusCode::UNAUTHORIZED, &json!("no_login"))
        );
    }
    let after = standing(&scene, start).await;
    assert_eq!(after["gaps"][0]["said"], json!([]));
    let refused = [
        "journal_begun journal by system",
        "signature_refused zhao.min by zhao.min",
        "signature_refused zhao.min by zhao.min",
        "signature_refused zhao.min by zhao.min",
        "lockout zhao.min by zhao.min",
    ];
    assert_eq!(scene.trail(), refused);

    let signed = post(said(json!("correct horse"), "reviewed")).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.text());
    // The name is that of the account.
    assert_eq!(signed.json()["gaps"][0]["said"][0]["by"], "Zhao Min");
    let seen = signed.json()["data_sha256"].clone();
    let last = json!({ "kind": "shift", "start_ms": start, "lang": "en", "data_sha256": seen, "by": "", "password": "correct horse" });
    let made = scene.post_as(Role::Quality, FINAL, &last).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let page = format!("/report/final?line=L1&start={start}&number={}", made.json()["number"]);
    let page = scene.get_as(Role::Quality, &page).await.text().to_owned();
    assert!(
        page.contains("Zhao Min</b> (zhao.min)") && page.contains("approved"),
        "the box is filled"
    );
    assert!(!page.contains("Not signed"));
    let signatures = scene.historian.signatures(&LineId::new("L1"), Signed::Report).unwrap();
    assert_eq!(
        (signatures[0].name.as_str(), signatures[0].meaning.as_str()),
        ("Zhao Min", "approved")
    );
    let (dir, verified) = scene.end();
    assert_eq!(verified.findings, []);
    assert!(verified.signatures >= 2);
    // A record that is changed afterwards is found.
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("drop trigger report_keep; update report set author = 'Wu'").unwrap();
    drop(conn);
    let found = verify(dir.path(), &[]).unwrap().findings;
    assert!(
        found.iter().any(|f| f.to_string().contains("is not what Zhao Min signed")),
        "{found:?}"
    );
}

#[tokio::test]
async fn limits_are_proposed_and_the_decision_about_them_is_signed() {
    let mut scene = scene(Access::Users { secure: false });
    let now_us = Clock::real().now().utc_us;
    let mut parts = scene.app.parts().clone();
    parts.history = Arc::new(api::charts::tests::running(now_us, now_us));
    scene.app = App::new(parts);
    let limits = "/api/v1/lines/L1/charts/reject_fraction/limits";
    let (from, to) = (now_us / 1_000 - 112_000_000, now_us / 1_000 - 22_000_000);
    let proposal =
        json!({ "author": "", "reason": "first", "from": from.to_string(), "to": to.to_string() });
    let made = scene.post_as(Role::Quality, limits, &proposal).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    assert!(scene.trail()[1].starts_with("limits_proposed L1 reject_fraction limits 1"));
    let decision = json!({ "verdict": "rejected", "by": "", "reason": "too wide", "password": "correct horse" });
    let decided = scene.post_as(Role::Quality, &format!("{limits}/1/decision"), &decision).await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.text());
    let kept = scene.get_as(Role::Quality, limits).await.json();
    assert_eq!(kept[0]["signature"]["meaning"], "rejected");
    let (_dir, verified) = scene.end();
    assert_eq!((verified.findings.len(), verified.signatures), (0, 1));
}

#[tokio::test]
async fn the_trail_is_shown_to_administrators_and_quality_alone() {
    let scene = scene(Access::Users { secure: false });
    for n in 0..120 {
        let by = domain::audit::Actor::named("Li");
        let note =
            domain::audit::Note::new(&by, domain::audit::What::StopRevised, format!("L1 stop {n}"));
        scene.historian.note(note.why("<b>jam</b>")).unwrap();
    }
    for path in ["/admin/audit", "/api/v1/audit", "/api/v1/audit.csv", "/api/v1/configurations"] {
        for (role, status) in [
            (Role::Viewer, StatusCode::FORBIDDEN),
            (Role::Operator, StatusCode::FORBIDDEN),
            (Role::Quality, StatusCode::OK),
            (Role::Admin, StatusCode::OK),
        ] {
            assert_eq!(scene.get_as(role, path).await.status, status, "{path} {role:?}");
        }
    }
    let page = scene.get_as(Role::Admin, "/admin/audit").await.text().to_owned();
    assert!(page.contains("The chain is sound up to entry 1"), "{page}");
    assert!(page.contains("&lt;b&gt;jam") && !page.contains("<b>jam</b>"), "texts are texts");
    assert!(page.contains("?before="), "there is a page that follows");
    let zh = scene.get_as(Role::Admin, "/admin/audit?lang=zh&who=Li&what=stop_revised").await;
    assert!(zh.text().contains("链条完整") && zh.text().contains("停机修订"));
    let bad = scene.get_as(Role::Admin, "/admin/audit?from=yesterday").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    let first = scene.get_as(Role::Admin, "/api/v1/audit").await.json();
    assert_eq!(first["entries"].as_array().unwrap().len(), 100);
    assert_eq!(first["chain"]["findings"], json!([]));
    let next =
        scene.get_as(Role::Admin, &format!("/api/v1/audit?before={}", first["next"])).await.json();
    assert_eq!(next["next"], Value::Null);
    assert_eq!(next["entries"].as_array().unwrap().last().unwrap()["number"], 1);
    let one = scene.get_as(Role::Admin, "/api/v1/audit?text=stop%20119&who=li").await.json();
    assert_eq!(one["entries"].as_array().unwrap().len(), 1);
    // Its own files are entries too, two for the roles that may.
    let csv = scene.get_as(Role::Admin, "/api/v1/audit.csv?what=exported").await;
    assert_eq!(csv.text().lines().count(), 3, "{}", csv.text());
    assert!(csv.text().starts_with("\u{feff}at_utc,number,"));
}

#[tokio::test]
async fn configurations_are_listed_and_their_texts_given() {
    use domain::audit::Configuration;
    let scene = scene(Access::Open);
    let of = |text: &str| Configuration::new(vec![("plant.toml".into(), text.into())]);
    scene.historian.note_start(of("a = 1")).unwrap();
    scene.historian.note_start(of("a = 2")).unwrap();
    let list = get(&scene.app, "/api/v1/configurations").await.json();
    assert_eq!((&list[0]["until_ms"], &list[1]["until_ms"]), (&Value::Null, &list[0]["from_ms"]));
    let sha256 = list[1]["sha256"].as_str().unwrap();
    let text = get(&scene.app, &format!("/api/v1/configurations/{sha256}")).await.json();
    assert_eq!(text["files"][0]["text"], "a = 1");
    let none = get(&scene.app, "/api/v1/configurations/c0ffee").await;
    assert_eq!(
        (none.status, &none.json()["code"]),
        (StatusCode::NOT_FOUND, &json!("no_configuration"))
    );
}
