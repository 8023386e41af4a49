//! Every page in every size, colour and language: it opens live, says nothing to the console, cuts nothing off, and
//! axe-core finds nothing.

use serde_json::json;

use crate::axe::Axe;
use crate::browser::Browser;
use crate::demo::Demo;
use crate::{BLANKS, CORES, CUT, DRAWN, LIVE, SOON, keep, shot};

/// A page: its name, its address, what has to be there before it is looked at, and words of its text in both
/// languages.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) ready: &'static str,
    words: [&'static str; 2],
}

/// Whether a table has rows.
const TABLES: [(&str, &str); 6] = [
    ("stops", "document.querySelectorAll('#stops tbody tr').length > 0"),
    ("pareto", "document.querySelectorAll('#heat tbody tr').length > 0"),
    ("tags", "document.querySelectorAll('#tags tbody tr').length > 0"),
    ("polls", "document.querySelectorAll('#polls tbody tr').length > 0"),
    ("control", "document.querySelectorAll('#control svg').length > 0"),
    (
        "sim",
        "document.querySelectorAll('#faults button').length > 10 && \
         document.querySelectorAll('#truth tbody tr').length > 5 && document.querySelectorAll('#lane svg').length === 1",
    ),
];

pub(crate) const PAGES: [Page; 9] = [
    Page { name: "overview", path: "/", ready: DRAWN, words: ["Hour board", "小时板"] },
    Page { name: "wall", path: "/wall/L1", ready: DRAWN, words: ["Against target", "差额"] },
    Page { name: "line", path: "/line", ready: TABLES[2].1, words: ["Map line", "映射行"] },
    Page {
        name: "stops",
        path: "/stops?window=day",
        ready: TABLES[0].1,
        words: ["Lost time", "损失时间"],
    },
    Page {
        name: "rejects",
        path: "/rejects?window=day",
        ready: TABLES[1].1,
        words: ["Rejects by hour", "各小时剔废率"],
    },
    Page {
        name: "spc",
        path: "/spc",
        ready: TABLES[4].1,
        words: ["Process capability", "过程能力"],
    },
    Page { name: "reports", path: "/reports", ready: "true", words: ["Batches", "批次"] },
    Page {
        name: "data", path: "/data", ready: TABLES[3].1, words: ["Count balance", "物料平衡"]
    },
    Page {
        name: "sim", path: "/sim", ready: TABLES[5].1, words: ["Put a fault in", "注入故障"]
    },
];

/// Another chart of the workbench, the one with the most below each other.
const WEIGHTS: Page = Page {
    name: "weights",
    path: "/spc/weight.CW04.sample",
    ready: TABLES[4].1,
    words: ["Weights and specification", "重量分布与规格"],
};

/// Opens a page in a language and colours, and waits until it is live and drawn.
pub(crate) async fn open(browser: &Browser, demo: &Demo, page: &Page, lang: &str, theme: &str) {
    let join = if page.path.contains('?') { '&' } else { '?' };
    let cookie = format!("document.cookie = 'theme={theme}; Path=/; SameSite=Lax'");
    browser.value(&cookie).await;
    browser.open(&format!("{}{}{join}lang={lang}&theme={theme}", demo.origin, page.path)).await;
    browser.until(&format!("{LIVE} && {}", page.ready), SOON).await;
}

async fn browser() -> Option<Browser> {
    crate::browser("").await
}

/// Shows: SCR-04
#[tokio::test]
async fn every_page_fits_every_screen_in_every_language_and_axe_finds_nothing() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    let mut found = Vec::new();
    browser.open(&demo.origin).await;
    for (screen, size) in
        [("wide", (1_920, 1_080)), ("desk", (1_400, 900)), ("tablet", (810, 1_080))]
    {
        browser.resize(size).await;
        for (theme, lang) in [("light", "en"), ("dark", "zh"), ("light", "both"), ("dark", "both")]
        {
            for page in PAGES.iter().chain([&WEIGHTS]) {
                open(&browser, &demo, page, lang, theme).await;
                let name = format!("{}-{screen}-{theme}-{lang}", page.name);
                shot(&browser, &name).await;
                for wrong in [CUT, BLANKS] {
                    let wrong = browser.texts(wrong).await;
                    found.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
                }
                if let Some(axe) = &axe {
                    let violations = axe.violations(&browser).await;
                    found.extend(violations.into_iter().map(|what| format!("{name}: {what}")));
                }
                let said = browser.complaints().await;
                found.extend(said.into_iter().map(|what| format!("{name}: console: {what}")));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The sizes between a wall and a desk, and the smallest of laptops, where rows are cut first.
/// Shows: SCR-04
#[tokio::test]
async fn a_page_of_an_office_or_a_laptop_hides_no_row_and_no_digit() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    let mut found = Vec::new();
    browser.open(&demo.origin).await;
    for (screen, size) in [("office", (1_600, 1_000)), ("laptop", (1_366, 768))] {
        browser.resize(size).await;
        for lang in ["en", "both"] {
            for page in [&PAGES[0], &PAGES[1], &PAGES[2], &PAGES[4]] {
                open(&browser, &demo, page, lang, "light").await;
                // A shift of millions, far behind: the longest numbers there are.
                browser.value(LONGEST).await;
                let name = format!("{}-{screen}-light-{lang}", page.name);
                shot(&browser, &name).await;
                let wrong = browser.texts(CUT).await;
                found.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
                found.extend(
                    browser.texts(WIDER).await.into_iter().map(|what| format!("{name}: {what}")),
                );
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    // The hours of a tablet begin at the newest, and an edge says that there are others.
    browser.resize((810, 1_080)).await;
    open(&browser, &demo, &PAGES[4], "en", "light").await;
    let widen = "(document.querySelectorAll('#heat :is(th, td)').forEach((e) => { e.style.minWidth = '160px'; }), \
                  document.querySelector('.scroll:has(> #heat)').style.height = '301px', true)";
    browser.value(widen).await;
    let seen = "(() => { const box = document.querySelector('.scroll:has(> #heat)'); \
                return box.scrollWidth > box.clientWidth + 9 && box.scrollLeft + box.clientWidth > box.scrollWidth - 3 \
                  && box.dataset.more === 'before' && getComputedStyle(box).borderLeftColor === getComputedStyle(document.body).color; })()";
    browser.until(seen, SOON).await;
}

/// Writes the longest numbers of a shift through the page itself.
const LONGEST: &str = "(() => {
    for (const [id, text] of [['good', '2,419,643'], ['gap', '−1,490,929'], ['plan', '2,944,006']]) {
      const element = document.getElementById(id);
      if (!element) continue;
      element.textContent = text;
      (document.body.matches('.wall') ? element.parentElement : element).style.setProperty('--n', text.length + (document.body.matches('.wall') ? 1 : 0));
    }
    return true;
  })()";

/// Numbers that are wider than the room of their tile.
const WIDER: &str = "[...document.querySelectorAll('.figures .big')].filter((e) => {
    const text = document.createRange();
    text.selectNodeContents(e);
    return text.getBoundingClientRect().right > e.closest('.tile').getBoundingClientRect().right - 4;
  }).map((e) => `wider than its tile: ${e.textContent}`)";

/// The negative control of the test above: a page with a fault of each kind.
/// Shows: SCR-04
#[tokio::test]
async fn a_cut_text_and_a_nameless_button_are_found() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    browser.open(&demo.origin).await;
    open(&browser, &demo, &PAGES[3], "en", "light").await;
    let spoil = "(document.getElementById('span').outerHTML += \"<p id='cut'>not to be torn</p><button></button>\", true)";
    browser.value(spoil).await;
    let narrow = "(Object.assign(document.getElementById('cut').style, \
                   { width: '20px', overflow: 'hidden', whiteSpace: 'nowrap' }), true)";
    browser.value(narrow).await;
    let cut = browser.value(CUT).await.to_string();
    assert!(cut.contains("not to be torn"), "{cut}");
    assert!(!cut.contains("too low") && !cut.contains("over each other"), "{cut}");
    let squeeze = "(document.querySelector('.plot').style.cssText = 'flex: none; height: 40px', \
                    document.querySelector('.halves').style.marginTop = '-60px', true)";
    browser.value(squeeze).await;
    let cut = browser.value(CUT).await.to_string();
    assert!(cut.contains("too low: timeline, 40 px") && cut.contains("over each other"), "{cut}");
    let heads = "(document.querySelector('.card > header').style.cssText = 'flex: none; min-height: 0; height: 8px', \
                  document.querySelector('.tile').style.cssText = 'height: 20px', document.getElementById('keys-list').style.marginTop = '60px', true)";
    browser.value(heads).await;
    let cut = browser.value(CUT).await.to_string();
    for said in ["a head over", "sticks out below", "on two rows"] {
        assert!(cut.contains(said), "{said}: {cut}");
    }
    let Some(axe) = Axe::load() else { return };
    let violations = axe.violations(&browser).await.join("\n");
    assert!(violations.contains("button-name"), "{violations}");
}

/// Shows: SCR-03
#[tokio::test]
async fn every_page_speaks_one_language_at_a_time() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    browser.open(&demo.origin).await;
    for page in &PAGES {
        for (lang, word, other) in
            [("en", page.words[0], page.words[1]), ("zh", page.words[1], page.words[0])]
        {
            open(&browser, &demo, page, lang, "light").await;
            let text = browser.text("document.body.innerText").await;
            assert!(text.contains(word) && !text.contains(other), "{}, {lang}:\n{text}", page.name);
        }
    }
}

/// English words beside Chinese ones that do not say that they are English; names of tags, codes and units are no words.
const UNMARKED: &str = r"(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
      const { data, parentElement: of } = texts.currentNode;
      if (of.closest('script, style, option, svg, [lang=en], [translate=no]') || !of.checkVisibility()) continue;
      if (/[\u4e00-\u9fff]/.test(data) && /\b[a-z]{3,} [a-z]{2,}/.test(data)) found.push(data);
    }
    return found;
  })()";

/// A voice reads each part in its language. WCAG 2.2, 3.1.2.
/// Shows: SCR-03
#[tokio::test]
async fn in_two_languages_what_is_english_says_so() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    browser.open(&demo.origin).await;
    let said = "document.querySelectorAll('main bdi[lang=en]').length";
    let mut marked = 0;
    for page in &PAGES {
        open(&browser, &demo, page, "both", "light").await;
        assert_eq!(browser.texts(UNMARKED).await, Vec::<String>::new(), "{}", page.name);
        marked += browser.value(said).await.as_u64().expect("a number");
    }
    assert!(marked > 100, "{marked} texts written by scripts");
    // The control: a text without its marks is found.
    browser.value("document.querySelector('main').append('停机 stopped for long'), true").await;
    assert_eq!(browser.texts(UNMARKED).await, ["停机 stopped for long"]);
}

/// From a stop to its reason: two taps once the name is known, all with the keyboard.
/// Shows: SCR-07
#[tokio::test]
async fn a_stop_gets_its_reason_in_two_taps_and_keeps_its_record() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/stops?window=day&lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {}", TABLES[0].1), SOON).await;
    let id = browser.text("document.querySelectorAll('#stops button')[1].dataset.stop").await;
    let button = format!("#stops [data-stop='{id}']");
    browser.click(&button).await;
    browser.until("document.getElementById('entry').open", SOON).await;
    // Without a name nothing is written.
    browser.click("#reasons button").await;
    browser.until("document.getElementById('entry-trouble').checkVisibility()", SOON).await;
    browser.keys("#author", "Li Wei").await;
    browser.click("#reasons button[data-reason='Electrical fault']").await;
    let row = format!("document.querySelector(\"{button}\").closest('tr').textContent");
    browser.until(&format!("{row}.includes('Electrical fault')"), SOON).await;
    let text = browser.text(&row).await;
    assert!(text.contains("Li Wei") && text.contains("as recorded"), "{text}");
    // The second time two taps are enough.
    browser.click(&button).await;
    browser.click("#reasons button[data-reason='mechanical breakdown']").await;
    browser.until(&format!("{row}.includes('mechanical breakdown')"), SOON).await;
    let losses = "document.getElementById('losses').textContent";
    browser.until(&format!("{losses}.includes('mechanical breakdown')"), SOON).await;
    browser.click(&button).await;
    let said = browser.text("document.getElementById('said').textContent").await;
    for part in ["as recorded", "Electrical fault", "mechanical breakdown", "Li Wei"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // A wrong reason is taken back, and what was said stays readable. What is taken back cannot be taken back again.
    browser.click("#undo").await;
    browser.until("!document.getElementById('entry').open", SOON).await;
    browser.click(&button).await;
    browser.until("document.getElementById('undo').disabled", SOON).await;
    let said = browser.text("document.getElementById('said').textContent").await;
    assert!(said.contains("as recorded again") && said.contains("mechanical breakdown"), "{said}");
    browser.click("#entry button[value='close']").await;
    // Losses by machine, and by how often.
    let title = "document.getElementById('losses-title').textContent";
    browser.click("#rank [data-by='station']").await;
    browser.until(&format!("{title} === 'Lost time by machine'"), SOON).await;
    browser.until(&format!("{losses}.includes('CF01')"), SOON).await;
    browser.click("#rank [data-by='count']").await;
    browser.until(&format!("{title} === 'Lost time by reason'"), SOON).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// Rejects of one machine, and the way from a reason to its control chart.
#[tokio::test]
async fn a_reason_leads_to_its_chart_and_a_machine_stands_alone() {
    let _alone = CORES.alone().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/rejects?window=day&lang=en", demo.origin)).await;
    browser
        .until(&format!("{LIVE} && document.querySelectorAll('#pareto a').length > 3"), SOON)
        .await;
    shot(&browser, "rejects-to-charts-en").await;
    browser
        .run("const of = document.getElementById('station'); of.value = 'CW04'; of.dispatchEvent(new Event('change'))")
        .await;
    let alone = "[...document.querySelectorAll('#pareto tbody tr')].every((row) => row.textContent.includes('CW04'))";
    browser.until(alone, SOON).await;
    assert!(browser.text("location.search").await.contains("station=CW04"));
    browser.click("#pareto a").await;
    browser.until("location.pathname.startsWith('/spc/reject.CW04.')", SOON).await;
    // The limits of the newest subgroup say what they rest on.
    browser
        .until(
            &format!("{LIVE} && document.querySelector(\"[data-explain='limits']\") !== null"),
            SOON,
        )
        .await;
    browser.click("[data-explain='limits']").await;
    // Of a single reason they are those of small counts, of all rejects those of Laney.
    let told = "document.querySelector('#explanation .told').innerText";
    let is_told = |law: &str| format!("{told}.includes('SHA-256') && {told}.includes('{law}')");
    browser.until(&is_told("NB("), SOON).await;
    let cut = "document.getElementById('explanation').scrollWidth > document.getElementById('explanation').clientWidth";
    assert_eq!(browser.value(cut).await, json!(false), "the formula is cut");
    shot(&browser, "spc-limits-explained-en").await;
    browser.open(&format!("{}/spc/reject_fraction?lang=en", demo.origin)).await;
    let limits = "document.querySelector(\"[data-explain='limits']\") !== null";
    browser.until(&format!("{LIVE} && {limits}"), SOON).await;
    browser.click("[data-explain='limits']").await;
    browser.until(&is_told("√"), SOON).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// The wall has nothing that can be reached or pressed.
#[tokio::test]
async fn nobody_can_press_anything_on_the_wall() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let demo = Demo::start();
    let reachable =
        "document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]').length";
    browser.open(&format!("{}/wall", demo.origin)).await;
    browser.until(&format!("{LIVE} && {DRAWN}"), SOON).await;
    assert_eq!(browser.value(reachable).await, json!(0));
    browser.open(&demo.origin).await;
    browser.until(LIVE, SOON).await;
    assert_ne!(browser.value(reachable).await, json!(0), "the overview has much to press");
}

/// The sheet of a shift: everything a signature needs, on pages of A4, and the mark of a simulated plant.
/// Shows: SCR-16
#[tokio::test]
async fn a_shift_is_printed_on_a4_with_what_it_rests_on() {
    let _shared = CORES.shared().await;
    let Some(browser) = browser().await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    for (kind, lang, words) in [
        ("shift", "en", ["Material balance", "OEE", "Gaps", "Signature", "Data SHA-256", "SIM"]),
        ("batch", "zh", ["物料平衡", "OEE", "缺口", "签名", "数据 SHA-256", "SIM"]),
        ("shift", "both", ["物料平衡 Material balance", "OEE", "缺口", "签名", "SHA-256", "SIM"]),
    ] {
        browser.open(&format!("{}/report/{kind}?lang={lang}", demo.origin)).await;
        browser.until("document.getElementById('print') !== null", SOON).await;
        let text = browser.text("document.body.innerText").await.to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "{word} in\n{text}");
        }
        if let Some(axe) = &axe {
            assert_eq!(axe.violations(&browser).await, Vec::<String>::new(), "{kind}-{lang}");
        }
        let pdf = browser.pdf().await;
        assert!(pdf.starts_with(b"%PDF"), "{} bytes", pdf.len());
        // A4 in points, as every page of it says.
        let media = String::from_utf8_lossy(&pdf).into_owned();
        assert!(
            media.contains("/MediaBox [0 0 594.95996 841.91998]")
                || media.contains("/MediaBox [0 0 595"),
            "A4"
        );
        keep(&format!("report-{kind}-{lang}.pdf"), &pdf);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
}
