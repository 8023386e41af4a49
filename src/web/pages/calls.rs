//! The strip for calls for help, which stands on the pages of people at the line.

use domain::line::call::Need;
use maud::{Markup, html};

use super::layout::Look;
use super::parts::signature;
use crate::web::i18n::Key;

/// Buttons to call, the open calls, and the name of who is here.
pub(super) fn strip(look: &Look, writes: bool) -> Markup {
    let lang = look.lang;
    html! {
        section.card.calls #calls data-calls=(writes) aria-labelledby="calls-title" {
            div.call-row {
                h2 #calls-title { (lang.mark(Key::CallForHelp)) }
                div.needs #needs role="group" aria-labelledby="calls-title" {
                    @for need in Need::ALL {
                        button type="button" data-need=(need.word()) disabled[!writes] { (lang.mark(word(need))) }
                    }
                }
                span.dim #call-place {}
                @if look.who.is_known() {
                    (signature(look, "caller"))
                } @else {
                    label.caller { span.away { (lang.mark(Key::YourName)) }
                        input #caller maxlength="80" autocomplete="name" placeholder=(lang.say(Key::YourName)) disabled[!writes];
                    }
                }
                button.choice #tone type="button" aria-pressed="false" { (lang.mark(Key::CallTone)) }
            }
            p.note #call-trouble role="alert" hidden {}
            ul #open-calls aria-label=(lang.say(Key::OpenCalls)) hidden {}
            p.away #call-news role="status" {}
        }
    }
}

/// What a need is called.
fn word(need: Need) -> Key {
    match need {
        Need::Machine => Key::NeedMachine,
        Need::Material => Key::NeedMaterial,
        Need::Quality => Key::NeedQuality,
        Need::Other => Key::NeedOther,
    }
}
