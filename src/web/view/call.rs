//! A call for help.

use domain::line::call::{Call, Done};
use serde::Serialize;
use utoipa::ToSchema;

use super::ms;

/// A call for help with all that was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallView {
    /// Its number on its line.
    pub number: u64,
    /// For what: `machine`, `material`, `quality` or `other`.
    pub need: &'static str,
    /// At which machine, null for the line as a whole.
    pub station: Option<String>,
    /// Its begin.
    pub opened: CallStepView,
    /// Who took it, null while nobody has.
    pub taken: Option<CallStepView>,
    /// Who said that it is done, null while it is open.
    pub closed: Option<CallStepView>,
    /// How long nobody took it, milliseconds.
    pub waited_ms: i64,
    /// How long it lasted, or has until now, milliseconds.
    pub lasted_ms: i64,
}

/// What a person did and said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallStepView {
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// Who; empty where somebody called without a name.
    pub by: String,
    /// In words, empty where nothing was said.
    pub text: String,
}

impl CallView {
    /// The view of a call at a moment of the line's clock.
    pub fn of(call: &Call, now_us: i64) -> CallView {
        let done = |done: &Done| CallStepView {
            at_ms: ms(done.at_us),
            by: done.by.to_string(),
            text: done.text.to_string(),
        };
        CallView {
            number: call.number,
            need: call.need.word(),
            station: call.station.as_ref().map(|station| station.to_string()),
            opened: done(&call.opened),
            taken: call.taken.as_ref().map(done),
            closed: call.closed.as_ref().map(done),
            waited_ms: ms(call.waited_us(now_us)),
            lasted_ms: ms(call.lasted_us(now_us)),
        }
    }
}
