//! The workbench of a quality engineer, by clicks and keys.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, LIVE, SOON, keep};

pub(crate) const DRAWN: &str = "document.querySelectorAll('#control svg').length > 0";

/// Long enough for a hundred whole subgroups, so that limits can be approved.
const HISTORY: &str = "44h";

/// Writes down when the charts were first there and when that was on the screen, by the page's own clock.
const STOPWATCH: &str = "
    addEventListener('DOMContentLoaded', () => {
      const control = document.getElementById('control');
      if (!control) return;
      new MutationObserver((_, observer) => {
        observer.disconnect();
        window.drawn = performance.now();
        requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }, 0));
      }).observe(control, { childList: true });
    });";

pub(crate) async fn open(browser: &Browser, demo: &Demo, path: &str) {
    browser.open(&format!("{}{path}", demo.origin)).await;
    browser.until(&format!("{LIVE} && {DRAWN}"), SOON).await;
}

/// Keys of a chart: to its oldest point, and to the next one.
const HOME: &str = "\u{e011}";
const RIGHT: &str = "\u{e014}";

/// Chooses a value of a select as a person does.
pub(crate) async fn choose(browser: &Browser, id: &str, value: &str) {
    choose_in(browser, &format!("#{id}"), value).await;
}

async fn choose_in(browser: &Browser, what: &str, value: &str) {
    let script = format!(
        "const it = document.querySelector('{what}'); it.value = '{value}'; it.dispatchEvent(new Event('change', {{ bubbles: true }}));"
    );
    browser.run(&script).await;
}

/// Puts an incident into the journal as the charts task does when a point leaves its limits.
pub(crate) fn put_incident(demo: &Demo, of: &str, minutes_ago: i64) {
    let conn = Connection::open(demo.journal()).expect("the journal");
    conn.busy_timeout(Duration::from_secs(10)).expect("a wait");
    let sql = "insert into incident (line, characteristic, version, opened_us, last_us, rules, companion_rules, points, level, is_over)
               select id, ?2, 1, ?1, ?1, 'N1', '', 1, 'notice', 0 from line where name = 'L1'";
    let now_us = capline::clock::Clock::real().now().utc_us;
    let opened_us = now_us - minutes_ago * 60_000_000;
    conn.execute(sql, (opened_us, of)).expect("an incident");
}

/// An incident is work: acknowledged, with its cause, what was done and who has it, all by clicks.
#[tokio::test]
async fn an_incident_is_worked_on_by_clicks() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    put_incident(&demo, "reject_fraction", 90);
    open(&browser, &demo, "/spc?lang=en").await;
    browser.until("document.querySelector('#signals details') !== null", SOON).await;
    let said = "document.querySelector('#signals details').textContent";
    assert!(browser.text(said).await.contains("not acknowledged"));
    browser.click("#signals summary").await;
    // Without a name nothing is kept, and the page says so.
    browser.click("#signals form button").await;
    browser.until("document.querySelector('#signals form [role=status]').textContent.includes('author is empty')", SOON).await;
    for (kind, text) in [
        ("acknowledge", ""),
        ("cause", "worn dosing disc"),
        ("action", "disc changed, 200 checked"),
        ("owner", "Li Wei"),
    ] {
        let fill = format!(
            "const box = document.querySelector('#signals details'); box.open = true;
             const [what, words, name] = box.querySelectorAll('form select, form input');
             what.value = '{kind}'; words.value = '{text}'; name.value = 'An'; name.dispatchEvent(new Event('input'));"
        );
        browser.run(&fill).await;
        browser.click("#signals form button").await;
        let kept = if text.is_empty() { "✔ acknowledged" } else { text };
        browser.until(&format!("{said}.includes('{kept}')"), SOON).await;
    }
    let text = browser.text(said).await;
    assert!(text.contains("An ·") && !text.contains("not acknowledged"), "{text}");
    let summary = "document.querySelector('#signals summary').textContent";
    assert!(browser.text(summary).await.contains("Li Wei"), "its owner stands in front");
    assert_eq!(browser.complaints().await.iter().filter(|said| !said.contains("400")).count(), 0);
}

/// From a baseline with two subgroups left out to limits in force: proposed, replayed, approved by a second person.
#[tokio::test]
async fn limits_are_frozen_replayed_and_approved_by_clicks() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::with(&["--speed", "1", "--history", HISTORY]);
    open(&browser, &demo, "/spc?lang=en").await;
    choose(&browser, "hours", "168").await;
    browser.until("document.querySelector('#propose') !== null", SOON).await;
    let n = "Number(document.querySelector('#propose summary').textContent.match(/(\\d+)$/)[1])";
    browser.until(&format!("{n} >= 100"), SOON).await;
    let before = browser.value(n).await.as_i64().unwrap_or(0);
    browser.click("#propose summary").await;
    let left = "document.querySelectorAll('#propose .left-out li').length";
    // At which subgroups the demo has signals depends on the hour: the two are those under the cursor.
    choose_in(&browser, "#propose [data-name=exclude]", "cursor").await;
    let (out, mut at) = (2, 0);
    for (n, cause) in (1..).zip(["powder bridge", "jam after cleaning"]) {
        for _ in 0..60 {
            // A subgroup that is not whole estimates nothing, and cannot be left out.
            at += 1;
            browser.keys("#control", &format!("{HOME}{}", RIGHT.repeat(at))).await;
            browser.run("document.querySelector('#propose [data-name=cause]').value = ''").await;
            browser.keys("#propose [data-name=cause]", cause).await;
            browser.click("#propose [data-name=add]").await;
            if browser.value(left).await == json!(n) {
                break;
            }
        }
    }
    assert_eq!(browser.value(left).await, json!(out));
    browser.keys("#propose [data-name=reason]", "first baseline").await;
    browser.keys("#propose form input[autocomplete=name]", "An").await;
    browser.click("#propose form button").await;
    let proposed = "[...document.querySelectorAll('#limits details summary')].find((s) => s.textContent.includes('proposed'))";
    browser.until(&format!("{proposed} !== undefined"), SOON).await;
    assert_eq!(
        browser.text(&format!("{proposed}.textContent")).await.rsplit(' ').next(),
        Some((before - out).to_string().as_str()),
        "what was left out does not estimate"
    );
    browser.run(&format!("{proposed}.click()")).await;
    let box_ = format!("{proposed}.parentElement");
    for cause in ["powder bridge", "jam after cleaning"] {
        assert!(browser.text(&format!("{box_}.textContent")).await.contains(cause));
    }
    browser.run(&format!("{box_}.querySelector('div > button').click()")).await;
    browser.until(&format!("{box_}.querySelector('div [role=status]').textContent.includes('signals that appear')"), SOON).await;
    // The author is no second person.
    let decide = |name: &str| {
        format!(
            "const box = {box_}; const [reason, who] = box.querySelectorAll('form input');
             reason.value = 'replayed'; who.value = '{name}'; who.dispatchEvent(new Event('input'));
             box.querySelector('form button').click();"
        )
    };
    browser.run(&decide("an")).await;
    browser
        .until(
            &format!(
                "{box_}.querySelector('form [role=status]').textContent.includes('second person')"
            ),
            SOON,
        )
        .await;
    browser.run(&decide("Bo")).await;
    let state = "document.getElementById('state').textContent";
    browser.until(&format!("{state}.includes(', approved,')"), SOON).await;
    assert!(browser.text(state).await.contains("Bo"), "who approved stands there");
}

/// Puts two signals where a test wants them, so many subgroups before the newest: whether a simulated plant has one depends on
/// the hour at which it is looked at.
const SIGNALS: &str = "
    const ask = window.fetch;
    window.fetch = async (address, ...rest) => {
      const answer = await ask(address, ...rest);
      if (window.putSignals === undefined || !answer.ok || !/\\/charts\\/[^/]+\\?/.test(String(address))) return answer;
      const chart = await answer.json();
      chart.sig = window.putSignals.map((back) => [chart.t.length - 1 - back, 'N1']);
      for (const beside of [chart.companion, chart.within]) if (beside) beside.sig = [];
      return new Response(JSON.stringify(chart), { status: answer.status, headers: { 'content-type': 'application/json' } });
    };";

/// N and P go round the signals of the drawn part, and say so where there is none.
async fn signals_are_reached_by_keys(browser: &Browser) {
    let readout = "document.getElementById('control-readout').textContent";
    let legend = "document.getElementById('control-legend').textContent";
    browser.run("window.putSignals = [40, 10]").await;
    choose(browser, "hours", "168").await;
    // The look before may have had signals of its own.
    browser.until(&format!("/^\\D*N1 [^×]*×2\\s*$/.test({legend})"), SOON).await;
    let mut reached = Vec::new();
    for key in ["n", "n", "n", "p", "p"] {
        browser.keys("#control", key).await;
        reached.push(browser.text(readout).await);
    }
    let [first, second, round, back, again] = &reached[..] else { panic!("{reached:?}") };
    for signal in [first, second] {
        assert!(signal.contains("N1 one point outside the limits"), "{signal}");
    }
    assert_ne!(first, second, "two signals");
    assert_eq!((round, back, again), (first, second, first), "round the end, and back");
    let beside = browser.text("document.getElementById('beside-readout').textContent").await;
    assert_eq!(again.split(" · ").next(), beside.split(" · ").next(), "one cursor stands in both");
    browser.run("window.putSignals = []").await;
    choose(browser, "hours", "30").await;
    browser.until(&format!("{legend}.endsWith('no signals')"), SOON).await;
    for key in ["n", "p"] {
        browser.keys("#control", HOME).await;
        let oldest = browser.text(readout).await;
        assert!(!oldest.contains("N1"), "{oldest}");
        browser.keys("#control", key).await;
        assert_eq!(browser.text(readout).await, "no signal in the drawn part of the charts");
    }
    browser.run("window.putSignals = undefined").await;
}

/// Cursor, signals, table, strip, rules, CUSUM: all with the keyboard or by choosing.
#[tokio::test]
async fn the_workbench_obeys_keys_and_shows_what_was_chosen() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser(SIGNALS).await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    open(&browser, &demo, "/spc?lang=en").await;
    choose(&browser, "minutes", "5").await;
    browser
        .until("document.getElementById('control-title').textContent.includes('· 5 min')", SOON)
        .await;
    browser.click("#rules summary").await;
    for rule in ["N2", "N3", "N5", "N6", "N7", "N8"] {
        browser.click(&format!("#rules input[value={rule}]")).await;
    }
    let chosen = "document.getElementById('rules-chosen').textContent";
    browser.until(&format!("{chosen} === 'N1 N2 N3 N5 N6 N7 N8'"), SOON).await;
    browser.click("#control").await;
    browser.until("!document.getElementById('rules').open", SOON).await;
    let said =
        "document.getElementById('state').textContent.includes('rules chosen for this look')";
    browser.until(said, SOON).await;
    signals_are_reached_by_keys(&browser).await;
    // The strip: the newest 120 are shown; one window back with a key, and the cursor's point is an older one.
    let shown = "document.getElementById('strip').getAttribute('aria-valuetext')";
    let newest = browser.text(shown).await;
    assert!(newest.contains("subgroups 120 of"), "{newest}");
    browser.keys("#strip", "\u{e011}").await;
    assert_ne!(browser.text(shown).await, newest, "Home goes to the oldest");
    browser.keys("#strip", "\u{e010}").await;
    assert_eq!(browser.text(shown).await, newest, "End follows the newest again");
    browser.keys("#strip", "+").await;
    assert!(browser.text(shown).await.contains("subgroups 90 of"), "closer");
    // A rule is taken away again as it was chosen.
    browser.click("#rules summary").await;
    browser.click("#rules input[value=N5]").await;
    browser.until(&format!("{chosen} === 'N1 N2 N3 N6 N7 N8'"), SOON).await;
    // A look elsewhere closes the list.
    browser.click("#control").await;
    browser.until("!document.getElementById('rules').open", SOON).await;
    choose(&browser, "companion", "cusum").await;
    browser
        .until("document.getElementById('beside-title').textContent.includes('CUSUM')", SOON)
        .await;
    assert_eq!(
        browser.value("document.querySelectorAll('#beside .trace.down').length").await,
        json!(1)
    );
    browser.click("#control-card .toggle").await;
    // A subgroup that begins meanwhile is drawn, too.
    let rows = "document.querySelectorAll('#control-rows tbody tr').length";
    let said = format!("Number(/subgroups (\\d+) of/.exec({shown})[1])");
    browser.until(&format!("{rows} === {said} && {rows} >= 90 && {rows} < 93"), SOON).await;
    browser.click("#control-card .toggle").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// What is printed is the chart and its evidence, on A4 across; what can only be pressed is not there.
#[tokio::test]
async fn the_workbench_is_printed_across() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser(STOPWATCH).await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    // Measured and told, not asserted: other tests share the machine.
    for load in ["first", "second"] {
        open(&browser, &demo, "/spc?lang=en").await;
        browser.until("window.painted !== undefined", SOON).await;
        let told = "(() => { const asked = performance.getEntriesByType('resource').filter((e) => e.name.includes('/charts/')).at(-1);
          const nav = performance.getEntriesByType('navigation')[0];
          return [window.drawn - asked.responseEnd, window.painted - asked.responseEnd, asked.duration, window.painted - nav.responseEnd, window.painted].map(Math.round); })()";
        let ms = browser.value(told).await;
        eprintln!(
            "{load} load, 30 h: [answer → drawn, answer → painted, asking, page → painted, address → painted] ms {ms}"
        );
    }
    for (lang, theme) in [("en", "dark"), ("zh", "light")] {
        open(&browser, &demo, &format!("/spc?lang={lang}&theme={theme}")).await;
        let pdf = browser.pdf().await;
        let text = String::from_utf8_lossy(&pdf).into_owned();
        assert!(text.starts_with("%PDF") && text.contains("/MediaBox [0 0 841"), "A4 across");
        keep(&format!("spc-{lang}.pdf"), &pdf);
    }
    let hidden = "[...document.styleSheets].some((sheet) => [...sheet.cssRules].some((rule) => \
                  rule.media?.mediaText === 'print' && rule.cssText.includes('.strip')))";
    assert_eq!(browser.value(hidden).await, Value::Bool(true));
}
