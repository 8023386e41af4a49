//! What pages show beside their tables: the waterfall of losses, bores, the output of the last seconds, the past of a
//! line and of a chart, refusals, and one language at a time also where no text stands.

use std::collections::BTreeSet;

use capline::web::i18n::Key;
use serde_json::{Value, json};

use crate::axe::Axe;
use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, CUT, LIVE, SOON, shot};

const REPLAYED: &str = "document.body.dataset.link === 'replay' && document.getElementById('replay').checkVisibility()";

/// Looks at a page as people do: a picture, nothing cut off, nothing that axe finds, nothing in the console.
pub(crate) async fn looked_at(browser: &Browser, axe: Option<&Axe>, name: &str) {
    shot(browser, name).await;
    let cut = browser.value(CUT).await;
    assert_eq!(cut.as_array().map(Vec::len), Some(0), "{name}: {cut}");
    if let Some(axe) = axe {
        assert_eq!(axe.violations(browser).await, Vec::<String>::new(), "{name}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
}

/// Keeps the answer to a question to the service in `window[name]`.
pub(crate) async fn asked(browser: &Browser, name: &str, path: &str) {
    let fetch = format!(
        "(window.{name} = undefined, fetch('{path}').then((r) => r.json()).then((j) => {{ window.{name} = j; }}), true)"
    );
    browser.value(&fetch).await;
    browser.until(&format!("window.{name} !== undefined"), SOON).await;
}

#[tokio::test]
async fn the_waterfall_goes_from_the_span_to_the_effective_time() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    let drawn = "document.querySelectorAll('#waterfall svg rect').length > 3";
    for (size, theme, lang, words) in [
        ((1_920, 1_080), "light", "en", ["Unknown", "Effective"]),
        ((810, 1_080), "dark", "zh", ["未知", "有效"]),
    ] {
        browser.resize(size).await;
        let page = format!("{}/stops?window=day&lang={lang}&theme={theme}", demo.origin);
        browser.open(&page).await;
        browser.until(&format!("{LIVE} && {drawn}"), SOON).await;
        let text = browser.text("document.getElementById('waterfall').textContent").await;
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        looked_at(&browser, axe.as_ref(), &format!("waterfall-{theme}-{lang}")).await;
    }
    // The numbers of the service add up, and the table has each of them.
    asked(&browser, "losses", "/api/v1/lines/L1/losses?window=day").await;
    let sum = "(() => { const { steps } = window.losses.waterfall; const of = (id) => steps.find((s) => s.id === id).ms; \
        return of('span') - of('effective') - steps.filter((s) => s.id !== 'span' && s.id !== 'effective').reduce((a, s) => a + s.ms, 0); })()";
    assert_eq!(browser.value(sum).await, json!(0));
    // And so they do as they are shown, in whole seconds.
    assert_eq!(browser.value(&sum.replace(".ms", ".seconds")).await, json!(0));
    browser.click("#waterfall-card .toggle").await;
    let rows = "document.querySelectorAll('#waterfall-rows tbody tr').length === window.losses.waterfall.steps.length";
    browser.until(rows, SOON).await;
    // Each step can be reached by key and says what it is.
    browser.click("#waterfall-card .toggle").await;
    browser.value("(document.getElementById('waterfall').focus(), true)").await;
    browser.press(fantoccini::key::Key::Home).await;
    let told = "document.getElementById('waterfall-readout').textContent";
    browser.until(&format!("{told}.startsWith('时段')"), SOON).await;
    // On paper it stands alone, without what can only be pressed.
    assert!(browser.pdf().await.starts_with(b"%PDF"));
}

#[tokio::test]
async fn bores_are_compared_and_a_line_without_them_says_so() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    let told = "document.getElementById('bores-none').textContent !== ''";
    for (size, theme, lang) in [((1_920, 1_080), "dark", "en"), ((810, 1_080), "light", "zh")] {
        browser.resize(size).await;
        let page = format!("{}/rejects?window=day&lang={lang}&theme={theme}", demo.origin);
        browser.open(&page).await;
        browser.until(&format!("{LIVE} && {told}"), SOON).await;
        looked_at(&browser, axe.as_ref(), &format!("bores-{theme}-{lang}")).await;
    }
    asked(&browser, "bores", "/api/v1/lines/L1/bores?window=day").await;
    let drawn =
        "document.querySelectorAll('#bores svg circle.point, #bores svg path.shape').length";
    let known = "(window.bores.stations[0]?.bores.length ?? 0)";
    assert_eq!(browser.value(drawn).await, browser.value(known).await);
    assert_eq!(
        browser.value("document.getElementById('bores').checkVisibility()").await,
        json!(browser.value(known).await != json!(0))
    );
}

#[tokio::test]
async fn a_line_page_that_is_loaded_again_has_its_last_minutes_at_once() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    let points = "document.querySelectorAll('#seconds svg path.trace').length === 1 && \
        document.querySelector('#seconds svg path.trace').getAttribute('d').split('H').length";
    for (size, theme, lang) in [((1_920, 1_080), "light", "zh"), ((810, 1_080), "dark", "en")] {
        browser.resize(size).await;
        browser.open(&format!("{}/line?lang={lang}&theme={theme}", demo.origin)).await;
        // More than the page itself can have seen since it was opened.
        browser.until(&format!("{LIVE} && ({points}) > 60"), SOON).await;
        browser.until("document.querySelectorAll('#tags tbody tr').length > 0", SOON).await;
        looked_at(&browser, axe.as_ref(), &format!("line-seconds-{theme}-{lang}")).await;
    }
    let before = browser.value(points).await;
    browser.click("#seconds-span button[data-span='8h']").await;
    browser.until(&format!("({points}) !== {before}"), SOON).await;
    asked(&browser, "series", "/api/v1/lines/L1/series").await;
    assert_eq!(browser.value("window.series.points.length > 0").await, Value::Bool(true));
}

#[tokio::test]
async fn the_line_and_its_charts_are_shown_as_of_a_past_moment() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    asked(&browser, "now", "/api/v1/lines/L1/snapshot").await;
    let now = browser.value("window.now.at_ms").await.as_i64().unwrap_or_default();
    let at = (now - 40 * 60_000).div_euclid(60_000) * 60_000;
    for (size, theme, lang) in [((1_920, 1_080), "light", "en"), ((810, 1_080), "dark", "zh")] {
        browser.resize(size).await;
        let look = format!("lang={lang}&theme={theme}&at={at}");
        browser.open(&format!("{}/line?{look}", demo.origin)).await;
        let drawn = "document.querySelectorAll('#tags tbody tr').length > 0 && \
            document.querySelector('#seconds svg') && document.querySelector('#timeline svg') !== null";
        browser.until(&format!("{REPLAYED} && {drawn}"), SOON).await;
        looked_at(&browser, axe.as_ref(), &format!("replay-line-{theme}-{lang}")).await;
        browser.open(&format!("{}/spc?{look}", demo.origin)).await;
        browser
            .until(&format!("{REPLAYED} && document.querySelector('#control svg') !== null"), SOON)
            .await;
        looked_at(&browser, axe.as_ref(), &format!("replay-spc-{theme}-{lang}")).await;
        assert_eq!(
            browser.value("document.querySelectorAll('.panel form').length").await,
            json!(0),
            "nothing can be written"
        );
    }
    // No point of the chart lies after the moment; today's chart has some.
    asked(&browser, "then", &format!("/api/v1/lines/L1/charts/reject_fraction?at={at}")).await;
    let last = "window.then.t.at(-1) + window.then.subgroup_minutes * 60000";
    assert_eq!(browser.value(&format!("{last} <= {at}")).await, Value::Bool(true));
    asked(&browser, "today", "/api/v1/lines/L1/charts/reject_fraction").await;
    assert_eq!(browser.value(&format!("window.today.t.at(-1) >= {at} - 900000 && window.today.t.at(-1) > window.then.t.at(-1)")).await, Value::Bool(true));
    // The bar leads to other pages of that moment, and the band back.
    browser.click("nav a[href^='/line']").await;
    browser.until(&format!("{REPLAYED} && location.pathname === '/line'"), SOON).await;
    browser.click("#live").await;
    browser.until(LIVE, SOON).await;
}

/// Shows: SCR-19
#[tokio::test]
async fn a_refusal_says_what_happened_and_leads_on() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.resize((810, 1_080)).await;
    for (path, lang, code, words) in [
        ("/nothing", "en", "not_found", "There is no such page"),
        ("/?line=L9", "zh", "no_line", "没有此产线"),
        ("/spc/beauty", "zh", "no_chart", "没有此控制图"),
        ("/report/shift?start=soon", "en", "parameter", "The address cannot be read"),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        browser.open(&format!("{}{path}{join}lang={lang}", demo.origin)).await;
        let is_it = format!("document.getElementById('refusal')?.dataset.code === '{code}'");
        browser.until(&is_it, SOON).await;
        let text = browser.text("document.body.innerText").await;
        assert!(text.contains(words), "{text}");
        if let Some(axe) = &axe {
            assert_eq!(axe.violations(&browser).await, Vec::<String>::new(), "{path}");
        }
        shot(&browser, &format!("refusal-{code}-{lang}")).await;
    }
    browser.click("#refusal a[href='/']").await;
    browser.until(LIVE, SOON).await;
}

/// Texts and what is read out instead of them: labels, titles, hints of fields, options, texts in drawings. Each
/// language of the switch is named in itself.
const SAID: &str = "(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const { parentElement: parent, textContent: text } = walker.currentNode;
      // The name of a tag is one word, wherever it may break.
      const whole = parent.closest('[translate=no]')?.textContent ?? text;
      if (text.trim() && !parent.closest('script, style, code, a[href*=\"lang=\"]')) found.push(whole.trim());
    }
    for (const name of ['aria-label', 'title', 'alt', 'placeholder', 'aria-valuetext', 'label']) {
      for (const element of document.querySelectorAll(`[${name}]`)) found.push(element.getAttribute(name).trim());
    }
    found.push(document.title);
    return found;
  })()";

const PATHS: [&str; 9] = [
    "/",
    "/wall/L1",
    "/line",
    "/stops?window=day",
    "/rejects?window=day",
    "/spc",
    "/reports",
    "/data",
    "/report/shift",
];

#[tokio::test]
async fn labels_titles_and_drawings_speak_the_language_of_the_page_too() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    // English texts that a page in Chinese must not say as they are. Short ones may be names or units.
    let english: BTreeSet<&str> = Key::all()
        .filter(|key| key.en() != key.zh() && !key.en().contains('{') && key.en().len() > 4)
        .map(Key::en)
        .collect();
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let mut found = Vec::new();
    for path in PATHS {
        for lang in ["zh", "en"] {
            let join = if path.contains('?') { '&' } else { '?' };
            browser.open(&format!("{}{path}{join}lang={lang}", demo.origin)).await;
            if !path.starts_with("/report/") {
                browser.until(LIVE, SOON).await;
            }
            let said = browser.value(SAID).await;
            let said = said.as_array().into_iter().flatten().filter_map(Value::as_str);
            let wrong = |text: &&str| match lang {
                "zh" => english.contains(text),
                _ => text.chars().any(is_chinese),
            };
            found.extend(said.filter(wrong).map(|text| format!("{path} {lang}: {text}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    // The negative control: a label and a text in the other language are seen.
    browser.open(&format!("{}/?lang=zh", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    browser
        .value("(document.querySelector('main').setAttribute('aria-label', 'Hour board'), true)")
        .await;
    let said = browser.value(SAID).await;
    let seen = said.as_array().into_iter().flatten().filter_map(Value::as_str);
    assert_eq!(seen.filter(|text| english.contains(text)).count(), 1);
}

/// Readers of Chinese may have large counts in ten thousands; what is counted stays the same to the last capsule.
#[tokio::test]
async fn counts_in_ten_thousands_are_as_exact() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/?lang=zh", demo.origin)).await;
    browser
        .until(
            &format!("{LIVE} && Number(document.getElementById('good').dataset.value) > 10000"),
            SOON,
        )
        .await;
    browser.click("#wan").await;
    let wan = "document.getElementById('good').textContent.endsWith(' 万')";
    browser.until(&format!("{LIVE} && {wan}"), SOON).await;
    let same = "(() => { const good = document.getElementById('good'); \
        return Math.round(Number(good.textContent.replace(/[ ,万]/g, '')) * 10000) === Number(good.dataset.value); })()";
    assert_eq!(browser.value(same).await, Value::Bool(true));
    shot(&browser, "overview-wan-zh").await;
    // Nobody else has it: not in English, and not after it was switched off.
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    assert_eq!(browser.value("document.body.dataset.unit === undefined && document.getElementById('wan') === null").await, Value::Bool(true));
}
