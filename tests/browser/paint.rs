//! From a register to the eye: how long a new count needs until it is painted.
//!
//! The plant runs in this process and tells when each count was made; the page says when it had painted a frame that
//! shows it. Both have one clock. `CAPLINE_PAINT_SECONDS=60 cargo test --test browser paint -- --nocapture` prints
//! the figures and keeps them as `target/paint.json`; nothing depends on how fast the machine is.
//!
//! A count waits for the poll (10 ms), for the next look of the line at its screens (100 ms where a page follows closely,
//! else 250 ms), for the stream (at once, or each 500 ms) and for the next frame of the browser.

use std::path::Path;
use std::time::{Duration, Instant};

use capline::bench::machine::Machine;
use serde_json::json;

use crate::browser::Browser;
use crate::site::Site;
use crate::{CORES, IN_TIME, LIVE, SOON};
use simulators::utc_now_us;

const SHORT: Duration = Duration::from_secs(6);

/// Pages, and where each shows the good capsules of the filler.
const SHOWN: [(&str, &str); 2] = [
    ("/line?lang=en", "#machines [data-explain='good'][data-query*='CF01'] b"),
    ("/wall/L1?lang=en", "#good"),
];

/// Writes down what was painted and when: a frame is painted when the next task after its drawing runs.
const WITNESS: &str = "(() => {
    const element = document.querySelector(\"SELECTOR\");
    window.painted = [];
    let shown = element.textContent;
    new MutationObserver(() => {
      const text = element.textContent;
      if (text === shown) return;
      shown = text;
      requestAnimationFrame(() => setTimeout(() => window.painted.push([Number(text.replaceAll(',', '')), performance.timeOrigin + performance.now()]), 0));
    }).observe(element, { childList: true, characterData: true, subtree: true });
    return true;
  })()";

/// A count that the plant had: it was made between two looks, UTC microseconds.
struct Made {
    count: u64,
    after_us: i64,
    before_us: i64,
}

/// The counts that the plant had. It is looked at each millisecond, or more seldom where the machine is busy.
async fn watch(site: &Site, time: Duration) -> Vec<Made> {
    let begun = Instant::now();
    let mut made: Vec<Made> = Vec::new();
    let (mut last, mut after_us) = (site.plant.ledger().made, utc_now_us());
    while begun.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (count, before_us) = (site.plant.ledger().made, utc_now_us());
        if count != last {
            made.push(Made { count, after_us, before_us });
            last = count;
        }
        after_us = before_us;
    }
    made
}

/// How late counts were painted, milliseconds in rising order. Between two looks the earlier one counts, so that nothing
/// is called quicker than it was; a count painted that had been made before the watch is none of it.
fn late_ms(made: &[Made], painted: &[(i64, f64)]) -> Vec<f64> {
    let began = |count: i64| {
        let at = made.partition_point(|one| (one.count as i64) < count);
        made.get(at).filter(|_| at > 0 || made[0].count as i64 == count)
    };
    let mut late: Vec<f64> = painted
        .iter()
        .filter_map(|(count, at_us)| Some((at_us - began(*count)?.after_us as f64) / 1e3))
        .collect();
    late.sort_by(f64::total_cmp);
    late
}

/// Shows: SCR-18
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_painted_is_what_the_register_was_a_moment_ago() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser("").await else { return };
    let seconds = std::env::var("CAPLINE_PAINT_SECONDS").ok().map(|s| s.parse().expect("seconds"));
    let time = seconds.map_or(SHORT, Duration::from_secs);
    let machine = Machine::read();
    let site = Site::line().await;
    browser.resize((1_920, 1_080)).await;
    let mut rows = Vec::new();
    for (page, selector) in SHOWN {
        site.plant.resume();
        browser.open(&format!("{}{page}", site.origin)).await;
        let text = format!("(document.querySelector(\"{selector}\")?.textContent ?? '')");
        browser.until(&format!("{LIVE} && /^[1-9]/.test({text})"), IN_TIME).await;
        let first = browser.text(&text).await;
        browser.until(&format!("{text} !== '{first}'"), IN_TIME).await;
        browser.value(&WITNESS.replace("SELECTOR", selector)).await;
        let made = watch(&site, time).await;
        // Held, the page comes to rest on what the plant has: the two count from different beginnings.
        site.plant.hold();
        let last = site.plant.ledger().made;
        let painted = painted(&browser, last).await;
        let late_ms = late_ms(&made, &painted);
        let of = |share: f64| late_ms[((late_ms.len() - 1) as f64 * share).round() as usize];
        assert!(late_ms.len() as u64 >= time.as_secs() / 2, "{page}: {late_ms:?}");
        let gaps = made.iter().map(|one| one.before_us - one.after_us).max().unwrap_or_default();
        rows.push(json!({
            "page": page, "made": made.len(), "painted": late_ms.len(),
            "p50_ms": of(0.5).round(), "p99_ms": of(0.99).round(), "worst_ms": of(1.0).round(),
            "clock_ms": (gaps as f64 / 1e3).ceil(),
        }));
        // Nothing is painted before it was made, and no more; the two clocks of one machine are read apart.
        let early = painted.iter().any(|(count, at_us)| {
            made.iter().any(|one| one.count as i64 == *count && *at_us < one.after_us as f64 - 5e3)
        });
        assert!(!early, "{painted:?}");
        let rises = painted.windows(2).all(|pair| pair[0].0 < pair[1].0);
        assert!(rises, "counts only rise: {painted:?}");
        assert!(painted.iter().all(|(count, _)| *count <= last as i64), "more than was made");
        browser.until("document.body.dataset.link !== 'lost'", SOON).await;
    }
    eprintln!(
        "{machine}\n\n| page | counts made | painted | p50 ms | p99 ms | worst ms |\n|---|---|---|---|---|---|"
    );
    for row in &rows {
        let cells = ["page", "made", "painted", "p50_ms", "p99_ms", "worst_ms"].map(|of| &row[of]);
        let cells = cells.map(|cell| cell.to_string().trim_matches('"').to_owned());
        eprintln!("| {} |", cells.join(" | "));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/paint.json");
    let figures = json!({ "machine": machine, "seconds": time.as_secs(), "rows": rows });
    std::fs::write(file, format!("{figures:#}\n")).expect("it is written");
}

/// What the page painted once it rests: counts as the plant's, and when, UTC microseconds.
async fn painted(browser: &Browser, last: u64) -> Vec<(i64, f64)> {
    let shown = "window.painted.at(-1)?.[0] ?? 0";
    let mut rest = browser.value(shown).await;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = browser.value(shown).await;
        if now == rest {
            break;
        }
        rest = now;
    }
    let begins = rest.as_u64().unwrap_or_default() as i64 - last as i64;
    let painted = browser.value("window.painted").await;
    let painted = painted.as_array().into_iter().flatten();
    painted.filter_map(|one| Some((one[0].as_i64()? - begins, one[1].as_f64()? * 1e3))).collect()
}
