//! What views show of a status.

use domain::quality::characteristic::Measure;
use domain::quality::overview::Overview;
use domain::spc::chart::Point;
use domain::spc::rules::RuleId;
use domain::stats::comparison::Dispersion;
use domain::units::{Reason, StationId};

use super::*;
use crate::web::view::RejectView;

#[test]
fn counts_keep_their_interval_and_differences_get_one() {
    let mut status = fixture::status(now(), Case::Running);
    let shift = status.shift.as_mut().unwrap();
    shift.good = Count::between(812_400, 812_460, 812_900);
    shift.target_now = 829_000;
    let shift = view(&status, NOW_US).shift.unwrap();
    let good = shift.good.unwrap();
    assert_eq!((good.best, good.low, good.high), (812_460, 812_400, 812_900));
    let difference = shift.difference.unwrap();
    assert_eq!((difference.best, difference.low, difference.high), (-16_540, -16_600, -16_100));
    assert!(!shift.behind, "two percent behind is not abnormal");
}

#[test]
fn behind_needs_every_value_of_the_interval_to_be() {
    let mut status = fixture::status(now(), Case::Running);
    let shift = status.shift.as_mut().unwrap();
    (shift.good, shift.target_now) = (Count::between(800, 900, 949), 1_000);
    assert!(view(&status, NOW_US).shift.unwrap().behind);
    status.shift.as_mut().unwrap().good = Count::between(800, 900, 950);
    assert!(!view(&status, NOW_US).shift.unwrap().behind);
}

#[test]
fn a_side_is_told_only_where_all_of_the_interval_lies_on_it() {
    let mut status = fixture::status(now(), Case::Running);
    for (good, side) in [
        (Count::between(900, 950, 999), "behind"),
        (Count::between(900, 950, 1_000), "behind"),
        (Count::between(900, 950, 1_001), "undecided"),
        (Count::between(999, 1_100, 1_200), "undecided"),
        (Count::between(1_000, 1_100, 1_200), "ahead"),
        (Count::exact(1_001), "ahead"),
        (Count::exact(1_000), "level"),
    ] {
        let shift = status.shift.as_mut().unwrap();
        (shift.good, shift.target_now) = (good, 1_000);
        assert_eq!(view(&status, NOW_US).shift.unwrap().side, Some(side), "{good:?}");
    }
    status.shift.as_mut().unwrap().read = false;
    assert_eq!(view(&status, NOW_US).shift.unwrap().side, None);
}

#[test]
fn what_does_not_balance_is_told_with_its_place_and_else_nothing_is() {
    let mut status = fixture::status(now(), Case::Running);
    let told = |status: &LineStatus| serde_json::to_value(view(status, NOW_US)).unwrap();
    assert!(told(&status)["shift"].get("unbalanced").is_none());
    let places = vec![vec!["CF01".to_owned()], vec!["CF01".to_owned(), "CW04".to_owned()]];
    status.shift.as_mut().unwrap().unbalanced = places;
    let expected = serde_json::json!([["CF01"], ["CF01", "CW04"]]);
    assert_eq!(told(&status)["shift"]["unbalanced"], expected);
}

#[test]
fn an_event_tells_how_long_it_lasted_where_it_is_a_span() {
    let events = view(&fixture::status(now(), Case::Running), NOW_US).events;
    assert!(events.iter().any(|event| event.lasted_ms.is_some()));
    for event in events {
        assert_eq!(event.lasted_ms, event.from_ms.map(|from_ms| event.at_ms - from_ms));
    }
}

#[test]
fn numbers_are_rounded_once_and_in_rust() {
    let mut status = fixture::status(now(), Case::Running);
    status.speeds[1].per_minute = Some(6_484.6);
    status.speeds[1].plus_minus = 49.2;
    status.plc_speed = Some(6_499.96);
    let view = view(&status, NOW_US);
    assert_eq!(view.speeds[1].window, "1m");
    assert_eq!((view.speeds[1].per_minute, view.speeds[1].plus_minus), (Some(6_485), 50));
    assert_eq!(view.plc_speed, Some(6_500.0));
}

#[test]
fn what_is_no_number_is_not_shown_as_one() {
    let mut status = fixture::status(now(), Case::Running);
    status.plc_speed = Some(f64::NAN);
    status.speeds[0].per_minute = None;
    status.shift.as_mut().unwrap().plan = 0;
    let view = view(&status, NOW_US);
    assert_eq!(view.plc_speed, None);
    assert_eq!(view.speeds[0].per_minute, None);
    assert_eq!(view.shift.unwrap().plan_percent, None);
}

#[test]
fn a_gap_is_never_rounded_away() {
    let mut status = fixture::status(now(), Case::Running);
    for (coverage, shown) in
        [(1.0, 100.0), (0.99999, 99.9), (0.5, 50.0), (0.00001, 0.1), (0.0, 0.0)]
    {
        status.hours[0].coverage = coverage;
        let hour = view(&status, NOW_US).hours.swap_remove(0);
        assert_eq!(hour.known_percent, shown, "{coverage}");
        let unknown = (1.0 - coverage) * 390_000.0;
        let shown = hour.unknown.map_or(0.0, |n| n as f64);
        assert!((shown - unknown).abs() <= 0.5, "{coverage}: {shown}");
        assert_eq!(hour.unknown.is_none(), coverage == 1.0);
    }
}

#[test]
fn counts_of_a_gap_stand_in_their_hour_and_are_told_apart() {
    let mut status = fixture::status(now(), Case::Running);
    status.hours[0].good = Count::exact(1_000);
    status.hours[0].gap = Count::between(90, 100, 130);
    let hours = view(&status, NOW_US).hours;
    let good = hours[0].good.unwrap();
    assert_eq!((good.best, good.high), (1_100, 1_130));
    assert_eq!(hours[0].gap.unwrap().best, 100);
    assert_eq!(hours[0].counted, Some(1_000));
    assert!(hours[1].gap.is_none());
}

/// Shows: SCR-01
#[test]
fn unknown_beats_all_when_the_line_stops_reporting() {
    let status = fixture::status(now(), Case::Running);
    let fresh = view(&status, NOW_US + STALE_MS * 1_000);
    assert_eq!((fresh.state.word, fresh.feed), ("execute", "current"));
    let stale = view(&status, NOW_US + STALE_MS * 1_000 + 1_000);
    assert_eq!((stale.state.word, stale.state.class), ("unknown", "unknown"));
    assert!(stale.stations.iter().all(|station| station.state.word == "unknown"));
    assert_eq!((stale.feed, stale.state.last), ("stalled", "execute"));
    assert_eq!(stale.state.for_ms, fresh.state.for_ms, "its duration stops counting");
}

#[test]
fn an_accelerated_line_is_stale_after_the_same_real_time() {
    let status = fixture::status(now(), Case::Running);
    let zone = jiff::tz::TimeZone::UTC;
    let at = |us: i64| Present { now: fixture::moment(NOW_US + us), speed: 60.0, zone: &zone };
    let feed = |us: i64| LineView::new(&fixture::line(), Some(&status), &at(us)).feed;
    assert_eq!(feed(200 * SECOND_US), "current");
    assert_eq!(feed(300 * SECOND_US), "stalled");
}

#[test]
fn before_the_first_status_everything_is_unknown_and_nothing_is_zero_by_guess() {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    let view = LineView::new(&fixture::line(), None, &present(&zone, NOW_US));
    assert_eq!((view.feed, view.state.word, view.state.since_ms), ("waiting", "unknown", None));
    assert!(view.shift.is_none() && view.speeds.is_empty() && view.stations.is_empty());
    assert_eq!(view.offset_s, 8 * 3_600);
}

/// Shows: SCR-02
#[test]
fn a_device_that_is_down_is_another_fault_than_bad_tags() {
    let offline = view(&fixture::status(now(), Case::Offline), NOW_US);
    assert_eq!((offline.feed, offline.state.word), ("current", "unknown"));
    assert_eq!(offline.state.last, "execute");
    let fault = &offline.faults[0];
    assert_eq!(
        (fault.kind, fault.station.as_str(), fault.reason),
        ("plc_offline", "CF01", "timeout")
    );
    assert!(fault.counts && fault.heard);
    assert_eq!(offline.stations[0].state.word, "unknown");
    let all = offline.stations.len();
    assert_eq!((offline.links.up, offline.links.of), (all - 1, all));
    let bad = view(&fixture::status(now(), Case::BadTag), NOW_US);
    assert_eq!(bad.state.word, "execute");
    assert_eq!(bad.faults[0].kind, "bad_data");
    // Each tag has an age of its own.
    let ages: Vec<_> = bad.faults[0].tags.iter().map(|bad| (&*bad.tag, bad.for_ms)).collect();
    assert_eq!(ages, [("CW04.Mean", 12_000), ("CW04.StdDev", 5_000)]);
    assert_eq!(bad.stations[3].bad_tags, bad.faults[0].tags);
    let never = view(&fixture::status(now(), Case::NeverHeard), NOW_US);
    assert!(!never.faults[0].heard && !never.faults[0].address.is_empty());
}

#[test]
fn charts_are_in_percent_and_compare_with_the_plain_chart() {
    let charts = fixture::overview(now());
    let chart = ChartView::of(charts.reject_fraction.as_ref().unwrap());
    let limits = chart.limits.as_ref().unwrap();
    assert_eq!((limits.center, chart.subgroup_minutes), (Some(0.43), 15));
    assert_eq!((limits.version, limits.state, limits.subgroups), (3, "approved", 312));
    let found = |rule: &str| chart.points.iter().any(|point| point.rules.contains(&rule));
    assert!(found("N1") && found("N2"));
    for (rule, n) in &chart.by_rule {
        let points = chart.points.iter().filter(|point| point.rules.contains(rule));
        assert_eq!(points.count(), *n, "{rule}");
    }
    let rules: BTreeSet<&str> = chart.points.iter().flat_map(|p| p.rules.clone()).collect();
    assert_eq!(rules, chart.by_rule.iter().map(|(rule, _)| *rule).collect());
    let judged = &charts.reject_fraction.as_ref().unwrap().judged;
    let beyond = |plain: &&Point| plain.hits.contains(RuleId::N1);
    assert_eq!(
        chart.plain_signals,
        judged.iter().filter_map(|one| one.plain.as_ref()).filter(beyond).count()
    );
    assert!(chart.plain_signals >= 1);
    // One of the 58 subgroups is missing: the span has its time all the same.
    assert_eq!((chart.n_judged, chart.span_hours), (chart.n_whole, 14.5));
    // A point below the lower limit of a plain chart is outside as well: the workbench counts it.
    let mut low = charts.reject_fraction.clone().unwrap();
    let inside = |plain: &Point| plain.stat < plain.ucl && plain.stat > plain.lcl;
    let mut points = low.judged.iter_mut().filter_map(|judged| judged.plain.as_mut());
    let point = points.find(|plain| plain.z.is_some() && inside(plain)).unwrap();
    point.stat = Some(0.0);
    assert_eq!(ChartView::of(&low).plain_signals, chart.plain_signals + 1);
}

/// Without limits in force nothing is judged, however many subgroups there are: no screen makes limits of its own.
#[test]
fn no_limits_are_made_by_a_screen() {
    let mut charts = fixture::overview(now());
    let judged = view(&fixture::status(now(), Case::Running), NOW_US).with_charts(Some(&charts));
    let judged = judged.reject.recent.unwrap();
    assert!(judged.ucl.is_some() && judged.version == 3);
    let chart = charts.reject_fraction.as_mut().unwrap();
    let minutes: Vec<_> = chart.judged.iter().map(|judged| judged.subgroup.clone()).collect();
    let by = domain::quality::workbench::By::Nothing;
    let plotted = domain::quality::workbench::evaluate(&chart.characteristic, &minutes, by).judged;
    (chart.judged, chart.limits) = (plotted, None);
    let view = ChartView::of(chart);
    assert!(view.n_whole > 25 && view.limits.is_none() && view.signals == 0);
    assert!(view.points.iter().all(|point| point.ucl.is_none() && point.version == 0));
}

#[test]
fn the_shift_says_that_its_rejects_include_what_is_ejected_after_a_start() {
    let status = fixture::status(now(), Case::Running);
    let zone = jiff::tz::TimeZone::UTC;
    let of = |config: &crate::config::LineConfig| {
        LineView::new(config, Some(&status), &present(&zone, NOW_US)).reject.with_startup
    };
    assert!(of(&fixture::kept::line()), "the shipped map counts start-up discards");
    assert!(!of(&fixture::line()), "the negative control: a map that counts none");
}

#[test]
fn incidents_are_told_by_the_rule_that_counts_most() {
    let incident = |rule: domain::spc::rules::RuleId| domain::quality::signal::Incident {
        characteristic: "speed".into(),
        version: 1,
        opened_us: 0,
        last_us: 0,
        rules: domain::spc::rules::Hits::NONE.with(rule),
        companion: domain::spc::rules::Hits::NONE,
        n_points: 1,
        level: domain::quality::signal::Level::Study,
        over: false,
    };
    let mut charts = fixture::overview(now());
    let (n1, n2) = (domain::spc::rules::RuleId::N1, domain::spc::rules::RuleId::N2);
    charts.open = Some([n1, n2, n2].map(incident).into());
    let status = fixture::status(now(), Case::Running);
    let shown = view(&status, NOW_US).with_charts(Some(&charts)).incidents.unwrap();
    assert_eq!((shown.beyond, shown.others), (1, 2));
    charts.open = None;
    assert_eq!(view(&status, NOW_US).with_charts(Some(&charts)).incidents, None, "of the past");
}

/// Where nothing was read nothing is counted, and nothing is judged: an unknown number is no zero.
/// Shows: SCR-01
#[test]
fn a_shift_that_was_never_read_has_no_numbers_and_no_verdict() {
    let mut status = fixture::status(now(), Case::NeverHeard);
    let never = view(&status, NOW_US);
    let shift = never.shift.unwrap();
    assert_eq!((shift.good, shift.difference, shift.rejected), (None, None, None));
    assert_eq!((shift.behind, shift.oee.clone(), shift.plan_percent), (false, None, None));
    assert_eq!((never.reject.percent, never.reject.total), (None, None));
    assert!(never.hours.iter().all(|hour| hour.good.is_none() && !hour.behind));
    let filler = &never.stations[0];
    assert_eq!((filler.infeed, filler.good, filler.rejected), (None, None, None));
    // The negative control: were it read, these would be zeros, and far behind.
    let shift = status.shift.as_mut().unwrap();
    shift.read = true;
    let shift = view(&status, NOW_US).shift.unwrap();
    assert!(shift.behind && shift.good.unwrap().best == 0);
}

#[test]
fn oee_comes_with_what_it_can_be() {
    let oee = view(&fixture::status(now(), Case::Running), NOW_US).shift.unwrap().oee.unwrap();
    assert!(oee.low <= oee.percent && oee.percent <= oee.high, "{oee:?}");
    assert!(
        oee.low < oee.high && oee.coverage_percent < 100.0,
        "four minutes are unknown: {oee:?}"
    );
}

#[test]
fn stops_of_the_trend_come_from_the_record_and_the_latest_events_once_each() {
    let mut status = fixture::status(now(), Case::Running);
    let latest = status.events.iter().find(|event| event.kind == EventKind::Stop).unwrap().clone();
    let at = |minutes_ago: i64| NOW_US - minutes_ago * MINUTE_US;
    let stop = |from: i64, to: i64| {
        let (from_us, at_us) = (Some(at(from)), at(to));
        domain::line::event::Event { from_us, at_us, ..latest.clone() }
    };
    // Many newer events push a stop out of the latest; what ended before the trend is not drawn.
    status.events.insert(0, stop(3, 2));
    let stored = [stop(90, 80), stop(50, 49), latest.clone()];
    let stops = ChartsView::new(&fixture::line(), Some(&status), None, &stored).stops;
    let ends: Vec<i64> = stops.iter().map(|stop| stop.to_ms * 1_000).collect();
    assert_eq!(ends, [at(49), latest.at_us, at(2)]);
    assert!(stops.iter().all(|stop| stop.class == latest.word));
}

#[test]
fn an_hour_that_nobody_watched_is_neither_target_nor_behind() {
    let mut status = fixture::status(now(), Case::Running);
    for hour in &mut status.hours {
        (hour.good, hour.gap) = (Count::exact(100_000), Count::ZERO);
    }
    let unwatched = &mut status.hours[0];
    (unwatched.watched, unwatched.target, unwatched.coverage) = (false, 0, 0.0);
    unwatched.read = false;
    status.hours[1].target = 30 * 6_500;
    let view = view(&status, NOW_US);
    let hours = &view.hours;
    assert_eq!((hours[0].watched, hours[0].target, hours[0].behind), (false, 0, false));
    assert_eq!((hours[1].watched, hours[1].target, hours[1].behind), (true, 30 * 6_500, true));
    let (shift, of) = (view.shift.unwrap(), status.shift.unwrap());
    assert_eq!((shift.target_now, shift.plan), (of.target_now, of.plan), "as the domain says");
    let (difference, good) = (shift.difference.unwrap(), shift.good.unwrap());
    assert_eq!(difference.best, good.best as i64 - shift.target_now as i64);
}

#[test]
fn counts_of_nothing_do_not_push_events_out() {
    let mut status = fixture::status(now(), Case::Running);
    let shown = view(&status, NOW_US).events;
    let mut nothing = status.events[0].clone();
    (nothing.kind, nothing.word) = (EventKind::Count, "first".to_owned());
    for count in [None, Some(Count::ZERO)] {
        nothing.count = count;
        status.events.insert(0, nothing.clone());
    }
    assert_eq!(view(&status, NOW_US).events, shown);
    nothing.count = Some(Count::between(0, 0, 1));
    status.events.insert(0, nothing);
    assert_eq!(view(&status, NOW_US).events[0].word, "first");
}

#[test]
fn a_view_is_small_enough_to_be_sent_twice_a_second() {
    let json = serde_json::to_vec(&view(&fixture::status(now(), Case::Running), NOW_US)).unwrap();
    // Five stations and seven hours of a shift, and what intervals and charts rest on.
    assert!(json.len() < 7_900, "{} bytes", json.len());
}

/// An interval beside a reason that varies more than chance is as wide as its control chart has seen it.
#[test]
fn the_interval_of_a_reason_is_as_wide_as_its_chart_has_seen_it() {
    let shown = view(&fixture::status(now(), Case::Running), NOW_US);
    let row = shown.rejects.iter().find(|row| row.rejected.best > 50).expect("a reason").clone();
    let measure = Measure::Reject {
        station: StationId::new(row.station.as_str()),
        reason: Reason::new(row.reason.as_str()),
    };
    let with = |ratio: f64| {
        let spread = vec![(measure.clone(), Dispersion { ratio, df: 1_000_000 })];
        let charts = Overview { spread, ..fixture::overview(now()) };
        let shown = shown.clone().with_charts(Some(&charts));
        let own = |one: &&RejectView| one.station == row.station && one.reason == row.reason;
        let others = shown.rejects.iter().filter(|one| !own(one)).all(|one| one.sigma_z.is_none());
        assert!(others, "only what is known to vary is wider");
        shown.rejects.iter().find(own).unwrap().clone()
    };
    let width = |row: &RejectView| row.wilson.map(|[low, high]| high - low).unwrap();
    let chance = with(1.0);
    assert_eq!((chance.sigma_z, chance.wilson), (None, row.wilson));
    let wide = with(9.0);
    assert_eq!(wide.sigma_z, Some(3.0));
    assert!(width(&wide) > 2.0 * width(&chance), "{wide:?}");
}
