//! From a register to the eye: how long a new count needs until it is painted.
//!
//! The plant runs in this process and tells when each count was made; the page says when it had painted a frame that
//! shows it. Both have one clock. `CAPLINE_PAINT_SECONDS=60 cargo test --test browser paint -- --nocapture` prints
//! the figures; nothing depends on how fast the machine is.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::site::Site;
use crate::{ALONE, IN_TIME, LIVE, SOON};
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

/// The counts that the plant had, each with the moment it was first seen in UTC microseconds.
async fn watch(site: &Site, time: Duration) -> Vec<(u64, i64)> {
    let begun = Instant::now();
    let mut made = vec![(site.plant.ledger().made, utc_now_us())];
    while begun.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = site.plant.ledger().made;
        if made.last().is_some_and(|(last, _)| *last != now) {
            made.push((now, utc_now_us()));
        }
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_painted_is_what_the_register_was_a_moment_ago() {
    let _alone = ALONE.lock().await;
    let Some(browser) = crate::browser("").await else { return };
    let seconds = std::env::var("CAPLINE_PAINT_SECONDS").ok().map(|s| s.parse().expect("seconds"));
    let time = seconds.map_or(SHORT, Duration::from_secs);
    let site = Site::line().await;
    browser.resize((1_920, 1_080)).await;
    eprintln!("| page | counts painted | p50 ms | p99 ms | worst ms |\n|---|---|---|---|---|");
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
        let painted = "window.painted.at(-1)?.[0] ?? 0";
        let mut rest = browser.value(painted).await;
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let now = browser.value(painted).await;
            if now == rest {
                break;
            }
            rest = now;
        }
        let begins = rest.as_u64().unwrap_or_default() as i64 - last as i64;
        let painted = browser.value("window.painted").await;
        let painted: Vec<(i64, f64)> = painted
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| Some((one[0].as_i64()? - begins, one[1].as_f64()? * 1e3)))
            .collect();
        // A count may be painted that had been made before the watch, or a moment after its end.
        let mut late_ms: Vec<f64> = painted
            .iter()
            .filter_map(|(count, at_us)| {
                let (_, made_us) = made.iter().find(|(made, _)| *made as i64 == *count)?;
                Some((at_us - *made_us as f64) / 1e3)
            })
            .collect();
        late_ms.sort_by(f64::total_cmp);
        let of = |share: f64| late_ms[((late_ms.len() - 1) as f64 * share).round() as usize];
        assert!(late_ms.len() as u64 >= time.as_secs() / 2, "{page}: {late_ms:?}");
        eprintln!(
            "| {page} | {} | {:.0} | {:.0} | {:.0} |",
            late_ms.len(),
            of(0.5),
            of(0.99),
            of(1.0)
        );
        // Nothing is painted before it was made: the plant is looked at each millisecond or a little more seldom.
        assert!(late_ms[0] > -50.0, "{late_ms:?}");
        let rises = painted.windows(2).all(|pair| pair[0].0 < pair[1].0);
        assert!(rises, "counts only rise: {painted:?}");
        assert!(painted.iter().all(|(count, _)| *count <= last as i64), "more than was made");
        browser.until("document.body.dataset.link !== 'lost'", SOON).await;
        assert_ne!(browser.value("window.painted.length").await, Value::from(0));
    }
}
