//! What the running configuration holds, for `/admin`: nothing of it is changed there, and each row says where it is.

use std::sync::Arc;

use domain::line::stop::Cause;
use domain::quality::limits::Limits;
use domain::units::LineId;
use maud::{Markup, html};

use super::map;
use super::spc::name;
use super::words::{day_hm, hms, num};
use crate::config::{DeviceConfig, LineConfig};
use crate::web::address::escaped;
use crate::web::error::WebError;
use crate::web::i18n::{Key, Lang};
use crate::web::{App, blocking};

/// The section of a map where its reasons stand.
const REASONS: &str = "[stop_reasons]";

/// Versions of the limits of a chart.
type Charted = (usize, usize, Vec<Limits>);

/// Tables of what runs, each closed until somebody opens it.
pub(super) async fn configured(app: &App, lang: Lang) -> Result<Markup, WebError> {
    let limits = limits(app).await?;
    Ok(html! {
        section.configured aria-labelledby="configured-title" {
            h2 #configured-title { (lang.mark(Key::Configured)) }
            p.about.dim { (lang.mark(Key::ConfiguredAbout)) }
            div.folds {
                (reasons(app, lang))
                (shifts(app, lang))
                (targets(app, lang))
                (stations(app, lang))
                (versions(app, lang, &limits))
            }
        }
    })
}

fn lines(app: &App) -> impl Iterator<Item = &LineConfig> {
    app.parts().lines.iter().map(|feed| &feed.config)
}

fn fold(lang: Lang, title: Key, what: &str, columns: &[Key], rows: &[Markup]) -> Markup {
    let id = format!("configured-{what}");
    html! {
        details.card.list.fold id={ (id) "-card" } {
            summary { h2 #{ (id) "-title" } { (lang.mark(title)) } span.dim { (rows.len()) } }
            div.scroll role="region" aria-labelledby={ (id) "-title" } tabindex="0" {
                table id=(id) {
                    thead { tr { @for column in columns { th.wide scope="col" { (lang.mark(*column)) } } } }
                    tbody {
                        @if rows.is_empty() { tr { td.wide colspan=(columns.len()) { (lang.mark(Key::NoneConfigured)) } } }
                        @for row in rows { tr { (row) } }
                    }
                }
            }
        }
    }
}

/// Where the configuration itself is changed.
fn file(app: &App) -> Markup {
    html! { td.wide translate="no" { (app.parts().config_file) } }
}

fn reasons(app: &App, lang: Lang) -> Markup {
    let of = |line: &LineConfig, device: &DeviceConfig| {
        let at = map::text_of(app, device).and_then(section);
        let row = |(code, title): (&i64, &domain::plc_map::Title)| {
            let cause = device.map.flow.causes.get(code).copied().unwrap_or(Cause::Internal);
            html! {
                th.wide scope="row" { (line.id) " " (device.map.station) }
                td.wide { (code) }
                td.wide lang="en" { (title.en) }
                td.wide lang="zh-CN" { (title.zh) }
                td.wide { (lang.say_word("cause", cause.word())) }
                td.wide { (map::link(line.id.as_str(), device, at)) }
            }
        };
        device.map.stop_reasons.iter().map(row).collect::<Vec<_>>()
    };
    let all = lines(app).flat_map(|line| line.devices.iter().map(move |device| (line, device)));
    let rows: Vec<Markup> = all.flat_map(|(line, device)| of(line, device)).collect();
    let columns = [
        Key::Station,
        Key::CodeWord,
        Key::InEnglish,
        Key::InChinese,
        Key::CauseWord,
        Key::ChangedIn,
    ];
    fold(lang, Key::ConfiguredReasons, "reasons", &columns, &rows)
}

/// The line at which the reasons of a map begin, from 1.
fn section(text: &str) -> Option<usize> {
    text.lines().position(|line| line.trim_start().starts_with(REASONS)).map(|at| at + 1)
}

fn shifts(app: &App, lang: Lang) -> Markup {
    let of = |line: &LineConfig| {
        let time = |time: jiff::civil::Time| time.strftime("%H:%M:%S").to_string();
        let shifts = line.calendar.shifts().iter().map(|rule| (Key::Shift, rule));
        let breaks = line.calendar.breaks().iter().map(|rule| (Key::LossBreak, rule));
        let row = |(kind, rule): (Key, &domain::line::calendar::ShiftRule)| {
            html! {
                th.wide scope="row" { (line.id) }
                td.wide { (lang.mark(kind)) " " (rule.name) }
                td.wide { (time(rule.start)) }
                td.wide { (time(rule.end)) }
                (file(app))
            }
        };
        shifts.chain(breaks).map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Markup> = lines(app).flat_map(of).collect();
    let columns = [Key::LinePage, Key::Shift, Key::StartWord, Key::EndWord, Key::ChangedIn];
    fold(lang, Key::ConfiguredShifts, "shifts", &columns, &rows)
}

fn targets(app: &App, lang: Lang) -> Markup {
    let row = |line: &LineConfig| {
        let limit =
            |ratio: domain::line::oee::Ratio| format!("{:.3}\u{a0}%", ratio.value() * 100.0);
        let micro_us = i64::try_from(line.micro_stop.as_micros()).unwrap_or(i64::MAX);
        html! {
            th.wide scope="row" { (line.id) " " (lang.title(&line.title)) }
            td.wide { (num(line.target_per_minute)) }
            td.wide { (num(line.target_per_minute.saturating_mul(60))) }
            td.wide { (hms(micro_us)) }
            td.wide { (limit(line.material_balance.low)) " – " (limit(line.material_balance.high)) }
            (file(app))
        }
    };
    let rows: Vec<Markup> = lines(app).map(row).collect();
    let columns = [
        Key::LinePage,
        Key::TargetRate,
        Key::TargetHour,
        Key::MicroStopBelow,
        Key::BalanceLimits,
        Key::ChangedIn,
    ];
    fold(lang, Key::ConfiguredTargets, "targets", &columns, &rows)
}

fn stations(app: &App, lang: Lang) -> Markup {
    let of = |line: &LineConfig| {
        let row = |device: &DeviceConfig| {
            html! {
                th.wide scope="row" { (line.id) " " (device.map.station) " " (lang.title(&device.map.title)) }
                td.wide { (device.map.protocol.word()) }
                td.wide translate="no" { (device.address) }
                td.wide { (num(device.map.max_per_minute)) }
                td.wide { span translate="no" { (app.parts().config_file) } " · " (map::link(line.id.as_str(), device, None)) }
            }
        };
        line.devices.iter().map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Markup> = lines(app).flat_map(of).collect();
    let columns = [Key::Station, Key::Protocol, Key::AddressWord, Key::RatedSpeed, Key::ChangedIn];
    fold(lang, Key::ConfiguredStations, "devices", &columns, &rows)
}

/// All versions of the limits of all charts.
async fn limits(app: &App) -> Result<Vec<Charted>, WebError> {
    let asked: Vec<_> = lines(app)
        .enumerate()
        .flat_map(|(i, line)| {
            let charts = line.characteristics.iter().enumerate();
            charts.map(move |(j, chart)| (i, j, line.id.clone(), chart.id.clone()))
        })
        .collect();
    let quality = app.parts().quality.clone();
    blocking(move || {
        let of = |(i, j, line, id): (usize, usize, LineId, Arc<str>)| {
            Ok((i, j, quality.limits(&line, &id)?))
        };
        asked.into_iter().map(of).collect()
    })
    .await
}

fn versions(app: &App, lang: Lang, all: &[Charted]) -> Markup {
    let zone = &app.parts().zone;
    let of = |(i, j, versions): &Charted| {
        let line = &app.parts().lines.get(*i)?.config;
        let chart = line.characteristics.get(*j)?;
        let row = |limits: &Limits| {
            let decision = limits.decision.as_ref();
            let state = decision.map_or("proposed", |decision| decision.verdict.word());
            html! {
                th.wide scope="row" { (line.id) " " (name(lang, chart)) }
                td.wide { "v" (limits.version) }
                td.wide { (lang.say_word("limits", state)) }
                td.wide { (limits.author) " " span.whole { (day_hm(zone, limits.made_us)) } }
                td.wide { @if let Some(one) = decision { (one.by) " " span.whole { (day_hm(zone, one.at_us)) } } @else { "–" } }
                td.wide { a.map-line href={ "/spc/" (escaped(&chart.id)) "?line=" (line.id) } { (lang.mark(Key::ChangedAtBench)) } }
            }
        };
        Some(versions.iter().rev().map(row).collect::<Vec<_>>())
    };
    let rows: Vec<Markup> = all.iter().filter_map(of).flatten().collect();
    let columns = [
        Key::SpcChart,
        Key::VersionWord,
        Key::LimitsState,
        Key::LimitsMade,
        Key::LimitsDecided,
        Key::ChangedIn,
    ];
    fold(lang, Key::ConfiguredLimits, "limits", &columns, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_a_map_are_found_by_their_section() {
        assert_eq!(section("[machine]\nstation = 'A'\n\n[stop_reasons]\n1 = {}\n"), Some(4));
        assert_eq!(section("[machine]\n# [stop_reasons] has none\n"), None);
    }
}
