//! `/sim`: the simulated plant. Faults to put in, what the service said of them, and the truth beside what it counted.
//! Only where a plant is simulated.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::layout::{Choice, First, Look, Page, page};
use super::parts::{chart, heading, style, table, trouble};
use super::replay::present_only;
use crate::web::assets;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{App, Routes};

/// How long a fault lasts, in seconds of the line's clock; 0 for as long as its kind does.
const LENGTHS: [(u32, Key); 6] = [
    (0, Key::SimForUsual),
    (10, Key::SimFor10s),
    (60, Key::SimFor1min),
    (300, Key::SimFor5min),
    (1_800, Key::SimFor30min),
    (7_200, Key::SimFor2h),
];

/// Length that is chosen at first.
const LENGTH: u32 = 0;

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/sim", get(sim))]
}

async fn sim(
    State(app): State<App>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let simulator = app.parts().simulator.clone().ok_or(WebError::NotFound)?;
    // The line of the address is that of the other pages; a simulated plant plays one.
    let line = app.position(Some(simulator.line().as_str()))?;
    if let Some(refused) = present_only(&app, &look, (Key::SimPage, line), &choice).await? {
        return Ok(refused);
    }
    let (body, first) = (body(look.lang, app.parts().writes), First::of(&app, line).await?);
    Ok(page(&app, &look, &Page { title: Key::SimPage, line, script: "sim.mjs", body, first }))
}

fn body(lang: Lang, writes: bool) -> Markup {
    let signs = [
        Key::SimSign,
        Key::SimInjected,
        Key::SimNoticed,
        Key::SimMissed,
        Key::SimDelay,
        Key::SimLongest,
        Key::SimFalse,
    ];
    let truth = [Key::SimCounter, Key::SimTruth, Key::SimCounted, Key::SimAgrees, Key::SimAsOf];
    let injections = [Key::Time, Key::SimFault, Key::SimEnd, Key::SimNotice, Key::SimDelayOne];
    html! {
        (style())
        link rel="stylesheet" href=(assets::href("sim.css"));
        (heading(lang, Key::SimPage, Key::SimAbout))
        (trouble())
        (clock(lang, writes))
        (faults(lang, writes))
        div.halves.trial {
            div.charts {
                (chart(lang, Key::Trend, "trend"))
                (chart(lang, Key::SimRejects, "rejects"))
                (chart(lang, Key::SimLane, "lane"))
            }
            div.stack {
                (table(lang, Key::SimTruthTable, "truth", &truth))
                (table(lang, Key::SimSigns, "signs", &signs))
                (table(lang, Key::SimInjections, "injections", &injections))
            }
        }
    }
}

/// Seed and clock of the run, and where another one is begun.
fn clock(lang: Lang, writes: bool) -> Markup {
    html! {
        section.card.tools #sim-clock data-writes=(writes) aria-label=(lang.say(Key::SimRun)) {
            p { span.dim { (lang.mark(Key::SimSeed)) } " " b.num #seed { "–" } }
            p { span.dim { (lang.mark(Key::SimSpeed)) } " " b.num #speed { "–" } }
            p #clock-word role="status" {}
            button.act #hold type="button" aria-pressed="false" disabled { (lang.mark(Key::SimHold)) }
            form #reset-form aria-labelledby="reset-title" {
                b #reset-title { (lang.mark(Key::SimNewRun)) }
                label { span.dim { (lang.mark(Key::SimSeed)) } input #reset-seed type="number" min="0" max="9007199254740991" step="1" value="1" required; }
                div.choices #reset-speed role="group" aria-label=(lang.say(Key::SimSpeed)) {
                    @for speed in ["1", "10", "60"] {
                        button type="button" data-speed=(speed) aria-pressed=(speed == "1") { "×" (speed) }
                    }
                }
                button.act #reset type="submit" disabled { (lang.mark(Key::SimReset)) }
            }
            p.dim #reset-note { (lang.mark(Key::SimResetNote)) }
        }
    }
}

/// What can be put in, and for how long.
fn faults(lang: Lang, writes: bool) -> Markup {
    html! {
        section.card #sim-faults data-writes=(writes) aria-labelledby="faults-title" {
            header {
                h2 #faults-title { (lang.mark(Key::SimInject)) }
                span.dim { (lang.mark(Key::SimFor)) }
                div.choices #length role="group" aria-label=(lang.say(Key::SimFor)) {
                    @for (seconds, text) in LENGTHS {
                        button type="button" data-seconds=(seconds) aria-pressed=(seconds == LENGTH) { (lang.mark(text)) }
                    }
                }
                button.choice #clear type="button" disabled { (lang.mark(Key::SimClear)) }
                a.choice data-csv="false_alarms" download hidden { (lang.mark(Key::SimCsvFalse)) }
            }
            div #faults {}
            p.dim #fault-about { (lang.mark(Key::SimFaultHint)) }
            p.note #fault-trouble role="alert" hidden {}
            p.away #fault-news role="status" {}
        }
    }
}
