//! Machines: their states, their connections, and what is wrong with their data.

use domain::line::state::{State, TimeClass};
use domain::line::status::{LineStatus, MeasureStatus, StateStatus, StationStatus};
use domain::units::Moment;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CountView, TitleView, ms, rounded};
use crate::config::LineConfig;

/// A state and how long it has lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateView {
    /// PackML word: `execute`, `held`, …, or `unknown`.
    pub word: &'static str,
    /// What its time counts as.
    pub class: &'static str,
    /// The state before, shown while it is unknown.
    pub last: &'static str,
    /// Since when, UTC milliseconds; none before the first reading.
    pub since_ms: Option<i64>,
    /// How long, in milliseconds of the line's clock.
    pub for_ms: i64,
    /// Code as read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<i64>,
    /// Stop reason code as read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<i64>,
    /// What the map calls that reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_title: Option<TitleView>,
}

impl StateView {
    pub(super) fn of(status: &StateStatus, at: Moment) -> StateView {
        StateView {
            word: status.state.word(),
            class: status.class.word(),
            last: status.last_known.word(),
            since_ms: Some(ms(status.since_us)),
            for_ms: ms((at.mono_us - status.since_mono_us).max(0)),
            raw: status.raw,
            stop_reason: status.stop_reason,
            stop_title: status.stop_title.as_ref().map(TitleView::from),
        }
    }

    pub(super) fn none() -> StateView {
        StateView {
            word: State::Unknown.word(),
            class: TimeClass::Unknown.word(),
            last: State::Unknown.word(),
            since_ms: None,
            for_ms: 0,
            raw: None,
            stop_reason: None,
            stop_title: None,
        }
    }

    /// Unknown beats every other state; what it was before stays readable as such.
    pub(super) fn become_unknown(&mut self) {
        if self.word != State::Unknown.word() {
            self.last = self.word;
        }
        self.word = State::Unknown.word();
        self.class = TimeClass::Unknown.word();
    }
}

/// One station.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StationView {
    /// Which.
    pub id: String,
    /// What people call it.
    pub title: TitleView,
    /// `modbus` or `opcua`.
    pub protocol: &'static str,
    /// Whether its good counter is the output of the line.
    pub counts: bool,
    /// Its state.
    pub state: StateView,
    /// Whether its readings are current.
    pub up: bool,
    /// Milliseconds since something was heard, none if never.
    pub heard_ago_ms: Option<i64>,
    /// Why it is down: `timeout`, `connect_failed`, …; empty while up.
    pub reason: &'static str,
    /// Capsules in during the shift; null where nothing counts them, or nothing of the shift was read there.
    pub infeed: Option<CountView>,
    /// Good capsules out during the shift, and null likewise.
    pub good: Option<CountView>,
    /// Rejects during the shift; null where nothing of the shift was read there.
    pub rejected: Option<CountView>,
    /// Speed as the PLC says, capsules a minute, one decimal.
    pub speed: Option<f64>,
    /// Tags whose last reading was not good.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bad_tags: Vec<String>,
    /// Conditions and weights.
    pub measures: Vec<MeasureView>,
}

impl StationView {
    pub(super) fn of(
        station: &StationStatus,
        config: &LineConfig,
        status: &LineStatus,
        stalled: bool,
    ) -> StationView {
        let at = status.at;
        let mut state = StateView::of(&station.state, at);
        if stalled || !station.link.up {
            state.become_unknown();
        }
        StationView {
            id: station.id.to_string(),
            title: (&station.title).into(),
            protocol: station.protocol,
            counts: station.id == config.counting_station,
            state,
            up: station.link.up,
            heard_ago_ms: station.link.heard_mono_us.map(|heard| ms((at.mono_us - heard).max(0))),
            reason: station.link.reason,
            infeed: station.infeed.map(CountView::from),
            good: station.good.map(CountView::from),
            rejected: station.rejected.map(CountView::from),
            speed: station.speed.and_then(|speed| rounded(speed, 1)),
            bad_tags: station.bad_tags.iter().map(|tag| tag.to_string()).collect(),
            measures: station.measures.iter().map(MeasureView::of).collect(),
        }
    }
}

/// A measured value.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeasureView {
    /// Tag.
    pub tag: String,
    /// Value, two decimals; none while bad.
    pub value: Option<f64>,
    /// What its value is called, of an enumeration, in the plant's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// Unit.
    pub unit: String,
}

impl MeasureView {
    pub(super) fn of(measure: &MeasureStatus) -> MeasureView {
        MeasureView {
            tag: measure.tag.to_string(),
            value: measure.value.and_then(|value| rounded(value, 2)),
            word: measure.word.as_deref().map(str::to_owned),
            unit: measure.unit.to_string(),
        }
    }
}

/// Something that is wrong with the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultView {
    /// `plc_offline` or `bad_data`.
    pub kind: &'static str,
    /// Where.
    pub station: String,
    /// What people call it.
    pub title: TitleView,
    /// Where it is spoken to.
    pub address: String,
    /// Whether it makes the state of the line unknown.
    pub counts: bool,
    /// Whether it was heard before in this run of the service.
    pub heard: bool,
    /// Since when, UTC milliseconds.
    pub since_ms: i64,
    /// Why, for a device that is down.
    pub reason: &'static str,
    /// Which tags, for bad data.
    pub tags: Vec<String>,
}

/// What is wrong with the data of a line: the counting station first, then devices that are down, then bad tags.
pub(super) fn faults(config: &LineConfig, status: &LineStatus) -> Vec<FaultView> {
    let mut faults: Vec<FaultView> = Vec::new();
    for station in &status.stations {
        let device = config.devices.iter().find(|device| device.map.station == station.id);
        let fault = FaultView {
            kind: "plc_offline",
            station: station.id.to_string(),
            title: (&station.title).into(),
            address: device.map(|device| device.address.clone()).unwrap_or_default(),
            counts: station.id == config.counting_station,
            heard: station.link.heard_us.is_some(),
            since_ms: ms(station.link.since_us),
            reason: station.link.reason,
            tags: Vec::new(),
        };
        if !station.link.up {
            faults.push(fault);
        } else if !station.bad_tags.is_empty() {
            let tags = station.bad_tags.iter().map(|tag| tag.to_string()).collect();
            faults.push(FaultView { kind: "bad_data", tags, ..fault });
        }
    }
    faults.sort_by_key(|fault| {
        (!(fault.counts && fault.kind == "plc_offline"), fault.kind != "plc_offline")
    });
    faults
}
