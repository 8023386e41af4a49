//! Screens say what they have painted, and a screen that hangs is found out by another one.

use std::time::Duration;

use rustix::process::Signal;

use crate::demo::Demo;
use crate::{CORES, LIVE, SOON, shot};

/// Two acknowledgements missed, and a look at the list.
const FROZEN_WITHIN: Duration = Duration::from_secs(30);

/// Whether the list shows a display of that name in that state.
fn row(name: &str, state: &str) -> String {
    format!(
        "[...document.querySelectorAll('#displays tbody tr')].some((row) => \
         row.cells[0].textContent.startsWith('{name}') && row.dataset.state === '{state}')"
    )
}

/// Shows: SCR-10
#[tokio::test]
async fn a_screen_whose_renderer_hangs_is_called_frozen_on_another_one() {
    let _alone = CORES.alone().await;
    let Some(wall) = crate::browser("").await else { return };
    let Some(office) = crate::browser("").await else { return };
    let demo = Demo::start();
    wall.open(&format!("{}/wall/L1?name=Wall%201", demo.origin)).await;
    wall.until(LIVE, SOON).await;
    office.resize((1_280, 800)).await;
    office.open(&format!("{}/data?lang=en&theme=light", demo.origin)).await;
    office.until(&format!("{LIVE} && {}", row("Wall 1", "live")), SOON).await;
    // The one in the office is named by a person, and kept there.
    office.keys("#display-name", "Office <b>").await;
    office.run("document.getElementById('display-name').blur()").await;
    office.until(&row("Office <b> (this one)", "live"), SOON).await;
    office.open(&format!("{}/data?lang=en&theme=light", demo.origin)).await;
    office.until("document.getElementById('display-name').value === 'Office <b>'", SOON).await;

    assert!(wall.renderers(Signal::STOP) > 0, "there is a renderer to stop");
    office.until(&row("Wall 1", "frozen"), FROZEN_WITHIN).await;
    shot(&office, "displays-frozen-wide-light-en").await;
    // The one that looks is live all the time.
    office.until(&row("Office <b>", "live"), SOON).await;
    wall.renderers(Signal::CONT);
    office.until(&row("Wall 1", "live"), SOON).await;
    office.resize((810, 1_080)).await;
    office.open(&format!("{}/data?lang=zh&theme=dark", demo.origin)).await;
    office.until(&row("Wall 1", "live"), SOON).await;
    office.run("document.getElementById('displays').scrollIntoView()").await;
    shot(&office, "displays-live-tablet-dark-zh").await;
    assert_eq!(office.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tab_that_is_hidden_or_closed_is_told_as_such() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser("").await else { return };
    let Some(office) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?name=Tablet", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    office.open(&format!("{}/data?lang=en", demo.origin)).await;
    office.until(&row("Tablet", "live"), SOON).await;
    let tablet = browser.new_tab().await;
    office.until(&row("Tablet", "hidden"), SOON).await;
    browser.back_to(tablet).await;
    office.until(&row("Tablet", "live"), SOON).await;
    // Left for a page of nobody; it stays left although it was hidden on the way.
    browser.open("about:blank").await;
    office.until(&row("Tablet", "left"), SOON).await;
    assert!(!office.becomes(&row("Tablet", "hidden"), Duration::from_secs(4)).await);
}
