//! The tables of a report: hours, lost time, stops, rejects, gaps. Markup only.

use domain::line::event::Event;
use domain::line::minute::Counted;
use domain::line::report::GapId;
use domain::line::rollup::asked;
use domain::units::{HOUR_US, SECOND_US};
use maud::{Markup, html};

use super::paper::Sheet;
use crate::web::api::losses::{LossStopView, LossView};
use crate::web::api::rejects::RejectRowView;
use crate::web::details::chinese;
use crate::web::i18n::{Key, Lang};
use crate::web::pages::words::{clock, count, day_hm, hm, hms, known, num, share, signed};
use crate::web::view::TitleView;

/// Stops listed on paper, the longest. The file that is kept has all.
const STOPS_LISTED: usize = 60;
/// Gaps listed on paper. The file that is kept has all.
const GAPS_LISTED: usize = 60;

impl Sheet<'_> {
    pub(super) fn hours(&self) -> Markup {
        let (lang, station) = (self.lang, &self.config.output);
        let (from, to) = self.facts.span;
        html! {
            section aria-labelledby="hours" {
                h2 #hours { (lang.mark(Key::HourBoard)) }
                table.rows {
                    (head(lang, &[Key::Hour, Key::GoodCount, Key::TargetWord, Key::DifferenceWord, Key::RejectCount, Key::Ppm, Key::Coverage]))
                    tbody {
                        @for hour in &self.facts.hours {
                            @let good = hour.count(station, &Counted::Good);
                            @let rejected = hour.rejected(station);
                            @let end = hour.end_us.unwrap_or(hour.start_us + HOUR_US).min(to);
                            // Of an hour only what was recorded can be asked for.
                            @let recorded = hour.spending.time.total().min(end - hour.start_us.max(from)).max(0);
                            @let target = asked(self.config.target_per_minute, recorded);
                            @let read = hour.was_read();
                            @let judged = good.best() + rejected.best();
                            tr {
                                th scope="row" { (hm(self.zone, hour.start_us)) "–" (hm(self.zone, end)) }
                                td { @if read { (count(good)) } @else { (lang.mark(Key::NotRead)) } } td { (num(target)) }
                                td { @if read { (signed(good.best() as i64 - target as i64)) } @else { "–" } }
                                td { @if read { (count(rejected)) } @else { "–" } }
                                td { @if judged > 0 { (num((rejected.best() as f64 / judged as f64 * 1e6).round() as u64)) } @else { "–" } }
                                td { (share(known(&hour.spending.time, end - hour.start_us.max(from)))) }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn losses(&self) -> Markup {
        let (lang, unseen) = (self.lang, self.facts.losses.unseen);
        html! {
            section aria-labelledby="losses" {
                h2 #losses { (lang.mark(Key::LossPareto)) }
                table.rows {
                    (head(lang, &[Key::ReasonWord, Key::CauseWord, Key::Stoppages, Key::Lasted, Key::Share, Key::Cumulative]))
                    tbody {
                        @if self.facts.losses.losses.is_empty() { tr { td colspan="6" { (lang.mark(Key::NoStops)) } } }
                        @for loss in &self.facts.losses.losses { (self.loss(loss)) }
                    }
                }
                @if unseen.n > 0 { p.small { (lang.say(Key::UnseenNote).replace("{n}", &unseen.n.to_string()).replace("{time}", &hms(unseen.ms * 1_000))) } }
            }
        }
    }

    fn loss(&self, loss: &LossView) -> Markup {
        let lang = self.lang;
        let share = |p: Option<f64>| p.map_or_else(|| "–".to_owned(), |p| format!("{p:.1}\u{a0}%"));
        html! {
            tr {
                th scope="row" { (reason(lang, loss.title.as_ref(), &loss.reason)) }
                td.text { (lang.say_word("cause", loss.cause)) } td { (loss.n) } td { (hms(loss.ms * 1_000)) }
                td { (share(loss.share_percent)) } td { (share(loss.cumulative_percent)) }
            }
        }
    }

    /// Stops in the order of time: in the file that is kept all of them, on paper the longest; there, short ones without
    /// a reason are in the table of losses.
    pub(super) fn stops(&self) -> Markup {
        let (lang, losses) = (self.lang, &self.facts.losses);
        let mut stops: Vec<&LossStopView> = losses.stops.iter().collect();
        let all = stops.len();
        stops.retain(|stop| !(self.asks && stop.micro && stop.reason.is_empty()));
        stops.sort_by_key(|stop| std::cmp::Reverse(stop.inside_ms));
        stops.truncate(self.listed(STOPS_LISTED));
        stops.sort_by_key(|stop| stop.from_ms);
        let listed = || {
            let text = lang.say(Key::StopsListed).replace("{n}", &stops.len().to_string());
            text.replace("{all}", &all.to_string()).replace("{s}", &losses.micro_s.to_string())
        };
        html! {
            section aria-labelledby="stops" {
                h2 #stops {
                    (lang.mark(Key::Stops)) " · " (losses.n_stops)
                    @if losses.unseen.n > 0 { " · " (lang.say_word("cause", "no_signal")) " " (losses.unseen.n) }
                }
                @if stops.len() < all { p.small { (listed()) } }
                table.rows {
                    (head(lang, &[Key::Time, Key::CauseWord, Key::Station, Key::ReasonWord, Key::Lasted, Key::SaidBy]))
                    tbody {
                        @for stop in &stops {
                            tr {
                                th scope="row" { @if stop.cut_before { "◁ " } (clock(self.zone, stop.from_ms * 1_000)) }
                                td.text { (lang.say_word("cause", stop.cause)) }
                                td.text { (stop.stations.join(" / ")) }
                                td.text {
                                    (reason(lang, stop.title.as_ref(), &stop.reason))
                                    @if stop.cause != stop.recorded_cause { " (" (lang.say(Key::AsRecorded).replace("{cause}", &lang.say_word("cause", stop.recorded_cause))) ")" }
                                }
                                td { @if losses.is_cut(stop) { "≥ " } (hms(stop.lasted_ms * 1_000)) @if stop.to_ms.is_none() { " …" } @if stop.cut_after { " ▷" } }
                                td.text { @if let Some(said) = stop.said.last() { (said.by) } }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn rejects(&self) -> Markup {
        let (lang, rejects) = (self.lang, &self.facts.rejects);
        let whole = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| num(x.round() as u64));
        let told = |row: &&RejectRowView| row.rejected.high > 0;
        let untold = rejects.rows.iter().filter(told).filter(|row| row.total.is_none());
        let mut untold: Vec<&str> = untold.map(|row| row.station.as_str()).collect();
        untold.sort_unstable();
        untold.dedup();
        html! {
            section aria-labelledby="rejects" {
                h2 #rejects { (lang.mark(Key::RejectPareto)) }
                table.rows {
                    (head(lang, &[Key::ReasonWord, Key::Station, Key::RejectCount, Key::Ppm, Key::Interval95, Key::Share, Key::Cumulative]))
                    tbody {
                        @for row in rejects.rows.iter().filter(told) {
                            tr {
                                th scope="row" { (lang.say_word("reason", &row.reason)) }
                                td.text { (row.station) }
                                td { (num(row.rejected.best)) @if row.rejected.low != row.rejected.high { " [" (num(row.rejected.low)) ", " (num(row.rejected.high)) "]" } }
                                td { (whole(row.ppm)) }
                                td { @if let Some([low, high]) = row.wilson { (whole(Some(low))) "–" (whole(Some(high))) } }
                                td { (format!("{:.1}\u{a0}%", row.share_percent.unwrap_or(0.0))) } td { (format!("{:.1}\u{a0}%", row.cumulative_percent.unwrap_or(0.0))) }
                            }
                        }
                    }
                }
                @if !untold.is_empty() { p.small { (lang.say(Key::RejectNoFlowPaper).replace("{stations}", &untold.join(", "))) } }
            }
        }
    }

    pub(super) fn gaps(&self) -> Markup {
        let lang = self.lang;
        let row = |gap: Option<GapId>, event: &Event| {
            html! {
                tr {
                    th scope="row" {
                        @if let Some(from) = event.from_us { (clock(self.zone, from)) "–" }
                        (clock(self.zone, event.at_us))
                    }
                    td.text { (lang.say_word("kind", event.kind.word())) " · " (lang.say_word("word", &event.word)) }
                    td.text { (event.station.as_ref().map_or("", |station| station.as_str())) }
                    td { @if let Some(n) = event.count { (count(n)) } }
                    @match lang {
                        Lang::En => td.text { (event.detail) },
                        _ => td.text { (chinese(&event.detail)) },
                    }
                }
                (self.said(gap))
            }
        };
        let alarms = self.facts.alarms.iter().map(|event| (None, event));
        let gaps =
            self.facts.gaps.iter().map(|(number, event)| (Some(GapId::Event(*number)), event));
        let missing = self.facts.missing_us() > SECOND_US;
        let events = self.facts.alarms.len() + self.facts.gaps.len();
        let n = events + usize::from(missing);
        let more = events.saturating_sub(self.listed(GAPS_LISTED));
        html! {
            section aria-labelledby="gaps" {
                h2 #gaps { (lang.mark(Key::GapList)) " · " (n) }
                @if n == 0 { p { (lang.mark(Key::NoGaps)) } } @else {
                    table.rows {
                        (head(lang, &[Key::Time, Key::What, Key::Station, Key::Capsules, Key::WhyWord]))
                        tbody {
                            @if missing {
                                tr { th scope="row" { (hms(self.facts.missing_us())) } td.text { (lang.mark(Key::NotRecorded)) } td {} td {} td.text {} }
                                (self.said(Some(GapId::Unrecorded(self.facts.period.start_us))))
                            }
                            @for (gap, event) in alarms.chain(gaps).take(events - more) { (row(gap, event)) }
                        }
                    }
                    @if more > 0 { p.small { (lang.say(Key::MoreGaps).replace("{n}", &more.to_string())) } }
                }
            }
        }
    }
}

impl Sheet<'_> {
    /// What people said about a gap, or that nobody did where somebody has to.
    fn said(&self, gap: Option<GapId>) -> Markup {
        let Some(gap) = gap.filter(|gap| self.facts.to_explain.contains(gap)) else {
            return html! {};
        };
        let mut notes = self.facts.notes.iter().filter(|note| note.gap == gap).peekable();
        html! {
            tr.said {
                td {}
                td.text colspan="4" {
                    @if notes.peek().is_none() { b { (self.lang.mark(Key::GapUnexplained)) } }
                    @for note in notes { p { "↳ " (note.text) " — " (note.author) ", " (day_hm(self.zone, note.at_us)) } }
                }
            }
        }
    }
}

/// Names of columns; those of texts stand at the left like their texts.
pub(super) fn head(lang: Lang, keys: &[Key]) -> Markup {
    let text = [
        Key::CauseWord,
        Key::Station,
        Key::ReasonWord,
        Key::SaidBy,
        Key::What,
        Key::WhyWord,
        Key::SpcCharacteristic,
        Key::IncidentSignal,
        Key::IncidentOwner,
        Key::IncidentCause,
        Key::IncidentAction,
        Key::Status,
    ];
    html! {
        thead { tr { @for key in keys {
            th.text[text.contains(key)] scope="col" { (lang.mark(*key)) }
        } } }
    }
}

fn reason(lang: Lang, title: Option<&TitleView>, reason: &str) -> String {
    match (title, lang) {
        (Some(title), Lang::En) => title.en.clone(),
        (Some(title), Lang::Zh) => title.zh.clone(),
        (Some(title), Lang::Both) => format!("{} {}", title.zh, title.en),
        (None, _) if reason.is_empty() => "–".to_owned(),
        (None, _) => reason.to_owned(),
    }
}

/// Figures with their names side by side. Names in two languages need twice the room.
pub(super) fn figures(lang: Lang, pairs: &[Markup]) -> Markup {
    let beside = if lang == Lang::Both { 2 } else { 4 };
    html! {
        table.grid { tbody {
            @for row in pairs.chunks(beside) { tr { @for pair in row { (pair) } } }
        } }
    }
}
