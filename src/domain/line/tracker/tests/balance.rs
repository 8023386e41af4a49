//! A sensor that counts twice is found by the tracker and named; a clean line stays quiet.

use super::line::{line_of, poll};
use super::script::moment;
use crate::line::event::{Event, EventKind};
use crate::line::minute::Counted;
use crate::line::rollup::PeriodKind;
use crate::line::stop::Cause;
use crate::line::stop::key_cause::KeyCause;
use crate::line::tracker::{Carry, Changes, LineTracker};
use crate::plc_map::filler_map;
use crate::reading::Snapshot;
use crate::units::{Count, Reason, StationId};

const MAP: &str = filler_map!(
    r#"step = 50
inside = 900
[modbus]
unit = 1
[groups]
fast = "1s"
[states]
3 = "execute"
4 = "suspended"
[stop_reasons]
4 = { en = "downstream blocked", zh = "下游堵料", cause = "blocked" }
[[tag]]
id = "state"
register = "holding 0"
type = "u16"
role = "state"
[[tag]]
id = "reason"
register = "holding 1"
type = "u16"
role = "stop_reason"
[[tag]]
id = "in"
register = "holding 2"
type = "u32"
role = "infeed"
resets = "never"
[[tag]]
id = "good"
register = "holding 4"
type = "u32"
role = "good"
resets = "never"
[[tag]]
id = "metal"
register = "holding 6"
type = "u16"
role = "reject:metal"
resets = "never"
capsules_least = 10
capsules_most = 60
"#
);

fn tracker() -> LineTracker {
    LineTracker::new(line_of(&[MAP]), moment(0.0), Carry::default())
}

/// Runs for some minutes at 6,000 a minute with 600 capsules inside; `good` is what the sensor shows of what came out.
/// A metal event dumps 35 capsules every quarter of an hour.
fn run(minutes: u64, good: impl Fn(u64) -> u64) -> (Vec<Event>, Changes) {
    let mut tracker = tracker();
    let mut alarms = Vec::new();
    let mut last = Changes::default();
    for second in 0..minutes * 60 {
        let made = second * 100;
        let metal = second / 900;
        let out = made.saturating_sub(600).saturating_sub(35 * metal);
        tracker.advance(&poll(second as f64, &[3, 0, made, good(out), metal]));
        if second % 10 == 0 {
            tracker.check(moment(second as f64));
            last = tracker.take_changes();
            let events = std::mem::take(&mut last.events);
            alarms.extend(events.into_iter().filter(|event| event.kind == EventKind::Alarm));
        }
    }
    (alarms, last)
}

#[test]
fn a_clean_line_is_quiet_for_two_days() {
    let (alarms, _) = run(2 * 24 * 60, |out| out);
    assert_eq!(alarms, []);
}

#[test]
fn one_percent_counted_twice_is_an_alarm_within_the_hour() {
    let (alarms, _) = run(60, |out| out + out / 100);
    let alarm = alarms.first().expect("an alarm");
    assert_eq!((alarm.word.as_str(), &alarm.station), ("miscount", &Some(StationId::new("CF01"))));
    assert!(alarm.detail.contains("good counts too much"), "{}", alarm.detail);
    // 60 capsules a minute too many against room for 900, and against what metal events leave open.
    let minutes = (alarm.at_us - moment(0.0).utc_us) / 60_000_000;
    assert!(minutes <= 2 * 900 / 60, "after {minutes} min");
}

#[test]
fn counts_of_a_shift_that_contradict_each_other_are_told_with_their_place() {
    let told = |good: fn(u64) -> u64| {
        let mut tracker = tracker();
        for second in 0..1_800_u64 {
            let made = second * 100;
            let out = good(made.saturating_sub(600));
            tracker.advance(&poll(second as f64, &[3, 0, made, out, 0]));
            tracker.check(moment(second as f64));
        }
        tracker.status(moment(1_800.0)).shift.expect("a shift").unbalanced
    };
    assert_eq!(told(|out| out), Vec::<Vec<String>>::new());
    // 1,194 more came out than went in, and 900 have room.
    assert_eq!(told(|out| out + out / 100), [["CF01"]]);
}

#[test]
fn metal_events_are_booked_as_an_interval_of_capsules() {
    let (_, last) = run(46, |out| out);
    let hour = last.rollups.iter().find(|rollup| rollup.kind == PeriodKind::Hour).expect("an hour");
    let metal = Counted::Reject(Reason::new("metal"));
    let station = StationId::new("CF01");
    assert_eq!(hour.count(&station, &metal), Count::between(30, 105, 180));
}

#[test]
fn the_reason_tells_on_which_side_the_cause_lies() {
    let mut tracker = tracker();
    for second in 0..30 {
        let values = if second < 10 { [3, 0, 0, 0, 0] } else { [4, 4, 0, 0, 0] };
        tracker.advance(&poll(second as f64, &values));
    }
    let stops = tracker.take_changes().stops;
    let shown: Vec<_> = stops.iter().map(|stop| (stop.cause, stop.reason, &stop.key)).collect();
    assert_eq!(shown, [(Cause::Blocked, Some(4), &KeyCause::Undecided(Vec::new()))]);
}

/// A map with room for 600 capsules in the machine and for 600 behind it, and these counters of `u32`.
fn map_of(station: &str, roles: &[&str]) -> String {
    let head = format!(
        "[machine]\nstation = \"{station}\"\ntitle = {{ en = \"a\", zh = \"a\" }}\nprotocol = \"modbus\"\n\
         max_per_minute = 6500\nstep = 50\ninside = 600\nafter = 600\n[modbus]\nunit = 1\n\
         [groups]\nfast = \"1s\"\n[states]\n3 = \"execute\"\n\
         [[tag]]\nid = \"{station}.state\"\nregister = \"holding 0\"\ntype = \"u16\"\nrole = \"state\"\n"
    );
    let tags = roles.iter().enumerate().map(|(i, role)| {
        let at = 2 * i + 2;
        let per =
            if role.contains("metal") { "capsules_least = 10\ncapsules_most = 60\n" } else { "" };
        format!(
            "[[tag]]\nid = \"{station}.{}\"\nregister = \"holding {at}\"\ntype = \"u32\"\n\
             role = \"{role}\"\nresets = \"never\"\n{per}",
            role.replace(':', "_")
        )
    });
    std::iter::once(head).chain(tags).collect()
}

/// Alarms of two days of a polisher and a weigher with a metal detector between them, which dumps 40 capsules every three
/// minutes; `told` is how many of its openings it shows.
fn alarms_between(told: impl Fn(u64) -> u64) -> Vec<Event> {
    let maps =
        [map_of("PS02", &["good"]), map_of("MD03", &["reject:metal"]), map_of("CW04", &["infeed"])];
    let maps: Vec<&str> = maps.iter().map(String::as_str).collect();
    let mut tracker = LineTracker::new(line_of(&maps), moment(0.0), Carry::default());
    let mut alarms = Vec::new();
    for second in 0..2 * 24 * 3_600_u64 {
        let (made, metal) = (second * 100, second / 180);
        let arrived = made.saturating_sub(300).saturating_sub(40 * metal);
        for (device, value) in (0..).zip([made, told(metal), arrived]) {
            let snapshot = poll(second as f64, &[3, value]);
            tracker.advance(&Snapshot { device, ..snapshot });
        }
        if second % 10 == 0 {
            tracker.check(moment(second as f64));
            let events = tracker.take_changes().events;
            alarms.extend(events.into_iter().filter(|event| event.kind == EventKind::Alarm));
        }
    }
    alarms
}

#[test]
fn what_a_machine_between_two_others_rejects_is_no_miscount() {
    assert_eq!(alarms_between(|metal| metal), []);
    // One opening in seven is not told: 38,400 capsules in two days, of which 60 a told one explain less.
    let alarms = alarms_between(|metal| metal / 7);
    let alarm = alarms.first().expect("an alarm");
    assert_eq!(alarm.word, "miscount");
    assert!(alarm.detail.contains("MD03.reject_metal counts too little"), "{}", alarm.detail);
}
