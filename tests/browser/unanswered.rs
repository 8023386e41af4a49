//! What a person reads who wants something of a service that does not answer.

use crate::browser::Browser;
use crate::demo::Demo;
use crate::{CORES, LIVE, SOON};

/// What browsers say of it, which is English in every language of a page.
const OF_THE_BROWSER: [&str; 4] = ["Failed to fetch", "signal", "abort", "timed out"];

async fn reads(browser: &Browser, element: &str) -> String {
    let shown = format!("document.getElementById('{element}').checkVisibility()");
    browser.until(&shown, SOON).await;
    browser.text(&format!("document.getElementById('{element}').textContent")).await
}

/// Shows: SCR-19
#[tokio::test]
async fn a_reason_that_may_not_have_been_saved_is_told_so_in_the_language_of_the_page() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    let address = format!("{}/stops?window=day&lang=zh", demo.origin);
    let rows = "document.querySelectorAll('#stops button').length > 1";
    browser.open(&address).await;
    browser.until(&format!("{LIVE} && {rows}"), SOON).await;
    let id = browser.text("document.querySelectorAll('#stops button')[1].dataset.stop").await;
    let button = format!("#stops [data-stop='{id}']");
    let reason = "#reasons button[data-reason='mechanical breakdown']";
    browser.click(&button).await;
    browser.until("document.getElementById('entry').open", SOON).await;
    browser.keys("#author", "李伟").await;
    demo.freeze();
    browser.click(reason).await;
    let told = reads(&browser, "entry-trouble").await;
    assert!(told.starts_with("服务无应答") && told.contains("可能未保存"), "{told}");
    assert!(OF_THE_BROWSER.iter().all(|words| !told.contains(words)), "{told}");
    demo.thaw();
    // Whatever became of that one: what the page has then is where the next one begins.
    browser.open(&address).await;
    browser.until(&format!("{LIVE} && {rows}"), SOON).await;
    browser.click(&button).await;
    browser.until("document.getElementById('entry').open", SOON).await;
    browser.click(reason).await;
    let row = format!("document.querySelector(\"{button}\").closest('tr').textContent");
    browser.until(&format!("{row}.includes('李伟')"), SOON).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_sentence_within_a_sentence_is_said_once_in_each_language() {
    let _shared = CORES.shared().await;
    let Some(browser) = crate::browser("").await else { return };
    let demo = Demo::start();
    browser.open(&format!("{}/stops?lang=both", demo.origin)).await;
    browser.until(&format!("{LIVE} && document.getElementById('trouble').hidden"), SOON).await;
    demo.freeze();
    let told = reads(&browser, "trouble").await;
    for words in ["服务无应答", "the service does not answer"] {
        assert_eq!(told.matches(words).count(), 1, "{told}");
    }
    // A page that is live again says nothing of it.
    demo.thaw();
    browser.until("document.getElementById('trouble').hidden", SOON).await;
}
