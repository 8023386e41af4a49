//! A final report that two persons sign, on a real journal.

use domain::account::Role;
use domain::audit::{Meaning, Signed};
use domain::units::LineId;
use serde_json::json;

use super::audit::{FINAL, GAPS, Scene, WU, gaps, scene, standing, start};
use super::*;
use crate::historian::audit::verify;
use crate::web::{Access, AppParts};

const PASSWORD: &str = "correct horse";
/// What the page shows of a version that waits.
const AWAITS: &str = "<b>awaiting second signature</b>";

/// A shift whose gaps are explained, and the hash of its figures.
async fn explained(two_persons: bool) -> (Scene, i64, Value) {
    let mut scene = scene(Access::Users { secure: false });
    scene.app = App::new(AppParts { two_persons, ..scene.app.parts().clone() });
    let start = start();
    let gaps = gaps(&standing(&scene, start).await);
    let said = json!({ "kind": "shift", "start_ms": start, "gaps": gaps, "why": "cable", "password": PASSWORD });
    let said = scene.post_as(Role::Quality, GAPS, &said).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text());
    let seen = said.json()["data_sha256"].clone();
    (scene, start, seen)
}

fn last(start: i64, seen: &Value, meaning: &str) -> Value {
    json!({ "kind": "shift", "start_ms": start, "lang": "en", "data_sha256": seen, "password": PASSWORD, "meaning": meaning })
}

fn signing(page: &Value, password: &str, meaning: &str) -> Value {
    json!({ "page_sha256": page, "password": password, "meaning": meaning })
}

/// Shows: ACC-13
#[tokio::test]
async fn a_final_report_waits_for_somebody_else_than_its_author() {
    let (scene, start, seen) = explained(true).await;
    let approved = scene.post_as(Role::Quality, FINAL, &last(start, &seen, "approved")).await;
    assert_eq!(approved.status, StatusCode::BAD_REQUEST, "{}", approved.text());
    assert!(approved.text().contains("use authored"), "{}", approved.text());
    let made = scene.post_as(Role::Quality, FINAL, &last(start, &seen, "")).await.json();
    assert_eq!((&made["awaits_signature"], &made["version"]), (&json!(true), &json!(1)), "{made}");
    assert_eq!(made["signatures"][0]["meaning"], "authored");
    let sheet = format!("/report/shift?start={start}&lang=en");
    let page = scene.get_as(Role::Quality, &sheet).await;
    // Texts of the page for scripts hold the words too: these are those that are shown.
    assert!(page.text().contains(AWAITS), "{}", page.text());
    assert!(page.text().contains("id=\"sign-second\""));
    let file = format!("/report/final?line=L1&start={start}&number={}", made["number"]);
    let before = scene.get_as(Role::Quality, &file).await.body;

    let path = format!("{FINAL}/{}/signatures", made["number"]);
    let page = &made["page_sha256"];
    let conflict = StatusCode::CONFLICT;
    for (token, body, status, words) in [
        ("quality", signing(page, PASSWORD, "approved"), conflict, "ask a second person"),
        (WU, signing(page, "wrong horse", ""), StatusCode::UNAUTHORIZED, "no_login"),
        (WU, signing(page, "", ""), StatusCode::BAD_REQUEST, "give your password again"),
        (WU, signing(page, PASSWORD, "authored"), StatusCode::BAD_REQUEST, "reviewed, approved"),
        (WU, signing(&seen, PASSWORD, ""), conflict, "not what its author signed"),
        ("operator", signing(page, PASSWORD, ""), StatusCode::FORBIDDEN, "role quality"),
    ] {
        let refused = scene.post_with(token, &path, &body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text());
        assert!(refused.text().contains(words), "{body}: {}", refused.text());
    }
    assert_eq!(standing(&scene, start).await["finals"][0]["awaits_signature"], true);
    let other = format!("{FINAL}/77/signatures");
    let none = scene.post_with(WU, &other, &signing(page, PASSWORD, "")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "{}", none.text());

    let signed = scene.post_with(WU, &path, &signing(page, PASSWORD, "reviewed")).await;
    assert_eq!(signed.status, StatusCode::NO_CONTENT, "{}", signed.text());
    let after = standing(&scene, start).await["finals"][0].clone();
    assert_eq!(after["awaits_signature"], false, "{after}");
    let [first, second] = [&after["signatures"][0], &after["signatures"][1]];
    assert_eq!((&second["name"], &second["meaning"]), (&json!("Wu Lan"), &json!("reviewed")));
    assert_eq!(first["record_sha256"], second["record_sha256"], "both signed the same");
    let again = scene.post_with(WU, &path, &signing(page, PASSWORD, "approved")).await;
    assert!(again.text().contains("has signed it already"), "{}", again.text());
    let shown = scene.get_as(Role::Quality, &sheet).await;
    assert!(!shown.text().contains(AWAITS) && shown.text().contains("Wu Lan (wu.lan)"));
    // The file is the one that both have signed.
    assert_eq!(scene.get_as(Role::Quality, &file).await.body, before);
    assert!(String::from_utf8_lossy(&before).contains("A second person signs this report"));

    let signed: Vec<String> =
        scene.trail().into_iter().filter(|entry| entry.contains(" report ")).collect();
    let expected = [
        "report_finalised L1 report 1 by Zhao Min",
        "signed L1 report 1 by Zhao Min",
        "signed L1 report 1 by Wu Lan",
    ];
    assert_eq!(signed, expected);
    let (dir, verified) = scene.end();
    assert_eq!(verified.findings, []);
    // The second signature is bound to the record like the first.
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    conn.execute_batch("drop trigger report_keep; update report set author = 'Li'").unwrap();
    drop(conn);
    let found = verify(dir.path(), &[]).unwrap().findings;
    for name in ["Zhao Min", "Wu Lan"] {
        let words = format!("is not what {name} signed");
        assert!(found.iter().any(|f| f.to_string().contains(&words)), "{found:?}");
    }
}

#[tokio::test]
async fn a_later_version_takes_the_place_of_one_that_waits() {
    let (scene, start, seen) = explained(true).await;
    let first = scene.post_as(Role::Quality, FINAL, &last(start, &seen, "")).await.json();
    let second = scene.post_with(WU, FINAL, &last(start, &seen, "")).await.json();
    let sign = async |token: &str, of: &Value| {
        let path = format!("{FINAL}/{}/signatures", of["number"]);
        scene.post_with(token, &path, &signing(&of["page_sha256"], PASSWORD, "approved")).await
    };
    let old = sign(WU, &first).await;
    assert!(old.text().contains("a later version was made final"), "{}", old.text());
    assert_eq!(sign(WU, &second).await.status, StatusCode::CONFLICT, "now they are its author");
    assert_eq!(sign("quality", &second).await.status, StatusCode::NO_CONTENT);
}

/// The control: without the option one signature is enough, and a second one is not asked for.
#[tokio::test]
async fn where_one_signature_is_enough_nothing_waits() {
    let (scene, start, seen) = explained(false).await;
    for meaning in ["approved", "authored"] {
        let made = scene.post_as(Role::Quality, FINAL, &last(start, &seen, meaning)).await.json();
        assert_eq!(made["awaits_signature"], false, "{made}");
        let path = format!("{FINAL}/{}/signatures", made["number"]);
        let body = signing(&made["page_sha256"], PASSWORD, "");
        let refused = scene.post_with(WU, &path, &body).await;
        assert!(refused.text().contains("one signature is enough here"), "{}", refused.text());
    }
    let page = scene.get_as(Role::Quality, &format!("/report/shift?start={start}&lang=en")).await;
    assert!(!page.text().contains("sign-second") && !page.text().contains(AWAITS));
    let signatures = scene.historian.signatures(&LineId::new("L1"), Signed::Report).unwrap();
    assert_eq!(signatures.len(), 2);
    assert_eq!(signatures[1].meaning, Meaning::Authored.word());
}
