//! The screens through the eyes of a person: the real binary, a real Chromium.
#![expect(clippy::print_stderr, reason = "a test that skips says so")]

mod andon;
mod away;
mod axe;
mod browser;
mod chosen;
mod curve;
mod demo;
mod displays;
mod explain;
mod faults;
mod hand;
mod histogram;
mod judges;
mod keys;
mod lines;
mod login;
mod looks;
mod lost;
mod marks;
mod old;
mod pages;
mod paint;
mod replay;
mod senses;
mod served;
mod shown;
mod sim;
mod site;
mod soak;
mod tags;
mod together;
mod unanswered;
mod walk;
mod workbench;

use std::path::Path;
use std::time::{Duration, Instant};

use browser::Browser;
use demo::Demo;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Data that are older say so.
const UNKNOWN_WITHIN_MS: f64 = 4_000.0;
/// For what ought to be there at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// For what the line has to do first: it may begin with a stop.
const IN_TIME: Duration = Duration::from_secs(60);

const LIVE: &str = "document.body.dataset.link === 'live'";
const UNKNOWN: &str = "document.getElementById('state').dataset.state === 'unknown'";

const DRAWN: &str = "document.querySelectorAll('#trend svg').length === 1 && \
                     document.querySelectorAll('#hours tbody tr').length > 0";

/// Writes down when the page first said UNKNOWN, by the page's own clock.
const WITNESS: &str = "
    addEventListener('DOMContentLoaded', () => {
      const state = document.getElementById('state');
      const look = () => {
        const unknown = state.dataset.state === 'unknown';
        if (unknown && window.since === undefined) window.since = performance.now();
        if (!unknown) window.since = undefined;
      };
      new MutationObserver(look).observe(state, { attributes: true });
      look();
    });";

/// Streams that never bring anything.
const NO_STREAM: &str = "
    window.EventSource = class { addEventListener() {} close() {} };
    window.fetch = () => new Promise(() => {});";

/// Takes away the timer with which the page looks how old its data are.
const NO_TIMER: &str = "
    const start = window.setInterval.bind(window);
    window.setInterval = (what, ms, ...rest) => (ms === 100 ? 0 : start(what, ms, ...rest));";

/// Two browsers at a time, each with a demo: they share two cores. Who measures time, or presses keys faster than a
/// busy page answers, has both.
static CORES: Cores = Cores(Semaphore::const_new(2));

struct Cores(Semaphore);

impl Cores {
    async fn shared(&self) -> SemaphorePermit<'_> {
        self.0.acquire().await.expect("it is never closed")
    }

    async fn alone(&self) -> SemaphorePermit<'_> {
        self.0.acquire_many(2).await.expect("it is never closed")
    }
}

/// A browser, or a reason why there is none: an error where tests must not be left out.
async fn browser(before: &str) -> Option<Browser> {
    let browser = Browser::start(before).await;
    if browser.is_none() {
        let missing = "needs chromium and chromedriver: apt-get install chromium chromium-driver";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("skipped: {missing}");
    }
    browser
}

/// Keeps a picture for people in `target/screenshots`.
async fn shot(browser: &Browser, name: &str) {
    keep(&format!("{name}.png"), &browser.picture().await);
}

/// Keeps a file for people in `target/screenshots`.
fn keep(name: &str, bytes: &[u8]) {
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&shots).expect("a directory for the files");
    std::fs::write(shots.join(name), bytes).expect("it is written");
}

/// Shows: SCR-01, SCR-02
#[tokio::test]
async fn a_frozen_service_is_unknown_within_four_seconds_and_live_again_afterwards() {
    let _alone = CORES.alone().await;
    let Some(browser) = browser(WITNESS).await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    browser.until(&format!("!({UNKNOWN})"), SOON).await;
    let good = "Number(document.getElementById('good').dataset.value)";
    let first = browser.value(good).await;
    browser.until(&format!("{good} > {first}"), IN_TIME).await;
    assert_ne!(browser.text("document.getElementById('state-word').textContent").await, "UNKNOWN");

    browser.until(&format!("{LIVE} && !({UNKNOWN})"), SOON).await;
    let before = browser.value("performance.now()").await.as_f64().unwrap_or(f64::MAX);
    demo.freeze();
    browser.until(UNKNOWN, Duration::from_secs(10)).await;
    let since = browser.value("window.since").await.as_f64().unwrap_or(f64::MAX);
    eprintln!("UNKNOWN {:.0} ms after the service was frozen", since - before);
    assert!(since - before <= UNKNOWN_WITHIN_MS, "{} ms", since - before);
    for (what, holds) in [
        ("the state says so", "document.getElementById('state-word').textContent === 'UNKNOWN'"),
        ("its duration stands still", "document.getElementById('state-for').textContent === ''"),
        ("the link is lost", "document.getElementById('link-word').textContent === 'LOST'"),
        ("a band says so", "document.getElementById('band-lost').checkVisibility()"),
        (
            "numbers are struck",
            "[...document.querySelectorAll('.live .num')].filter((n) => n.dataset.value !== '' && n.textContent.trim() !== '').every((n) => \
             getComputedStyle(n).textDecorationLine.includes('line-through'))",
        ),
        (
            "stations are unknown",
            "[...document.querySelectorAll('#stations li')].every((li) => li.dataset.state === 'unknown')",
        ),
    ] {
        assert_eq!(browser.value(holds).await, Value::Bool(true), "{what}");
    }

    demo.thaw();
    browser.until(&format!("{LIVE} && !({UNKNOWN})"), SOON).await;
    let restored = "document.getElementById('band-restored').checkVisibility()";
    assert_eq!(browser.value(restored).await, Value::Bool(true), "the gap is told");
    let then = browser.value(good).await;
    browser.until(&format!("{good} > {then}"), IN_TIME).await;
}

/// The negative control of the test above: it is the page's timer that finds out, and nothing else would.
/// Shows: SCR-01
#[tokio::test]
async fn without_its_timer_the_page_would_go_on_calling_old_data_live() {
    let _alone = CORES.alone().await;
    let Some(browser) = browser(&format!("{NO_TIMER}{WITNESS}")).await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && !({UNKNOWN})"), SOON).await;
    demo.freeze();
    assert!(!browser.becomes(UNKNOWN, Duration::from_secs(6)).await, "no timer, and yet UNKNOWN");
    assert_eq!(browser.text("document.body.dataset.link").await, "live");
}

#[tokio::test]
async fn the_first_figures_need_no_stream_and_grow_old_like_all() {
    let _alone = CORES.alone().await;
    let Some(browser) = browser(&format!("{NO_STREAM}{WITNESS}")).await else { return };
    let demo = Demo::start();
    let figures = "document.getElementById('good').dataset.value !== ''";
    let shown = format!("{figures} && {DRAWN} && !({UNKNOWN})");
    let end = Instant::now() + SOON;
    // A page that comes before the first reading has nothing to show, and this one never hears of it.
    browser.open(&demo.origin).await;
    while !browser.becomes(&shown, Duration::from_millis(500)).await {
        assert!(Instant::now() < end, "no figures without the stream");
        browser.open(&demo.origin).await;
    }
    let painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1";
    eprintln!("first painted after {} ms", browser.value(painted).await);
    browser.until(UNKNOWN, Duration::from_secs(10)).await;
    let since = browser.value("window.since").await.as_f64().unwrap_or(f64::MAX);
    assert!(since <= UNKNOWN_WITHIN_MS, "{since} ms");
}

#[tokio::test]
async fn the_language_changes_every_word_and_back() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser("").await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    let text = "document.body.innerText";
    let english = browser.text(text).await;
    assert!(english.contains("Output") && english.contains("Hour board"), "{english}");
    browser.click(".choices a[href*='lang=zh']").await;
    browser.until(&format!("document.documentElement.lang === 'zh-CN' && {LIVE}"), SOON).await;
    let chinese = browser.text(text).await;
    assert!(chinese.contains("产量") && chinese.contains("小时板"), "{chinese}");
    for word in ["Output", "Hour board", "Shift", "Stations", "target", "since", "LIVE", "RUNNING"]
    {
        assert!(!chinese.contains(word), "{word} in\n{chinese}");
    }
    // Remembered without being asked again.
    browser.open(&demo.origin).await;
    browser.until(&format!("document.documentElement.lang === 'zh-CN' && {LIVE}"), SOON).await;
    browser.click(".choices a[href*='lang=en']").await;
    browser.until(&format!("document.documentElement.lang === 'en' && {LIVE}"), SOON).await;
    let back = browser.text(text).await;
    assert!(back.contains("Output") && !back.contains("产量"), "{back}");
}

/// Shows: SCR-11
#[tokio::test]
async fn nothing_is_asked_from_elsewhere_and_the_console_stays_empty() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser("").await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    browser.until("document.querySelectorAll('#trend svg').length === 1", SOON).await;
    let asked =
        browser.value("performance.getEntriesByType('resource').map((entry) => entry.name)").await;
    let asked: Vec<&str> =
        asked.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(asked.iter().any(|address| address.contains("/assets/overview.mjs")), "{asked:?}");
    assert!(asked.iter().all(|address| address.starts_with(&demo.origin)), "{asked:?}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let policy = "fetch('/').then((answer) => { window.policy = answer.headers.get('content-security-policy'); }) && true";
    browser.value(policy).await;
    browser.until("typeof window.policy === 'string'", SOON).await;
    let policy = browser.text("window.policy").await;
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    // The browser keeps the policy and the test would see it: the same port by another name is elsewhere.
    let elsewhere = demo.origin.replace("127.0.0.1", "localhost");
    browser.value(&format!("fetch('{elsewhere}/healthz').catch(() => {{}}) && true")).await;
    let refused =
        async || browser.complaints().await.iter().any(|said| said.contains("connect-src"));
    let end = Instant::now() + SOON;
    while !refused().await {
        assert!(Instant::now() < end, "a request to elsewhere passed");
    }
}

/// Pictures for people in `target/screenshots`, and those of the README when `CAPLINE_README_SHOT=1`.
#[tokio::test]
async fn every_size_colour_and_language_fits_its_screen() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser("").await else { return };
    let demo = Demo::start();
    if std::env::var_os("CAPLINE_README_SHOT").is_some_and(|wish| wish == "1") {
        let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/shots");
        readme_shot(&browser, &demo, &shots.join("overview.png")).await;
        readme_small(&browser, &demo, &shots).await;
    }
    let mut cut = Vec::new();
    for (screen, size) in [
        ("wall", (1_920, 1_080)),
        ("office", (1_600, 1_000)),
        ("desk", (1_400, 900)),
        ("laptop", (1_366, 768)),
        ("tablet", (810, 1_080)),
    ] {
        browser.resize(size).await;
        for theme in ["light", "dark"] {
            for lang in ["en", "zh", "both"] {
                browser.open(&format!("{}/?lang={lang}", demo.origin)).await;
                browser
                    .value(&format!("document.cookie = 'theme={theme}; Path=/; SameSite=Lax'"))
                    .await;
                browser.open(&demo.origin).await;
                browser.until(&format!("{LIVE} && {DRAWN}"), SOON).await;
                let name = format!("{screen}-{theme}-{lang}");
                shot(&browser, &name).await;
                let found = cut_when_full(&browser).await;
                cut.extend(found.into_iter().map(|what| format!("{name}: {what}")));
            }
        }
    }
    assert!(cut.is_empty(), "{cut:#?}");
}

/// The picture of the README: once the line has run long enough for a speed, a forecast and the slowest measures.
async fn readme_shot(browser: &Browser, demo: &Demo, file: &Path) {
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    let forecast = "document.getElementById('plan').dataset.value !== ''";
    let speed = "document.getElementById('speed').dataset.value !== ''";
    let measures =
        "[...document.querySelectorAll('#stations li')].every((e) => !e.textContent.includes('◆'))";
    let told = format!("{LIVE} && {DRAWN} && {forecast} && {speed} && {measures} && !({UNKNOWN})");
    browser.until(&told, Duration::from_secs(180)).await;
    std::fs::write(file, browser.picture().await).expect("it is written");
}

/// The two smaller pictures of the README, of pages behind the overview.
async fn readme_small(browser: &Browser, demo: &Demo, shots: &Path) {
    browser.resize((1_600, 1_000)).await;
    for (name, path, ready) in [
        ("spc", "/spc?lang=en&theme=light", "#control svg .shape, #control svg .point"),
        ("stops", "/stops?lang=en&theme=light&window=day", "#stops [data-stop]"),
    ] {
        browser.open(&format!("{}{path}", demo.origin)).await;
        let drawn = format!("document.querySelectorAll('{ready}').length > 3");
        browser.until(&format!("{LIVE} && {drawn}"), IN_TIME).await;
        // The panels beside a chart come with its next answer.
        tokio::time::sleep(Duration::from_secs(3)).await;
        std::fs::write(shots.join(format!("{name}.png")), browser.picture().await)
            .expect("it is written");
    }
}

/// Makes the hour board as long as it becomes at the end of a shift, and the reasons as many as a line has, so that no time
/// of day has more than was looked at.
const FULL_BOARD: &str = "(() => {
    for (const [list, most] of [['#hours tbody', 12], ['#rejects tbody', 6]]) {
      const rows = document.querySelector(list);
      while (rows && rows.rows.length > 0 && rows.rows.length < most) rows.prepend(rows.rows[0].cloneNode(true));
      for (const row of [...rows?.rows ?? []].slice(0, most)) row.hidden = false;
    }
    return true;
  })()";

/// What is cut once the lists are full, looked at before the next view writes them anew.
async fn cut_when_full(browser: &Browser) -> Vec<String> {
    browser.texts(&format!("{FULL_BOARD} && {CUT}")).await
}

/// Blanks of texts that nothing was written into.
const BLANKS: &str = "document.body.innerText.match(/\\{[a-z_]+\\}/g) ?? []";

/// Texts that do not fit where they stand, boxes whose content sticks out of them or that lie over each other, drawings
/// too low to be read, a page wider than its screen, and on a screen as large as a wall one that is higher: nobody scrolls
/// there. A Pareto is shown whole, and its page scrolls instead; hours side by side may be scrolled.
const CUT: &str = "
    [...document.querySelectorAll('main *, .bar *')]
      .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
      .filter((e) => e.matches('.tile, .card, #stations li') || getComputedStyle(e).overflowX !== 'visible')
      .filter((e) => !e.closest('#events') && !e.matches('.scroll:has(> #heat)'))
      .map((e) => `${e.tagName}#${e.id}.${e.className}: ${e.textContent.slice(0, 60)}`)
      .concat(document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : [])
      .concat([...document.querySelectorAll('.plot')].filter((e) => e.checkVisibility() && e.clientHeight < 60).map((e) => `too low: ${e.id}, ${e.clientHeight} px`))
      .concat([...document.querySelectorAll('main :is(.card, .tile, .explain)')].filter((e) => e.checkVisibility()).flatMap((e, i, all) => {
        const own = e.getBoundingClientRect();
        return all.slice(i + 1).filter((other) => !e.contains(other)).filter((other) => {
          const box = other.getBoundingClientRect();
          return Math.min(own.right, box.right) - Math.max(own.left, box.left) > 1 && Math.min(own.bottom, box.bottom) - Math.max(own.top, box.top) > 1;
        }).map((other) => `over each other: ${e.textContent.slice(0, 30)} | ${other.textContent.slice(0, 30)}`);
      }))
      .concat([...document.querySelectorAll('main :is(.card, .tile)')].filter((e) => e.checkVisibility() && getComputedStyle(e).overflowY === 'visible' && e.scrollHeight > e.clientHeight + 2).map((e) => `sticks out below by ${e.scrollHeight - e.clientHeight} px: ${e.textContent.slice(0, 40)}`))
      .concat([...document.querySelectorAll('main .card > header')].filter((e) => e.checkVisibility() && [...e.querySelectorAll(':scope > :is(h2, span)')].some((text) => text.getBoundingClientRect().bottom > Math.min(...[...e.parentElement.children].slice(1).filter((next) => next.checkVisibility() && !next.matches('.away')).map((next) => next.getBoundingClientRect().top)) + 2)).map((e) => `a head over what is below it: ${e.textContent.slice(0, 40)}`))
      .concat([...document.querySelectorAll('.bar > :is(.choices, .choice:not(#rewind))')].map((e) => e.getBoundingClientRect()).some((box, i, all) => Math.abs(box.top + box.bottom - all[0].top - all[0].bottom) > 40) ? ['choices of the bar on two rows'] : [])
      .concat([...document.querySelectorAll('.wall #hours tr:last-child, #pareto tr:last-child, #rejects tr:not([hidden])')].filter((e) => e.getBoundingClientRect().bottom > e.closest('.card').getBoundingClientRect().bottom).map((e) => `outside its card: ${e.textContent.slice(0, 40)}`))
      .concat(innerWidth >= 1600 && (document.body.matches('.wall') || innerHeight >= 1080) && !document.querySelector('.pareto-bores') && main.scrollHeight > main.clientHeight ? [`higher than the screen by ${main.scrollHeight - main.clientHeight}`] : [])
      .concat([...document.querySelectorAll('.bar > *')].flatMap((e, i, all) => {
        const text = document.createRange();
        text.selectNodeContents(e);
        const [own, right] = [e.getBoundingClientRect(), text.getBoundingClientRect().right];
        const beside = all.map((other) => other.getBoundingClientRect()).some((box) => box.left > own.left && box.top < own.bottom - 1 && box.bottom > own.top + 1 && right > box.left + 1);
        return beside ? [`over its neighbour: ${e.textContent.slice(0, 60)}`] : [];
      }))";
