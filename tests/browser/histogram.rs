//! Weights beside their specification, and final reports of which the list says whether they still fit.

use serde_json::{Value, json};

use crate::axe::Axe;
use crate::demo::Demo;
use crate::shown::{asked, looked_at};
use crate::{CORES, IN_TIME, LIVE, SOON, shot};

const BARS: &str = "document.querySelectorAll('#histogram svg rect.bin').length";
const DRAWN: &str = "document.querySelectorAll('#histogram svg path.normal-law').length === 1";

#[tokio::test]
async fn weights_stand_beside_their_specification() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    for (size, theme, lang) in [
        ((1_920, 1_080), "light", "zh"),
        ((1_400, 900), "dark", "en"),
        ((810, 1_080), "light", "en"),
    ] {
        browser.resize(size).await;
        let page = format!("{}/spc/weight.CW04.sample?lang={lang}&theme={theme}", demo.origin);
        browser.open(&page).await;
        browser.until(&format!("{LIVE} && {DRAWN} && {BARS} > 4"), IN_TIME).await;
        browser.run("document.getElementById('histogram-card').scrollIntoView()").await;
        shot(&browser, &format!("histogram-{}-{theme}-{lang}", size.0)).await;
        // The page is longer than the screen, as that of a three-way chart is; nothing in the card is cut.
        let cut = "[...document.querySelectorAll('#histogram-card, #histogram-card *')].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible').length";
        assert_eq!(browser.value(cut).await, json!(0), "{lang} {theme}");
        if let Some(axe) = &axe {
            assert_eq!(axe.violations(&browser).await, Vec::<String>::new(), "{lang} {theme}");
        }
        let words = browser.text("document.getElementById('histogram-words').innerText").await;
        let parts: [&str; 4] = match lang {
            "zh" => ["规格下限 462.5 mg", "目标值 500", "Anderson–Darling 检验 A²", "均值"],
            _ => ["LSL 462.5 mg", "USL 537.5 mg", "Anderson–Darling A²", "σ within subgroups"],
        };
        for part in parts {
            assert!(words.contains(part), "{part} in {words}");
        }
    }
    // Each bin can be reached by key and says what is in it; all of them are what the service counted.
    asked(&browser, "chart", "/api/v1/lines/L1/charts/weight.CW04.sample").await;
    let counts = "window.chart.histogram.counts";
    let sum = format!("{counts}.reduce((a, b) => a + b, 0) === window.chart.histogram.n_single");
    assert_eq!(browser.value(&sum).await, Value::Bool(true));
    browser.value("(document.getElementById('histogram').focus(), true)").await;
    browser.press(fantoccini::key::Key::Home).await;
    let readout = "document.getElementById('histogram-readout').textContent";
    browser.until(&format!("/mg: .* the normal law expects/.test({readout})"), SOON).await;
    // The same as a table, and where there are no single weights the page says so and draws the law alone.
    browser.click("#histogram-card .toggle").await;
    let rows = "document.querySelectorAll('#histogram-rows tbody tr').length";
    browser.until(&format!("{rows} === {counts}.length"), SOON).await;
    browser.open(&format!("{}/spc/weight.CW04?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {DRAWN}"), IN_TIME).await;
    assert_eq!(browser.value(BARS).await, json!(0));
    let words = browser.text("document.getElementById('histogram-words').innerText").await;
    assert!(words.contains("single weights are not known"), "{words}");
    browser.open(&format!("{}/spc/speed?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    let none = "document.getElementById('histogram-card') === null";
    assert_eq!(browser.value(none).await, Value::Bool(true), "a speed has no specification");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// Makes the report of the last shift that is over final, as a program would, and says whether it was.
const FINALISE: &str = "
    (async () => {
      const links = [...document.querySelectorAll('td.wide a.act')].map((a) => new URL(a.href));
      for (const link of links) {
        const [kind, start] = [link.pathname.split('/').at(-1), Number(link.searchParams.get('start'))];
        const base = '/api/v1/lines/L1/reports';
        const post = (path, body) => fetch(`${base}/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
        let standing = await (await fetch(`${base}?kind=${kind}&start_ms=${start}`)).json();
        if (!standing.closed) continue;
        const gaps = standing.gaps.map(({ gap }) => gap);
        if (gaps.length) standing = await (await post('gaps', { kind, start_ms: start, gaps, by: 'Bo', why: 'start of the demo' })).json();
        const made = await post('final', { kind, start_ms: start, lang: 'en', data_sha256: standing.data_sha256, by: 'An' });
        if (made.ok) { window.made = { kind, start, handover: standing.handover.gap }; return; }
      }
      window.made = null;
    })();";

#[tokio::test]
async fn the_list_of_reports_says_afterwards_whether_a_final_one_still_fits() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::with(&["--speed", "1", "--history", "26h"]);
    let list = |lang: &str| format!("{}/reports?lang={lang}", demo.origin);
    browser.resize((1_400, 900)).await;
    browser.open(&list("en")).await;
    browser.until(LIVE, SOON).await;
    // No limits need to be there: those that are made some seconds from now change nothing of a shift that is over.
    browser.run(FINALISE).await;
    browser.until("window.made !== undefined", IN_TIME).await;
    assert_ne!(browser.value("window.made").await, Value::Null, "a shift is over");
    let made = browser.value("window.made").await;
    for lang in ["en", "zh"] {
        browser.open(&list(lang)).await;
        let fits = "document.querySelector('.fits')?.dataset.fits === 'true'";
        browser.until(&format!("{LIVE} && {fits}"), IN_TIME).await;
        let said = browser.text("document.querySelector('.fits').textContent").await;
        assert!(said.contains(if lang == "en" {
            "fits the data of now"
        } else {
            "与当前数据一致"
        }));
        looked_at(&browser, axe.as_ref(), &format!("reports-1400-{lang}")).await;
        // The column is whole: nothing of the table is behind its edge.
        let cut = "[...document.querySelectorAll('.list .scroll')].filter((box) => box.scrollWidth > box.clientWidth + 1).length";
        assert_eq!(browser.value(cut).await, json!(0), "{lang}");
    }
    // Limits are there by now or come soon, and the report still fits.
    let chart = "/api/v1/lines/L1/charts/weight.CW04.sample";
    let judged = "(fetch('CHART').then((r) => r.json()).then((j) => { window.judged = j.limits?.version > 0; }), window.judged === true)";
    browser.until(&judged.replace("CHART", chart), IN_TIME).await;
    browser.open(&list("en")).await;
    let told = "document.querySelector('.fits')?.dataset.fits";
    browser.until(&format!("{LIVE} && {told} !== undefined"), IN_TIME).await;
    assert_eq!(browser.value(told).await, json!("true"));
    // A word more for who comes next is data too.
    let say = format!(
        "fetch('/api/v1/lines/L1/reports/gaps', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }},
           body: JSON.stringify({{ kind: {}, start_ms: {}, gaps: [{}], by: 'Bo', why: 'vacuum low' }}) }}).then(() => {{ window.said = true; }});",
        made["kind"], made["start"], made["handover"]
    );
    browser.run(&say).await;
    browser.until("window.said === true", SOON).await;
    browser.open(&list("en")).await;
    let outdated = "document.querySelector('.fits')?.dataset.fits === 'false'";
    browser.until(&format!("{LIVE} && {outdated}"), IN_TIME).await;
    let said = browser.text("document.querySelector('.fits').textContent").await;
    assert!(said.contains("△ figures changed after v1"), "{said}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
