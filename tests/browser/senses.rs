//! Every page for every hand and eye: fingers, keys, large type, three ways of seeing colours, colours of the device,
//! no motion. Each judge has to find a fault that was put there.

use std::time::Duration;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::demo::Demo;
use crate::judges::{self, TARGET};
use crate::pages::{PAGES, open};
use crate::{CORES, LIVE, SOON, shot};

/// Marks on their ground, after WCAG 2.2, 1.4.11.
const CONTRAST: f64 = 3.0;

/// A tablet, a desk, and half of the desk's pixels for everything twice as large.
const TABLET: (u32, u32) = (810, 1_080);
const DESK: (u32, u32) = (1_280, 800);
const ZOOMED: (u32, u32) = (640, 400);

/// Time for a page to draw itself anew in another size.
const SETTLE: Duration = Duration::from_millis(700);

/// Shows: SCR-13, SCR-14
#[tokio::test]
async fn every_page_is_for_fingers_keys_large_type_and_resting_eyes() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.device(&[("prefers-reduced-motion", "reduce")]).await;
    browser.open(&demo.origin).await;
    let mut all = Vec::new();
    for (i, page) in PAGES.iter().enumerate() {
        // Each page in one language: all are looked at in pages.rs.
        let (lang, theme) = [("en", "light"), ("zh", "dark"), ("both", "light")][i % 3];
        browser.resize(TABLET).await;
        open(&browser, &demo, page, lang, theme).await;
        // The wall is a screen nobody zooms: it is as large as its screen.
        let how = if page.name == "wall" { Looked::FromAfar } else { Looked::ByHand };
        let name = format!("{}-{lang}", page.name);
        all.extend(senses(&browser, &name, how).await);
    }
    // Pages that the bar does not lead to: the map of a machine, what is configured, a report, which is no live page.
    for (i, (name, path, ready)) in BESIDE.into_iter().enumerate() {
        let lang = ["both", "en", "zh"][i % 3];
        browser.resize(TABLET).await;
        browser.open(&format!("{}{path}?lang={lang}", demo.origin)).await;
        browser.until(ready, SOON).await;
        all.extend(senses(&browser, &format!("{name}-{lang}"), Looked::ByHand).await);
        let unfold = "for (const fold of document.querySelectorAll('details')) fold.open = true";
        browser.run(unfold).await;
        if let Some(axe) = &axe {
            let found = axe.violations(&browser).await;
            all.extend(found.into_iter().map(|what| format!("{name}-{lang}: {what}")));
        }
    }
    assert!(all.is_empty(), "{all:#?}");
}

/// Pages beside those of the bar: name, address, what has to be there.
const BESIDE: [(&str, &str, &str); 4] = [
    (
        "map",
        "/maps/CF01",
        "document.body.dataset.link === 'live' && document.querySelectorAll('.map-text li').length > 20",
    ),
    (
        "configured",
        "/admin",
        "document.body.dataset.link === 'live' && document.querySelectorAll('.configured details').length === 5",
    ),
    ("report", "/report/shift", "document.getElementById('print') !== null"),
    ("batch-report", "/report/batch", "document.getElementById('print') !== null"),
];

/// How a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Pressed, zoomed and walked through.
    ByHand,
    /// By nobody who comes near.
    FromAfar,
}

/// What is wrong with the page that is open, whoever needs it: fingers, resting eyes, large type, keys.
pub(crate) async fn senses(browser: &Browser, name: &str, how: Looked) -> Vec<String> {
    let mut all = Vec::new();
    let mut note = |size: &str, found: Vec<String>| {
        all.extend(found.into_iter().map(|what| format!("{name} {size}: {what}")));
    };
    browser.resize(TABLET).await;
    tokio::time::sleep(SETTLE).await;
    judges::call(browser).await;
    note("tablet", judges::found(browser, &format!("targets({TARGET})")).await);
    note("tablet", judges::found(browser, "moving()").await);
    note("tablet", judges::found(browser, "wordless()").await);
    note("tablet", judges::found(browser, "elsewhere()").await);
    if how == Looked::ByHand {
        browser.zoom(ZOOMED, 2).await;
        tokio::time::sleep(SETTLE).await;
        note("zoomed", judges::found(browser, "sideways()").await);
        shot(browser, &format!("zoom-{name}")).await;
        browser.resize(DESK).await;
        tokio::time::sleep(SETTLE).await;
        note("keys", judges::walk(browser).await);
    }
    note("console", browser.complaints().await);
    all
}

/// The negative control of the test above: a fault of each kind is found by the same judges.
/// Shows: SCR-13, SCR-14
#[tokio::test]
async fn small_wide_moving_and_unreachable_things_are_found() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.open(&demo.origin).await;
    open(&browser, &demo, &PAGES[6], "en", "light").await;
    judges::call(&browser).await;
    let plant = |html: &str, style: &str| {
        format!(
            "(document.getElementById('main').insertAdjacentHTML('afterbegin', \"{html}\"), \
             Object.assign(document.getElementById('planted').style, {style}), true)"
        )
    };
    let fault = async |html: &str, style: &str, judge: &str| {
        browser.value(&plant(html, style)).await;
        let found = match judge {
            "walk" => judges::walk(&browser).await,
            judge => judges::found(&browser, judge).await,
        };
        browser.value("(document.getElementById('planted').remove(), true)").await;
        found.join("\n")
    };
    let small = fault(
        "<button id='planted'>small</button>",
        "{ width: '20px', padding: 0 }",
        "targets(44)",
    )
    .await;
    assert!(small.contains("#planted") && small.contains("20 ×"), "{small}");
    let wide =
        fault("<p id='planted'>wide</p>", "{ width: '4000px', flex: 'none' }", "sideways()").await;
    assert!(wide.contains("#planted"), "{wide}");
    let moving =
        fault("<p id='planted'>moves</p>", "{ transition: 'opacity 2s' }", "moving()").await;
    assert!(moving.contains("#planted"), "{moving}");
    let apart = fault("<b id='planted' role='button'>press</b>", "{}", "walk").await;
    assert!(apart.contains("does not reach b#planted"), "{apart}");
    let unseen = fault("<button id='planted'>unseen</button>", "{ outline: 'none' }", "walk").await;
    assert!(unseen.contains("cannot be seen on button#planted"), "{unseen}");
    let under = "<div id='planted'><button>under</button><i></i></div>";
    let laid = "document.querySelector('#planted i').style.cssText = 'position: fixed; inset: 0; z-index: 9', {}";
    let under = fault(under, &format!("({laid})"), "walk").await;
    assert!(under.contains("covers button"), "{under}");
    browser.value(&plant("<button id='planted'>trap</button>", "{}")).await;
    browser
        .run("document.getElementById('planted').addEventListener('keydown', (e) => e.preventDefault())")
        .await;
    let trap = judges::walk(&browser).await.join("\n");
    assert!(trap.contains("does not leave button#planted"), "{trap}");
}

/// States are told apart by form, whatever eyes or the device make of their colours.
/// Shows: SCR-15
#[tokio::test]
async fn marks_are_told_apart_by_eyes_that_see_no_red_no_green_or_no_colour() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize((1_920, 1_080)).await;
    let mut all = Vec::new();
    for (theme, scheme) in [("light", "light"), ("dark", "dark")] {
        browser.open(&format!("{}/?lang=en&theme={theme}", demo.origin)).await;
        browser.until(LIVE, SOON).await;
        judges::call(&browser).await;
        for kind in ["none", "protanopia", "deuteranopia", "achromatopsia"] {
            browser.eyes(kind).await;
            shot(&browser, &format!("eyes-{theme}-{kind}")).await;
            browser.value("judge.showMarks()").await;
            let found = judges::marks(&browser, CONTRAST).await;
            all.extend(found.into_iter().map(|what| format!("{theme} {kind}: {what}")));
            browser.run("document.getElementById('marks').remove()").await;
        }
        browser.eyes("none").await;
        browser.device(&[("forced-colors", "active"), ("prefers-color-scheme", scheme)]).await;
        shot(&browser, &format!("eyes-forced-{scheme}")).await;
        browser.value("judge.showMarks()").await;
        let found = judges::marks(&browser, CONTRAST).await;
        all.extend(found.into_iter().map(|what| format!("forced {scheme}: {what}")));
        browser.device(&[]).await;
    }
    assert!(all.is_empty(), "{all:#?}");
    // The same judge sees a faint mark, and two of one form.
    let spoil = "(document.querySelector('#marks .internal').style.fill = 'var(--grid)', \
                  document.querySelector('#marks .idle').setAttribute('d', document.querySelector('#marks .external').getAttribute('d')), true)";
    browser.value(spoil).await;
    browser.eyes("achromatopsia").await;
    let found = judges::marks(&browser, CONTRAST).await.join("\n");
    assert!(
        found.contains("internal has a contrast") && found.contains("idle looks like external"),
        "{found}"
    );
}

/// Gloves: large buttons for reasons, and a finger that rests on a number asks how it is made.
#[tokio::test]
async fn reasons_are_large_and_a_long_press_explains() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.resize(TABLET).await;
    browser.open(&format!("{}/stops?window=day&lang=en", demo.origin)).await;
    browser
        .until(
            &format!("{LIVE} && document.querySelectorAll('#stops [data-stop]').length > 0"),
            SOON,
        )
        .await;
    browser.tap("#stops [data-stop]").await;
    browser.until("document.getElementById('entry').open", SOON).await;
    judges::call(&browser).await;
    let least = "Math.min(...[...document.querySelectorAll('#reasons button')].map((e) => e.getBoundingClientRect().height))";
    assert!(browser.value(least).await.as_f64().unwrap_or_default() >= 56.0);
    assert_eq!(judges::found(&browser, &format!("targets({TARGET})")).await, Vec::<String>::new());
    shot(&browser, "touch-reasons").await;
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    let opened = "document.getElementById('explanation')?.open === true";
    browser.touch("[data-explain=good]", Duration::from_millis(1_500)).await;
    browser.until(opened, SOON).await;
    tokio::time::sleep(SETTLE).await;
    browser.until(opened, SOON).await;
}
