//! The work of a shift as somebody does it who has never seen the screens: by real clicks and keys, counted. A field that
//! is written in is a click too, and so is each choice from a list: one opens it, one takes. A click more than here is a
//! step back, and one less is to be noted here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, DRAWN, IN_TIME, LIVE, SOON};

/// Who clicks, and how often.
struct Person<'a> {
    browser: &'a Browser,
    clicks: u32,
    told: Vec<(&'static str, u32)>,
}

impl Person<'_> {
    async fn click(&mut self, selector: &str) {
        self.browser.until(&format!("document.querySelector(\"{selector}\") !== null"), SOON).await;
        self.browser.click(selector).await;
        self.clicks += 1;
    }

    /// Clicks into a field and writes.
    async fn write(&mut self, selector: &str, text: &str) {
        self.click(selector).await;
        // Whatever stands there is written over.
        let all = "\u{E009}a\u{E000}";
        self.browser.keys(selector, &format!("{all}{text}")).await;
    }

    /// Takes from a list.
    async fn choose(&mut self, list: &str, value: &str) {
        self.click(list).await;
        self.click(&format!("{list} option[value='{value}']")).await;
    }

    /// The task is done, in so many clicks.
    fn done(&mut self, task: &'static str, expected: u32) {
        eprintln!("{task}: {} clicks", self.clicks);
        assert_eq!(self.clicks, expected, "clicks for: {task}");
        self.told.push((task, self.clicks));
        self.clicks = 0;
    }
}

/// Where in the bar a page is.
fn bar(path: &str) -> String {
    format!(".bar nav a[href^='{path}?']")
}

/// Shows: SCR-21
#[tokio::test]
async fn the_work_of_a_shift_takes_few_clicks() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("window.print = () => { window.printed = true; };").await
    else {
        return;
    };
    let demo = Demo::with(&["--speed", "1", "--history", "44h"]);
    browser.resize((1_280, 800)).await;
    browser.open(&format!("{}/?lang=en", demo.origin)).await;
    browser.until(&format!("{LIVE} && {DRAWN}"), IN_TIME).await;
    let mut person = Person { browser: &browser, clicks: 0, told: Vec::new() };

    // Why did the line stand in that minute? The minute is one of the last day, taken from the record.
    let ask = "(fetch('/api/v1/lines/L1/losses?window=day').then((r) => r.json()).then((j) => { window.losses = j; }), true)";
    browser.value(ask).await;
    browser.until("window.losses !== undefined", SOON).await;
    let wanted = "window.losses.stops.filter((stop) => stop.to_ms !== null && stop.lasted_ms > 20000 && stop.reason && stop.stations.includes('CF01')).at(-1)";
    let id = browser.text(&format!("{wanted}.id")).await;
    let reason = browser.text(&format!("({wanted}.title?.en ?? {wanted}.reason)")).await;
    person.click(&bar("/stops")).await;
    browser.until(&format!("location.pathname === '/stops' && {LIVE}"), SOON).await;
    person.click("#window [data-window='day']").await;
    let stop = format!("#stops [data-stop='{id}']");
    let row = format!("document.querySelector(\"{stop}\")?.closest('tr').innerText ?? ''");
    browser.until(&format!("({row}).length > 0"), SOON).await;
    let told = browser.text(&row).await;
    assert!(told.contains(&reason) && told.contains("CF01"), "{reason} in {told}");
    person.done("why the line stood in a given minute", 2);

    // Its reason. The name is typed once on a screen; the dialog stands ready for it.
    person.click(&stop).await;
    browser.until("document.activeElement.id === 'author'", SOON).await;
    browser.keys("#author", "Li Wei").await;
    person.click("#reasons button[data-reason='Electrical fault']").await;
    browser
        .until(&format!("({row}).includes('Electrical fault') && ({row}).includes('Li Wei')"), SOON)
        .await;
    person.done("give it a reason", 2);

    // Which class of rejects grew since the last shift, and is it chance? It stands on the page.
    person.click(&bar("/rejects")).await;
    let verdicts = "[...document.querySelectorAll('#pareto tbody tr')].map((row) => row.cells[row.cells.length - 1].innerText.trim())";
    browser
        .until(&format!("location.pathname === '/rejects' && {verdicts}.length > 2"), SOON)
        .await;
    let verdicts = browser.value(verdicts).await;
    let verdicts: Vec<&str> =
        verdicts.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(verdicts.iter().all(|verdict| !verdict.is_empty()), "{verdicts:?}");
    assert!(verdicts.iter().any(|verdict| verdict.contains(" p ")), "{verdicts:?}");
    person.done("which rejects grew since the last shift, and whether by chance", 1);

    // Limits are frozen by one person and approved by another.
    person.click(&bar("/spc")).await;
    browser.until(&format!("location.pathname.startsWith('/spc') && {LIVE}"), SOON).await;
    person.choose("#hours", "168").await;
    let n = "Number(document.querySelector('#propose summary')?.textContent.match(/(\\d+)$/)[1])";
    browser.until(&format!("{n} >= 100"), SOON).await;
    person.click("#propose summary").await;
    // What must be written first has the keys already.
    let ready = |form: &str| format!("document.activeElement.matches('{form} [data-name=reason]')");
    browser.until(&ready("#propose"), SOON).await;
    browser.keys("#propose [data-name=reason]", "first baseline").await;
    person.write("#propose form input[autocomplete=name]", "An").await;
    person.click("#propose form button").await;
    let proposed = "#limits details[data-state=proposed]";
    // The version that was just proposed is open for the one who decides.
    browser.until(&ready(proposed), SOON).await;
    browser.keys(&format!("{proposed} [data-name=reason]"), "agreed").await;
    person.write(&format!("{proposed} form input[autocomplete=name]"), "Bo").await;
    person.click(&format!("{proposed} form button")).await;
    let state = "document.getElementById('state').textContent";
    browser.until(&format!("{state}.includes('approved') && {state}.includes('Bo')"), SOON).await;
    person.done("freeze limits and have them approved", 8);

    // The report of the shift on paper.
    person.click(&bar("/reports")).await;
    browser.until("location.pathname === '/reports'", SOON).await;
    person.click("a[href^='/report/shift?']").await;
    browser
        .until(
            "location.pathname === '/report/shift' && document.getElementById('print') !== null",
            SOON,
        )
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    person.click("#print").await;
    browser.until("window.printed === true", SOON).await;
    person.done("print the report of the shift", 3);
    assert_eq!(person.told.len(), 5);
    assert_eq!(browser.value("window.printed").await, json!(true));
}
