//! Signing in by hand: the first administrator, an operator who calls for help, a viewer who cannot.

use std::path::Path;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::served::Served;
use crate::{CORES, SOON, shot};

const PASSWORD: &str = "correct horse";

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
    browser.keys("#confirm-password", PASSWORD).await;
    browser.keys("#confirm-reason", "joins the crew").await;
    browser.click("#confirm-do").await;
    let listed = format!("document.getElementById('users').textContent.includes('{printed}')");
    browser.until(&listed, SOON).await;
}

async fn sign_in(browser: &Browser, name: &str) {
    at(browser, "/login").await;
    browser.keys("#name", name).await;
    browser.keys("#password", PASSWORD).await;
    browser.click("#login .act").await;
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
    sound(&browser, axe.as_ref(), "administration").await;
    shot(&browser, "admin-en").await;
    sign_out(&browser).await;
    sound(&browser, axe.as_ref(), "sign-in").await;
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
    assert_eq!(browser.text("document.getElementById('signed-in').textContent").await, "Wang Fang");
    browser.click("[data-need='machine']").await;
    let called = "document.getElementById('open-calls').textContent.includes('Wang Fang')";
    browser.until(called, SOON).await;
    shot(&browser, "signed-in-en").await;
    sign_out(&browser).await;
    sign_in(&browser, "guest").await;
    let buttons = "document.querySelectorAll('[data-need]').length";
    let dead = "document.querySelectorAll('[data-need]:disabled').length";
    browser.until(&format!("{buttons} > 0 && {buttons} === {dead}"), SOON).await;
    assert_eq!(browser.text("String(document.querySelector('a[href^=\"/admin\"]'))").await, "null");
    sign_out(&browser).await;
    browser.open(&format!("{origin}/spc?lang=en")).await;
    at(&browser, "/login").await;
}
