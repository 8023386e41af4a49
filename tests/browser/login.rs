//! Signing in by hand: the first administrator, an operator who calls for help, a viewer who cannot.

use std::path::Path;

use rustix::process::Signal;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::senses::{Looked, senses};
use crate::served::Served;
use crate::{BLANKS, CORES, CUT, LIVE, SOON, shot};

const PASSWORD: &str = "correct horse";
/// What an administrator told them first.
const GIVEN: &str = "given horse";

/// A service where people sign in, of a machine that is not there.
fn serve(site: &Path) -> Served {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("plc-maps/cf01-modbus.toml");
    let text = format!(
        "[site]\nname = 'Test'\nzone = 'Asia/Shanghai'\n[web]\nlisten = '127.0.0.1:0'\naccess = 'users'\n\
         [store]\ndir = 'data'\n[[line]]\nid = 'L1'\ntitle = {{ en = 'Line 1', zh = '一线' }}\n\
         counting_station = 'CF01'\ntarget_per_minute = 6500\n\
         [[line.device]]\nmap = '{}'\naddress = '127.0.0.1:9'\n",
        map.display()
    );
    let file = site.join("capline.toml");
    std::fs::write(&file, text).expect("it is written");
    Served::start(&file)
}

async fn at(browser: &Browser, path: &str) {
    browser.until(&format!("location.pathname === '{path}'"), SOON).await;
}

/// Adds a user in the dialog.
async fn add(browser: &Browser, (name, printed, role): (&str, &str, &str)) {
    browser.until("!document.getElementById('confirm').open", SOON).await;
    browser.click("#add-user").await;
    browser.keys("#confirm-name", name).await;
    browser.keys("#confirm-printed", printed).await;
    browser.run(&format!("document.getElementById('confirm-role').value = '{role}'")).await;
    browser.keys("#confirm-password", GIVEN).await;
    browser.keys("#confirm-reason", "joins the crew").await;
    browser.click("#confirm-do").await;
    let listed = format!("document.getElementById('users').textContent.includes('{printed}')");
    browser.until(&listed, SOON).await;
}

async fn sign_in(browser: &Browser, name: &str) {
    at(browser, "/login").await;
    browser.keys("#name", name).await;
    browser.keys("#password", GIVEN).await;
    browser.click("#login .act").await;
    // Nothing is shown before they have a password of their own.
    at(browser, "/account").await;
}

/// Chooses a password, and sees at once that two different ones are none.
async fn choose(browser: &Browser) {
    browser.keys("#old", GIVEN).await;
    browser.keys("#new", PASSWORD).await;
    browser.keys("#again", "correct hors").await;
    browser.click("#own .act").await;
    let told = "document.getElementById('door-trouble').textContent.includes('differ')";
    browser.until(told, SOON).await;
    browser.run("document.getElementById('again').value = ''").await;
    browser.keys("#again", PASSWORD).await;
    browser.click("#own .act").await;
    browser.until("!document.getElementById('own-done').hidden", SOON).await;
    browser.click("#go-on").await;
    at(browser, "/").await;
}

async fn sign_out(browser: &Browser) {
    browser.click("#sign-out").await;
    at(browser, "/login").await;
}

async fn sound(browser: &Browser, axe: Option<&Axe>, page: &str) {
    if let Some(axe) = axe {
        assert_eq!(axe.violations(browser).await, Vec::<String>::new(), "{page}");
    }
}

/// A page for every hand and eye, in the size of a desk afterwards.
async fn for_all(browser: &Browser, page: &str) {
    assert_eq!(senses(browser, page, Looked::ByHand).await, Vec::<String>::new());
    browser.resize((1_920, 1_080)).await;
}

/// The tables leave as files, and nothing is changed while the service does not answer: it would be lost.
async fn edits_wait_for_the_service(browser: &Browser, service: &Served) {
    let rows = "fetch(document.querySelector('a[data-csv=users]:not([hidden])').href).then((r) => r.text()).then((text) => { window.rows = text; })";
    browser.run(rows).await;
    browser
        .until(
            "/^.?user,printed,role/.test(window.rows) && window.rows.includes('Chen Jing')",
            SOON,
        )
        .await;
    let edits = "[...document.querySelectorAll('#add-user, #add-display, #users .act')]";
    let waits = "document.querySelector('main > .edits-wait').checkVisibility()";
    let open = format!("{edits}.length > 4 && {edits}.every((e) => !e.disabled) && !{waits}");
    browser.until(&open, SOON).await;
    service.signal(Signal::STOP);
    browser.until(&format!("{edits}.every((e) => e.disabled) && {waits}"), SOON).await;
    shot(browser, "admin-lost-en").await;
    service.signal(Signal::CONT);
    browser.until(&format!("{LIVE} && {open}"), SOON).await;
    // What it said of the silence is no fault of a page.
    let _ = browser.complaints().await;
}

/// Pages that only an administrator sees: on every screen, in both colours and all languages nothing is cut off.
async fn administration_fits(browser: &Browser, axe: Option<&Axe>, origin: &str) {
    let mut found = Vec::new();
    for (screen, size) in [("wide", (1_920, 1_080)), ("tablet", (810, 1_080))] {
        browser.resize(size).await;
        for (theme, lang) in [("light", "en"), ("dark", "zh"), ("light", "both"), ("dark", "both")]
        {
            for (page, path, rows) in [
                ("admin", "/admin", "#users tbody tr"),
                ("audit", "/admin/audit", ".audit tbody tr"),
                ("map", "/maps/CF01", ".map-text li"),
            ] {
                let theme_cookie =
                    format!("document.cookie = 'theme={theme}; Path=/; SameSite=Lax'");
                browser.value(&theme_cookie).await;
                browser.open(&format!("{origin}{path}?lang={lang}")).await;
                let listed = format!("document.querySelectorAll('{rows}').length > 2");
                browser.until(&format!("{LIVE} && {listed}"), SOON).await;
                let name = format!("{page}-{screen}-{theme}-{lang}");
                shot(browser, &name).await;
                let mut wrong = browser.texts(CUT).await;
                wrong.extend(browser.texts(BLANKS).await);
                if let Some(axe) = axe {
                    wrong.extend(axe.violations(browser).await);
                }
                wrong.extend(browser.complaints().await);
                found.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Shows: ACC-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_and_do_what_their_role_may() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let site = tempfile::tempdir().expect("a directory");
    let service = serve(site.path());
    let origin = service.origin();
    let token = service.told("one-time token: ");
    // Nobody can sign in yet: every page leads to where the first one is made.
    browser.open(&format!("{origin}/?lang=en")).await;
    browser.open(&format!("{origin}/setup?lang=en")).await;
    at(&browser, "/setup").await;
    sound(&browser, axe.as_ref(), "set-up").await;
    for_all(&browser, "set-up-en").await;
    browser.keys("#token", &token).await;
    browser.keys("#name", "boss").await;
    browser.keys("#printed", "Chen Jing").await;
    browser.keys("#password", PASSWORD).await;
    browser.click("#setup .act").await;
    at(&browser, "/admin").await;
    let listed = "document.getElementById('users').textContent.includes('Chen Jing')";
    browser.until(listed, SOON).await;
    add(&browser, ("wang", "Wang Fang", "operator")).await;
    add(&browser, ("guest", "Guo Qiang", "viewer")).await;
    administration_fits(&browser, axe.as_ref(), &origin).await;
    browser.open(&format!("{origin}/admin?lang=en")).await;
    browser.until(listed, SOON).await;
    edits_wait_for_the_service(&browser, &service).await;
    for (page, path) in [("admin-en", "/admin"), ("audit-en", "/admin/audit")] {
        browser.open(&format!("{origin}{path}?lang=en")).await;
        browser
            .until(&format!("{LIVE} && document.querySelectorAll('tbody tr').length > 2"), SOON)
            .await;
        for_all(&browser, page).await;
    }
    sign_out(&browser).await;
    sound(&browser, axe.as_ref(), "sign-in").await;
    for_all(&browser, "sign-in-en").await;
    shot(&browser, "login-en").await;
    // A wrong password is told, and nothing of it stands in the address.
    browser.keys("#name", "wang").await;
    browser.keys("#password", "wrong horse").await;
    browser.click("#login .act").await;
    let told =
        "document.getElementById('door-trouble').textContent.includes('the password is wrong')";
    browser.until(told, SOON).await;
    assert!(!browser.text("location.href").await.contains("horse"));
    browser.open(&format!("{origin}/login?lang=en")).await;
    sign_in(&browser, "wang").await;
    sound(&browser, axe.as_ref(), "own password").await;
    // A wrong password is told in the console, too.
    let told = browser.complaints().await;
    assert!(told.iter().all(|line| line.contains("/api/v1/login")), "{told:?}");
    for_all(&browser, "own-password-en").await;
    shot(&browser, "own-password-en").await;
    choose(&browser).await;
    assert_eq!(browser.text("document.getElementById('signed-in').textContent").await, "Wang Fang");
    browser.click("[data-need='machine']").await;
    let called = "document.getElementById('open-calls').textContent.includes('Wang Fang')";
    browser.until(called, SOON).await;
    shot(&browser, "signed-in-en").await;
    sign_out(&browser).await;
    sign_in(&browser, "guest").await;
    choose(&browser).await;
    let buttons = "document.querySelectorAll('[data-need]').length";
    let dead = "document.querySelectorAll('[data-need]:disabled').length";
    browser.until(&format!("{buttons} > 0 && {buttons} === {dead}"), SOON).await;
    assert_eq!(browser.text("String(document.querySelector('a[href^=\"/admin\"]'))").await, "null");
    browser.click("#signed-in").await;
    at(&browser, "/account").await;
    assert!(browser.text("document.body.textContent").await.contains("Guo Qiang"));
    shot(&browser, "account-en").await;
    sign_out(&browser).await;
    browser.open(&format!("{origin}/spc?lang=en")).await;
    at(&browser, "/login").await;
}
