//! Calls for help: who called from where for what, who took it, and what was done. Steps are only added.

use std::sync::Arc;

use crate::units::StationId;

/// What help is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// A machine does not do what it should.
    Machine,
    /// Something to be processed or packed is missing.
    Material,
    /// What is made has to be looked at.
    Quality,
    /// Anything else.
    Other,
}

impl Need {
    /// All of them, in the order of the buttons.
    pub const ALL: [Need; 4] = [Need::Machine, Need::Material, Need::Quality, Need::Other];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Need::Machine => "machine",
            Need::Material => "material",
            Need::Quality => "quality",
            Need::Other => "other",
        }
    }

    /// The need of that word.
    pub fn from_word(word: &str) -> Option<Need> {
        Need::ALL.into_iter().find(|need| need.word() == word)
    }
}

/// What a person does about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Calls for help.
    Open {
        /// For what.
        need: Need,
        /// At which machine, none for the line as a whole.
        station: Option<StationId>,
    },
    /// Takes the call: help is on its way.
    Take,
    /// Says that it is done.
    Close,
}

impl Act {
    /// The word used in SQL.
    pub fn word(&self) -> &'static str {
        match self {
            Act::Open { .. } => "open",
            Act::Take => "take",
            Act::Close => "close",
        }
    }
}

/// One thing that a person did about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call; of no meaning in a new [`Act::Open`], whose number is given when it is kept.
    pub call: u64,
    /// When, UTC microseconds.
    pub at_us: i64,
    /// Who; empty where somebody called without a name, because help must not wait for one.
    pub by: Arc<str>,
    /// What.
    pub act: Act,
    /// In words, empty where nothing was said.
    pub text: Arc<str>,
}

/// When a person did something, and what they said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When, UTC microseconds.
    pub at_us: i64,
    /// Who.
    pub by: Arc<str>,
    /// In words.
    pub text: Arc<str>,
}

/// A call with all that was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number on its line, from 1.
    pub number: u64,
    /// For what.
    pub need: Need,
    /// At which machine, none for the line as a whole.
    pub station: Option<StationId>,
    /// Its begin.
    pub opened: Done,
    /// Who took it.
    pub taken: Option<Done>,
    /// Who closed it. That may be without anybody having taken it.
    pub closed: Option<Done>,
}

impl Call {
    /// How long nobody took it, or has not yet, in microseconds. A clock that was set back makes it 0, never negative.
    pub fn waited_us(&self, now_us: i64) -> i64 {
        let end = self.taken.as_ref().or(self.closed.as_ref());
        (end.map_or(now_us, |done| done.at_us) - self.opened.at_us).max(0)
    }

    /// How long it lasted, or has until now, in microseconds.
    pub fn lasted_us(&self, now_us: i64) -> i64 {
        let end = self.closed.as_ref();
        (end.map_or(now_us, |done| done.at_us) - self.opened.at_us).max(0)
    }

    /// Whether nobody has said that it is done.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

/// Calls from their steps, in the order of their numbers. Of two equal acts of one call the first holds, and steps of a
/// call that was never opened are passed over.
pub fn fold(steps: &[Step]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for step in steps {
        let done = Done { at_us: step.at_us, by: step.by.clone(), text: step.text.clone() };
        let known = calls.iter_mut().find(|call| call.number == step.call);
        match (&step.act, known) {
            (Act::Open { need, station }, None) => calls.push(Call {
                number: step.call,
                need: *need,
                station: station.clone(),
                opened: done,
                taken: None,
                closed: None,
            }),
            (Act::Take, Some(call)) => drop(call.taken.get_or_insert(done)),
            (Act::Close, Some(call)) => drop(call.closed.get_or_insert(done)),
            (Act::Open { .. }, Some(_)) | (Act::Take | Act::Close, None) => {}
        }
    }
    calls.sort_by_key(|call| call.number);
    calls
}

/// Why a step is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such call.
    #[error("there is no call {0}; read the list again")]
    NoCall(u64),
    /// Somebody was faster.
    #[error("call {call} was taken by {by} already; ask them whether they need you")]
    Taken {
        /// The call.
        call: u64,
        /// Who took it.
        by: Arc<str>,
    },
    /// It is over.
    #[error("call {call} was closed by {by} already; call anew if help is needed still")]
    Closed {
        /// The call.
        call: u64,
        /// Who closed it.
        by: Arc<str>,
    },
}

/// What becomes of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is to be kept.
    Keep(Step),
    /// Nothing is to be kept: the call stands as was wanted, because a tap came twice.
    Stands(Call),
}

/// Decides about a step, given the calls that it can mean: all open ones, and the one that it names. `next` is the number
/// of a new call.
///
/// # Errors
/// The call is not there, somebody else took it, or it is closed.
pub fn decide(calls: &[Call], step: Step, next: u64) -> Result<Outcome, Refusal> {
    if let Act::Open { need, station } = &step.act {
        let same = |call: &&Call| call.is_open() && (call.need, &call.station) == (*need, station);
        return Ok(match calls.iter().find(same) {
            Some(call) => Outcome::Stands(call.clone()),
            None => Outcome::Keep(Step { call: next, ..step }),
        });
    }
    let found = calls.iter().find(|call| call.number == step.call);
    let call = found.ok_or(Refusal::NoCall(step.call))?;
    let number = call.number;
    match (&step.act, &call.taken, &call.closed) {
        (Act::Close, _, Some(closed)) if closed.by == step.by => Ok(Outcome::Stands(call.clone())),
        (_, _, Some(closed)) => Err(Refusal::Closed { call: number, by: closed.by.clone() }),
        (Act::Take, Some(taken), None) if taken.by == step.by => Ok(Outcome::Stands(call.clone())),
        (Act::Take, Some(taken), None) => {
            Err(Refusal::Taken { call: number, by: taken.by.clone() })
        }
        _ => Ok(Outcome::Keep(step)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(call: u64, at_us: i64, by: &str, act: Act) -> Step {
        Step { call, at_us, by: by.into(), act, text: "".into() }
    }

    fn open(need: Need, station: &str) -> Act {
        Act::Open { need, station: Some(StationId::new(station)) }
    }

    fn one(steps: &[Step]) -> Call {
        let mut calls = fold(steps);
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    #[test]
    fn a_call_is_what_its_steps_say() {
        let opened = step(3, 100, "", open(Need::Material, "CF01"));
        let call = one(std::slice::from_ref(&opened));
        assert_eq!((call.number, call.need, call.is_open()), (3, Need::Material, true));
        assert_eq!((call.waited_us(150), call.lasted_us(150)), (50, 50));
        assert_eq!(call.waited_us(40), 0, "a clock that was set back");
        let taken = step(3, 160, "Li", Act::Take);
        let call = one(&[opened.clone(), taken.clone()]);
        assert_eq!((call.waited_us(500), call.lasted_us(500)), (60, 400));
        let closed = step(3, 700, "Wang", Act::Close);
        let call = one(&[opened.clone(), taken, closed.clone()]);
        assert_eq!((call.waited_us(9_999), call.lasted_us(9_999)), (60, 600));
        assert_eq!(call.closed.map(|done| done.by), Some("Wang".into()));
        // Closed without having been taken: it waited until then.
        assert_eq!(one(&[opened, closed]).waited_us(9_999), 600);
        assert_eq!(fold(&[step(4, 1, "Li", Act::Take)]), [], "never opened");
    }

    #[test]
    fn a_double_tap_is_one_call_and_another_machine_another_one() {
        let first = one(&[step(1, 100, "", open(Need::Machine, "CF01"))]);
        let again = step(0, 101, "", open(Need::Machine, "CF01"));
        let decided = decide(std::slice::from_ref(&first), again.clone(), 2);
        assert_eq!(decided, Ok(Outcome::Stands(first.clone())));
        for other in [open(Need::Machine, "CW04"), open(Need::Quality, "CF01")] {
            let wanted = step(0, 101, "", other);
            let kept = Outcome::Keep(Step { call: 2, ..wanted.clone() });
            assert_eq!(decide(std::slice::from_ref(&first), wanted, 2), Ok(kept));
        }
        // Once it is closed the same is a new call.
        let closed = Call { closed: Some(first.opened.clone()), ..first };
        let kept = Outcome::Keep(Step { call: 2, ..again.clone() });
        assert_eq!(decide(&[closed], again, 2), Ok(kept));
    }

    #[test]
    fn the_second_who_takes_it_is_told_who_was_faster() {
        let opened = step(1, 100, "", open(Need::Machine, "CF01"));
        let calls = fold(&[opened.clone(), step(1, 110, "Li", Act::Take)]);
        let take = |by: &str| decide(&calls, step(1, 111, by, Act::Take), 2);
        assert_eq!(take("Wang"), Err(Refusal::Taken { call: 1, by: "Li".into() }));
        assert_eq!(take("Li"), Ok(Outcome::Stands(calls[0].clone())), "tapped twice");
        // Whoever is there may say that it is done.
        let close = step(1, 120, "Wang", Act::Close);
        assert_eq!(decide(&calls, close.clone(), 2), Ok(Outcome::Keep(close.clone())));
        let calls = fold(&[opened, close]);
        let refused = Err(Refusal::Closed { call: 1, by: "Wang".into() });
        for act in [Act::Take, Act::Close] {
            assert_eq!(decide(&calls, step(1, 130, "Li", act), 2), refused);
        }
        let none = decide(&calls, step(7, 130, "Li", Act::Take), 2);
        assert_eq!(none, Err(Refusal::NoCall(7)));
    }

    #[test]
    fn words_and_needs_belong_together() {
        for need in Need::ALL {
            assert_eq!(Need::from_word(need.word()), Some(need));
        }
        assert_eq!(Need::from_word("coffee"), None);
    }
}
