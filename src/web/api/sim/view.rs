//! What is shown of a simulated plant.

use domain::detection::{Sign, Tally, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::simulator::{Injection, SimulatedFault};
use crate::web::view::{CountView, TitleView};

/// A simulated plant now.
#[derive(Serialize, ToSchema)]
pub(super) struct SimView {
    /// The line that it plays.
    pub(super) line: String,
    /// Seed of all its randomness.
    pub(super) seed: u64,
    /// How many times faster than real time line and plant run; fixed for a run.
    pub(super) speed: f64,
    /// Speeds that another run can have.
    pub(super) speeds: [f64; 3],
    /// Why no other run can be begun; null where one can.
    pub(super) no_reset: Option<String>,
    /// The same in Chinese.
    pub(super) no_reset_zh: Option<String>,
    /// Whether plant time stands still.
    pub(super) held: bool,
    /// The line's clock, UTC milliseconds.
    pub(super) at_ms: i64,
    /// Since when what is said is scored, UTC milliseconds.
    pub(super) since_ms: i64,
    /// Kinds of faults.
    pub(super) faults: Vec<SimFaultView>,
    /// Faults that were put in, oldest first.
    pub(super) injections: Vec<InjectionView>,
    /// How well each sign is given.
    pub(super) signs: Vec<SignView>,
    /// What was said of nothing, oldest first.
    pub(super) false_alarms: Vec<FalseAlarmView>,
    /// The truth beside what was counted.
    pub(super) truth: Vec<TruthView>,
}

/// A kind of fault.
#[derive(Serialize, ToSchema)]
pub(super) struct SimFaultView {
    /// One word for programs.
    pub(super) id: String,
    /// Its name.
    pub(super) title: TitleView,
    /// What it does.
    pub(super) about: TitleView,
    /// How long it lasts unless told otherwise, milliseconds of the line's clock; null for what happens once.
    pub(super) lasts_ms: Option<i64>,
    /// What it takes beside that, unless told otherwise; null where it takes nothing.
    pub(super) figure: Option<f64>,
    /// The unit of that figure; empty without one.
    pub(super) unit: &'static str,
    /// Whether it is the clock that is held, for which there is a route of its own.
    pub(super) by_clock: bool,
    /// How it is to be noticed; null where nothing is to be said.
    pub(super) sign: Option<SignNameView>,
    /// Time in which it is to be noticed, milliseconds of the line's clock.
    pub(super) within_ms: i64,
}

/// What the service says of a fault.
#[derive(Serialize, ToSchema)]
pub(super) struct SignNameView {
    /// Kind of event, or `incident`.
    pub(super) kind: String,
    /// Word of the event, or characteristic of the chart.
    pub(super) word: String,
    /// The machine; null for the line as a whole.
    pub(super) station: Option<String>,
}

/// A fault that was put in.
#[derive(Serialize, ToSchema)]
pub(super) struct InjectionView {
    /// Its number.
    pub(super) number: u64,
    /// Its kind.
    pub(super) fault: String,
    /// Begin, UTC milliseconds of the line's clock.
    pub(super) from_ms: i64,
    /// End, ended or planned; null where it lasts until it is taken out.
    pub(super) to_ms: Option<i64>,
    /// Whether it lasts now.
    pub(super) lasts: bool,
    /// `waiting`, `noticed`, `missed`, `covered` by another fault, or `silent` where nothing is to be said.
    pub(super) verdict: &'static str,
    /// When it was noticed, UTC milliseconds.
    pub(super) noticed_ms: Option<i64>,
    /// How late it was noticed, milliseconds of the line's clock.
    pub(super) delay_ms: Option<i64>,
    /// How it is to be noticed; null where nothing is to be said.
    pub(super) sign: Option<SignNameView>,
}

/// How well a sign is given.
#[derive(Serialize, ToSchema)]
pub(super) struct SignView {
    /// Which.
    #[serde(flatten)]
    pub(super) sign: SignNameView,
    /// Faults that had to be noticed by it.
    pub(super) injected: usize,
    /// Of these, noticed.
    pub(super) noticed: usize,
    /// Of these, missed.
    pub(super) missed: usize,
    /// Median delay, milliseconds of the line's clock.
    pub(super) median_ms: Option<i64>,
    /// Longest delay.
    pub(super) longest_ms: Option<i64>,
    /// How often it was said of nothing; null for a sign that a plant gives without faults too.
    pub(super) false_alarms: Option<usize>,
}

/// Something that was said of nothing.
#[derive(Serialize, ToSchema)]
pub(super) struct FalseAlarmView {
    /// What.
    #[serde(flatten)]
    pub(super) sign: SignNameView,
    /// When, UTC milliseconds.
    pub(super) at_ms: i64,
    /// The sentence of the event in English; empty for an incident.
    pub(super) detail: String,
    /// The same in Chinese.
    pub(super) detail_zh: String,
}

/// A counter: what it was to count, and what was counted.
#[derive(Serialize, ToSchema)]
pub(super) struct TruthView {
    /// Tag.
    pub(super) tag: String,
    /// The reading up to which was counted, UTC milliseconds; null if it was never read.
    pub(super) at_ms: Option<i64>,
    /// Least that the truth was at that reading; null where that is too long ago.
    pub(super) least: Option<u64>,
    /// Most that it was: plant and service do not look in the same moment.
    pub(super) most: Option<u64>,
    /// What the service counted.
    pub(super) counted: Option<CountView>,
    /// Whether the truth lies in that count's interval; null where one of them is not known.
    pub(super) agrees: Option<bool>,
}

impl SignNameView {
    pub(super) fn of(sign: &Sign) -> SignNameView {
        SignNameView {
            kind: sign.kind.to_string(),
            word: sign.word.to_string(),
            station: sign.station.as_ref().map(|station| station.to_string()),
        }
    }
}

impl SimFaultView {
    pub(super) fn of(fault: &SimulatedFault) -> SimFaultView {
        SimFaultView {
            id: fault.id.clone(),
            title: (&fault.title).into(),
            about: (&fault.about).into(),
            lasts_ms: fault.lasts_us.map(|us| us / 1_000),
            figure: fault.figure.map(|(figure, _)| figure),
            unit: fault.figure.map_or("", |(_, unit)| unit),
            by_clock: fault.by_clock,
            sign: fault.expected.sign.as_ref().map(SignNameView::of),
            within_ms: fault.expected.within_us / 1_000,
        }
    }
}

impl InjectionView {
    pub(super) fn of(
        injection: &Injection,
        faults: &[SimulatedFault],
        verdict: Verdict,
        now_us: i64,
    ) -> InjectionView {
        let noticed_us = match verdict {
            Verdict::Noticed(at_us) => Some(at_us),
            _ => None,
        };
        let fault = faults.get(injection.fault);
        InjectionView {
            number: injection.number,
            fault: fault.map_or_else(String::new, |fault| fault.id.clone()),
            from_ms: injection.from_us / 1_000,
            to_ms: injection.to_us.map(|us| us / 1_000),
            lasts: injection.to_us.is_none_or(|us| us > now_us),
            verdict: verdict.word(),
            noticed_ms: noticed_us.map(|us| us / 1_000),
            delay_ms: noticed_us.map(|us| (us - injection.from_us) / 1_000),
            sign: fault.and_then(|fault| fault.expected.sign.as_ref()).map(SignNameView::of),
        }
    }
}

impl SignView {
    pub(super) fn of(tally: &Tally) -> SignView {
        SignView {
            sign: SignNameView::of(&tally.sign),
            injected: tally.injected,
            noticed: tally.noticed,
            missed: tally.missed,
            median_ms: tally.median_us.map(|us| us / 1_000),
            longest_ms: tally.longest_us.map(|us| us / 1_000),
            false_alarms: tally.false_alarms,
        }
    }
}
