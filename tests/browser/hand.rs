//! What people do to a line, by clicks: batches opened and closed, a stop split and merged again.

use std::time::Duration;

use crate::demo::Demo;
use crate::site::{Site, shipped};
use crate::{CORES, LIVE, SOON, shot};

const NOW: &str = "document.getElementById('batch-now').textContent";

/// The smallest side of what can be pressed or typed into, in pixels.
const SMALLEST: &str = "Math.min(...[...document.querySelectorAll('#batch-form :is(button, input)')].map((e) => \
                        Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height)))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_opened_and_closed_by_clicks() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    // A filler that tells no batch.
    let told = |part: &&str| !part.contains("role = \"batch_id\"");
    let map = shipped("cf01-modbus.toml");
    let map = map.split("[[tag]]").filter(told).collect::<Vec<_>>().join("[[tag]]");
    let line = Site::filler(&map).await;
    browser.open(&format!("{}/line?lang=en", line.origin)).await;
    browser.until(&format!("{LIVE} && {NOW}.includes('No batch is open')"), SOON).await;
    browser.until("!document.getElementById('batch-form').hidden", SOON).await;
    let smallest = browser.value(SMALLEST).await.as_f64().unwrap_or_default();
    assert!(smallest >= 44.0, "{smallest} px");
    // Without a number and without a name nothing is sent.
    let trouble = "document.getElementById('batch-trouble').textContent";
    browser.click("#batch-open").await;
    browser.until(&format!("{trouble}.includes('batch number first')"), SOON).await;
    browser.keys("#batch-id", "B2611-0001").await;
    browser.click("#batch-open").await;
    browser.until(&format!("{trouble}.includes('your name first')"), SOON).await;
    browser.keys("#batch-author", "Li Wei").await;
    browser.keys("#batch-product", "Vitamin C 500 mg").await;
    // The first figures of the machines may move the button away under a press, which is then pressed again.
    let is_open = format!("{NOW}.includes('B2611-0001') && {NOW}.includes('by hand')");
    for _ in 0..3 {
        browser.click("#batch-open").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        if browser.text(&format!("String({is_open})")).await == "true" {
            break;
        }
    }
    browser.until(&is_open, SOON).await;
    shot(&browser, "batch-open-en").await;
    // The same once more is refused in words.
    browser.keys("#batch-id", "B2611-0001").await;
    browser.click("#batch-open").await;
    browser.until(&format!("{trouble}.includes('is open already')"), SOON).await;
    // One press asks, the second one closes.
    browser.click("#batch-close").await;
    let close = "document.getElementById('batch-close').textContent";
    browser.until(&format!("{close}.includes('B2611-0001')"), SOON).await;
    browser.click("#batch-close").await;
    browser.until(&format!("{NOW}.includes('No batch is open')"), SOON).await;
    browser.resize((810, 1_080)).await;
    browser.open(&format!("{}/line?lang=zh", line.origin)).await;
    browser.until(&format!("{LIVE} && {NOW}.includes('当前无批次')"), SOON).await;
    shot(&browser, "batch-none-zh").await;
    let cut = browser.value(crate::CUT).await;
    assert_eq!(cut.as_array().map(Vec::len), Some(0), "{cut}");
}

#[tokio::test]
async fn a_stop_is_split_and_merged_again_by_clicks() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    let ready = "document.querySelectorAll('#stops [data-stop]').length > 3";
    browser.open(&format!("{}/stops?window=day&lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {ready}"), SOON).await;
    // The second in the list has ended.
    let id = browser.text("document.querySelectorAll('#stops [data-stop]')[2].dataset.stop").await;
    let opened = async |part: &str| {
        browser.click(&format!("#stops [data-stop='{part}']")).await;
        browser.until("document.getElementById('entry').open", SOON).await;
        browser
            .run("for (const part of document.querySelectorAll('#entry details')) part.open = true")
            .await;
    };
    opened(&id).await;
    browser.keys("#author", "Li Wei").await;
    let split = "!document.getElementById('split').disabled && document.getElementById('split-at').value !== ''";
    browser.until(split, SOON).await;
    shot(&browser, "stop-split-en").await;
    // A time outside of the stop is refused in words, and the one that was proposed is taken.
    let proposed = browser.text("document.getElementById('split-at').value").await;
    let put = |time: &str| format!("document.getElementById('split-at').value = '{time}'");
    browser.run(&put("25:99:99")).await;
    browser.click("#split").await;
    browser
        .until(
            "document.getElementById('entry-trouble').textContent.includes('inside the stop')",
            SOON,
        )
        .await;
    browser.run(&put(&proposed)).await;
    browser.click("#split").await;
    let part = format!(
        "[...document.querySelectorAll('#stops [data-stop]')].find((b) => b.dataset.stop.startsWith('{id}.'))"
    );
    browser.until(&format!("Boolean({part})"), SOON).await;
    let second = browser.text(&format!("{part}.dataset.stop")).await;
    opened(&second).await;
    let said = browser.text("document.getElementById('said').textContent").await;
    assert!(
        said.contains("as recorded") && said.contains("Li Wei") && said.contains("split"),
        "{said}"
    );
    browser.click("#merge-before").await;
    browser.until(&format!("!({part})"), SOON).await;
    opened(&id).await;
    let said = browser.text("document.getElementById('said').textContent").await;
    assert!(said.contains("split") && said.contains("merged"), "{said}");
    browser.open(&format!("{}/stops?window=day&lang=zh", demo.origin)).await;
    browser.until(&format!("{LIVE} && {ready}"), SOON).await;
    opened(&id).await;
    browser.until("document.getElementById('said').textContent.includes('合并')", SOON).await;
    shot(&browser, "stop-merged-zh").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// A shift report becomes final by clicks: gaps are explained where there are any, and the file is there to be taken.
#[tokio::test]
async fn a_report_is_made_final_by_clicks() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    // The shifts of the demo begin at 0 and 12 o'clock UTC. Its plant has run since some hours before the last of these, so
    // that the shift that is over has a part of which nothing is recorded.
    let passed_s =
        capline::clock::Clock::real().now().utc_us.rem_euclid(12 * 3_600_000_000) / 1_000_000;
    let history = format!("{}min", passed_s / 60 + 4 * 60);
    let demo = Demo::with(&["--speed", "10", "--history", &history]);
    let pressable =
        |form: &str| format!("document.querySelector('#{form} button')?.disabled === false");
    browser.open(&format!("{}/report/shift?lang=zh", demo.origin)).await;
    browser.until("document.getElementById('closing') !== null", SOON).await;
    let has_gap =
        browser.text("String(document.getElementById('explain') !== null)").await == "true";
    // A shift that ends while the demo starts is whole.
    assert!(has_gap || passed_s > 11 * 3_600, "no gap is to be explained");
    if has_gap {
        browser.until(&pressable("explain"), SOON).await;
        shot(&browser, "report-gaps-zh").await;
        browser.run("document.querySelector('#explain [name=why]').value = '网线松动'").await;
        browser.run("document.querySelector('#explain [name=by]').value = '李伟'").await;
        browser.click("#explain button").await;
    }
    browser.until(&pressable("make-final"), SOON).await;
    browser.run("document.querySelector('#make-final [name=by]').value = '李伟'").await;
    browser.click("#make-final button").await;
    // Limits that are made meanwhile change nothing of it: it is final at the first click.
    browser.until("document.querySelector('.finals a') !== null", SOON).await;
    shot(&browser, "report-final-zh").await;
    let paper = browser.text("document.getElementById('main').innerText").await;
    assert_eq!(paper.contains("网线松动 — 李伟"), has_gap, "{paper}");
    let told = browser.text("document.querySelector('.finals code').textContent").await;
    let find = "fetch(document.querySelector('.finals a').href).then((r) => r.arrayBuffer())\
        .then((b) => crypto.subtle.digest('SHA-256', b))\
        .then((d) => { window.digest = [...new Uint8Array(d)].map((x) => x.toString(16).padStart(2, '0')).join('') })";
    browser.run(find).await;
    browser.until("window.digest !== undefined", SOON).await;
    let digest = browser.text("window.digest").await;
    assert_eq!(told, format!("SHA-256 {digest}"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
