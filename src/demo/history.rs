//! What the demo's line did before anyone watched: hours of its plant, counted as the service counts a live line.
//!
//! An empty screen teaches nothing, and a control chart needs some hours of subgroups. So the plant is started some
//! hours ago. Its registers and nodes of every second go through the decoder and the tracker of the service, and
//! what comes of it goes into the journal.

use std::borrow::Cow;
use std::collections::VecDeque;

use domain::line::event::{Event, EventKind};
use domain::line::tracker::LineTracker;
use domain::plc_map::{Address, PlcMap, Protocol, Table, Tag, encoding};
use domain::reading::{Outcome, Quality, Reading, Snapshot, Value};
use domain::units::{HOUR_US, Moment, SECOND_US};
use simulators::{Model, ModelConfig, NodeValue, State};

use crate::clock::Clock;
use crate::config::LineConfig;
use crate::historian::{Historian, Tick};
use crate::service::follow;

/// The line that a demo shows first is in production, and stays so for this long.
const IN_PRODUCTION_S: i64 = 120;

/// How far a moment in production is sought, from an hour before the wanted length, before any moment will do.
const SEARCH_S: i64 = 6 * 3_600;

/// Poll period of the demo's filler.
const POLL_US: i64 = 10_000;

/// Seconds of plant time in one tick of the journal.
const TICK_S: i64 = 1_800;

/// How far a demo is with the history of its plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Whether it is counted and stored. Before that the plant is only run, to find a moment at which it produces.
    pub is_counted: bool,
    /// Microseconds of plant time that are done.
    pub done_us: i64,
    /// Microseconds that there are to do.
    pub of_us: i64,
}

/// Plant time, at or after `wanted_us`, from which the filler goes on producing for some minutes, after an hour that
/// was no long stop.
pub(super) fn length_us(
    config: ModelConfig,
    wanted_us: i64,
    tell: &(dyn Fn(Progress) + Sync),
) -> i64 {
    let mut model = Model::new(config);
    let from_us = (wanted_us - HOUR_US).max(0);
    while model.plant_us() < from_us {
        model.advance_to((model.plant_us() + HOUR_US).min(from_us));
        tell(Progress { is_counted: false, done_us: model.plant_us(), of_us: wanted_us });
    }
    let mut hour: VecDeque<bool> = VecDeque::new();
    for _ in 0..SEARCH_S {
        hour.push_back(model.state() == State::Running);
        if hour.len() as i64 > HOUR_US / SECOND_US {
            hour.pop_front();
        }
        let begin_us = model.plant_us() - IN_PRODUCTION_S * SECOND_US;
        let goes_on = hour.iter().rev().take(IN_PRODUCTION_S as usize + 1).all(|running| *running);
        let ran_s = hour.iter().filter(|running| **running).count() as i64;
        if begin_us >= wanted_us && goes_on && ran_s * SECOND_US >= HOUR_US * 3 / 4 {
            return begin_us;
        }
        model.advance_to(model.plant_us() + SECOND_US);
    }
    wanted_us
}

/// Runs the plant from its time 0 up to the present, counts it and stores that. The model as it is then.
///
/// # Errors
/// The journal cannot be read, or refuses a tick.
pub(super) async fn record(
    model: ModelConfig,
    line: &LineConfig,
    historian: &Historian,
    clock: &Clock,
    tell: &(dyn Fn(Progress) + Sync),
) -> anyhow::Result<Model> {
    let mut model = Model::new(model);
    let began = moment(clock, model.utc_us());
    let mut follow = follow(line, historian, clock, began)?;
    let places = places(&model, line);
    follow.tracker.note(Event {
        at_us: began.utc_us,
        from_us: None,
        kind: EventKind::Service,
        station: None,
        tag: None,
        word: "started".to_owned(),
        count: None,
        detail: "what the simulated plant did before the demo".to_owned(),
    });
    loop {
        // The present moves on meanwhile; a few rounds catch up with it.
        let ahead_us = clock.now().utc_us - model.utc_us();
        let seconds = (ahead_us / SECOND_US).min(TICK_S);
        if seconds < 1 {
            return Ok(model);
        }
        for _ in 0..seconds {
            pass_second(&mut model, |model| {
                let at = moment(clock, model.utc_us());
                look(model, (line, &places), at, &mut follow.tracker);
            });
        }
        let at = moment(clock, model.utc_us());
        store(line, historian, at, &mut follow.tracker, follow.next_seq).await?;
        follow.next_seq += 1;
        let done_us = model.plant_us();
        let of_us = done_us + (clock.now().utc_us - model.utc_us()).max(0);
        tell(Progress { is_counted: true, done_us, of_us });
        // A long history must not hold up the screens.
        tokio::task::yield_now().await;
    }
}

/// Lets a second pass and looks at its end. When its batch counters are set back, what they counted last is seen only
/// by who polls as fast as the service does, so that second is looked at more closely.
fn pass_second(model: &mut Model, mut look: impl FnMut(&Model)) {
    let end_us = model.plant_us() + SECOND_US;
    let before = (model.state() != State::Running).then(|| model.clone());
    model.advance_to(end_us);
    if let Some(before) = before.filter(|before| before.batch_id() != model.batch_id()) {
        *model = before;
        while model.plant_us() + POLL_US < end_us {
            model.advance_to(model.plant_us() + POLL_US);
            look(model);
        }
        model.advance_to(end_us);
    }
    look(model);
}

/// A moment of the past on both clocks.
fn moment(clock: &Clock, utc_us: i64) -> Moment {
    let now = clock.now();
    Moment { utc_us, mono_us: now.mono_us - (now.utc_us - utc_us) }
}

/// Where the nodes of a machine's tags stand among those that it shows, device by device. Nobody looks for a name in each of
/// the seconds of half a day.
fn places(model: &Model, line: &LineConfig) -> Vec<Vec<Option<usize>>> {
    let of_device = |map: &PlcMap| {
        let nodes = Shown::of(model, map, &[]).nodes;
        let place = |tag: &Tag| nodes.iter().position(|(name, _)| Some(&**name) == node(tag));
        map.tags.iter().map(place).collect()
    };
    line.devices.iter().map(|device| of_device(&device.map)).collect()
}

/// The name of a tag's node.
fn node(tag: &Tag) -> Option<&str> {
    match &tag.address {
        Address::Node(id) => id.strip_prefix("s="),
        _ => None,
    }
}

/// Everything that the service would read of the plant at this moment.
fn look(
    model: &Model,
    (line, places): (&LineConfig, &[Vec<Option<usize>>]),
    at: Moment,
    tracker: &mut LineTracker,
) {
    for (device, (config, places)) in line.devices.iter().zip(places).enumerate() {
        let shown = Shown::of(model, &config.map, places);
        for group in 0..config.map.groups.len() {
            let of_group = |(_, tag): &(usize, &Tag)| usize::from(tag.group) == group;
            let tags = config.map.tags.iter().enumerate().filter(of_group);
            let readings = tags.map(|(i, tag)| shown.reading(i, tag)).collect();
            tracker.advance(&Snapshot {
                device: device as u16,
                group: group as u16,
                taken_at: at,
                round_trip_us: 0,
                polls: 1,
                outcome: Outcome::Taken(readings),
            });
        }
    }
    tracker.check(at);
}

/// What a machine shows, in the one way in which its map reads it.
#[derive(Default)]
struct Shown<'p> {
    holding: Vec<u16>,
    input: Vec<u16>,
    nodes: Vec<(Cow<'static, str>, NodeValue)>,
    places: &'p [Option<usize>],
}

impl Shown<'_> {
    fn of<'p>(model: &Model, map: &PlcMap, places: &'p [Option<usize>]) -> Shown<'p> {
        match &map.protocol {
            Protocol::Modbus(options) => Shown {
                holding: model.holding_registers(options.unit),
                input: model.input_registers(options.unit),
                ..Shown::default()
            },
            Protocol::OpcUa(_) => {
                let nodes = model.nodes_of(map.station.as_str());
                Shown { nodes, places, ..Shown::default() }
            }
        }
    }

    fn reading(&self, i: usize, tag: &Tag) -> Reading {
        let value = match &tag.address {
            Address::Register { table, first } => {
                let image = match table {
                    Table::Holding => &self.holding[..],
                    Table::Input => &self.input[..],
                    Table::Coil | Table::Discrete => &[],
                };
                let first = usize::from(*first);
                image
                    .get(first..first + usize::from(tag.encoding.kind.registers()))
                    .and_then(|words| encoding::decode(words, tag.encoding).ok())
            }
            Address::Part { .. } => None,
            Address::Node(_) => {
                let place = self.places.get(i).copied().flatten();
                let shown = place.and_then(|place| self.nodes.get(place));
                shown.filter(|(name, _)| Some(&**name) == node(tag)).map(|(_, value)| decode(value))
            }
        };
        Reading {
            tag: i as u16,
            quality: if value.is_some() { Quality::Good } else { Quality::Bad },
            value: value.unwrap_or(Value::Unsigned(0)),
            status: 0,
            source_us: None,
        }
    }
}

fn decode(value: &NodeValue) -> Value {
    match value {
        NodeValue::Bool(on) => Value::Bool(*on),
        NodeValue::I16(n) => Value::Signed(i64::from(*n)),
        NodeValue::I32(n) => Value::Signed(i64::from(*n)),
        NodeValue::U16(n) => Value::Unsigned(u64::from(*n)),
        NodeValue::U32(n) => Value::Unsigned(u64::from(*n)),
        NodeValue::U64(n) => Value::Unsigned(*n),
        NodeValue::F32(x) => Value::Float(f64::from(*x)),
        NodeValue::Text(text) => Value::Text(text.as_str().into()),
    }
}

/// One tick, without the readings: the original record of a line that nobody read does not exist.
async fn store(
    line: &LineConfig,
    historian: &Historian,
    at: Moment,
    tracker: &mut LineTracker,
    seq: u64,
) -> anyhow::Result<()> {
    let changes = tracker.take_changes();
    let tick = Tick::new((line.id.clone(), seq, at), changes, Vec::new(), tracker.total());
    let busy = |_| anyhow::anyhow!("the journal has no room for the history of the demo");
    let pending = historian.append(tick).map_err(busy)?;
    pending.await.map_err(|refused| anyhow::anyhow!("the journal refuses: {}", refused.error))
}
