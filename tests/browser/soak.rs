//! A wall and the overview for a day: nothing may grow.
//!
//! The simulated line runs 60 times as fast as a real one, which is the most at which its sockets are still read in
//! time: a day of minutes, shifts and events takes 24 minutes. Views come twice a second all the same, so the page is
//! given more to draw: each view is drawn 20 times where the machine keeps up, with counts that go on, and what the page
//! does every second it does 20 times a second. That is a third of the frames of a real day.
//! `CAPLINE_SOAK_HOURS=24 cargo test --test browser soak -- --nocapture` is that for each of the two pages; without it
//! some minutes of each.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, DRAWN, IN_TIME, LIVE, UNKNOWN};

/// Hours of the line in an hour.
const SPEED: u32 = 60;
/// Times that each view is drawn.
const TIMES: f64 = 20.0;
/// Real time for each page unless a length is asked for.
const SHORT: Duration = Duration::from_secs(10);
/// Looks at a page in the whole time.
const SAMPLES: u32 = 24;

/// What the last quarter may be of the second one. Words and numbers change their length, caches fill; a difference of
/// less than some drawings is none.
const HEAP: f64 = 1.10;
const NODES: f64 = 1.10;
const LISTENERS: f64 = 1.05;

/// Draws each view 20 times and does every second's work 20 times a second. Counts what was drawn. While `held` is set
/// the page draws nothing, so that what it has let go of can be collected and counted.
const FAST: &str = "
    const TIMES = 20;
    window.drawn = 0;
    window.held = false;
    let due = 0;
    const every = window.setInterval.bind(window);
    window.setInterval = (what, ms, ...rest) => every((...all) => window.held || what(...all), ms >= 1000 && ms < 5000 ? ms / TIMES : ms, ...rest);
    const listen = EventSource.prototype.addEventListener;
    EventSource.prototype.addEventListener = function (kind, take) {
      if (kind !== 'view') { listen.call(this, kind, (event) => window.held || take(event)); return; }
      listen.call(this, kind, (event) => {
        // A busy machine is given less to draw: what waits for ever would in the end answer nobody.
        const times = due > 0 ? 1 : TIMES;
        for (let i = 0; i < times; i += 1) {
          due += 1;
          setTimeout(() => {
            due -= 1;
            if (window.held) return;
            const view = JSON.parse(event.data);
            view.at_ms += i * 1500;
            view.total.best += i * 160;
            if (view.shift) view.shift.good.best += i * 160;
            for (const station of view.stations) for (const flow of ['infeed', 'good']) if (station[flow]) station[flow].best += i * 160;
            window.drawn += 1;
            take({ data: JSON.stringify(view), lastEventId: event.lastEventId });
          }, i * 500 / TIMES);
        }
      });
    };";

/// What grows: memory, listeners, elements that are no longer in the page.
const LEAK: &str = "
    if (location.search.includes('leak')) {
      window.kept = [];
      setInterval(() => {
        window.kept.push(new Array(20000).fill(Math.random()), ...Array.from({ length: 20 }, () => document.createElement('p')));
        document.addEventListener('leak', () => window.kept.length);
      }, 50);
    }";

/// A page at one moment, after a collection and while it draws nothing.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// JavaScript heap, bytes.
    heap: f64,
    /// Elements, texts and other nodes that are held but stand in no page.
    loose: f64,
    listeners: f64,
    /// Elements in the page.
    elements: f64,
    /// Seconds that the page's thread has worked.
    busy_s: f64,
}

/// Nodes of all kinds in the page.
const INSIDE: &str = "(() => { let n = 1; const walk = document.createTreeWalker(document); while (walk.nextNode()) n += 1; return n; })()";

async fn sample(browser: &Browser) -> Sample {
    browser.run("window.held = true").await;
    // What a first collection lets go of the page, a second one takes.
    for _ in 0..2 {
        browser.devtools("HeapProfiler.collectGarbage", json!({})).await;
    }
    let metrics = browser.devtools("Performance.getMetrics", json!({})).await;
    let metrics: Vec<Value> = metrics["metrics"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| {
        let found = metrics.iter().find(|metric| metric["name"] == name);
        found.and_then(|metric| metric["value"].as_f64()).unwrap_or(f64::NAN)
    };
    let of_page = async |what: &str| browser.value(what).await.as_f64().unwrap_or(f64::NAN);
    let elements = of_page("document.getElementsByTagName('*').length").await;
    let sample = Sample {
        heap: of("JSHeapUsedSize"),
        loose: of("Nodes") - of_page(INSIDE).await,
        listeners: of("JSEventListeners"),
        elements,
        busy_s: of("TaskDuration"),
    };
    browser.run("window.held = false").await;
    sample
}

/// What grew: the last quarter of the samples against the second one. The first is the page filling itself.
fn grown(samples: &[Sample]) -> Vec<String> {
    let quarter = samples.len() / 4;
    // What a browser has not collected yet comes and goes: what grows is the least that stays.
    let least_of = |of: fn(&Sample) -> f64, from: usize| {
        samples[from..from + quarter].iter().map(of).fold(f64::INFINITY, f64::min)
    };
    let mut found = Vec::new();
    for (what, of, most, least) in [
        ("heap", (|s| s.heap) as fn(&Sample) -> f64, HEAP, 500_000.0),
        ("loose nodes", |s| s.loose, NODES, 100.0),
        ("listeners", |s| s.listeners, LISTENERS, 5.0),
        ("elements", |s| s.elements, NODES, 50.0),
    ] {
        let (early, late) = (least_of(of, quarter), least_of(of, samples.len() - quarter));
        eprintln!("  {what}: {early:.0} → {late:.0}");
        // What is no number is no proof.
        let is_number = early.is_finite() && late.is_finite();
        if !is_number || (late > early.max(0.0) * most && late - early > least) {
            found.push(format!("{what} grew from {early:.0} to {late:.0}"));
        }
    }
    found
}

/// Watches a page for a time.
async fn watch(browser: &Browser, time: Duration) -> Vec<Sample> {
    browser.devtools("Performance.enable", json!({})).await;
    let begun = Instant::now();
    let mut samples = Vec::new();
    for n in 1..=SAMPLES {
        let due = time * n / SAMPLES;
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        samples.push(sample(browser).await);
    }
    samples
}

fn time() -> Duration {
    let hours =
        std::env::var("CAPLINE_SOAK_HOURS").ok().map(|hours| hours.parse::<f64>().expect("hours"));
    hours.map_or(SHORT, |hours| Duration::from_secs_f64(hours * 3_600.0 / f64::from(SPEED)))
}

/// Shows: SCR-20
#[tokio::test]
async fn nothing_grows_on_a_screen_that_stays_on() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser(&format!("{FAST}{LEAK}")).await else { return };
    let demo = Demo::with(&["--speed", &SPEED.to_string()]);
    let time = time();
    browser.resize((1_920, 1_080)).await;
    for page in ["/wall/L1", "/"] {
        browser.open(&format!("{}{page}?lang=both", demo.origin)).await;
        browser.until(&format!("{LIVE} && {DRAWN}"), IN_TIME).await;
        let bytes = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))\
            .filter((e) => !e.name.includes('/events')).reduce((sum, e) => sum + e.transferSize, 0)";
        let bytes = browser.value(bytes).await.as_f64().unwrap_or(f64::MAX);
        let begun = Instant::now();
        let samples = watch(&browser, time).await;
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        let real = begun.elapsed().as_secs_f64();
        let drawn = browser.value("window.drawn").await.as_f64().unwrap_or_default();
        eprintln!(
            "{page}: {:.2} h of the line, {drawn:.0} views drawn, page thread busy {:.0} % ({:.1} % for each time), {:.0} KB to load",
            real * f64::from(SPEED) / 3_600.0,
            (last.busy_s - first.busy_s) / real * 100.0,
            (last.busy_s - first.busy_s) / real * 100.0 / TIMES,
            bytes / 1_024.0
        );
        assert_eq!(grown(&samples), Vec::<String>::new(), "{page}");
        // It was at work all the time, and is at the end.
        assert!(drawn >= real, "{drawn} views in {real} s");
        browser.until(&format!("{LIVE} && document.body.dataset.link === 'live'"), IN_TIME).await;
        assert!(bytes < 400_000.0, "{page}: {bytes} bytes to load");
    }
    // The negative control: a page that keeps what it should let go is found.
    browser.open(&format!("{}/wall/L1?leak", demo.origin)).await;
    browser.until(&format!("{LIVE} && !({UNKNOWN})"), IN_TIME).await;
    let found = grown(&watch(&browser, SHORT / 2).await).join("\n");
    for what in ["heap", "loose nodes", "listeners"] {
        assert!(found.contains(what), "{what} in {found}");
    }
}
