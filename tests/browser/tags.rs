//! Courses of tags, the grid of all tags, clocks, the diagnosis, and tables that leave as files.

use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::axe::Axe;
use crate::browser::Browser;
use crate::demo::Demo;
use crate::{BLANKS, CORES, CUT, IN_TIME, LIVE, SOON, shot};

const THREE: &str = "CF01.Vacuum,CF01.Admin.ProdProcessedCount[0].AccCount,CF01.MotorCurrent";

/// How many courses are drawn, each with so many points at least.
fn drawn(courses: usize, points: usize) -> String {
    format!(
        "(() => {{ const all = [...document.querySelectorAll('#trends svg path.trace')]; \
         return all.length === {courses} && all.every((path) => path.getAttribute('d').split('H').length > {points}); }})()"
    )
}

async fn looked_at(browser: &Browser, axe: Option<&Axe>, name: &str) {
    shot(browser, name).await;
    for wrong in [CUT, BLANKS] {
        assert_eq!(browser.texts(wrong).await, Vec::<String>::new(), "{name}");
    }
    if let Some(axe) = axe {
        assert_eq!(axe.violations(browser).await, Vec::<String>::new(), "{name}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
}

/// The text that a link on the page leads to, as a browser gets it.
async fn file(browser: &Browser, link: &str) -> String {
    let shown = format!("document.querySelector(\"{link}\")?.checkVisibility() === true");
    browser.until(&shown, SOON).await;
    let get = format!(
        "(window.file = undefined, fetch(document.querySelector(\"{link}\").href).then((r) => r.arrayBuffer()).then((b) => \
         {{ window.file = new TextDecoder('utf-8', {{ ignoreBOM: true }}).decode(b); }}), true)"
    );
    browser.value(&get).await;
    browser.until("typeof window.file === 'string'", SOON).await;
    browser.text("window.file").await
}

/// A number that is said of a tag: the one behind `before`.
fn extreme(said: &str, tag: &str, before: &str) -> f64 {
    let part = said.split(&format!("{tag}：")).nth(1).and_then(|part| part.split(before).nth(1));
    let number = part.and_then(|part| part.split(['，', ' ']).find(|word| !word.is_empty()));
    let number = number.map(|number| number.replace('−', "-").replace(',', ""));
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{tag}: {said}"))
}

/// Least and most in a column of a table of courses.
fn bounds(table: &str, tag: &str, name: &str) -> (f64, f64) {
    let head: Vec<&str> = table.lines().next().unwrap_or_default().split(',').collect();
    let at = head.iter().position(|one| *one == name).unwrap_or_else(|| panic!("{head:?}"));
    let rows = table.lines().filter(|row| row.contains(&format!(",{tag},")));
    rows.filter_map(|row| row.split(',').nth(at)?.parse::<f64>().ok())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), n| (least.min(n), most.max(n)))
}

#[tokio::test]
async fn three_tags_are_drawn_below_each_other_and_the_address_keeps_them() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/line?lang=en&theme=light&tags={THREE}", demo.origin)).await;
    browser.until(&format!("{LIVE} && {}", drawn(3, 6)), IN_TIME).await;
    browser.value("(document.getElementById('trends-card').scrollIntoView(), true)").await;
    looked_at(&browser, axe.as_ref(), "line-trends-light-en").await;
    // Each has a scale of its own, below the other, and its unit beside its name.
    let names = "[...document.querySelectorAll('#trends .panel-name')]";
    let said = browser.value(&format!("{names}.map((n) => n.textContent)")).await;
    assert_eq!(
        said,
        json!([
            "CF01.Vacuum · kPa",
            "CF01.Admin.ProdProcessedCount[0].AccCount · per min",
            "CF01.MotorCurrent · A"
        ])
    );
    let below = format!(
        "{names}.every((n, i, all) => i === 0 || Number(n.getAttribute('y')) > Number(all[i - 1].getAttribute('y')))"
    );
    assert_eq!(browser.value(&below).await, Value::Bool(true));
    // In words, by key, and as a table.
    let words = browser.text("document.getElementById('trends').getAttribute('aria-label')").await;
    assert!(words.contains("CF01.Vacuum: lowest") && words.contains("per min"), "{words}");
    browser.value("(document.getElementById('trends').focus(), true)").await;
    browser.press(Key::Left).await;
    browser.press(Key::Left).await;
    let readout = browser.text("document.getElementById('trends-readout').textContent").await;
    assert!(readout.contains("kPa") && readout.contains("CF01.MotorCurrent"), "{readout}");
    browser.press(Key::Right).await;
    let next = browser.text("document.getElementById('trends-readout').textContent").await;
    assert_ne!(next, readout, "the cursor moves");
    browser.click("#trends-card .toggle").await;
    browser.until("document.querySelectorAll('#trends-rows tbody tr').length > 30", SOON).await;
    assert_eq!(
        browser.value("document.querySelectorAll('#trends-rows th').length").await,
        json!(10)
    );
    browser.click("#trends-card .toggle").await;
    // A fourth cannot be chosen before one of the three is given up, and the address has what is chosen.
    browser.click("#trend-menu summary").await;
    let free = "[...document.querySelectorAll('#trend-choice input:not(:checked)')]";
    assert_eq!(browser.value(&format!("{free}.every((box) => box.disabled)")).await, json!(true));
    let states = "[...document.querySelectorAll('#trend-choice input')].some((box) => /State|BatchId/.test(box.dataset.tag))";
    assert_eq!(browser.value(states).await, json!(false), "a state is no amount");
    looked_at(&browser, axe.as_ref(), "line-trends-menu-light-en").await;
    browser.click("#trend-choice input[data-tag='CF01.Vacuum']").await;
    browser.until(&drawn(2, 6), SOON).await;
    assert_eq!(browser.value(&format!("{free}.some((box) => !box.disabled)")).await, json!(true));
    let search = browser.text("decodeURIComponent(location.search)").await;
    assert!(
        search.contains("tags=CF01.Admin.ProdProcessedCount[0].AccCount,CF01.MotorCurrent"),
        "{search}"
    );
    // Loaded again it is the same, and a tag that nobody knows is said.
    let again = browser.text("location.href").await;
    browser.open(&format!("{again},CF01.Nothing")).await;
    browser.until(&format!("{LIVE} && {}", drawn(2, 6)), IN_TIME).await;
    let note = browser.text("document.getElementById('trends-note').textContent").await;
    assert!(note.contains("CF01.Nothing"), "{note}");
    // What is shown is the file.
    let text = file(&browser, "a[data-csv='trends']").await;
    assert!(text.starts_with("\u{feff}utc,local,step_ms,station,tag,kind,unit,best"), "{text}");
    assert!(text.lines().filter(|row| row.contains(",CF01.MotorCurrent,value,A,")).count() > 60);
}

#[tokio::test]
async fn a_past_moment_has_the_courses_of_its_time_and_they_stand_still() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.open(&format!("{}/line?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {}", drawn(3, 6)), IN_TIME).await;
    // Of the time before the demo began no readings are kept, and its clock runs ten times as fast as ours.
    browser.until(&drawn(3, 18), IN_TIME).await;
    let at = browser.value("Number(document.getElementById('rewind').dataset.at)").await;
    browser.resize((810, 1_080)).await;
    browser.open(&format!("{}/line?lang=zh&theme=dark&tags={THREE}&at={at}", demo.origin)).await;
    let replayed = "document.body.dataset.link === 'replay'";
    browser.until(&format!("{replayed} && {}", drawn(3, 6)), IN_TIME).await;
    browser.value("(document.getElementById('trends-card').scrollIntoView(), true)").await;
    looked_at(&browser, axe.as_ref(), "replay-trends-tablet-dark-zh").await;
    // Lowest and highest are of what was read, not of the means of the points.
    let said = browser.text("document.getElementById('trends').getAttribute('aria-label')").await;
    let table = file(&browser, "a[data-csv='trends']").await;
    let mut closer = 0;
    for tag in ["CF01.Vacuum", "CF01.MotorCurrent"] {
        let [low, high] = ["最低", "最高"].map(|before| extreme(&said, tag, before));
        let [least, lowest_mean] = ["low", "best"].map(|name| bounds(&table, tag, name).0);
        let [highest_mean, most] = ["best", "high"].map(|name| bounds(&table, tag, name).1);
        assert!((low - least).abs() < 0.006 && (high - most).abs() < 0.006, "{tag}: {said}");
        closer += i32::from(highest_mean - lowest_mean < most - least);
    }
    // The control: where the means did not lie closer together, nothing would be told apart.
    assert!(closer > 0, "{table}");
    // The last point is before the moment, and the way to another moment keeps the tags.
    browser.click("#trends-card .toggle").await;
    browser.until("document.querySelectorAll('#trends-rows tbody tr').length > 30", SOON).await;
    let first = browser.text("document.querySelector('#trends-rows td').textContent").await;
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(browser.text("document.querySelector('#trends-rows td').textContent").await, first);
    let kept = "[...document.querySelectorAll('#replay a')].every((a) => decodeURIComponent(a.href).includes('tags=CF01.Vacuum,'))";
    assert_eq!(browser.value(kept).await, json!(true));
}

#[tokio::test]
async fn the_grid_has_every_tag_and_finds_what_is_not_good() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.resize((1_920, 1_080)).await;
    browser.open(&format!("{}/data?lang=en&theme=light", demo.origin)).await;
    let rows = "[...document.querySelectorAll('#grid tbody tr:not(.none)')]";
    browser.until(&format!("{LIVE} && {rows}.length > 30"), IN_TIME).await;
    // It is opened by who wants it.
    let open = "document.getElementById('grid').checkVisibility()";
    assert_eq!(browser.value(open).await, json!(false));
    browser.click("#grid-card summary").await;
    browser.click("#clocks-card summary").await;
    browser.until(open, SOON).await;
    let vacuum = "[...document.querySelectorAll('#grid tbody tr')].find((row) => row.cells[0].textContent === 'CF01.Vacuum')";
    let cells = format!("[...{vacuum}.cells].map((cell) => cell.textContent)");
    browser.until(&format!("/kPa/.test({cells}[2])"), IN_TIME).await;
    let told = browser.value(&cells).await;
    assert_eq!((&told[1], &told[3]), (&json!("condition"), &json!("good")), "{told}");
    assert!(told[5].as_str().is_some_and(|at| at.starts_with("holding ")), "{told}");
    assert!(told[6].as_str().is_some_and(|at| at.starts_with("cf01-modbus.toml:")), "{told}");
    // By text.
    browser.keys("#grid-find", "vacuum kpa").await;
    let shown = format!("{rows}.filter((row) => !row.hidden).length");
    browser.until(&format!("{shown} === 1"), SOON).await;
    let note = "document.getElementById('grid-note').textContent";
    assert!(browser.text(note).await.starts_with("1 of "), "{}", browser.text(note).await);
    browser.keys("#grid-find", " nothing like it").await;
    browser.until("document.querySelector('#grid tr.none').checkVisibility()", SOON).await;
    browser.run("const find = document.getElementById('grid-find'); find.value = ''; find.dispatchEvent(new Event('input'))").await;
    // By what is wrong: each row that is left says so in words, and there are fewer.
    browser.click("#grid-bad").await;
    let all = browser.value(&format!("{rows}.length")).await;
    let wrong = format!(
        "{rows}.filter((row) => !row.hidden).every((row) => row.querySelector('.quality svg') !== null)"
    );
    browser.until(&format!("{wrong} && {shown} < {all}"), SOON).await;
    browser.click("#grid-bad").await;
    browser.until(&format!("{shown} === {all}"), SOON).await;
    browser.value("(document.getElementById('grid').scrollIntoView(), true)").await;
    // What is opened makes the page higher than its screen; nothing of it is cut.
    shot(&browser, "data-grid-light-en").await;
    let cut = browser.texts(CUT).await;
    assert!(cut.iter().all(|what| what.starts_with("higher than the screen")), "{cut:?}");
    if let Some(axe) = &axe {
        assert_eq!(axe.violations(&browser).await, Vec::<String>::new());
    }
    // Clocks: each device and this screen, with what it means.
    let clocks = browser.text("document.getElementById('clocks').textContent").await;
    assert!(clocks.contains("CF01") && clocks.contains("this screen"), "{clocks}");
    assert!(clocks.contains("It tells no time of its own"), "{clocks}");
    // Every table of the page is a file.
    for (table, words) in [
        ("grid", "register_or_node"),
        ("polls", "round_trip_ms"),
        ("ledger", "at_utc,at_local"),
        ("balance", "went_in_capsules"),
        ("clocks", "ahead_ms"),
        ("displays", "painted_ago_ms"),
        ("alerts", "opened_utc,opened_local"),
        ("deliveries", "webhook"),
    ] {
        let text = file(&browser, &format!("a[data-csv='{table}']")).await;
        assert!(text.starts_with('\u{feff}') && text.contains(words), "{table}: {text}");
    }
}

#[tokio::test]
async fn a_diagnosis_is_copied_or_lies_there_to_be_copied() {
    let _shared = CORES.shared().await;
    // A browser without a clipboard for pages, as it is where the connection is not secure.
    let before =
        "Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => window.board });";
    let Some(browser) = crate::browser(before).await else { return };
    let axe = Axe::load();
    let demo = Demo::start();
    browser.resize((810, 1_080)).await;
    browser.open(&format!("{}/data?lang=en&theme=dark", demo.origin)).await;
    let ready = "!document.getElementById('diagnosis-copy').disabled";
    browser
        .until(
            &format!(
                "{LIVE} && {ready} && document.querySelectorAll('#displays tbody tr').length > 0"
            ),
            IN_TIME,
        )
        .await;
    browser.click("#diagnosis-copy").await;
    browser.until("document.getElementById('diagnosis-text').checkVisibility()", SOON).await;
    let text = browser.text("document.getElementById('diagnosis-text').value").await;
    for words in [
        "Capline diagnosis of line L1",
        "configuration ",
        "CF01 ",
        "heard ",
        "Clocks:",
        "Displays:",
        "journal ",
        "Plant database:",
        "Tags that are not good:",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    let whole = browser.text("getSelection().toString()").await;
    assert!(whole.is_empty() || text.contains(&whole));
    let selected = "(() => { const e = document.getElementById('diagnosis-text'); return e.selectionEnd - e.selectionStart === e.value.length; })()";
    assert_eq!(browser.value(selected).await, json!(true));
    looked_at(&browser, axe.as_ref(), "data-diagnosis-tablet-dark-en").await;
    // The control: with a clipboard it is in there, and no field is needed.
    browser.run("window.board = { writeText: async (text) => { window.copied = text; } }").await;
    browser.click("#diagnosis-copy").await;
    browser
        .until(
            "typeof window.copied === 'string' && document.getElementById('diagnosis').hidden",
            SOON,
        )
        .await;
    assert!(browser.text("window.copied").await.starts_with("Capline diagnosis of line L1"));
    assert_eq!(
        browser.text("document.getElementById('diagnosis-told').textContent").await,
        "copied"
    );
    // In the language of the page, whole.
    browser.open(&format!("{}/data?lang=zh&theme=dark", demo.origin)).await;
    browser.until(&format!("{LIVE} && {ready}"), IN_TIME).await;
    browser.run("window.board = { writeText: async (text) => { window.copied = text; } }").await;
    browser.click("#diagnosis-copy").await;
    browser.until("typeof window.copied === 'string'", SOON).await;
    let text = browser.text("window.copied").await;
    assert!(text.contains("数据 实时，") && !text.contains("current"), "{text}");
}

#[tokio::test]
async fn stops_rejects_and_reports_give_their_tables_away() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    for (path, tables) in [
        (
            "/stops?window=day",
            &[
                ("stops", "start_utc,start_local"),
                ("losses", "lost_ms"),
                ("waterfall", "time_ms"),
                ("micro-hours", "hour_utc,hour_local"),
                ("calls", "waited_ms"),
            ][..],
        ),
        ("/rejects?window=day", &[("pareto", "fraction_ppm"), ("heat", "hour_utc,hour_local")]),
        ("/line", &[("timeline", "start_utc"), ("seconds", "good_capsules"), ("tags", "map_line")]),
        ("/", &[("trend", "good_capsules"), ("pchart", "ucl_percent")]),
        (
            "/spc",
            &[
                ("control", "value_percent"),
                ("signals", "opened_utc"),
                ("why", "sigma_z_mr"),
                ("limits", "decided_by"),
            ],
        ),
        ("/sim", &[("truth", "truth_least_capsules"), ("false_alarms", "at_utc")]),
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        browser.open(&format!("{}{path}{join}lang=zh", demo.origin)).await;
        browser.until(LIVE, SOON).await;
        for (table, words) in tables {
            let text = file(&browser, &format!("a[data-csv='{table}']")).await;
            assert!(text.starts_with('\u{feff}') && text.contains(words), "{path} {table}: {text}");
        }
    }
    browser.open(&format!("{}/report/shift?lang=zh", demo.origin)).await;
    for (table, words) in
        [("stops", "start_utc"), ("rejects", "fraction_ppm"), ("hours", "oee_percent")]
    {
        let text = file(&browser, &format!(".controls a[data-csv='{table}']")).await;
        assert!(text.starts_with('\u{feff}') && text.contains(words), "{table}: {text}");
    }
    browser.open(&format!("{}/reports?lang=en", demo.origin)).await;
    browser.until(LIVE, SOON).await;
    for (of, words) in [("shifts", "oee_percent"), ("batches", "yield_percent")] {
        let text = file(&browser, &format!("a.file[href*='/{of}?']")).await;
        assert!(text.starts_with('\u{feff}') && text.contains(words), "{of}: {text}");
    }
}
