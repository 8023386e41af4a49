//! What runs as it is looked at: the texts of maps, the tables of the configuration, and accounts as files.

use domain::account::SessionLimits;
use domain::line::calendar::{Calendar, ShiftRule};
use domain::plc_map::{PlcMap, Title};

use super::matrix::{PASSWORD, Plant};
use super::*;
use crate::accounts::Accounts;
use crate::config::LineConfig;
use crate::service::KeptAccounts;
use crate::web::fixture::Memory;
use crate::web::{Access, Accounts as _, NoLogin};

const USERS: Access = Access::Users { secure: false };

#[tokio::test]
async fn the_text_of_a_map_has_its_lines_numbered_and_is_no_markup() {
    let (app, _sender) = running();
    for (lang, told) in [("en", "Map of CF01"), ("zh", "CF01 点表")] {
        let page = get(&app, &format!("/maps/CF01?line=L1&lang={lang}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains(told), "{lang}: {text}");
        assert!(text.contains("<li id=\"L1\"><code>[machine]</code></li>"), "{text}");
        assert!(text.contains("<li id=\"L5\"><code>[stop_reasons]</code></li>"), "{text}");
        assert!(!text.contains("id=\"L6\""), "it has five lines");
        assert!(text.contains("&lt;b&gt;no markup") && !text.contains("<b>no markup"), "{text}");
    }
    // A machine whose text is not known, one that is not there, and no way out of the maps.
    for path in ["/maps/PS02", "/maps/ZZ99", "/maps/..%2Fplant.toml", "/maps/plant.toml"] {
        assert_eq!(get(&app, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let past = get(&app, "/maps/CF01?at=2026-11-24T03:12:00Z").await;
    assert_eq!(past.status, StatusCode::BAD_REQUEST, "what runs now is not shown as the past");
}

/// A line with a reason, two shifts and a break.
fn configured() -> LineConfig {
    let mut line = fixture::line();
    let title = |en: &str, zh: &str| Title { en: en.into(), zh: zh.into() };
    let map = PlcMap::clone(&line.devices[0].map);
    let stop_reasons = [(21, title("Hopper empty", "料斗空"))].into_iter().collect();
    line.devices[0].map = Arc::new(PlcMap { stop_reasons, ..map });
    let rule = |name: &str, start: &str, end: &str| ShiftRule {
        name: name.into(),
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
    };
    let shifts = vec![rule("A", "08:00:00", "20:00:00"), rule("B", "20:00:00", "08:00:00")];
    let calendar = Calendar::new(jiff::tz::TimeZone::UTC, shifts);
    LineConfig {
        calendar: calendar.with_breaks(vec![rule("noon", "12:00:00", "12:30:00")]),
        ..line
    }
}

#[tokio::test]
async fn the_tables_of_the_configuration_say_what_runs_and_where_it_is_changed() {
    let memory = Arc::new(Memory::default());
    let (app, _sender) =
        fixture::app_of(configured(), Clock::real(), Arc::new(Record), memory, true);
    let page = get(&app, "/admin?lang=en").await;
    let table = |id: &str| {
        let (_, rest) = page.text().split_once(&format!("<table id=\"configured-{id}\">")).unwrap();
        rest.split("</table>").next().unwrap().to_owned()
    };
    let reasons = table("reasons");
    for told in [
        "CF01",
        "<td class=\"wide\">21</td>",
        "<td class=\"wide\" lang=\"en\">Hopper empty</td>",
        "<td class=\"wide\" lang=\"zh-CN\">料斗空</td>",
        "href=\"/maps/CF01?line=L1#L5\"",
        "CF01.toml:5",
    ] {
        assert!(reasons.contains(told), "{told}: {reasons}");
    }
    let shifts = table("shifts");
    assert_eq!(shifts.matches("<tr>").count(), 4, "a head, two shifts and a break: {shifts}");
    for told in ["20:00:00", "Break noon", "12:30:00", "works/line 1.toml"] {
        assert!(shifts.contains(told), "{told}: {shifts}");
    }
    let targets = table("targets");
    for told in ["6,500", "390,000", "00:05:00", "98.000\u{a0}% – 101.000\u{a0}%"] {
        assert!(targets.contains(told), "{told}: {targets}");
    }
    let devices = table("devices");
    for told in ["BC05", "opc.tcp://192.168.10.5:4840", "7,800", "href=\"/maps/CF01?line=L1\""] {
        assert!(devices.contains(told), "{told}: {devices}");
    }
    // Nobody made limits yet, and nothing can be changed here.
    assert!(table("limits").contains("None."), "{}", table("limits"));
    assert!(!page.text().contains("<form"), "a table that is only looked at");
}

#[tokio::test]
async fn versions_of_limits_say_who_made_and_who_approved_them_and_lead_to_the_workbench() {
    let memory = Arc::new(Memory::default());
    let made = fixture::limits(&fixture::line().characteristics[0], fixture::NOW_US);
    memory.limits.lock().unwrap().push(made.clone());
    let (app, _sender) = fixture::app_with(Clock::real(), Arc::new(Record), memory, true);
    let text = get(&app, "/admin?lang=en").await.text().to_owned();
    let (_, rest) = text.split_once("<table id=\"configured-limits\">").unwrap();
    let rows = rest.split("</table>").next().unwrap();
    let (decision, version) = (made.decision.unwrap(), format!("v{}", made.version));
    for told in [&*version, &made.author, &decision.by, "href=\"/spc/reject_fraction?line=L1\""] {
        assert!(rows.contains(told), "{told}: {rows}");
    }
}

async fn as_admin(plant: &Plant, path: &str) -> Answer {
    get_with(&plant.app, path, "cookie", plant.ticket('a')).await
}

#[tokio::test]
async fn users_and_tokens_leave_as_files_for_who_may_see_them() {
    let plant = Plant::new(USERS);
    for (path, head, row) in [
        ("/api/v1/admin/users?format=csv&table=users", "user,printed,role,state", "quality Li"),
        ("/api/v1/admin/displays?format=csv&table=tokens", "number,display,made_utc", "Wall 1"),
    ] {
        let file = as_admin(&plant, path).await;
        assert_eq!(file.header(header::CONTENT_TYPE), "text/csv; charset=utf-8", "{path}");
        let text = file.text().trim_start_matches('\u{feff}').to_owned();
        assert!(text.starts_with(head) && text.contains(row), "{path}: {text}");
        assert!(!text.contains(PASSWORD) && !text.contains("argon2"), "no secret leaves");
        let operator = get_with(&plant.app, path, "cookie", plant.ticket('o')).await;
        assert_eq!(operator.status, StatusCode::FORBIDDEN, "{path}");
    }
    let refused = as_admin(&plant, "/api/v1/admin/users?format=xml").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

/// Shows: ACC-07
#[tokio::test]
async fn a_lock_is_judged_by_the_clock_that_set_it() {
    let mut plant = Plant::new(USERS);
    // A day behind: a lock of theirs is long over by the clock of this machine.
    let clock = Clock::accelerated(-24 * 60 * MINUTE_US, 1.0);
    let accounts = Accounts::on(plant.book.clone(), SessionLimits::default(), clock);
    let kept = KeptAccounts(accounts);
    let mut wrong = 0;
    while !matches!(kept.login("quality", "wrong horse").unwrap(), Err(NoLogin::WrongAndLocked)) {
        wrong += 1;
        assert!(wrong < 20, "it is never locked");
    }
    let cookie =
        format!("capline-session={}", kept.login("admin", PASSWORD).unwrap().unwrap().token);
    let mut parts = plant.app.parts().clone();
    parts.accounts = Arc::new(kept);
    plant.app = App::new(parts);
    let users = get_with(&plant.app, "/api/v1/admin/users", "cookie", &cookie).await.json();
    let state = |name: &str| {
        let user = users.as_array().unwrap().iter().find(|user| user["name"] == name);
        user.unwrap()["state"].clone()
    };
    assert_eq!((state("quality"), state("operator")), ("locked".into(), "enabled".into()));
}
