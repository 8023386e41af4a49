//! Looks at the workbench: which signals are open, what the address keeps, the strip by buttons, how capability is made.

use serde_json::json;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::demo::Demo;
use crate::shown::asked;
use crate::workbench::{DRAWN, choose, open, put_incident};
use crate::{CORES, LIVE, SOON, shot};

/// With `deaf` in its address the page hears nothing of incidents; with `stable` its process is, with `unstable` it is not.
const AS_ASKED: &str = "
    const ask = window.fetch;
    const wish = new URLSearchParams(location.search);
    window.fetch = async (address, ...rest) => {
      const path = String(address);
      if (wish.has('deaf') && path.includes('/incidents?')) throw new TypeError('no network');
      const answer = await ask(address, ...rest);
      if (!(wish.has('stable') || wish.has('unstable')) || !/\\/charts\\/[^/]+\\?/.test(path)) return answer;
      const chart = await answer.json();
      chart.gate.open = wish.has('stable');
      window.chart = chart;
      return new Response(JSON.stringify(chart), { status: answer.status, headers: { 'content-type': 'application/json' } });
    };";

async fn is(browser: &Browser, expression: &str) -> bool {
    browser.value(expression).await == json!(true)
}

/// Signals of all charts stand on each of them, and lead to the chart that they are of under the same choices.
#[tokio::test]
async fn open_signals_of_all_charts_are_listed_and_lead_to_their_charts() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser(AS_ASKED).await else { return };
    let axe = Axe::load();
    let demo = Demo::with(&["--speed", "1"]);
    put_incident(&demo, "speed", 90);
    open(&browser, &demo, "/spc?lang=en").await;
    let row = "document.querySelector(\"#open a[href^='/spc/speed?']\")";
    browser.until(&format!("{row} !== null"), SOON).await;
    let text = browser.text(&format!("{row}.textContent")).await;
    for words in ["Speed", "since ", "N1 one point outside the limits", "nobody has it"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    // The choice marks the charts that have some, and no other.
    asked(&browser, "told", "/api/v1/lines/L1/incidents?open=true").await;
    let marked = "[...document.querySelectorAll('#characteristic option')].filter((o) => o.textContent.includes('open signal')).map((o) => o.value).sort().join()";
    let told = "[...new Set(window.told.map((one) => one.characteristic))].sort().join()";
    browser.until(&format!("{marked} === {told}"), SOON).await;
    let option = "document.querySelector('#characteristic option[value=speed]').textContent";
    assert!(browser.text(option).await.contains("■ open signal"), "a shape and a word");
    if let Some(axe) = &axe {
        assert_eq!(axe.violations(&browser).await, Vec::<String>::new());
    }
    shot(&browser, "spc-open-signals-en").await;
    choose(&browser, "hours", "8").await;
    browser.until(&format!("{row}.search.includes('span=8')"), SOON).await;
    browser.click("#open a[href^='/spc/speed?']").await;
    let there =
        format!("location.pathname === '/spc/speed' && {LIVE} && {DRAWN} && {row} !== null");
    browser.until(&there, SOON).await;
    assert_eq!(browser.text("document.getElementById('hours').value").await, "8");
    assert_eq!(browser.text(&format!("{row}.getAttribute('aria-current')")).await, "page");
    // Who has it stands there once it is known.
    asked(&browser, "told", "/api/v1/lines/L1/incidents?open=true").await;
    browser
        .run(
            "const { id } = window.told.find((one) => one.characteristic === 'speed');
             fetch(`/api/v1/lines/L1/incidents/${id}/work`, { method: 'POST', headers: { 'content-type': 'application/json' },
               body: JSON.stringify({ author: 'An', kind: 'owner', text: 'Li Wei' }) }).then((answer) => { window.said = answer.status; });",
        )
        .await;
    browser.until("window.said === 204", SOON).await;
    browser.resize((810, 1_080)).await;
    open(&browser, &demo, "/spc?lang=zh").await;
    browser.until(&format!("{row}?.textContent.includes('Li Wei') === true"), SOON).await;
    assert!(browser.text(option).await.contains("■ 有异常信号"));
    let above = "document.getElementById('open').getBoundingClientRect().bottom <= document.getElementById('control').getBoundingClientRect().top";
    assert!(is(&browser, above).await, "in one column the list comes first");
    let high = format!("{row}.getBoundingClientRect().height >= 44");
    assert!(is(&browser, &high).await, "a finger finds it");
    shot(&browser, "spc-open-signals-tablet-zh").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    // What was not heard is no all-clear.
    open(&browser, &demo, "/spc?lang=en&deaf=1").await;
    let list = "document.getElementById('open').textContent";
    browser.until(&format!("{list}.includes('not known')"), SOON).await;
    assert!(browser.text(option).await.contains("◆ UNKNOWN"));
    assert!(is(&browser, &format!("{row} === null")).await);
}

/// What was chosen is in the address; nonsense in it is as if it were not there.
#[tokio::test]
async fn a_look_is_kept_in_its_address() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    open(&browser, &demo, "/spc/reject_fraction?lang=en").await;
    let chosen = "['hours', 'minutes', 'which', 'companion'].map((id) => document.getElementById(id).value).join()";
    let own = browser.text(chosen).await;
    let rules = "document.getElementById('rules-chosen').textContent";
    browser.until(&format!("{rules} !== '–'"), SOON).await;
    let own_rules = browser.text(rules).await;
    let title = "document.getElementById('control-title').textContent";
    for (id, value) in
        [("hours", "8"), ("minutes", "5"), ("which", "trial"), ("companion", "cusum")]
    {
        choose(&browser, id, value).await;
    }
    browser.click("#rules summary").await;
    browser.click("#rules input[value=N7]").await;
    browser.until(&format!("{rules}.includes('N7')"), SOON).await;
    let looked = (browser.text(chosen).await, browser.text(rules).await);
    assert_eq!(looked.0, "8,5,trial,cusum");
    assert_ne!(looked.1, own_rules);
    let address = browser.text("location.pathname + location.search").await;
    for part in ["span=8", "subgroup=5", "limits=trial", "companion=cusum", "N7"] {
        assert!(address.contains(part), "{part} in {address}");
    }
    // A link to it, and the same in the other language.
    for address in [address.clone(), address.replace("lang=en", "lang=zh")] {
        open(&browser, &demo, &address).await;
        let drawn = format!("{title}.includes('· 5 ') && {rules} === '{}'", looked.1);
        browser.until(&drawn, SOON).await;
        assert_eq!(browser.text(chosen).await, looked.0, "{address}");
        browser
            .until("document.getElementById('beside-title').textContent.includes('CUSUM')", SOON)
            .await;
    }
    // What every look begins with needs no words.
    choose(&browser, "hours", "30").await;
    browser.until("!location.search.includes('span=')", SOON).await;
    assert!(is(&browser, "location.search.includes('subgroup=5')").await);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let nonsense = "span=9&subgroup=7&limits=99&companion=gold&rules=N1,N99";
    open(&browser, &demo, &format!("/spc/reject_fraction?lang=en&{nonsense}")).await;
    browser.until(&format!("{rules} === '{own_rules}'"), SOON).await;
    assert_eq!(browser.text(chosen).await, own, "as without");
    assert!(is(&browser, "document.getElementById('trouble').hidden").await);
    // The negative control: the version was asked for, and the service had none.
    let refused = browser.complaints().await;
    assert!(refused.iter().any(|said| said.contains("limits=99")), "{refused:?}");
}

/// Whatever is dragged can be pressed too, and what is shown then is said.
#[tokio::test]
async fn the_strip_is_changed_by_buttons() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    browser.resize((810, 1_080)).await;
    let shown = "document.getElementById('strip').getAttribute('aria-valuetext')";
    let said = "document.getElementById('strip-said').textContent";
    let names = "[...document.querySelectorAll('#strip-steps button')].map((b) => b.textContent.slice(1)).join()";
    for (lang, words, part) in [
        ("zh", "较早,较晚,缩短,加长", "子组 "),
        ("en", "earlier,later,narrower,wider", "subgroups "),
    ] {
        open(&browser, &demo, &format!("/spc/reject_fraction?lang={lang}&subgroup=1&span=8")).await;
        let is_shown = |n: u32| format!("{shown}?.includes('{part}{n}') && {said} === {shown}");
        browser.until(&is_shown(120), SOON).await;
        assert_eq!(browser.text(names).await, words);
        let low = "[...document.querySelectorAll('#strip-steps button')].filter((b) => b.getBoundingClientRect().height < 44).length";
        assert_eq!(browser.value(low).await, json!(0));
        // Once it does not follow the newest, what is shown stays, however many new ones come.
        let times = format!("{shown}.split('{part}')[0]");
        let newest = browser.text(&times).await;
        browser.tap("#strip-steps [data-step=earlier]").await;
        browser.until(&format!("{times} !== '{newest}' && {}", is_shown(120)), SOON).await;
        browser.tap("#strip-steps [data-step=narrower]").await;
        browser.until(&is_shown(90), SOON).await;
        browser.tap("#strip-steps [data-step=wider]").await;
        browser.until(&is_shown(112), SOON).await;
        let wider = browser.text(&times).await;
        browser.tap("#strip-steps [data-step=earlier]").await;
        browser.until(&format!("{times} !== '{wider}' && {}", is_shown(112)), SOON).await;
        browser.tap("#strip-steps [data-step=later]").await;
        browser.until(&format!("{times} === '{wider}'"), SOON).await;
        // By key as well, and it is read out.
        browser.keys("#strip-steps [data-step=narrower]", "\u{e007}").await;
        browser.until(&is_shown(84), SOON).await;
        let live = "document.getElementById('strip-said').getAttribute('aria-live')";
        assert_eq!(browser.text(live).await, "polite");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// Capability and false alarms say what they are made of, what they are of, and what is not in them.
/// Shows: SCR-05
#[tokio::test]
async fn capability_and_false_alarms_are_explained() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser(AS_ASKED).await else { return };
    let demo = Demo::with(&["--speed", "1"]);
    let told = "document.querySelector('#explanation .told').innerText";
    let shown = "document.getElementById('explanation')?.dataset.state === 'shown' && document.getElementById('explanation').open";
    let cpk = "#capability [data-explain=capability][data-query=Cpk]";
    for (lang, words) in [
        ("en", ["Made of", "Span", "Left out", "Bissell", "standard deviation within subgroups"]),
        ("zh", ["构成", "时段", "不计入", "Bissell", "子组内标准差"]),
    ] {
        let page = format!("/spc/weight.CW04.sample?lang={lang}");
        open(&browser, &demo, &format!("{page}&stable=1")).await;
        browser.until(&format!("document.querySelector('{cpk}') !== null"), SOON).await;
        browser.keys(cpk, "e").await;
        browser.until(shown, SOON).await;
        let text = browser.text(told).await;
        for word in words.into_iter().chain(["Cpk = min(USL − x̄, x̄ − LSL) / 3σw"]) {
            assert!(text.contains(word), "{word} in\n{text}");
        }
        assert!(!text.contains("undefined") && !text.contains("NaN"), "{text}");
        // What is said of it gives the number that is said.
        let same = "(() => { const { mean, sigma_within: sigma, lower_spec: low, upper_spec: high, cpk } = window.chart.indices; \
            const made = Math.min(high - mean, mean - low) / (3 * sigma); \
            return Math.abs(made - cpk[0]) < 0.005 && document.querySelector('#explanation .result').textContent.startsWith(`Cpk ${cpk[0].toFixed(2)} `); })()";
        assert!(is(&browser, same).await, "{text}");
        shot(&browser, &format!("explain-capability-{lang}")).await;
        browser.click("#explanation-close").await;
        browser.tap("#budget [data-explain=budget]").await;
        browser.until(&format!("{shown} && {told}.includes('N / ARL₁')"), SOON).await;
        browser.click("#explanation-close").await;
        // The negative control: of a process that is not stable no capability is told, nor explained.
        open(&browser, &demo, &format!("{page}&unstable=1")).await;
        browser.until("document.querySelector('#capability .gate') !== null", SOON).await;
        assert!(
            is(&browser, "document.querySelector('#capability [data-explain]') === null").await
        );
    }
    open(&browser, &demo, "/spc/reject_fraction?lang=en&stable=1").await;
    browser.until("document.querySelector('#capability [data-explain]') !== null", SOON).await;
    browser.click("#capability [data-explain]").await;
    browser.until(&format!("{shown} && {told}.includes('Clopper')"), SOON).await;
    assert!(!browser.text(told).await.contains("undefined"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
