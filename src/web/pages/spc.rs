//! `/spc`: the workbench of a quality engineer. One chart with its companion, the limits that judge it and why, its
//! signals and what was done about them.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use domain::line::weight::Series;
use domain::quality::characteristic::{Characteristic, ChartKind, Measure};
use domain::spc::rules::RuleId;
use maud::{Markup, html};

use super::layout::{Choice, Look, Page, page};
use super::parts::csv;
use super::replay::asked;
use crate::web::error::{Params, WebError};
use crate::web::i18n::{Key, Lang};
use crate::web::{Access, App, Right, Routes, assets};

/// Spans that can be chosen: hours and text.
const SPANS: [(u32, Key); 4] =
    [(8, Key::SpcSpan8h), (30, Key::SpcSpan30h), (168, Key::SpcSpan7d), (744, Key::SpcSpan31d)];

/// Panels whose figures are a table that can be taken away.
const TABLES: [&str; 3] = ["signals", "why", "limits"];

/// Steps of the part of the span that is shown: name, sign and text.
const STEPS: [(&str, &str, Key); 4] = [
    ("earlier", "◀", Key::SpcEarlier),
    ("later", "▶", Key::SpcLater),
    ("narrower", "+", Key::SpcNarrower),
    ("wider", "−", Key::SpcWider),
];

/// Rules that can be chosen for a look.
const RULES: [RuleId; 8] = [
    RuleId::N1,
    RuleId::N2,
    RuleId::N3,
    RuleId::N4,
    RuleId::N5,
    RuleId::N6,
    RuleId::N7,
    RuleId::N8,
];

/// Routes of this page.
pub(crate) fn routes() -> Routes {
    vec![("/spc", get(first)), ("/spc/{characteristic}", get(workbench))]
}

async fn first(
    state: State<App>,
    look: Look,
    choice: Params<Choice>,
) -> Result<Response, WebError> {
    workbench(state, Path("reject_fraction".to_owned()), look, choice).await
}

async fn workbench(
    State(app): State<App>,
    Path(name): Path<String>,
    look: Look,
    Params(choice): Params<Choice>,
) -> Result<Response, WebError> {
    let line = app.position(choice.line())?;
    let first = match asked(&app, &look, (Key::Spc, line), &choice).await? {
        Ok(first) => first,
        Err(refused) => return Ok(refused),
    };
    let feed = app.parts().lines.get(line).ok_or(WebError::NotFound)?;
    let all = &feed.config.characteristics;
    let shown = all.iter().find(|characteristic| *characteristic.id == *name);
    let shown = shown.ok_or_else(|| WebError::NoChart(name.chars().take(60).collect()))?;
    let writes = look.who.writes(&app, Right::Judge) && first.replay.is_none();
    let access = (writes, app.parts().access != Access::Open);
    let body = body(look.lang, all, shown, access);
    let content = Page { title: Key::Spc, line, script: "spc.mjs", body, first };
    Ok(page(&app, &look, &content))
}

/// What a characteristic is called.
pub(super) fn name(lang: Lang, characteristic: &Characteristic) -> String {
    match &characteristic.measure {
        Measure::RejectFraction { stations } => {
            format!("{} {stations}", lang.say(Key::RejectFraction))
        }
        Measure::Speed { stations } => format!("{} {stations}", lang.say(Key::Speed)),
        Measure::Weight { station, series } => {
            format!("{} {station} {}", lang.say(Key::WeightMean), lang.say(series_key(*series)))
        }
        Measure::WeightDeviation { station, series } => {
            format!("{} {station} {}", lang.say(Key::WeightSpread), lang.say(series_key(*series)))
        }
        Measure::Reject { station, reason } => {
            format!("{station} {}", lang.say_word("reason", reason.as_str()))
        }
    }
}

fn series_key(series: Series) -> Key {
    match series {
        Series::Sample => Key::WeightsOfSample,
        Series::Interval => Key::WeightsOfAll,
    }
}

fn body(
    lang: Lang,
    all: &[Characteristic],
    shown: &Characteristic,
    (writes, signs): (bool, bool),
) -> Markup {
    html! {
        link rel="stylesheet" href=(assets::href("spc.css"));
        h1.away { (lang.mark(Key::Spc)) " " (name(lang, shown)) }
        p.about.dim { (lang.mark(Key::SpcAbout)) }
        form.card.tools #tools autocomplete="off" data-characteristic=(shown.id) data-writes=(writes) data-signs=(signs) data-step=(shown.subgroup_minutes) {
            (select(lang, Key::SpcCharacteristic, "characteristic", html! {
                @for one in all {
                    option value=(one.id) selected[one.id == shown.id] { (name(lang, one)) }
                }
            }))
            (select(lang, Key::SpcSubgroup, "minutes", html! {
                @for minutes in minutes(shown) {
                    option value=(minutes) selected[minutes == shown.subgroup_minutes] { (minutes) " " (lang.say(Key::MinutesUnit)) }
                }
            }))
            (select(lang, Key::SpcSpan, "hours", html! {
                @for (hours, text) in SPANS {
                    option value=(hours) selected[hours == 30] { (lang.say(text)) }
                }
            }))
            (select(lang, Key::SpcLimits, "which", html! {
                option value="in_force" { (lang.say(Key::SpcInForce)) }
                option value="trial" { (lang.say(Key::SpcTrial)) }
            }))
            @if shown.kind.counts() {
                (select(lang, Key::SpcBeside, "companion", html! {
                    option value="ewma" { "EWMA" }
                    option value="cusum" { "CUSUM" }
                }))
            }
            (chooser(lang, shown))
            p #state { "–" }
            p.out {
                a.choice #csv data-csv="control" download hidden { "CSV" }
                button.choice #svg type="button" { "SVG" }
                button.choice #print type="button" { (lang.mark(Key::SpcPrint)) }
            }
        }
        p.note #trouble role="alert" hidden {}
        div.bench {
            section.card.panel.live.open-all aria-labelledby="open-title" {
                header { h2 #open-title { (lang.mark(Key::SpcOpenAll)) } }
                div #open { p { "–" } }
            }
            div.charts {
                (chart(lang, "control", Key::SpcChart))
                (chart(lang, "beside", Key::SpcCompanion))
                @if shown.kind == ChartKind::ThreeWay { (chart(lang, "within", Key::CompanionS)) }
            }
            div.panels tabindex="0" role="region" aria-label=(lang.say(Key::Spc)) {
                (panel(lang, "signals", Key::SpcSignals))
                (panel(lang, "why", Key::SpcWhy))
                (panel(lang, "budget", Key::SpcBudget))
                (panel(lang, "capability", Key::SpcCapability))
                @if matches!(shown.measure, Measure::Weight { .. }) { (histogram(lang)) }
                (panel(lang, "limits", Key::SpcLimits))
            }
        }
    }
}

/// Lengths of subgroups to look at; the judged one is among them.
fn minutes(shown: &Characteristic) -> Vec<u32> {
    let mut all = vec![1, 5, 15, 60, shown.subgroup_minutes];
    all.sort_unstable();
    all.dedup();
    all
}

fn words(lang: Lang, rule: RuleId) -> String {
    lang.say_word("rule", rule.name())
}

/// Rules for a look; alarms are judged by those of the limits.
fn chooser(lang: Lang, shown: &Characteristic) -> Markup {
    html! {
        details.menu #rules {
            summary { span.dim { (lang.mark(Key::SpcRules)) } " " span #rules-chosen { "–" } }
            div.choices-of {
                @for rule in RULES {
                    label {
                        input type="checkbox" name="rule" value=(rule.name()) checked[shown.rules.contains(&rule)];
                        " " (rule.name()) " " (words(lang, rule))
                    }
                }
            }
        }
    }
}

fn select(lang: Lang, label: Key, id: &str, options: Markup) -> Markup {
    html! {
        label { span.dim { (lang.mark(label)) } select id=(id) { (options) } }
    }
}

fn chart(lang: Lang, id: &str, title: Key) -> Markup {
    html! {
        section.card.chart id={ (id) "-card" } aria-labelledby={ (id) "-title" } {
            header {
                h2 #{ (id) "-title" } { (lang.mark(title)) }
                @if id == "control" {
                    button.choice #explain-point type="button" data-explain="point" aria-describedby="explain-hint" { (lang.mark(Key::ExplainPoint)) }
                }
                button.choice.toggle type="button" aria-pressed="false" aria-controls={ (id) "-rows" } {
                    (lang.mark(Key::TableToggle))
                }
            }
            p.legend #{ (id) "-legend" } {}
            div.plot #(id) role="img" tabindex="0" aria-describedby="spc-keys" {}
            p.readout #{ (id) "-readout" } aria-live="off" {}
            div.rows #{ (id) "-rows" } role="group" aria-labelledby={ (id) "-title" } tabindex="0" hidden {}
            @if id == "control" {
                div.strip #strip role="slider" tabindex="0" aria-label=(lang.say(Key::SpcStrip)) aria-valuemin="0" aria-valuemax="0" aria-valuenow="0" {}
                div.strip-foot {
                    (strip_steps(lang))
                    p.dim.num #strip-said aria-live="off" {}
                    p.dim.keys #spc-keys { (lang.mark(Key::SpcKeys)) }
                }
            }
        }
    }
}

/// What dragging over the strip does, by single presses.
fn strip_steps(lang: Lang) -> Markup {
    html! {
        div.choices #strip-steps role="group" aria-label=(lang.say(Key::SpcStripSteps)) {
            @for (word, sign, text) in STEPS {
                button type="button" data-step=(word) aria-controls="strip" {
                    span aria-hidden="true" { (sign) } (lang.mark(text))
                }
            }
        }
    }
}

/// Single weights beside their specification, drawn, in words, as a table and as a file.
fn histogram(lang: Lang) -> Markup {
    html! {
        section.card.chart #histogram-card aria-labelledby="histogram-title" {
            header {
                h2 #histogram-title { (lang.mark(Key::Histogram)) }
                (csv(lang, Key::Histogram, "histogram"))
                button.choice.toggle type="button" aria-pressed="false" aria-controls="histogram-rows" {
                    (lang.mark(Key::TableToggle))
                }
            }
            p.legend #histogram-legend {}
            div.plot #histogram role="img" tabindex="0" {}
            p.readout #histogram-readout aria-live="off" {}
            div.rows #histogram-rows role="group" aria-labelledby="histogram-title" tabindex="0" hidden {}
            div.said #histogram-words {}
        }
    }
}

fn panel(lang: Lang, id: &str, title: Key) -> Markup {
    html! {
        section.card.panel aria-labelledby={ (id) "-title" } {
            header {
                h2 #{ (id) "-title" } { (lang.mark(title)) }
                @if TABLES.contains(&id) { (csv(lang, title, id)) }
            }
            div #(id) {}
        }
    }
}
