//! What can be wrong between a PLC and a pair of eyes: each fault has words of its own, and they do not take each
//! other's place.

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::demo::Demo;
use crate::site::Site;
use crate::{CORES, DRAWN, IN_TIME, LIVE, SOON, UNKNOWN, shot};

const GOOD: &str = "Number(document.getElementById('good').dataset.value)";

/// How wide the trend is hatched up to its right edge, in pixels: there its target ends.
const HATCHED: &str = "(() => {
    const edge = Number(document.querySelector('#trend .target').getAttribute('d').split('H')[1]);
    const of = (e) => ['x', 'width'].map((name) => Number(e.getAttribute(name)));
    const last = [...document.querySelectorAll('#trend .hatched')].map(of).filter(([x, width]) => Math.abs(x + width - edge) < 0.5);
    return Math.max(0, ...last.map(([, width]) => width));
  })()";

/// The bands that a person sees, each with its first words.
async fn bands(browser: &Browser) -> Vec<String> {
    let seen = "[...document.querySelectorAll('#bands > :is(.band, #band-polling)')].filter((e) => e.checkVisibility()).map((e) => e.id)";
    let seen = browser.value(seen).await;
    seen.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Opens a stream and keeps the ids of its views, number and moment, and what it tells of what it missed.
fn stream(name: &str) -> String {
    format!(
        "window.{name} = []; window.{name}Missed = [];
         const stream = new EventSource('/events?step=1');
         stream.addEventListener('view', (event) => window.{name}.push(event.lastEventId.split('-').map(Number)));
         stream.addEventListener('missed', (event) => window.{name}Missed.push(JSON.parse(event.data)));"
    )
}

/// Whether these bands are seen, and no other.
fn only(ids: &[&str]) -> String {
    format!(
        "[...document.querySelectorAll('#bands > .band')].filter((e) => e.checkVisibility()).map((e) => e.id).join() === '{}'",
        ids.join(",")
    )
}

fn says(id: &str, words: &str) -> String {
    format!("document.getElementById('{id}').innerText.includes('{words}')")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plc_that_is_offline_a_bad_value_and_a_lost_screen_have_words_of_their_own() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let site = Site::line().await;
    browser.resize((1_280, 1_000)).await;
    browser.open(&format!("{}/?lang=en&theme=light", site.origin)).await;
    browser.until(&format!("{LIVE} && {} && !({UNKNOWN})", only(&[])), IN_TIME).await;

    // A bad value: the machine answers and says itself that what it tells is worth nothing.
    site.plant.faults().change(|faults| faults.opcua.bad_status = true);
    browser.until(&only(&["band-bad"]), SOON).await;
    let weigher = "document.querySelector('#stations [data-station=CW04]').innerText";
    for holds in [
        says("band-bad", "BAD DATA CW04"),
        // The diamond of data that are at fault stands before the words of each band.
        "getComputedStyle(document.querySelector('#band-bad b'), '::before').content.includes('◆')"
            .to_owned(),
        format!("{weigher}.includes('◆ BAD DATA')"),
        format!("/heard .* ago/.test({weigher})"),
        format!("!/Mean\\s+[0-9]/.test({weigher})"),
        LIVE.to_owned(),
        format!("!({UNKNOWN})"),
    ] {
        browser.until(&holds, SOON).await;
    }
    shot(&browser, "fault-bad-en").await;
    site.plant.faults().change(|faults| faults.opcua.bad_status = false);
    browser.until(&only(&[]), SOON).await;

    // The PLC is gone, the screen is not.
    site.plant.faults().change(|faults| faults.modbus.mute = true);
    browser.until(&only(&["band-plc"]), SOON).await;
    for holds in [
        says("band-plc", "PLC OFFLINE"),
        says("band-plc", "CF01"),
        LIVE.to_owned(),
        UNKNOWN.to_owned(),
    ] {
        browser.until(&holds, SOON).await;
    }
    assert_eq!(browser.text("document.getElementById('link-word').textContent").await, "LIVE");
    shot(&browser, "fault-plc-en").await;
    // Now the screen is lost as well: what it said of the PLC is no longer known either.
    site.freeze();
    browser.until(&only(&["band-lost"]), SOON).await;
    for holds in [says("band-lost", "NO LIVE DATA"), says("link-word", "LOST"), UNKNOWN.to_owned()]
    {
        browser.until(&holds, SOON).await;
    }
    // The gap grows at the right edge of the trend, from where the machine fell silent.
    browser.until(&format!("{HATCHED} > 0"), SOON).await;
    let hatched = browser.value(HATCHED).await.as_f64().unwrap_or(f64::MAX);
    browser.until(&format!("{HATCHED} > {hatched} + 0.3"), SOON).await;
    shot(&browser, "fault-lost-en").await;
    site.thaw();
    browser.until(&format!("{LIVE} && {}", only(&["band-plc"])), SOON).await;
    site.plant.faults().change(|faults| faults.modbus.mute = false);
    browser.until(&format!("{} && !({UNKNOWN})", only(&[])), IN_TIME).await;
    // The control: of a line that is told of nothing is hatched there, however much is at the left.
    browser.until(&format!("{HATCHED} === 0"), IN_TIME).await;
}

/// Values of a machine that is not read look like what they are, in its card and in the table; those of one that is read do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_a_machine_that_is_not_read_are_struck_and_tell_their_age() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let site = Site::line().await;
    browser.resize((1_600, 1_000)).await;
    browser.open(&format!("{}/line?lang=en&theme=light", site.origin)).await;
    let card = |id: &str| format!(".machine[aria-label={id}] .values .num");
    let row = |tag: &str| format!("#tags tr[data-of=\"{tag}\"] .figure");
    let struck = |what: &str, is: bool| {
        format!(
            "(() => {{ const all = [...document.querySelectorAll('{what}')]; return all.length > 0 && all.every((e) => \
             getComputedStyle(e).textDecorationLine.includes('line-through') === {is}); }})()"
        )
    };
    let told = "[...document.querySelectorAll('#tags tbody tr')]";
    let heartbeat = row("CF01.Heartbeat");
    browser.until(&format!("{LIVE} && !({UNKNOWN}) && {told}.length > 5"), IN_TIME).await;
    for holds in [
        struck(&card("CF01"), false),
        struck(&card("CW04"), false),
        struck(&heartbeat, false),
        // Every tag has its last value, those that no view tells of too.
        format!("/[0-9]/.test(document.querySelector('{heartbeat}').textContent)"),
    ] {
        browser.until(&holds, SOON).await;
    }
    site.plant.faults().change(|faults| faults.modbus.mute = true);
    browser.until(&only(&["band-plc"]), SOON).await;
    let said = "document.querySelector('.machine[aria-label=CF01] .heard').textContent";
    let old = "Number.parseFloat(document.querySelector('#tags tr[data-of=\"CF01.Heartbeat\"] .age').textContent) > 2";
    for holds in [
        struck(&card("CF01"), true),
        struck(&heartbeat, true),
        struck(&card("CW04"), false),
        format!("/^◆ .*heard .* ago/.test({said})"),
        old.to_owned(),
        format!(
            "{told}.filter((row) => row.dataset.of.startsWith('CW04')).every((row) => !row.matches('.unread'))"
        ),
    ] {
        browser.until(&holds, SOON).await;
    }
    shot(&browser, "line-unread-en").await;
    // Of a lost screen nothing is known to hold, and the age goes on.
    site.freeze();
    browser.until(&only(&["band-lost"]), SOON).await;
    browser.until(&struck(&card("CW04"), true), SOON).await;
    browser.until(&struck("#tags .figure", true), SOON).await;
    browser.until("document.querySelector('.machine[aria-label=CW04] .heard').textContent.startsWith('◆ ')", SOON).await;
    site.thaw();
    site.plant.faults().change(|faults| faults.modbus.mute = false);
    browser.until(&struck(&card("CF01"), false), IN_TIME).await;
}

/// Shows: SCR-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_comes_back_is_found_again_and_its_gap_is_told() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let mut site = Site::line().await;
    browser.resize((1_280, 1_000)).await;
    browser.open(&format!("{}/?lang=en", site.origin)).await;
    browser.until(&format!("{LIVE} && !({UNKNOWN}) && {GOOD} > 0"), IN_TIME).await;
    let before = browser.value(GOOD).await.as_f64().unwrap_or(f64::MAX);
    browser.run("window.same = true").await;
    // Beside the stream of the page one that the browser itself opens again, with the number of what it heard last.
    browser.run(&stream("resumed")).await;
    browser.until("window.resumed.length > 5", SOON).await;
    site.kill();
    browser.until(&only(&["band-lost"]), SOON).await;
    let heard = browser.value("window.resumed.length").await;
    site.start_again();
    browser
        .until(
            &format!("{LIVE} && document.getElementById('band-restored').checkVisibility()"),
            IN_TIME,
        )
        .await;
    let told = browser.text("document.getElementById('band-restored').innerText").await;
    assert!(told.contains("00:00:") && !told.contains("00:00:00"), "the length of the gap: {told}");
    let filled = "document.getElementById('band-restored').innerText.includes('filled in from the record: stops ')";
    browser.until(filled, SOON).await;
    assert_eq!(
        browser.value("window.same").await,
        json!(true),
        "the same build is not loaded again"
    );
    // Its numbers go on, and it is told first what it missed; those of a new stream begin anew, and it missed nothing.
    browser.until(&format!("window.resumed.length > {heard} + 2"), IN_TIME).await;
    browser.run(&stream("fresh")).await;
    browser.until("window.fresh.length > 0", SOON).await;
    for holds in [
        "window.resumed.every(([id], i) => i === 0 || id > window.resumed[i - 1][0])".to_owned(),
        format!("window.fresh[0][0] < window.resumed[{heard}][0]"),
        "window.resumedMissed.length === 1 && window.freshMissed.length === 0".to_owned(),
        format!("window.resumedMissed[0].from_ms === window.resumed[{heard} - 1][1]"),
        "window.resumedMissed[0].whole && window.resumedMissed[0].series.of === 'second'".to_owned(),
        // From before what was heard last to after the service was there again.
        "window.resumedMissed[0].series.points.some(({ start_ms }) => start_ms <= window.resumedMissed[0].from_ms)"
            .to_owned(),
        "window.resumedMissed[0].series.points.some(({ start_ms }) => start_ms > window.resumedMissed[0].from_ms)"
            .to_owned(),
        "window.resumedMissed[0].events.some(({ kind }) => kind === 'service')".to_owned(),
    ] {
        let missed = "JSON.stringify(window.resumedMissed)";
        assert_eq!(browser.value(&holds).await, json!(true), "{holds}: {}", browser.text(missed).await);
    }
    // What was made meanwhile is counted by the first reading.
    browser.until(&format!("{GOOD} > {before} && !({UNKNOWN})"), IN_TIME).await;
    shot(&browser, "fault-restored-en").await;

    // Another build: not while somebody types, then at once.
    browser.keys("#caller", "Li").await;
    browser.run("document.body.dataset.build = 'older'").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(browser.value("window.same").await, json!(true), "the typing was torn away");
    browser.run("document.activeElement.blur()").await;
    browser.until(&format!("window.same === undefined && {LIVE}"), SOON).await;
}

/// Shifts this page's clock by as much as its address says.
const SHIFTED: &str = "
    const by = Number(new URLSearchParams(location.search).get('by') ?? 0);
    const now = Date.now;
    Date.now = () => now() + by;";

/// Streams that never open, as behind a proxy that knows none. With `?dead=1` nothing else is answered either.
const NO_STREAMS: &str = "
    if (new URLSearchParams(location.search).has('polled')) {
      window.EventSource = class extends EventTarget {
        constructor() { super(); setTimeout(() => this.dispatchEvent(new Event('error')), 50); }
        close() {}
      };
      if (new URLSearchParams(location.search).has('dead')) window.fetch = () => Promise.reject(new TypeError('no network'));
    }";

/// Shows: SCR-17
#[tokio::test]
async fn clocks_that_differ_streams_that_are_blocked_and_hidden_tabs() {
    let _alone = CORES.alone().await;
    let Some(browser) = crate::browser(&format!("{SHIFTED}{NO_STREAMS}")).await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    let beats = "performance.now() > 8000";
    // The control first: clocks that agree, for as long as it takes to see that they do not.
    browser.open(&format!("{}/?lang=en&by=0", demo.origin)).await;
    browser.until(&format!("{LIVE} && {beats}"), SOON).await;
    assert_eq!(bands(&browser).await, Vec::<String>::new());
    for (by, words) in [(5_000, "5.0 s"), (-3_000, "-3.0 s")] {
        browser.open(&format!("{}/?lang=en&by={by}", demo.origin)).await;
        browser.until(&format!("{LIVE} && {}", only(&["band-skew"])), SOON).await;
        let told = browser.text("document.getElementById('band-skew').innerText").await;
        assert!(told.contains("CLOCK SKEW"), "{told}");
        assert!(told.contains(words) || told.contains("2.9 s") || told.contains("4.9 s"), "{told}");
    }
    shot(&browser, "fault-skew-en").await;

    // Polled: the page says so and its figures move.
    browser.open(&format!("{}/?lang=en&polled=1", demo.origin)).await;
    browser.until("document.body.dataset.link === 'polling'", SOON).await;
    assert_eq!(bands(&browser).await, ["band-polling"]);
    let first = browser.value(GOOD).await;
    browser.until(&format!("{GOOD} > {first} && {DRAWN}"), IN_TIME).await;
    shot(&browser, "fault-polling-en").await;
    // Without an answer to any question it is lost, and does not go on saying that it polls.
    browser.open(&format!("{}/?lang=en&polled=1&dead=1", demo.origin)).await;
    browser.until("document.body.dataset.link === 'lost'", SOON).await;
    assert_eq!(bands(&browser).await, ["band-lost"]);
    let _ = browser.complaints().await;

    // A hidden tab gives its stream back: another page of the same browser may need it.
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    let streams = "(fetch('/metrics').then((r) => r.text()).then((text) => { \
        window.streams = Number(text.match(/^capline_live_screens(?:\\{.*\\})? (\\d+)/m)[1]); }), window.streams)";
    browser.until(&format!("{streams} === 1"), SOON).await;
    let page = browser.new_tab().await;
    // A page without a stream of its own.
    browser.open(&format!("{}/report/shift", demo.origin)).await;
    browser.until(&format!("{streams} === 0"), SOON).await;
    browser.back_to(page).await;
    browser.until(&format!("{streams} === 1 && {LIVE}"), SOON).await;
}
