//! One frozen service, and all pages at once: each says within its time that it is lost, and strikes what it told of now
//! or says of when it is. What was frozen goes on, and so do they.

use std::time::Duration;

use fantoccini::wd::WindowHandle;
use simulators::utc_now_us;

use crate::browser::Browser;
use crate::demo::Demo;
use crate::site::Site;
use crate::{CORES, IN_TIME, LIVE, SOON, UNKNOWN_WITHIN_MS, shot};

/// Writes down when the page was lost, by the clock of this machine.
const LOST_AT: &str = "
    addEventListener('DOMContentLoaded', () => {
      new MutationObserver(() => {
        if (document.body.dataset.link === 'lost') window.lostAt ??= Date.now();
      }).observe(document.body, { attributes: true, attributeFilter: ['data-link'] });
    });";

const LOST: &str = "document.body.dataset.link === 'lost'";

/// A page, and what of it is told of now.
struct Shown {
    name: &'static str,
    path: &'static str,
    /// Selectors of what is struck while the screen is lost and at no other time. Each finds some numbers or words.
    struck: &'static [&'static str],
    /// What holds while it is lost, and not before.
    holds: &'static [&'static str],
}

/// A span that ends where the data do, marked as one that goes on no more.
const SPAN: &str = "/\\d\\d:\\d\\d/.test(document.getElementById('span').textContent) && \
                    getComputedStyle(document.getElementById('span'), '::before').content.includes('◆')";
/// The figures are told to be old once a question was not answered in its time.
const TROUBLE: &str = "!document.getElementById('trouble').hidden";

/// Four in each of two browsers: one browser has six connections for an address, and a stream takes one.
const PAGES: [[Shown; 4]; 2] = [
    [
        Shown {
            name: "wall",
            path: "/wall/L1?lang=en",
            struck: &[".figures .num:not([data-value=''])"],
            holds: &[],
        },
        Shown {
            name: "stops",
            path: "/stops?window=day&lang=en",
            struck: &[],
            holds: &[SPAN, TROUBLE],
        },
        Shown {
            name: "rejects",
            path: "/rejects?window=day&lang=en",
            struck: &[],
            holds: &[SPAN, TROUBLE],
        },
        Shown {
            name: "spc",
            path: "/spc?lang=en",
            struck: &[],
            // Each point stands at its time; the one that fills is of now.
            holds: &["document.querySelectorAll('#control svg').length > 0 && \
                      [...document.querySelectorAll('.provisional-point')].every((e) => getComputedStyle(e).visibility === 'hidden') && \
                      document.getElementById('band-lost').checkVisibility()"],
        },
    ],
    [
        Shown {
            name: "data",
            path: "/data?lang=en",
            struck: &[
                "#links",
                "#done",
                "#screens",
                ".present .tile:not([aria-labelledby=links-title]) > p.dim",
                "#polls td.num",
                "#displays td.num",
                "#grid .value",
            ],
            holds: &["document.getElementById('links-note').textContent.startsWith('◆ ')", TROUBLE],
        },
        Shown {
            name: "reports",
            path: "/reports?lang=en",
            struck: &[".periods td.wide > .dim"],
            holds: &[],
        },
        // What is configured does not grow old.
        Shown {
            name: "admin",
            path: "/admin?lang=en",
            struck: &[],
            holds: &["document.getElementById('band-lost').checkVisibility()"],
        },
        Shown {
            name: "sim",
            path: "/sim?lang=en",
            struck: &["#speed", "#clock-word", "#truth td.num:not(:last-child)"],
            holds: &[],
        },
    ],
];

/// Whether all that a selector finds is struck, or none of it: what says nothing cannot be.
fn struck(selector: &str, is: bool) -> String {
    format!(
        "(() => {{ const all = [...document.querySelectorAll(\"{selector}\")].filter((e) => /[0-9a-z]/i.test(e.textContent)); \
         return all.length > 0 && all.every((e) => getComputedStyle(e).textDecorationLine.includes('line-through') === {is}); }})()"
    )
}

/// Opens a page in a window of its own.
async fn show(browser: &Browser, demo: &Demo, page: &Shown, first: bool) -> WindowHandle {
    if !first {
        browser.new_window().await;
    }
    // Beside other windows it is seen as much as in front of them.
    let seen = serde_json::json!({ "enabled": true });
    browser.devtools("Emulation.setFocusEmulationEnabled", seen).await;
    let source = serde_json::json!({ "source": LOST_AT });
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", source).await;
    browser.resize((1_400, 900)).await;
    browser.open(&format!("{}{}", demo.origin, page.path)).await;
    browser.until(LIVE, SOON).await;
    // What is folded is looked at as well.
    browser
        .run("for (const fold of document.querySelectorAll('details.fold')) fold.open = true")
        .await;
    for selector in page.struck {
        browser.until(&struck(selector, false), IN_TIME).await;
    }
    browser.window().await
}

/// Shows: SCR-01, SCR-02
#[tokio::test]
async fn every_page_is_lost_with_the_service_and_live_again_with_it() {
    let _alone = CORES.alone().await;
    let Some(one) = crate::browser("").await else { return };
    let Some(two) = crate::browser("").await else { return };
    let demo = Demo::start();
    let mut shown = Vec::new();
    for (browser, pages) in [&one, &two].into_iter().zip(&PAGES) {
        for (i, page) in pages.iter().enumerate() {
            shown.push((browser, show(browser, &demo, page, i == 0).await, page));
        }
    }
    for (browser, window, page) in &shown {
        browser.turn_to(window).await;
        browser.until(LIVE, SOON).await;
        for holds in page.holds {
            assert!(!browser.becomes(holds, Duration::ZERO).await, "{}: {holds} before", page.name);
        }
        browser.run("window.lostAt = undefined").await;
    }

    let frozen = utc_now_us() as f64 / 1e3;
    demo.freeze();
    for (browser, window, page) in &shown {
        browser.turn_to(window).await;
        browser.until(LOST, Duration::from_secs(10)).await;
        let after = browser.value("window.lostAt").await.as_f64().unwrap_or(f64::MAX) - frozen;
        eprintln!("{}: lost {after:.0} ms after the service was frozen", page.name);
        assert!(after <= UNKNOWN_WITHIN_MS, "{}: {after} ms", page.name);
        let band = "document.getElementById('band-lost').checkVisibility() && /\\d\\d:\\d\\d:\\d\\d/.test(document.getElementById('lost-age').textContent)";
        browser.until(band, SOON).await;
        for selector in page.struck {
            browser.until(&struck(selector, true), SOON).await;
        }
        for holds in page.holds {
            browser.until(holds, SOON).await;
        }
        shot(browser, &format!("lost-{}-en", page.name)).await;
    }
    // Ages of what is no longer read go on.
    let ages = "[...document.querySelectorAll('#grid .age')].map((e) => e.textContent).filter((text) => text !== '–')";
    let Some((browser, window, _)) = shown.iter().find(|(_, _, page)| page.name == "data") else {
        panic!("the data page is among them")
    };
    browser.turn_to(window).await;
    let before = browser.value(ages).await;
    assert!(before.as_array().is_some_and(|ages| !ages.is_empty()), "{before}");
    browser.until(&format!("{ages}.every((age, i) => age !== {before}[i])"), SOON).await;

    demo.thaw();
    for (browser, window, page) in &shown {
        browser.turn_to(window).await;
        browser.until(LIVE, SOON).await;
        for selector in page.struck {
            browser.until(&struck(selector, false), IN_TIME).await;
        }
        for holds in page.holds {
            browser.until(&format!("!({holds})"), SOON).await;
        }
    }
}

/// Shows: SCR-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plc_that_is_offline_is_struck_on_the_wall_and_in_the_grid_and_the_others_are_not() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let site = Site::line().await;
    browser.resize((1_600, 1_000)).await;
    let figures = "#good, #speed, #reject";
    let count = |station: &str, is: bool| {
        format!(
            "(() => {{ const all = [...document.querySelectorAll('#grid tbody tr')].filter((row) => row.cells[0].textContent.startsWith('{station}') && /[0-9]/.test(row.cells[2].textContent)); \
             return all.length > 0 && all.every((row) => getComputedStyle(row.cells[2]).textDecorationLine.includes('line-through') === {is}); }})()"
        )
    };
    let grid = "document.getElementById('grid-card').open = true";
    let links = "document.getElementById('links').textContent.replaceAll(' ', '')";
    // Before: nothing is struck.
    browser.open(&format!("{}/data?lang=en", site.origin)).await;
    browser.run(grid).await;
    for holds in
        [LIVE.to_owned(), count("CF01", false), count("CW04", false), format!("{links} === '2/2'")]
    {
        browser.until(&holds, IN_TIME).await;
    }
    site.plant.faults().change(|faults| faults.modbus.mute = true);
    for holds in [
        LIVE.to_owned(),
        count("CF01", true),
        count("CW04", false),
        format!("{links} === '1/2'"),
        "document.getElementById('links-note').textContent.startsWith('◆ CF01')".to_owned(),
        "document.getElementById('links').closest('.tile').matches('.broken')".to_owned(),
    ] {
        browser.until(&holds, SOON).await;
    }
    shot(&browser, "data-plc-offline-en").await;
    browser.open(&format!("{}/wall/L1?lang=en", site.origin)).await;
    browser
        .until(&format!("{LIVE} && document.getElementById('band-plc').checkVisibility()"), SOON)
        .await;
    browser.until("document.body.dataset.feed === 'held'", SOON).await;
    let told = "/[0-9]/.test(document.getElementById('good').textContent)";
    browser.until(&format!("{told} && {}", struck("#good", true)), SOON).await;
    shot(&browser, "wall-plc-offline-en").await;
    site.plant.faults().change(|faults| faults.modbus.mute = false);
    browser.until(&struck(figures, false), IN_TIME).await;
    browser.open(&format!("{}/data?lang=en", site.origin)).await;
    browser.run(grid).await;
    browser.until(&count("CF01", false), IN_TIME).await;
}
