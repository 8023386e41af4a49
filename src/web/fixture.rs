//! A line made up for tests and for looking at screens: five stations, a shift with a stop, a gap and two signals.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::line::batch::Remark;
use domain::line::batch::hand::{self, Did, Entry, Order};
use domain::line::calendar::Calendar;
use domain::line::chronicle::{CounterRecord, StopRecord};
use domain::line::counter::{Baseline, BatchChange, Seen};
use domain::line::event::{Event, EventKind};
use domain::line::minute::{Counted, Minute, Tally, TimeSplit};
use domain::line::report::{FinalReport, GapId, GapNote};
use domain::line::rollup::{OpenBatch, PeriodKind, Rollup, Spending};
use domain::line::second::{SecondTally, Seconds, Spell};
use domain::line::state::{State, TimeClass};
use domain::line::status::{
    HourStatus, LineStatus, LinkStatus, MeasureStatus, RejectStatus, ShiftStatus, SpeedStatus,
    StateStatus, StationStatus, TrendPoint,
};
use domain::line::stop::key_cause::KeyCause;
use domain::line::stop::revision::{Act, PartId, Refusal, Revision, apply, check_seen, revise};
use domain::line::stop::{Cause, Flags, Stop};
use domain::line::weight::WeightTally;
use domain::plc_map::{PlcMap, Protocol, Title};
use domain::quality::characteristic::Characteristic;
use domain::quality::limits::Limits;
use domain::quality::record::{StoredIncident, StoredPoint, Work};
use domain::quality::{Chart, Point};
use domain::units::{
    Count, HOUR_US, LineId, MINUTE_US, Moment, Reason, SECOND_US, StationId, TagId,
};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::{
    App, AppParts, Desk, Forwarding, ForwardingStream, Gauge, GaugeKind, Gauges, Histogram,
    History, LineFeed, QualityRecord, Reload, ReloadOutcome, Reloads, ReportRecord,
};
use crate::clock::Clock;
use crate::config::{DeviceConfig, LineConfig};

/// 2026-11-24T14:03:27+08:00.
pub(super) const NOW_US: i64 = 1_795_500_207 * SECOND_US;
const TARGET: u64 = 6_500;

/// What happens on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Running,
    Held,
    Offline,
    NeverHeard,
    BadTag,
}

/// The words by which a case is asked for.
pub(super) const CASES: [(&str, Case); 5] = [
    ("running", Case::Running),
    ("held", Case::Held),
    ("offline", Case::Offline),
    ("never", Case::NeverHeard),
    ("bad", Case::BadTag),
];

pub(super) fn moment(utc_us: i64) -> Moment {
    Moment { utc_us, mono_us: utc_us - NOW_US + HOUR_US * 100 }
}

fn title(en: &str, zh: &str) -> Title {
    Title { en: en.into(), zh: zh.into() }
}

const STATIONS: [(&str, &str, &str, &str); 5] = [
    ("CF01", "Filler", "充填机", "modbus"),
    ("PS02", "Sorter", "分选机", "modbus"),
    ("PO03", "Polisher", "抛光机", "modbus"),
    ("CW04", "Checkweigher", "检重秤", "modbus"),
    ("BC05", "Counter", "数粒机", "opcua"),
];

pub(super) fn line() -> LineConfig {
    let device = |(id, en, zh, protocol): (&str, &str, &str, &str)| DeviceConfig {
        map: Arc::new(PlcMap {
            file: format!("plc-maps/{id}.toml"),
            station: StationId::new(id),
            title: title(en, zh),
            protocol: Protocol::OpcUa(domain::plc_map::OpcUaOptions { namespace: "urn:l1".into() }),
            max_per_minute: 7_800,
            step: 50,
            groups: Vec::new(),
            tags: Vec::new(),
            states: BTreeMap::new(),
            stop_reasons: BTreeMap::new(),
            flow: Default::default(),
        }),
        address: match protocol {
            "opcua" => "opc.tcp://192.168.10.5:4840".to_owned(),
            _ => "192.168.10.1:502".to_owned(),
        },
        wire: crate::config::Wire::tcp("192.168.10.1:502"),
        connect_timeout: Duration::from_secs(1),
        reply_timeout: Duration::from_millis(500),
        backoff: (Duration::from_millis(100), Duration::from_secs(5)),
        opcua: Default::default(),
    };
    let devices: Vec<DeviceConfig> = STATIONS.map(device).into();
    let maps: Vec<_> = devices.iter().map(|device| device.map.clone()).collect();
    LineConfig {
        characteristics: Characteristic::defaults(&StationId::new("CF01"), &maps),
        id: LineId::new("L1"),
        title: title("Capsule line 1", "胶囊一线"),
        counting_station: StationId::new("CF01"),
        target_per_minute: TARGET,
        micro_stop: std::time::Duration::from_secs(300),
        material_balance: Default::default(),
        calendar: Calendar::new(jiff::tz::TimeZone::UTC, Vec::new()),
        devices,
    }
}

/// The line at `at`, in a shift from 08:00 to 20:00 of the plant's day.
pub(super) fn status(at: Moment, case: Case) -> LineStatus {
    let now = at.utc_us;
    let day = (now + 8 * HOUR_US).div_euclid(24 * HOUR_US) * 24 * HOUR_US - 8 * HOUR_US;
    let start = day + 8 * HOUR_US;
    let start = if now < start || now >= start + 12 * HOUR_US { now - 6 * HOUR_US } else { start };
    let hours = hours(start, now);
    let good: Count = hours.iter().map(|hour| hour.good + hour.gap).sum();
    let passed_us = now - start;
    let rejected = Count::exact(good.best() / 230);
    LineStatus {
        line: LineId::new("L1"),
        at,
        state: line_state(at, case),
        batch: Some(OpenBatch {
            id: "B2611-0417".into(),
            start_us: now - 125 * MINUTE_US,
            by_hand: false,
        }),
        batch_told: Some("B2611-0417".into()),
        contents: Vec::new(),
        shift: Some(ShiftStatus {
            name: "A".into(),
            start_us: start,
            end_us: start + 12 * HOUR_US,
            good,
            gap: Count::between(11_800, 12_040, 12_400),
            rejected,
            target_now: (passed_us / MINUTE_US) as u64 * TARGET,
            plan: 720 * TARGET,
            forecast: (case == Case::Running).then_some(4_590_200),
            time: TimeSplit([
                passed_us - 31 * MINUTE_US,
                9 * MINUTE_US,
                4 * MINUTE_US,
                12 * MINUTE_US,
                2 * MINUTE_US,
                4 * MINUTE_US,
            ]),
            coverage: Some(1.0 - 4.0 * MINUTE_US as f64 / passed_us as f64),
            watched_from_us: start,
        }),
        total: Count::exact(148_812_460) + good,
        speeds: speeds(case),
        plc_speed: (case != Case::Offline).then_some(6_500.0),
        target_per_minute: TARGET,
        rejects: rejects(good.best()),
        trend: trend(now, case),
        hours,
        stations: stations(at, case),
        polls: 214_388,
        missed_polls: 41,
        events: events(now),
        charts: Arc::new([chart(now, 1), chart(now, 15)]),
    }
}

fn line_state(at: Moment, case: Case) -> StateStatus {
    let (state, last_known, since_us) = match case {
        Case::Running | Case::BadTag => (State::Execute, State::Held, 134 * MINUTE_US),
        Case::Held => (State::Held, State::Execute, 190 * SECOND_US),
        Case::Offline => (State::Unknown, State::Execute, 75 * SECOND_US),
        Case::NeverHeard => (State::Unknown, State::Unknown, 20 * SECOND_US),
    };
    StateStatus {
        state,
        class: state.time_class(),
        last_known,
        since_us: at.utc_us - since_us,
        since_mono_us: at.mono_us - since_us,
        raw: Some(6),
        stop_reason: (case == Case::Held).then_some(12),
        stop_title: (case == Case::Held).then(|| title("Powder bridge in the hopper", "料斗架桥")),
        station: StationId::new("CF01"),
    }
}

fn speeds(case: Case) -> Vec<SpeedStatus> {
    let rates = match case {
        Case::Running | Case::BadTag => {
            [Some(6_480.0), Some(6_484.6), Some(6_491.2), Some(6_212.0)]
        }
        Case::Held => [Some(0.0), Some(0.0), Some(5_104.0), Some(6_180.0)],
        Case::Offline | Case::NeverHeard => [None, None, Some(6_489.0), Some(6_190.0)],
    };
    let windows = [10 * SECOND_US, MINUTE_US, 15 * MINUTE_US, 0];
    let speed = |(window_us, per_minute): (i64, Option<f64>)| SpeedStatus {
        window_us,
        count: Count::exact(1_000),
        covered_us: window_us,
        per_minute,
        plus_minus: if window_us == 0 { 0.2 } else { 50.0 * MINUTE_US as f64 / window_us as f64 },
    };
    windows.into_iter().zip(rates).map(speed).collect()
}

/// A number in [-1, 1) that looks random and is the same in every run.
fn noise(seed: i64) -> f64 {
    let mixed = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn trend(now: i64, case: Case) -> Vec<TrendPoint> {
    let last = now.div_euclid(MINUTE_US);
    let point = |i: i64| {
        let minute = last - 60 + i;
        let made = (6_490.0 + 40.0 * noise(minute)) as u64;
        let good = match i {
            20..=21 => None,
            22 => Some(Count::between(3_200, 3_240, 3_300)),
            38..=40 => Some(Count::exact([2_150, 0, 4_310][(i - 38) as usize])),
            57..=59 if case == Case::Held => Some(Count::exact([3_000, 0, 0][(i - 57) as usize])),
            _ => Some(Count::exact(made)),
        };
        let coverage = match i {
            20..=21 => 0.0,
            22 => 0.5,
            _ => 1.0,
        };
        TrendPoint { start_us: minute * MINUTE_US, good, coverage }
    };
    (0..60).map(point).collect()
}

fn hours(start: i64, now: i64) -> Vec<HourStatus> {
    let n = (now - start).div_euclid(HOUR_US) + 1;
    let hour = |i: i64| {
        let start_us = start + i * HOUR_US;
        let passed = (now - start_us).min(HOUR_US);
        let target = (passed as u64 * TARGET) / MINUTE_US as u64;
        let good = (target as f64 * (0.998 + 0.012 * noise(i + 5))) as u64;
        let none = Count::ZERO;
        let (good, gap, coverage) = match i {
            2 => (Count::exact(good - 61_200), none, 1.0),
            3 => (Count::exact(good - 13_000), Count::between(11_800, 12_040, 12_400), 0.9667),
            4 => (Count::between(good - 60, good, good + 440), none, 1.0),
            _ => (Count::exact(good), none, 1.0),
        };
        let (end_us, watched) = (start_us + HOUR_US, true);
        HourStatus { start_us, end_us, good, gap, watched, target, coverage }
    };
    (0..n).map(hour).collect()
}

fn rejects(good: u64) -> Vec<RejectStatus> {
    let reasons = [
        ("CF01", "unseparated", 310.0),
        ("CF01", "dented", 1_150.0),
        ("PS02", "no_dose", 1_900.0),
        ("PS02", "half_or_loose", 5_200.0),
        ("CW04", "underweight", 2_400.0),
        ("CW04", "overweight", 8_100.0),
        ("BC05", "short_count", 90_000.0),
    ];
    let reject = |(station, reason, one_in): (&str, &str, f64)| {
        let n = good as f64 / one_in;
        let (p, half) = (n / good as f64, 1.96 * n.sqrt() / good as f64);
        RejectStatus {
            station: StationId::new(station),
            reason: Reason::new(reason),
            rejected: Count::exact(n as u64),
            total: Count::exact(good),
            wilson: Some(((p - half).max(0.0), p + half)),
        }
    };
    reasons.map(reject).into()
}

fn stations(at: Moment, case: Case) -> Vec<StationStatus> {
    let station = |(i, (id, en, zh, protocol)): (usize, (&str, &str, &str, &'static str))| {
        let counting = id == "CF01";
        let down = counting && matches!(case, Case::Offline | Case::NeverHeard);
        let heard = (!(counting && case == Case::NeverHeard)).then_some(60_000 + 40_000 * i as i64);
        let heard = heard.map(|ago| if down { 75 * SECOND_US } else { ago });
        let mut state = line_state(at, if i == 0 { case } else { Case::Running });
        if i == 2 && case == Case::Held {
            state.state = State::Suspended;
            state.class = State::Suspended.time_class();
        }
        let bad = i == 3 && case == Case::BadTag;
        let good = 2_310_442u64.saturating_sub(4_100 * i as u64);
        StationStatus {
            id: StationId::new(id),
            title: title(en, zh),
            protocol,
            state,
            link: LinkStatus {
                up: !down,
                since_us: at.utc_us - if down { 75 * SECOND_US } else { 6 * HOUR_US },
                heard_us: heard.map(|ago| at.utc_us - ago),
                heard_mono_us: heard.map(|ago| at.mono_us - ago),
                reason: match case {
                    Case::Offline if down => "timeout",
                    Case::NeverHeard if down => "connect_failed",
                    _ => "",
                },
                period_us: 100_000,
            },
            infeed: (i != 2).then(|| Count::exact(good + 3_900)),
            good: Some(Count::exact(good)),
            rejected: Count::exact(3_900 - 600 * i as u64),
            speed: Some(6_500.0),
            bad_tags: if bad {
                vec![TagId::new("CW04.Mean"), TagId::new("CW04.StdDev")]
            } else {
                Vec::new()
            },
            measures: measures(id, at, bad),
        }
    };
    STATIONS.into_iter().enumerate().map(station).collect()
}

fn measures(id: &str, at: Moment, bad: bool) -> Vec<MeasureStatus> {
    let values: &[(&str, f64, &str)] = match id {
        "CF01" => &[("CF01.Vacuum", -45.2, "kPa"), ("CF01.Door", 0.0, "")],
        "CW04" => &[("CW04.Mean", 496.63, "mg"), ("CW04.StdDev", 6.214, "mg")],
        _ => &[],
    };
    let measure = |(tag, value, unit): &(&str, f64, &str)| MeasureStatus {
        tag: TagId::new(*tag),
        value: (!bad).then_some(*value),
        word: (*tag == "CF01.Door" && !bad).then(|| "closed".into()),
        unit: (*unit).into(),
        at_us: at.utc_us,
    };
    values.iter().map(measure).collect()
}

fn events(now: i64) -> Vec<Event> {
    let event = |minutes_ago: i64, kind, station: &str, word: &str, detail: &str| Event {
        at_us: now - minutes_ago * MINUTE_US,
        from_us: None,
        kind,
        station: Some(StationId::new(station)),
        tag: None,
        word: word.to_owned(),
        count: None,
        detail: detail.to_owned(),
    };
    vec![
        Event {
            from_us: Some(now - 22 * MINUTE_US),
            ..event(19, EventKind::Stop, "CF01", "internal", "Powder bridge in the hopper")
        },
        event(19, EventKind::State, "CF01", "execute", "after held for 140 s"),
        Event {
            count: Some(Count::between(11_800, 12_040, 12_400)),
            from_us: Some(now - 40 * MINUTE_US),
            ..event(
                37,
                EventKind::Count,
                "CF01",
                "gap",
                "no reading for 150 s; the counter went from 61,220 to 7,724 and wraps at 65,536",
            )
        },
        event(37, EventKind::Link, "CF01", "up", "after 150 s"),
        event(40, EventKind::Link, "CF01", "down", "no reply in time"),
        event(125, EventKind::Batch, "CF01", "B2611-0417", "after B2611-0416"),
    ]
}

fn chart(now: i64, minutes: u32) -> Chart {
    let span = i64::from(minutes) * MINUTE_US;
    let last = now.div_euclid(span);
    let n = if minutes == 1 { 120 } else { 58 };
    let total = 6_490 * u64::from(minutes);
    let center = 0.004_3;
    let sigma = (center * (1.0 - center) / total as f64).sqrt();
    let sigma_z = if minutes == 1 { 1.08 } else { 1.62 };
    let point = |i: i64| {
        let z = noise(last - n + i)
            + noise(i * 7 + last)
            + if i > n - 14 && i < n - 2 { 1.1 } else { 0.0 };
        let z = if i == n - 21 { 4.4 } else { z };
        let fraction = center + z * sigma * sigma_z;
        let broken = i == n - 33 || i == n - 1;
        let missing = i == n - 34;
        let rejected = (fraction * total as f64).round() as u64;
        Point {
            start_us: (last - n + 1 + i) * span,
            rejected: if missing { 0 } else { rejected },
            total: if missing { 0 } else { total },
            complete: !broken && !missing,
            p: (!missing).then_some(fraction),
            lcl: Some((center - 3.0 * sigma * sigma_z).max(0.0)),
            ucl: Some(center + 3.0 * sigma * sigma_z),
            ucl_p: Some(center + 3.0 * sigma),
            rules: match i {
                _ if i == n - 21 => vec!["N1"],
                _ if i == n - 4 => vec!["N2"],
                _ => Vec::new(),
            },
        }
    };
    Chart {
        characteristic: "reject_fraction",
        subgroup_minutes: minutes,
        points: (0..n).map(point).collect(),
        center: Some(center),
        sigma_z: Some(sigma_z),
        sigma_z_sd: Some(sigma_z * 1.1),
        lag1: Some(0.31),
        status: "ok",
        baseline_points: n as usize - 3,
        provisional: minutes == 15,
    }
}

/// A record with one minute and one event in it.
pub(super) struct Record;

impl History for Record {
    fn minutes(&self, _: &LineId, from_us: i64, _: i64) -> Result<Vec<Minute>, String> {
        let good = Tally {
            station: StationId::new("CF01"),
            counted: Counted::Good,
            count: Count::between(6_440, 6_450, 6_460),
        };
        let counted = Counted::Reject(Reason::new("dented"));
        let rejected = Tally { counted, count: Count::exact(28), ..good.clone() };
        Ok(vec![Minute {
            start_us: from_us.div_euclid(MINUTE_US) * MINUTE_US,
            rev: 1,
            closed: true,
            time: TimeSplit([59_990_000, 0, 0, 0, 0, 10_000]),
            polls: 599,
            missed: 1,
            tallies: vec![good, rejected],
            weights: Vec::new(),
        }])
    }

    fn seconds(&self, _: &LineId, from_us: i64, _: i64) -> Result<Vec<Seconds>, String> {
        let counts =
            (0..60).map(|second| (second, Count::exact(if second % 6 == 0 { 150 } else { 100 })));
        let good = SecondTally {
            station: StationId::new("CF01"),
            counted: Counted::Good,
            counts: counts.collect(),
        };
        let run = Spell { offset_us: 0, us: MINUTE_US, class: TimeClass::Run };
        let (spells, tallies) = (vec![run], vec![good]);
        Ok(vec![Seconds { start_us: from_us, rev: 9, closed: true, spells, tallies }])
    }

    fn weights(&self, _: &LineId, _: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String> {
        Ok(Vec::new())
    }

    fn events(
        &self,
        _: &LineId,
        _: i64,
        to_us: i64,
        kinds: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String> {
        let stored = events(to_us).into_iter().filter(|event| kinds.contains(&event.kind));
        Ok((1..).zip(stored).collect())
    }

    fn stops(&self, _: &LineId, from_us: i64, _: i64) -> Result<StopRecord, String> {
        let at = |s: i64| Moment { utc_us: from_us + s * SECOND_US, mono_us: s * SECOND_US };
        let held = Stop {
            number: 7,
            from: at(10),
            to: Some(at(45)),
            cause: Cause::Internal,
            state: State::Held,
            reason: Some(1),
            key: KeyCause::Station(StationId::new("CF01")),
            flags: Flags::CUT_AFTER,
        };
        let candidates = ["BC05", "CW04"].map(StationId::new).into();
        let blocked = Stop {
            number: 8,
            from: at(400),
            to: None,
            cause: Cause::Blocked,
            state: State::Suspended,
            key: KeyCause::Undecided(candidates),
            flags: Flags::none(),
            ..held.clone()
        };
        let stops = vec![held, blocked];
        let act = Act::Split { part: PartId { stop: 7, cut: 0 }, after_us: 5 * SECOND_US };
        let (by, why) = ("li".into(), "two jams".into());
        let revisions = vec![Revision { number: 3, at_us: from_us, by, why, act }];
        let parts = apply(&stops, &revisions).map_err(|(_, refusal)| refusal.to_string())?;
        Ok(StopRecord { stops, parts, revisions })
    }

    fn stop(&self, line: &LineId, number: u64) -> Result<StopRecord, String> {
        let mut record = self.stops(line, 0, 0)?;
        record.stops.retain(|stop| stop.number == number);
        record.parts.retain(|part| part.of.contains(&number));
        Ok(record)
    }

    /// As the historian does it, but kept nowhere.
    fn revise(
        &self,
        line: &LineId,
        revision: Revision,
        seen: Option<u64>,
    ) -> Result<Result<u64, Refusal>, String> {
        let mut parts = self.stops(line, 0, 0)?.parts;
        let revision = Revision { number: 4, ..revision };
        let checked = check_seen(&parts, &revision.act, seen.unwrap_or(u64::MAX));
        Ok(checked.and_then(|()| revise(&mut parts, &revision)).map(|()| 4))
    }

    fn batch_entries(&self, _: &LineId, from_us: i64, _: i64) -> Result<Vec<Entry>, String> {
        Ok(vec![Entry {
            did: Did::Opened,
            id: "A".into(),
            start_us: from_us,
            at_us: from_us,
            product: "Vitamin C 500 mg".into(),
            by: "li".into(),
        }])
    }

    fn rollups(
        &self,
        _: &LineId,
        kind: PeriodKind,
        from_us: i64,
        _: i64,
    ) -> Result<Vec<Rollup>, String> {
        let tally = |counted, count| Tally { station: StationId::new("CF01"), counted, count };
        let counts = vec![
            tally(Counted::Infeed, Count::exact(391_200)),
            tally(Counted::Good, Count::between(389_000, 390_000, 390_000)),
            tally(Counted::Reject(Reason::new("dented")), Count::exact(900)),
        ];
        Ok(vec![Rollup {
            kind,
            name: "A".into(),
            start_us: from_us,
            end_us: Some(from_us + 2 * HOUR_US),
            rev: 4,
            closed: true,
            remark: (kind == PeriodKind::Batch).then_some(Remark::Matched),
            estimated: false,
            spending: Spending {
                time: TimeSplit([60, 20, 10, 24, 0, 6].map(|minutes| minutes * MINUTE_US)),
                setup_us: 4 * MINUTE_US,
                overlap_us: 0,
                order_us: 120 * MINUTE_US,
                failures: 2,
            },
            counts,
            gaps: vec![tally(Counted::Good, Count::between(11_000, 12_000, 12_000))],
        }])
    }

    fn counter(
        &self,
        _: &LineId,
        tag: &TagId,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<CounterRecord>, String> {
        if tag.as_str() != "CF01.Good[0]" {
            return Ok(None);
        }
        let baseline = Baseline {
            at: Moment { utc_us: from_us, mono_us: 0 },
            source_us: None,
            value: 44,
            seen: Seen::default(),
            total: Count::exact(50),
            segment: 1,
            segment_start: 65_530,
            segment_sum: 50,
            batch: BatchChange::default(),
            held: None,
            mapping: 0,
        };
        let kinds = [EventKind::Count];
        let entries = self.events(&LineId::new("L1"), from_us, to_us, &kinds)?;
        Ok(Some(CounterRecord { baseline, entries }))
    }
}

/// A record that cannot be read.
pub(super) struct Unreadable;

impl History for Unreadable {
    fn weights(&self, _: &LineId, _: (i64, i64)) -> Result<Vec<(i64, WeightTally)>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn minutes(&self, _: &LineId, _: i64, _: i64) -> Result<Vec<Minute>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn seconds(&self, _: &LineId, _: i64, _: i64) -> Result<Vec<Seconds>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn events(
        &self,
        _: &LineId,
        _: i64,
        _: i64,
        _: &[EventKind],
    ) -> Result<Vec<(i64, Event)>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn stops(&self, _: &LineId, _: i64, _: i64) -> Result<StopRecord, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn stop(&self, _: &LineId, _: u64) -> Result<StopRecord, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn revise(
        &self,
        _: &LineId,
        _: Revision,
        _: Option<u64>,
    ) -> Result<Result<u64, Refusal>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn batch_entries(&self, _: &LineId, _: i64, _: i64) -> Result<Vec<Entry>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn rollups(&self, _: &LineId, _: PeriodKind, _: i64, _: i64) -> Result<Vec<Rollup>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }

    fn counter(
        &self,
        _: &LineId,
        _: &TagId,
        _: i64,
        _: i64,
    ) -> Result<Option<CounterRecord>, String> {
        Err("/secret/path/journal.db is malformed".to_owned())
    }
}

/// Limits and incidents in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) limits: Mutex<Vec<Limits>>,
    pub(super) incidents: Mutex<Vec<StoredIncident>>,
}

impl QualityRecord for Memory {
    fn limits(&self, _: &LineId, of: &str) -> Result<Vec<Limits>, String> {
        let all = self.limits.lock().unwrap();
        Ok(all.iter().filter(|limits| &*limits.characteristic == of).cloned().collect())
    }

    fn add_limits(&self, _: &LineId, limits: Limits) -> Result<(), String> {
        self.limits.lock().unwrap().push(limits);
        Ok(())
    }

    fn decide_limits(&self, _: &LineId, limits: Limits) -> Result<(), String> {
        let mut all = self.limits.lock().unwrap();
        let key = (limits.characteristic.clone(), limits.version);
        let same = |l: &&mut Limits| (l.characteristic.clone(), l.version) == key;
        *all.iter_mut().find(same).ok_or("no such version")? = limits;
        Ok(())
    }

    fn incidents(&self, _: &LineId, _: (i64, i64)) -> Result<Vec<StoredIncident>, String> {
        Ok(self.incidents.lock().unwrap().clone())
    }

    fn add_work(&self, _: &LineId, incident: i64, work: Work) -> Result<bool, String> {
        let mut all = self.incidents.lock().unwrap();
        let found = all.iter_mut().find(|stored| stored.id == incident);
        Ok(found.map(|stored| stored.work.push(work)).is_some())
    }

    fn points(&self, _: &LineId, _: &str, _: (i64, i64)) -> Result<Vec<StoredPoint>, String> {
        Ok(Vec::new())
    }
}

/// A line on which batches are opened and closed by hand, and of which only the id of the open one is kept.
#[derive(Default)]
struct HandDesk(Mutex<Option<Arc<str>>>);

impl Desk for HandDesk {
    fn order(
        &self,
        _: &LineId,
        Order { act, by }: Order,
    ) -> BoxFuture<'static, Result<Result<Entry, hand::Refusal>, String>> {
        let mut open = self.0.lock().unwrap();
        let entry = |did, id| {
            let product = "".into();
            Ok(Ok(Entry { did, id, start_us: NOW_US, at_us: NOW_US, product, by }))
        };
        let done = match (act, open.clone()) {
            (hand::Act::Open { id, .. }, Some(open)) if open == id => {
                Ok(Err(hand::Refusal::AlreadyOpen(id)))
            }
            (hand::Act::Open { id, .. }, _) => {
                *open = Some(id.clone());
                entry(Did::Opened, id)
            }
            (hand::Act::Close { .. }, None) => Ok(Err(hand::Refusal::NoneOpen)),
            (hand::Act::Close { id: Some(asked) }, Some(open)) if open != asked => {
                Ok(Err(hand::Refusal::Other { asked, open }))
            }
            (hand::Act::Close { .. }, Some(id)) => {
                *open = None;
                entry(Did::Closed, id)
            }
        };
        Box::pin(async { done })
    }
}

struct NoGauges;

impl Gauges for NoGauges {
    fn render(&self) -> Vec<Gauge> {
        vec![Gauge {
            name: "capline_store_bytes",
            help: "Size of the journal",
            kind: GaugeKind::Gauge,
            labels: vec![("file", "journal".to_owned())],
            value: 4_096.0,
        }]
    }

    /// A stream that is three seconds late, and one of which only an outage's changes wait.
    fn forwarding(&self) -> Option<Forwarding> {
        let at_ms = Some(NOW_US / 1_000 - 3_000);
        let stream = |name, waiting, backlog| ForwardingStream {
            name,
            waiting,
            backlog,
            position: 17,
            acknowledged_ms: at_ms,
            ..ForwardingStream::default()
        };
        Some(Forwarding {
            state: "forwarding",
            trouble: None,
            streams: vec![stream("event", 5, 2), stream("record", 7, 7)],
        })
    }

    fn histograms(&self) -> Vec<Histogram> {
        let of = |group: &str| Histogram {
            name: "capline_poll_lateness_seconds",
            help: "How late",
            labels: vec![("group", group.to_owned())],
            buckets: vec![(0.000_05, 3), (0.001, 4), (f64::INFINITY, 1)],
            sum: 0.25,
        };
        vec![of("fast"), of("slow")]
    }
}

/// An app around a line, and what its status is sent with.
pub(super) fn app(
    clock: Clock,
    history: Arc<dyn History>,
) -> (App, watch::Sender<Option<Arc<LineStatus>>>) {
    app_with(clock, history, Arc::new(Memory::default()), true)
}

/// The same with a record of limits and incidents, which may be written or not.
pub(super) fn app_with(
    clock: Clock,
    history: Arc<dyn History>,
    quality: Arc<dyn QualityRecord>,
    writes: bool,
) -> (App, watch::Sender<Option<Arc<LineStatus>>>) {
    app_of(line(), clock, history, quality, writes)
}

/// The same around another line.
pub(super) fn app_of(
    config: LineConfig,
    clock: Clock,
    history: Arc<dyn History>,
    quality: Arc<dyn QualityRecord>,
    writes: bool,
) -> (App, watch::Sender<Option<Arc<LineStatus>>>) {
    let (sender, status) = watch::channel(None);
    let app = App::new(AppParts {
        quality,
        writes,
        site: "Taizhou works".to_owned(),
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
        clock,
        simulated: true,
        config_sha256: "c0ffee".to_owned(),
        lines: vec![LineFeed { config, status }],
        history,
        reports: Arc::new(Reports::default()),
        desk: Arc::new(HandDesk::default()),
        calls: Arc::new(super::tests::andon::Andon::default()),
        alerts: Arc::new(super::tests::andon::Andon::default()),
        reloads: Arc::new(NoReloads),
        gauges: Arc::new(NoGauges),
    });
    (app, sender)
}

/// A configuration that has a mistake whenever it is read again.
struct NoReloads;

impl Reloads for NoReloads {
    fn reload(&self, by: String) -> BoxFuture<'static, Result<Reload, String>> {
        let told =
            "plant.toml:7: [[line]] L1: target_per_minute must be from 1 to 10000000, found 0";
        let outcome = ReloadOutcome::Refused(vec![told.to_owned()]);
        let (before, after) = ("c0ffee".to_owned(), "c0ffee".to_owned());
        Box::pin(async { Ok(Reload { at_us: NOW_US, by, before, after, outcome }) })
    }

    fn last(&self) -> Option<Reload> {
        None
    }
}

/// Final reports and words on gaps, kept in memory.
#[derive(Default)]
struct Reports {
    notes: Mutex<Vec<GapNote>>,
    finals: Mutex<Vec<(FinalReport, Vec<u8>)>>,
}

impl ReportRecord for Reports {
    fn gap_notes(&self, _: &LineId, gaps: &[GapId]) -> Result<Vec<GapNote>, String> {
        let notes = self.notes.lock().unwrap();
        Ok(notes.iter().filter(|note| gaps.contains(&note.gap)).cloned().collect())
    }

    fn add_gap_notes(&self, _: &LineId, notes: Vec<GapNote>) -> Result<(), String> {
        self.notes.lock().unwrap().extend(notes);
        Ok(())
    }

    fn final_reports(&self, _: &LineId, span: (i64, i64)) -> Result<Vec<FinalReport>, String> {
        let finals = self.finals.lock().unwrap();
        let inside = |report: &&FinalReport| (span.0..span.1).contains(&report.start_us);
        Ok(finals.iter().rev().map(|(report, _)| report).filter(inside).cloned().collect())
    }

    fn final_page(&self, _: &LineId, number: i64) -> Result<Option<Vec<u8>>, String> {
        let finals = self.finals.lock().unwrap();
        let found = finals.iter().find(|(report, _)| report.number == number);
        Ok(found.map(|(_, page)| page.clone()))
    }

    fn add_final_report(
        &self,
        _: &LineId,
        report: FinalReport,
        page: Vec<u8>,
    ) -> Result<Option<FinalReport>, String> {
        let mut finals = self.finals.lock().unwrap();
        let same = |(other, _): &(FinalReport, Vec<u8>)| {
            (other.start_us, other.version) == (report.start_us, report.version)
        };
        if finals.iter().any(same) {
            return Ok(None);
        }
        let page_sha256 = domain::digest::sha256(&page);
        let report = FinalReport { number: finals.len() as i64 + 1, page_sha256, ..report };
        finals.push((report.clone(), page));
        Ok(Some(report))
    }
}

/// Where the case shown by a server for eyes is read from, if anywhere.
pub(super) fn case_file() -> Option<PathBuf> {
    std::env::var_os("CAPLINE_WEB_CASE").map(PathBuf::from)
}
