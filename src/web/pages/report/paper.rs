//! The sheet of a report: its head, key figures, signatures and evidence. Markup only.

use axum::response::{Html, IntoResponse, Response};
use domain::audit::{Actor, Head, Meaning};
use domain::line::batch::{Bounded, Material};
use domain::line::kpi::{Kpis, Policy};
use domain::line::minute::Counted;
use domain::line::oee::Ratio;
use domain::line::output::Stations;
use domain::line::report::FinalReport;
use domain::line::rollup::PeriodKind;
use domain::line::state::TimeClass;
use domain::units::{Count, SECOND_US};
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::controls::controls;
use super::gather::Facts;
use super::panel::Writer;
use super::tables::figures;
use crate::config::LineConfig;
use crate::web::error::WebError;
use crate::web::i18n::{Key, Lang};
use crate::web::pages::layout::{Look, data, explain_hint};
use crate::web::pages::words::{count, day_hm, hms, known, moment, num, percent, share};
use crate::web::{Access, App, AppParts, assets};

/// Lines for the handover, of which what was typed takes its part.
const HANDOVER_LINES: usize = 3;

/// What all parts of the sheet need.
pub(super) struct Sheet<'a> {
    pub(super) lang: Lang,
    pub(super) zone: &'a TimeZone,
    pub(super) config: &'a LineConfig,
    pub(super) facts: &'a Facts,
    kpis: Kpis,
    /// Whether its numbers can be asked how they are made: on a screen, not on paper that is kept.
    pub(super) asks: bool,
}

/// What a sheet is made for.
pub(super) enum Made<'a> {
    /// To be looked at, printed and made final, by who reads it.
    Screen(Writer),
    /// To be kept: a file that needs nothing else.
    File(&'a Final<'a>),
}

/// What a sheet that is kept says of itself.
pub(super) struct Final<'a> {
    /// The report.
    pub(super) report: &'a FinalReport,
    /// Who makes it final, and signs it where there are users.
    pub(super) by: &'a Actor,
    /// The audit trail as it stood then.
    pub(super) head: &'a Head,
}

/// The report of a line as a page of its own.
pub(super) fn paper(app: &App, look: &Look, line: usize, facts: &Facts) -> Response {
    match sheet(app, look.lang, line, facts, &Made::Screen(Writer::of(app, &look.who))) {
        Ok(page) => Html(page).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The text of the page.
pub(super) fn sheet(
    app: &App,
    lang: Lang,
    line: usize,
    facts: &Facts,
    made: &Made<'_>,
) -> Result<String, WebError> {
    let parts = app.parts();
    let feed = parts.lines.get(line).ok_or(WebError::NotFound)?;
    let config = &feed.config;
    let policy = Policy::per_minute(config.target_per_minute);
    let unrecorded_us = facts.period.unrecorded_us(facts.made_us).unsigned_abs();
    let kpis = Kpis::of(&facts.period, &config.output, &policy).with_unrecorded(unrecorded_us);
    let asks = matches!(made, Made::Screen(_));
    let sheet = Sheet { lang, zone: &parts.zone, config, facts, kpis, asks };
    let query =
        format!("kind={}&start={}", facts.period.kind.word(), facts.period.start_us / 1_000);
    let title = match facts.period.kind {
        PeriodKind::Batch => Key::BatchReport,
        _ => Key::ShiftReport,
    };
    let markup = html! {
        (DOCTYPE)
        html lang=(lang.html()) data-theme="light" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (config.id) " " (lang.say(title)) " " (facts.period.name) " " (day_hm(&parts.zone, facts.period.start_us)) }
                @match made {
                    Made::Screen(_) => {
                        link rel="icon" href=(assets::href("icon.svg"));
                        link rel="stylesheet" href=(assets::href("app.css"));
                        link rel="stylesheet" href=(assets::href("explain.css"));
                        link rel="stylesheet" href=(assets::href("report.css"));
                        script type="module" src=(assets::href("report.mjs")) {}
                    }
                    Made::File(_) => style { (PreEscaped(assets::text("app.css"))) (PreEscaped(assets::text("report.css"))) }
                }
            }
            body.paper data-line=(config.id) data-lang=(lang.word()) {
                @if let Made::Screen(writer) = made { (controls(&sheet)) (sheet.closing(writer)) }
                @if parts.simulated { p.watermark aria-hidden="true" {} }
                main #main.sheet data-query=[asks.then_some(query)] {
                    @if asks { (explain_hint(lang)) }
                    (sheet.head(title, &parts.site, parts.simulated))
                    (sheet.quantities())
                    (sheet.indicators())
                    (sheet.times())
                    (sheet.curve())
                    (sheet.hours())
                    (sheet.losses())
                    (sheet.stops())
                    (sheet.rejects())
                    (sheet.compared())
                    (sheet.charts())
                    (sheet.incidents())
                    (sheet.gaps())
                    (sheet.signatures(parts, made))
                    (sheet.evidence(parts, made))
                }
                @if asks { (data("texts", &lang.table())) }
            }
        }
    };
    Ok(markup.into_string())
}

impl Sheet<'_> {
    fn time(&self, us: i64) -> String {
        day_hm(self.zone, us)
    }

    /// How many rows or charts are shown of those that paper has room for: in the file that is kept, all.
    pub(super) fn listed(&self, on_paper: usize) -> usize {
        if self.asks { on_paper } else { usize::MAX }
    }

    /// Length of what is reported.
    fn span_us(&self) -> i64 {
        self.facts.span.1 - self.facts.span.0
    }

    /// Counts of the counting stations together.
    fn material(&self) -> Material {
        let (period, station) = (&self.facts.period, &self.config.output);
        Material {
            infeed: period.count(station, &Counted::Infeed),
            good: period.count(station, &Counted::Good),
            rejected: period.rejected(station),
            sampled: period.count(station, &Counted::Sample),
        }
    }

    /// A number with its name, which the service explains under a word.
    fn asked(&self, title: Key, word: &str, text: &str) -> Markup {
        html! {
            th scope="row" { (self.lang.mark(title)) }
            td {
                @if self.asks {
                    button.explains type="button" data-explain=(word) aria-describedby="explain-hint" { (text) }
                } @else { (text) }
            }
        }
    }

    fn head(&self, title: Key, site: &str, simulated: bool) -> Markup {
        let (lang, period) = (self.lang, &self.facts.period);
        let (name, blank, product) = (&period.name, "", &self.facts.product);
        let until = match period.end_us.filter(|_| period.closed) {
            Some(end) => self.time(end),
            None => format!("… {}", self.time(self.facts.span.1)),
        };
        html! {
            header.head {
                div {
                    h1 { (lang.mark(title)) }
                    p.where { (site) " · " (self.config.id) " " (lang.title(&self.config.title)) }
                }
                @if simulated { strong.sim { (lang.mark(Key::Simulated)) } }
            }
            table.about { tbody {
                tr {
                    th scope="row" { (lang.mark(if period.kind == PeriodKind::Batch { Key::Batch } else { Key::Shift })) } td { b { (name) } }
                    th scope="row" { (lang.mark(Key::Period)) } td { (self.time(period.start_us)) " – " (until) }
                }
                tr {
                    th scope="row" { (lang.mark(Key::Product)) } td.blank[product.is_empty()] { @if product.is_empty() { (blank) } @else { (product) } }
                    th scope="row" { (lang.mark(Key::Status)) }
                    td { (lang.mark(if period.closed { Key::StatusClosed } else { Key::StatusOpen })) ", " (lang.mark(Key::Revision)) " " (period.rev) }
                }
            } }
        }
    }

    fn quantities(&self) -> Markup {
        let (lang, material) = (self.lang, self.material());
        let balance = material.balance_ratio();
        let limits = self.config.material_balance;
        let kept = balance.map(|balance| balance.keeps(&limits).word());
        let edge = |limit: Ratio| format!("{}", (limit.value() * 1e5).round() / 1e3);
        let verdict = match kept {
            Some("within") => Key::BalanceWithin,
            Some("outside") => Key::BalanceOutside,
            Some(_) => Key::BalanceUndecided,
            None => Key::BalanceNone,
        };
        let gap: Count = self
            .facts
            .period
            .gaps
            .iter()
            .filter(|tally| {
                self.config.output.has(&tally.station) && tally.counted == Counted::Good
            })
            .map(|tally| tally.count)
            .sum();
        // Where nothing was read there is no number, and not even a zero.
        let read = self.facts.period.was_read();
        let count = |n: Count| if read { count(n) } else { lang.say(Key::NotRead).into_owned() };
        html! {
            section aria-labelledby="quantities" {
                h2 #quantities { (lang.mark(Key::Quantities)) " · " (self.config.output) }
                (figures(lang, &[
                    self.asked(Key::Infeed, "infeed", &count(material.infeed)),
                    self.asked(Key::GoodCount, "good", &count(material.good)),
                    self.asked(Key::RejectCount, "rejected", &count(material.rejected)),
                    self.asked(Key::Samples, "samples", &count(material.sampled)),
                    self.asked(Key::YieldWord, "yield", &bounded(material.yield_ratio())),
                    self.asked(Key::Balance, "balance", &bounded(balance)),
                    html! {
                        th scope="row" { (lang.mark(Key::BalanceLimits)) }
                        td { (edge(limits.low)) "–" (edge(limits.high)) "\u{a0}%: " b { (lang.mark(verdict)) } }
                    },
                    self.asked(Key::MadeUnwatched, "gap", &count(gap)),
                ]))
                @if self.facts.period.estimated { p.small { (lang.mark(Key::Estimated)) } }
            }
        }
    }

    fn indicators(&self) -> Markup {
        let (lang, kpis) = (self.lang, &self.kpis);
        let read = self.facts.period.was_read();
        let percent = |ratio: Option<Ratio>| percent(ratio.filter(|_| read));
        let between = kpis.oee.zip(kpis.oee_between).filter(|_| read);
        let oee = between.map(|(best, (low, high))| Bounded { low, best, high: Some(high) });
        let oee = bounded(oee);
        let span =
            |us: Option<Ratio>| us.map_or_else(|| "–".to_owned(), |us| hms(us.value() as i64));
        let rate = kpis
            .throughput_per_minute
            .filter(|_| read)
            .map_or_else(|| "–".to_owned(), |r| num(r.value().round() as u64));
        html! {
            section aria-labelledby="kpis" {
                h2 #kpis { (lang.mark(Key::Indicators)) }
                (figures(lang, &[
                    self.asked(Key::Availability, "availability", &percent(kpis.availability)),
                    self.asked(Key::Effectiveness, "performance", &percent(kpis.effectiveness)),
                    self.asked(Key::QualityRatio, "quality", &percent(kpis.quality_ratio)),
                    self.asked(Key::Coverage, "coverage", &share(known(&self.facts.period.spending.time, self.span_us()))),
                    self.asked(Key::Oee, "oee", &oee),
                    self.asked(Key::Mtbf, "mtbf", &span(kpis.mtbf_us)),
                    self.asked(Key::Mttr, "mttr", &span(kpis.mttr_us)),
                    self.asked(Key::Throughput, "throughput", &rate),
                ]))
                p.small { (lang.mark(Key::OeeNote)) }
            }
        }
    }

    /// How the time was spent: a bar and its numbers.
    fn times(&self) -> Markup {
        let (lang, time) = (self.lang, &self.facts.period.spending.time);
        let missing = (self.facts.missing_us() > SECOND_US)
            .then(|| ("missing", lang.say(Key::NotRecorded).into_owned(), self.facts.missing_us()));
        let classes =
            TimeClass::ALL.map(|class| (class.word(), class_name(lang, class), time.of(class)));
        let parts: Vec<(&str, String, i64)> = classes.into_iter().chain(missing).collect();
        let all = self.span_us().max(time.total()).max(1) as f64;
        let width = |us: i64| us as f64 / all * 1_000.0;
        let starts = parts.iter().scan(0.0, |from, (.., us)| {
            let start = *from;
            *from += width(*us);
            Some(start)
        });
        html! {
            section aria-labelledby="times" {
                h2 #times { (lang.mark(Key::TimeSpent)) }
                svg.timebar viewBox="0 0 1000 26" preserveAspectRatio="none" role="img" aria-labelledby="times" {
                    defs { pattern #hatch width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" { rect.hatch-line width="3" height="8" {} } }
                    @for ((class, _, us), from) in parts.iter().zip(starts) {
                        @if *us > 0 { rect class={ "part " (class) } x=(format!("{from:.2}")) width=(format!("{:.2}", width(*us))) height="26" {} }
                    }
                }
                table.grid.even { tbody {
                    tr { @for (_, name, _) in &parts { th scope="col" { (name) } } }
                    tr { @for (.., us) in &parts { td { (hms(*us)) br; (share(*us as f64 / all)) } } }
                } }
                p.small { (lang.mark(Key::TimesNote)) }
            }
        }
    }

    /// Boxes for signatures: by hand on paper, filled where the report was signed with a password. Where there are no users
    /// nothing is signed, and the sheet says so.
    fn signatures(&self, parts: &AppParts, made: &Made<'_>) -> Markup {
        let (lang, access) = (self.lang, parts.access);
        let signed = match made {
            Made::File(Final { report, by, .. }) => by.signs.map(|meaning| (meaning, *report, *by)),
            Made::Screen(_) => None,
        };
        let of = |key: Key| {
            signed.filter(|(meaning, ..)| match meaning {
                Meaning::Authored => key == Key::Operator,
                Meaning::Reviewed => key == Key::Reviewer,
                _ => key == Key::QualityAssurance,
            })
        };
        html! {
            section.sign aria-labelledby="handover" {
                h2 #handover { (lang.mark(Key::Handover)) }
                @for note in &self.facts.handover {
                    p.handed { (note.text) " — " (note.author) ", " (self.time(note.at_us)) }
                }
                div.lines { @for _ in self.facts.handover.len()..HANDOVER_LINES { p {} } }
                table.boxes { tbody { tr {
                    @for key in [Key::Operator, Key::Reviewer, Key::QualityAssurance] {
                        td {
                            b { (lang.mark(key)) }
                            @match of(key) {
                                Some((meaning, report, by)) => {
                                    p.signed { b { (by.name) } " (" (by.account) ")" br; (lang.say_word("meaning", meaning.word())) ", " (moment(self.zone, report.made_us)) }
                                    p.small { (lang.mark(Key::SignedFigures)) " " code { (self.facts.sha256) } }
                                }
                                None => p.small { (lang.mark(Key::NameDate)) },
                            }
                        }
                    }
                } } }
                @if access == Access::Open { p.small { (lang.mark(Key::NotSigned)) } }
                @if parts.two_persons && matches!(made, Made::File(_)) { p.small { (lang.mark(Key::SecondKept)) } }
            }
        }
    }

    /// What the sheet rests on.
    fn evidence(&self, parts: &AppParts, made: &Made<'_>) -> Markup {
        let (lang, facts, simulated) = (self.lang, self.facts, parts.simulated);
        let files = parts.config_files.iter().map(|(name, sha256)| {
            let name = name.rsplit('/').next().unwrap_or(name);
            (name, sha256)
        });
        let limits: Vec<String> =
            facts.limits.iter().map(|(name, version)| format!("{name} v{version}")).collect();
        html! {
            footer.evidence {
                @match made {
                    Made::Screen(_) => p { b { (lang.mark(Key::DraftReport)) } },
                    Made::File(Final { report, .. }) => p { b { (lang.mark(Key::FinalReport)) " v" (report.version) } " · " (report.author) ", " (moment(self.zone, report.made_us)) }
                }
                p { b { (lang.mark(Key::Evidence)) } " " (lang.mark(Key::MadeAt)) " " (moment(self.zone, facts.made_us)) " · Capline " (env!("CARGO_PKG_VERSION")) " · build " (assets::build()) @if simulated { " · " (lang.mark(Key::Simulated)) } }
                p { (lang.mark(Key::DataHash)) " " code { (facts.sha256) } }
                p { (lang.mark(Key::ConfigHash)) " " code { (parts.config_sha256) } }
                p { (lang.mark(Key::ConfigFiles)) @for (name, sha256) in files { " · " (name) " " code { (sha256) } } }
                @if let Made::File(Final { head, .. }) = made {
                    @if head.number > 0 { p data-audit-head=(head) { (lang.mark(Key::AuditEntry)) " " (head.number) " " code { (head.hash) } } }
                }
                p { (lang.mark(Key::LimitsVersions)) " " @if limits.is_empty() { (lang.mark(Key::NoLimits)) } @else { (limits.join(", ")) } }
            }
        }
    }
}

fn bounded(bounded: Option<Bounded>) -> String {
    let Some(Bounded { low, best, high }) = bounded else { return "–".to_owned() };
    let [low, best, high] = [Some(low), Some(best), high].map(percent);
    // Bounds that read the same say nothing.
    if low == high { best } else { format!("{best} [{low}, {high}]") }
}

fn class_name(lang: Lang, class: TimeClass) -> String {
    lang.say_word("class", class.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_read_the_same_are_one_number() {
        let of = |low: u128, high: u128| {
            let ratio = |n| Ratio::new(n, 1_000_000);
            let (low, best, high) = (ratio(low), ratio(672_200), ratio(high));
            let all = low.zip(best).map(|(low, best)| Bounded { low, best, high });
            bounded(all)
        };
        assert_eq!(of(672_199, 672_201), "67.22\u{a0}%");
        assert_eq!(of(672_000, 672_201), "67.22\u{a0}% [67.20\u{a0}%, 67.22\u{a0}%]");
    }
}
