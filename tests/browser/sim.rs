//! The page of the simulated plant: a fault is put in by a click, the screens of the service show it, and the truth lane
//! has it with the moment at which it was noticed.

use std::time::Duration;

use serde_json::json;

use crate::demo::Demo;
use crate::{CORES, IN_TIME, LIVE, SOON, shot};

const READY: &str = "document.querySelectorAll('#faults button').length > 10 && \
                     document.querySelectorAll('#truth tbody tr').length > 5 && \
                     document.querySelectorAll('#lane svg').length === 1";

const OFFLINE: &str = "document.getElementById('band-plc').checkVisibility() && \
                       document.getElementById('band-plc').textContent.includes('CF01')";

const INJECTIONS: &str = "document.getElementById('injections').textContent";

/// What the service says of its good capsules beside the truth.
const GOOD: &str =
    "document.querySelector(\"#truth tr[data-tag*='AccCount'] td:nth-child(4)\").textContent";

/// The least edge of everything on this page that can be pressed.
const SMALLEST: &str = "Math.min(...[...document.querySelectorAll('main button, main input')]\
    .filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect().height))";

/// Shows: SIM-07, SIM-08
#[tokio::test]
async fn a_fault_put_in_by_a_click_is_noticed_and_stands_in_the_truth_lane() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    // In real time: on a busy machine the polls of a faster line come late, and its counts are in doubt.
    let demo = Demo::with(&["--speed", "1"]);
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/sim?lang=en&theme=light", demo.origin)).await;
    browser.until(&format!("{LIVE} && {READY}"), SOON).await;
    let smallest = browser.value(SMALLEST).await.as_f64().unwrap_or_default();
    assert!(smallest >= 44.0, "{smallest} px");
    // Before anything was put in, the count is the truth.
    browser.until(&format!("{GOOD} === 'yes'"), IN_TIME).await;
    let drawn = "document.querySelectorAll('#lane .truth').length";
    assert_eq!(browser.value(drawn).await, json!(0));

    // Longer than all that is looked at meanwhile. The button is reached and pressed by key.
    browser.click("#length [data-seconds='1800']").await;
    browser.run("document.querySelector(\"#faults [data-fault='comms_loss']\").focus()").await;
    browser.press(fantoccini::key::Key::Enter).await;
    browser.until(&format!("{INJECTIONS}.includes('Communication lost')"), SOON).await;
    browser.until(OFFLINE, SOON).await;
    browser.until(&format!("{INJECTIONS}.includes('▲ noticed')"), SOON).await;
    browser.until(&format!("{drawn} === 1"), SOON).await;
    browser.until("document.querySelectorAll('#lane .noticed').length === 1", SOON).await;
    let label = "document.getElementById('lane').getAttribute('aria-label')";
    browser.until(&format!("{label}.includes('1 noticed, 0 missed')"), SOON).await;
    for (theme, lang) in [("light", "en"), ("dark", "zh")] {
        let address = format!("{}/sim?lang={lang}&theme={theme}", demo.origin);
        browser.open(&address).await;
        browser.until(&format!("{LIVE} && {READY} && {drawn} === 1"), SOON).await;
        shot(&browser, &format!("sim-fault-wide-{theme}-{lang}")).await;
    }
    // It is the service that shows it, on every page.
    browser.open(&format!("{}/?lang=en&theme=light", demo.origin)).await;
    browser.until(OFFLINE, SOON).await;
    let unknown = "document.getElementById('state').dataset.state === 'unknown'";
    browser.until(unknown, SOON).await;

    // Taken out by a click, the machine is back, and what was made unseen is a gap that holds the truth.
    browser.open(&format!("{}/sim?lang=en&theme=light", demo.origin)).await;
    browser.until(&format!("{LIVE} && {READY}"), SOON).await;
    browser.click("#clear").await;
    browser.until(&format!("!({OFFLINE})"), SOON).await;
    browser.until(&format!("{GOOD} === 'yes'"), IN_TIME).await;
    let sign = "[...document.querySelectorAll('#signs tr')].find((row) => row.textContent.includes('link lost · CF01'))";
    let cells = format!("[...{sign}.cells].slice(1, 4).map((cell) => cell.textContent)");
    assert_eq!(browser.value(&cells).await, json!(["1", "1", "0"]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_plant_is_held_by_a_click_and_its_frozen_values_are_told() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize((810, 1_080)).await;
    browser.open(&format!("{}/sim?lang=en&theme=light", demo.origin)).await;
    browser.until(&format!("{LIVE} && {READY}"), SOON).await;
    browser.click("#hold").await;
    let word = "document.getElementById('clock-word').textContent";
    browser.until(&format!("{word}.includes('stands still')"), SOON).await;
    browser.until(&format!("{INJECTIONS}.includes('Plant held')"), SOON).await;
    browser.until(&format!("{INJECTIONS}.includes('▲ noticed')"), IN_TIME).await;
    shot(&browser, "sim-held-tablet-light-en").await;
    browser.click("#hold").await;
    browser.until(&format!("{word}.includes('goes on')"), SOON).await;
    // The journal of this demo is kept: another run would belong to another one, and the page says so.
    let reset = "document.getElementById('reset').disabled";
    assert_eq!(browser.value(reset).await, json!(true));
    let note = browser.text("document.getElementById('reset-note').textContent").await;
    assert!(note.contains("--data"), "{note}");
}

#[tokio::test]
async fn another_run_begins_by_a_click_and_the_screens_come_back() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::without_data(&["--speed", "10", "--history", "0"]);
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/sim?lang=en&theme=light", demo.origin)).await;
    browser.until(&format!("{LIVE} && {READY}"), SOON).await;
    browser.until("!document.getElementById('reset').disabled", SOON).await;
    browser.run("document.getElementById('reset-seed').value = '42'").await;
    browser.click("#reset-speed [data-speed='60']").await;
    browser.click("#reset").await;
    let another = "document.getElementById('seed').textContent === '42' && \
                   document.getElementById('speed').textContent === '×60'";
    browser.until(&format!("{another} && {LIVE} && {READY}"), Duration::from_secs(120)).await;
}
