//! Judges of a page that run in the page: what they find, one sentence each. See `judges.js`.

use fantoccini::key::Key;
use serde_json::Value;

use crate::browser::Browser;

/// The smallest side of what is pressed with a finger, in pixels.
pub(crate) const TARGET: u32 = 44;

/// More presses of Tab than any page has elements.
const PRESSES: usize = 600;

/// Brings the judges into the page that is open.
pub(crate) async fn call(browser: &Browser) {
    browser.run(include_str!("judges.js")).await;
}

/// What a judge finds.
pub(crate) async fn found(browser: &Browser, judge: &str) -> Vec<String> {
    sentences(&browser.value(&format!("judge.{judge}")).await)
}

/// Goes through the page with Tab from its beginning to its end, and says what was wrong on the way.
pub(crate) async fn walk(browser: &Browser) -> Vec<String> {
    browser.value("(judge.begin(), true)").await;
    for _ in 0..PRESSES {
        browser.press(Key::Tab).await;
        if browser.text("judge.step()").await != "more" {
            return found(browser, "walked()").await;
        }
    }
    vec![format!("{PRESSES} presses of Tab do not come to the end")]
}

/// What is wrong with the marks as they are drawn now: too faint, or one like another.
pub(crate) async fn marks(browser: &Browser, least: f64) -> Vec<String> {
    let size = browser.value("[...document.querySelectorAll('#marks')].map((e) => [e.offsetWidth, e.offsetHeight])[0]").await;
    let side = |i: usize| size[i].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    let png = browser.part((side(0), side(1))).await;
    found(browser, &format!("marks('{png}', {least})")).await
}

fn sentences(found: &Value) -> Vec<String> {
    let texts = found.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
