//! What is shown together belongs together: numbers of one moment, and a drawing that is not hatched where something is known.

use serde_json::json;

use crate::demo::Demo;
use crate::{CORES, IN_TIME, LIVE, SOON};

/// Looks at each painted frame whether the output less the target is the difference.
const LOOK: &str = "
    window.seen = new Set();
    window.torn = [];
    const of = (id) => document.getElementById(id);
    const look = () => {
      const [good, gap] = [of('good'), of('gap')].map((one) => Number(one?.dataset.value ?? NaN));
      const target = Number(of('gap-note')?.innerText.match(/([\\d,]+)\\s*$/)?.[1].replaceAll(',', '') ?? NaN);
      if (document.body.dataset.link === 'live' && good > 0) {
        window.seen.add(good);
        if (good - target !== gap) window.torn.push([good, target, gap]);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);";

/// Shows: SCR-01
#[tokio::test]
async fn output_target_and_difference_are_of_one_moment_in_every_frame() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser(LOOK).await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    browser.resize((1_280, 1_000)).await;
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && window.seen.size > 40"), IN_TIME).await;
    assert_eq!(browser.value("window.torn.slice(0, 5)").await, json!([]));
    // The negative control: a number that does not fit is seen.
    browser.run("document.getElementById('gap').dataset.value = '1'").await;
    browser.until("window.torn.length > 0", SOON).await;
}

/// Counts the answers that the chart of seconds has got.
const ANSWERS: &str = "
    window.answers = 0;
    const ask = window.fetch;
    window.fetch = async (address, ...rest) => {
      const answer = await ask(address, ...rest);
      if (String(address).includes('/series?')) window.answers += 1;
      return answer;
    };";

/// The times between the left edge and the first point that is shown, hatched as not known.
const LEFT: &str = "[...document.querySelectorAll('#seconds .hatched')].filter((e) => Number(e.getAttribute('x')) < 64.5).length";

/// Shows: SCR-17
#[tokio::test]
async fn the_left_edge_of_the_last_minutes_is_not_hatched_where_they_are_recorded() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser(ANSWERS).await else { return };
    let demo = Demo::with(&["--speed", "1", "--history", "2h"]);
    browser.resize((1_280, 1_000)).await;
    browser.open(&format!("{}/line?lang=en", demo.origin)).await;
    let drawn = "document.querySelector('#seconds .trace')?.getAttribute('d')?.length > 100";
    browser.until(&format!("{LIVE} && {drawn}"), IN_TIME).await;
    // The first answer is the whole span; each that follows brings what is new, and what was there is kept.
    for answers in 2..8 {
        browser.until(&format!("window.answers >= {answers}"), SOON).await;
        assert_eq!(browser.value(LEFT).await, json!(0), "answer {answers}");
    }
}
