//! Above the sheet and not on paper: what a report waits for before it can be final, and its final versions. Markup only.

use domain::audit::{Meaning, SECOND, awaits_second};
use domain::line::report::{FinalReport, GapId};
use maud::{Markup, html};

use super::gather::{Facts, GoesOn};
use super::outdated_words;
use super::paper::Sheet;
use super::second::signatures_of;
use crate::web::details::chinese;
use crate::web::i18n::{Key, Lang};
use crate::web::pages::words::{clock, day_hm, hms};
use crate::web::{App, Right, Who};

/// What a reader may write on a report.
pub(super) struct Writer {
    /// Why gaps are there.
    explains: bool,
    /// That it is final.
    finalises: bool,
    /// The name on records, where it is known.
    printed: Option<Box<str>>,
    /// Whether two persons sign what is final.
    two_persons: bool,
}

impl Writer {
    pub(super) fn of(app: &App, who: &Who) -> Writer {
        Writer {
            explains: who.writes(app, Right::Work),
            finalises: who.writes(app, Right::Judge),
            printed: who.is_known().then(|| who.printed.clone()),
            two_persons: app.parts().two_persons,
        }
    }

    fn awaits(&self, facts: &Facts, report: &FinalReport) -> bool {
        self.two_persons && awaits_second(&signatures_of(&facts.signatures, report.number))
    }

    /// The newest final version, if it waits for its second person.
    fn to_sign<'f>(&self, facts: &'f Facts) -> Option<&'f FinalReport> {
        facts.finals.first().filter(|newest| self.awaits(facts, newest))
    }
}

impl Sheet<'_> {
    /// Above the sheet and not on paper: what is missing before it can be final, and the versions that are. The script
    /// lets the buttons be pressed: without it a form would only load the page again.
    pub(super) fn closing(&self, writer: &Writer) -> Markup {
        let (lang, facts) = (self.lang, self.facts);
        let open = facts.unexplained();
        let status = match (facts.goes_on(), open.len()) {
            (Some(GoesOn::Period), _) => lang.say(Key::FinaliseOpen).into_owned(),
            (Some(GoesOn::Hour), _) => lang.say(Key::FinaliseHour).into_owned(),
            (None, 0) => lang.say(Key::FinaliseReady).into_owned(),
            (None, n) => lang.say(Key::FinaliseGaps).replace("{n}", &n.to_string()),
        };
        let field = |key: Key, name: &str, longest: u16, writes: bool| {
            html! { label { span { (lang.mark(key)) } input name=(name) maxlength=(longest) required disabled[!writes]; } }
        };
        let by = |writes: bool| match &writer.printed {
            Some(printed) => html! { input type="hidden" name="by" value=(printed); },
            None => field(Key::YourName, "by", 80, writes),
        };
        let lacks = |writes: bool, key: Key| {
            html! { @if !writes && writer.printed.is_some() { p.small { (lang.mark(key)) } } }
        };
        // Where there are users the record is signed: the password again, and what the signature means.
        let signing = |meanings: &[Meaning], writes: bool| {
            html! {
                @if writer.printed.is_some() {
                    label { span { (lang.mark(Key::SignMeaning)) }
                        select name="meaning" disabled[!writes] {
                            @for meaning in meanings { option value=(meaning.word()) { (lang.say_word("meaning", meaning.word())) } }
                        }
                    }
                    label { span { (lang.mark(Key::SignPassword)) } input name="password" type="password" autocomplete="current-password" maxlength="1024" required disabled[!writes]; }
                }
            }
        };
        let ready = facts.goes_on().is_none() && open.is_empty();
        html! {
            section.closing #closing aria-labelledby="finalise" data-kind=(facts.period.kind.word())
                data-start=(facts.period.start_us / 1_000) data-sha=(facts.sha256) data-explains=(writer.explains) data-finalises=(writer.finalises) {
                h2 #finalise { (lang.mark(Key::Finalise)) }
                p { (status) }
                @if !open.is_empty() {
                    form #explain autocomplete="off" {
                        fieldset {
                            legend { (lang.mark(Key::GapChoose)) }
                            @for gap in &open { label.gap { input type="checkbox" name="gap" value=(gap) checked disabled[!writer.explains]; span { (self.gap(*gap)) } } }
                        }
                        (field(Key::GapWhy, "why", 1_000, writer.explains))
                        (by(writer.explains))
                        (signing(&[Meaning::Confirmed, Meaning::Authored, Meaning::Reviewed], writer.explains))
                        button.act disabled { (lang.mark(Key::GapExplain)) }
                        (lacks(writer.explains, Key::NeedsOperator))
                    }
                }
                @if let Some(report) = facts.outdated() {
                    p.outdated role="status" { b { (outdated_words(lang, report)) } " " (lang.mark(Key::FinalOutdatedWay)) }
                }
                form #handover-note autocomplete="off" data-gap=(facts.handover_id()) {
                    (field(Key::HandoverWords, "why", 1_000, writer.explains))
                    (by(writer.explains))
                    (signing(&[Meaning::Authored, Meaning::Confirmed, Meaning::Reviewed], writer.explains))
                    button.act disabled { (lang.mark(Key::HandoverAdd)) }
                    (lacks(writer.explains, Key::NeedsOperator))
                }
                @if ready {
                    form #make-final autocomplete="off" {
                        (by(writer.finalises))
                        @if writer.two_persons {
                            p.small { (lang.mark(Key::TwoPersons)) }
                            (signing(&[Meaning::Authored], writer.finalises))
                        } @else {
                            (signing(&[Meaning::Approved, Meaning::Reviewed, Meaning::Authored], writer.finalises))
                        }
                        button.act disabled { (lang.mark(Key::Finalise)) }
                        (lacks(writer.finalises, Key::NeedsQuality))
                    }
                }
                @if let Some(report) = writer.to_sign(facts) {
                    form #sign-second autocomplete="off" data-number=(report.number) data-page=(report.page_sha256) {
                        p { (lang.mark(Key::FinalReport)) " v" (report.version) ": " (lang.mark(Key::AwaitsSecond)) }
                        (signing(&SECOND, writer.finalises))
                        button.act disabled { (lang.mark(Key::SignSecond)) }
                        (lacks(writer.finalises, Key::NeedsQuality))
                    }
                }
                p.note #closing-trouble role="alert" hidden {}
                @if facts.finals.is_empty() { p.small { (lang.mark(Key::FinalNone)) } }
                ul.finals {
                    @for report in &facts.finals {
                        li {
                            b { (lang.mark(Key::FinalReport)) " v" (report.version) } " · " (report.author) ", " (day_hm(self.zone, report.made_us)) " · " (spoken(&report.lang)) " "
                            a.act download href={ "/report/final?line=" (self.config.id) "&start=" (report.start_us / 1_000) "&number=" (report.number) } { (lang.mark(Key::Download)) }
                            " " code { "SHA-256 " (report.page_sha256) }
                            @for signature in signatures_of(&facts.signatures, report.number) {
                                br; "✍ " (signature.name) " (" (signature.account) ") · " (lang.say_word("meaning", &signature.meaning)) ", " (day_hm(self.zone, signature.at_us))
                            }
                            @if writer.awaits(facts, report) { br; b { (lang.mark(Key::AwaitsSecond)) } }
                        }
                    }
                }
            }
        }
    }

    /// A gap in one line.
    fn gap(&self, gap: GapId) -> String {
        let lang = self.lang;
        let GapId::Event(number) = gap else {
            return format!("{} {}", lang.say(Key::NotRecorded), hms(self.facts.missing_us()));
        };
        let Some((_, event)) = self.facts.gaps.iter().find(|(known, _)| *known == number) else {
            return gap.to_string();
        };
        let from = event.from_us.map_or_else(String::new, |from| clock(self.zone, from) + "–");
        let station = event.station.as_ref().map_or("", |station| station.as_str());
        let detail = match lang {
            Lang::En => event.detail.clone(),
            _ => chinese(&event.detail),
        };
        let what = lang.say_word("kind", event.kind.word());
        let which = lang.say_word("word", &event.word);
        format!("{from}{} {station} {what} · {which} {detail}", clock(self.zone, event.at_us))
    }
}
/// A language by the name that it has in itself.
fn spoken(lang: &str) -> &str {
    match lang {
        "en" => "English",
        "zh" => "中文",
        "both" => "中文 / English",
        other => other,
    }
}
