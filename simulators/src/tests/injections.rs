//! What each fault of the catalogue does, and that nothing happens without it.

use std::collections::BTreeSet;

use crate::{
    CHANGEOVER, Fault, Happens, InjectError, Injection, Model, ModelConfig, Preset, RejectClass,
    Side, State, StopRecord,
    registers::address,
    tests::{HOUR_US, MINUTE_US},
};

const SECOND_US: i64 = 1_000_000;

fn injection(fault: Fault, from_us: i64, for_us: Option<i64>, value: Option<f64>) -> Injection {
    Injection::new(fault, from_us, for_us, value).unwrap()
}

/// A steady plant with faults, and the same without.
fn with(faults: &[Injection], plant_us: i64) -> [Model; 2] {
    let config = ModelConfig::default();
    let (mut spoilt, mut sound) = (Model::new(config), Model::new(config));
    faults.iter().for_each(|fault| spoilt.inject(*fault));
    spoilt.advance_to(plant_us);
    sound.advance_to(plant_us);
    [spoilt, sound]
}

fn u32_at(model: &Model, at: usize) -> u64 {
    let registers = model.holding_registers(1);
    u64::from(registers[at]) * 65_536 + u64::from(registers[at + 1])
}

fn at(model: &Model, at: usize) -> u16 {
    model.holding_registers(1)[at]
}

#[test]
fn every_fault_has_one_name_and_both_languages() {
    let names: BTreeSet<String> = Fault::ALL.map(Fault::name).into();
    assert_eq!(names.len(), Fault::ALL.len());
    for fault in Fault::ALL {
        let entry = fault.entry();
        assert_eq!(Fault::named(&fault.name()), Ok(fault));
        assert!(!entry.title.zh.is_ascii(), "{entry:?}");
        assert!(entry.title.en.is_ascii() && entry.does.en.ends_with('.'), "{entry:?}");
        assert!(entry.does.zh.ends_with('。'), "{entry:?}");
        assert_eq!(entry.duration.is_some(), entry.happens == Happens::Switch, "{entry:?}");
        for figure in entry.duration.iter().chain(&entry.value) {
            assert!((figure.least..=figure.most).contains(&figure.default), "{entry:?}");
        }
    }
    let unknown = Fault::named("comm_loss").unwrap_err();
    assert!(unknown.contains("\"comm_loss\"") && unknown.contains("comms_loss"), "{unknown}");
}

#[test]
fn what_a_fault_does_not_take_is_refused() {
    let refused = |fault, for_us, value| Injection::new(fault, 0, for_us, value).unwrap_err();
    let text = refused(Fault::Jam, Some(SECOND_US), None).to_string();
    assert_eq!(text, "jam: it takes no duration; leave out 1");
    let text = refused(Fault::LateReplies, None, Some(-5.0)).to_string();
    assert_eq!(text, "late_replies: value -5: between 1 and 60000 ms are possible");
    for code in 1..=11 {
        let code = f64::from(code);
        let said =
            Injection::new(Fault::Exception, 0, None, Some(code)).map_err(|no| no.to_string());
        let wanted = format!(
            "exception: value {code}: Modbus has no such code; 1 to 6, 8, 10 and 11 are possible"
        );
        assert_eq!(said.err(), [7.0, 9.0].contains(&code).then_some(wanted), "{code}");
    }
    let text = refused(Fault::Exception, None, Some(4.5)).to_string();
    assert!(text.starts_with("exception: value 4.5: Modbus has no such code"), "{text}");
    for fault in Fault::ALL.into_iter().filter(|fault| fault.entry().side == Side::Service) {
        assert_eq!(refused(fault, None, None), InjectError::OfTheService(fault));
    }
    let at_start = refused(Fault::CounterWrap, None, None);
    assert_eq!(at_start, InjectError::AtStart(Fault::CounterWrap));
    let way = "whose file has [[inject]] fault = \"counter_wrap\" at_s = 0 value = 500, or its counters under [start]";
    assert!(at_start.to_string().ends_with(way), "{at_start}");
}

#[test]
fn a_burst_of_capsules_that_do_not_part_lasts_as_long_as_it_is_told() {
    let burst = injection(Fault::EmptyCapsuleBurst, HOUR_US, Some(20 * MINUTE_US), Some(6.0));
    let [before, sound] = with(&[burst], HOUR_US - 1);
    assert_eq!(before.ledger(), sound.ledger(), "nothing happens before");
    let [during, sound] = with(&[burst], HOUR_US + 20 * MINUTE_US);
    let unseparated = |model: &Model| model.ledger().rejects[&RejectClass::Unseparated];
    let more = unseparated(&during) - unseparated(&sound);
    // 130,000 capsules, 6 % of them; 8 standard deviations.
    assert!((7_800_i64 - more as i64).abs() < 700, "{more}");
    let [falling, _] = with(&[burst], HOUR_US + 10 * MINUTE_US);
    assert_eq!(at(&falling, address::VACUUM) as i16, -380);
    let [after, sound] = with(&[burst], 2 * HOUR_US);
    assert_eq!(unseparated(&after) - unseparated(&sound), more, "and no longer");
}

#[test]
fn a_jam_stops_the_filler_for_as_long_as_it_is_told() {
    let [jammed, sound] =
        with(&[injection(Fault::Jam, MINUTE_US, None, Some(40.0))], 5 * MINUTE_US);
    let stops = jammed.ledger().stops;
    assert_eq!((stops.len(), sound.ledger().stops.len(), stops[0].code), (1, 0, 1));
    let lasted_us = stops[0].to_us.unwrap() - stops[0].from_us;
    assert_eq!(lasted_us, 40 * SECOND_US);
    assert!((stops[0].from_us - MINUTE_US).abs() < SECOND_US, "{stops:?}");
}

#[test]
fn a_steady_filler_runs_again_after_a_jam() {
    let [jammed, _] = with(&[injection(Fault::Jam, MINUTE_US, None, Some(5.0))], 3 * MINUTE_US);
    let ledger = jammed.ledger();
    assert_eq!((ledger.state, ledger.stop_reason), (State::Running, 0));
    assert_eq!(at(&jammed, address::STATE_CURRENT), State::Running as u16);
    let spent: Vec<(State, i64)> = ledger.state_us.into_iter().collect();
    assert_eq!(spent, [(State::Running, 175 * SECOND_US), (State::Held, 5 * SECOND_US)]);
}

#[test]
fn what_an_injected_stop_brings_about_is_told_of_the_fault() {
    let config = ModelConfig { preset: Preset::Poor, seed: 5, ..ModelConfig::default() };
    let mut model = Model::new(config);
    // All machines run, so that what starves them is this jam.
    while model.ledger().machines.values().any(|it| it.state != State::Running) {
        model.advance_to(model.plant_us() + MINUTE_US);
    }
    model.inject(injection(Fault::Jam, model.plant_us(), None, Some(90.0)));
    model.advance_to(model.plant_us() + 4 * HOUR_US);
    let ledger = model.ledger();
    let injected: Vec<_> = ledger.stops.iter().filter(|stop| stop.injected.is_some()).collect();
    let [jam] = injected[..] else { panic!("{injected:?}") };
    assert_eq!((jam.injected, jam.by.as_deref()), (Some(Fault::Jam), Some("CF01")));
    assert!(ledger.stops.len() > 20, "all others came by themselves");
    for machine in ["PS02", "MD03", "CW04"] {
        let stops = &ledger.machines[machine].stops;
        let starved: Vec<_> = stops.iter().filter(|stop| stop.injected.is_some()).collect();
        let (Some(first), true) = (starved.first(), starved.len() < 3) else {
            panic!("{machine}: {starved:?}")
        };
        assert!(first.from_us > jam.from_us && first.to_us > jam.to_us, "{machine}: {first:?}");
        assert_eq!((first.code, first.by.as_deref()), (5, Some("CF01")), "{machine}");
    }
    // What is discarded after the start is the fault's too, and what after others is not.
    let causes = &ledger.machines["CF01"].rejects_by_cause;
    let discarded = ledger.rejects[&RejectClass::Startup];
    assert!((480..=500).contains(&causes["jam"]), "{causes:?}");
    assert!(discarded > 10 * causes["jam"], "{discarded} in all");
}

#[test]
fn a_jam_of_an_hour_ago_starves_nobody() {
    let jam = injection(Fault::Jam, 10 * MINUTE_US, None, Some(40.0));
    let mut model = Model::new(ModelConfig { batch_size: 480_000, ..ModelConfig::default() });
    model.inject(jam);
    model.advance_to(90 * MINUTE_US);
    let ledger = model.ledger();
    let changed_us = ledger.batches[1].from_us;
    assert!(changed_us > 70 * MINUTE_US, "{:?}", ledger.batches);
    // The filler runs on empty between two batches: nothing comes, and no stop is to blame for that.
    for machine in ["PS02", "MD03", "CW04"] {
        let stops = &ledger.machines[machine].stops;
        let [_, jammed, changed] = &stops[..] else { panic!("{machine}: {stops:?}") };
        let by = |stop: &StopRecord| (stop.by.clone(), stop.injected);
        assert_eq!(by(jammed), (Some("CF01".into()), Some(Fault::Jam)), "{machine}");
        assert!((changed.from_us - changed_us).abs() < 2 * MINUTE_US, "{machine}: {changed:?}");
        assert_eq!(by(changed), (None, None), "{machine}");
    }
}

#[test]
fn every_reject_is_of_the_fault_that_spoilt_it_or_of_the_machine() {
    let faults = [
        injection(Fault::EmptyCapsuleBurst, HOUR_US, Some(20 * MINUTE_US), Some(6.0)),
        injection(Fault::RejectDrift, 2 * HOUR_US, Some(HOUR_US), Some(1.0)),
        injection(Fault::WornDosator, 0, Some(HOUR_US), Some(-6.0)),
    ];
    let [spoilt, sound] = with(&faults, 4 * HOUR_US);
    let causes = |model: &Model, machine: &str| {
        model.ledger().machines.remove(machine).unwrap().rejects_by_cause
    };
    let all = |model: &Model| model.ledger().rejects.values().sum::<u64>();
    let filler = causes(&spoilt, "CF01");
    assert_eq!(filler.values().sum::<u64>(), all(&spoilt));
    assert_eq!(filler.len(), 3, "{filler:?}");
    let near = |found: u64, expected: u64| found.abs_diff(expected) < expected / 10;
    // 130,000 capsules, 6 % of them; 390,000 of which 1 % but for the half hour of the climb.
    assert!(near(filler["empty_capsule_burst"], 7_800), "{filler:?}");
    assert!(near(filler["reject_drift"], 2_925), "{filler:?}");
    // More rejects leave fewer capsules to the machine's own.
    assert!(near(filler["own"], all(&sound)), "{filler:?}, {} without", all(&sound));
    let (worn, under) = (causes(&spoilt, "CW04"), |model: &Model| model.ledger().weigher.under);
    assert!(near(worn["worn_dosator"], under(&spoilt) - under(&sound)), "{worn:?}");
    // The negative control: nothing was injected, and nothing is of a fault.
    for (machine, standing) in sound.ledger().machines {
        assert_eq!(standing.rejects_by_cause.keys().collect::<Vec<_>>(), ["own"], "{machine}");
    }
}

#[test]
fn a_bore_that_is_far_off_makes_no_good_capsule_and_holds_nobody_up() {
    let wear = injection(Fault::WornDosator, 0, Some(SECOND_US), Some(-50.0));
    let [worn, _] = with(&[wear], 5 * MINUTE_US);
    let mean_mg = worn.interval().unwrap().mean_mg;
    assert!((550.0..600.0).contains(&mean_mg), "{mean_mg}");
}

#[test]
fn rejects_climb_and_one_bore_wears_without_touching_the_rest() {
    let drift = injection(Fault::RejectDrift, 0, Some(2 * HOUR_US), Some(1.0));
    let [drifted, sound] = with(&[drift], 2 * HOUR_US);
    let rejected = |model: &Model| model.ledger().rejects.values().sum::<u64>();
    let more = rejected(&drifted) as i64 - rejected(&sound) as i64;
    // One in a hundred of 780,000, and half of that in the half hour of its climb.
    assert!((6_825 - more).abs() < 800, "{more}");

    let wear = injection(Fault::WornDosator, 0, Some(HOUR_US), Some(-6.0));
    let [worn, sound] = with(&[wear], 4 * HOUR_US);
    let (worn, sound) = (worn.ledger(), sound.ledger());
    assert_eq!((worn.made, worn.rejects), (sound.made, sound.rejects), "the filler sees nothing");
    let [worn, sound] = [worn.weigher.under, sound.weigher.under];
    assert!(worn > sound * 10, "{worn} underweight, {sound} without the wear");
}

#[test]
fn a_plc_that_restarts_keeps_its_counters_and_one_that_is_reset_its_uptime() {
    for (fault, uptime_s, minutes) in [(Fault::PlcRestart, 30, 1.5), (Fault::CounterReset, 90, 0.5)]
    {
        let struck = [injection(fault, MINUTE_US, None, None)];
        let [spoilt, sound] = with(&struck, MINUTE_US + 30 * SECOND_US);
        assert_eq!(u32_at(&spoilt, address::PLC_UPTIME), uptime_s, "{fault:?}");
        let count = u32_at(&spoilt, address::CONSUMED_COUNT) as f64;
        assert!((count - 6_500.0 * minutes).abs() < 60.0, "{fault:?}: {count}");
        let kept = address::PROCESSED_ACC_COUNT;
        assert_eq!(u32_at(&spoilt, kept), u32_at(&sound, kept), "{fault:?}");
        assert_eq!(spoilt.ledger(), sound.ledger(), "the machine goes on");
    }
}

#[test]
fn a_polisher_that_loses_its_power_forgets_what_it_counted() {
    let struck = [injection(Fault::PolisherRestart, MINUTE_US, None, None)];
    let [spoilt, sound] = with(&struck, MINUTE_US + 30 * SECOND_US);
    let [lost, kept] = [&spoilt, &sound].map(|model| {
        let registers = model.holding_registers(2);
        let infeed = u64::from(registers[102]) + 65_536 * u64::from(registers[103]);
        (registers[101], infeed)
    });
    assert_eq!((lost.0, kept.0), (30, 90), "the heartbeat");
    assert_eq!(kept.1, sound.ledger().polisher.infeed);
    assert!((3_100..3_320).contains(&lost.1), "half a minute of 6,500: {}", lost.1);
    assert_eq!(spoilt.holding_registers(1), sound.holding_registers(1), "the filler has its own");
    assert_eq!(spoilt.ledger(), sound.ledger(), "the machine goes on");
}

#[test]
fn a_batch_number_comes_before_or_after_the_reset_of_its_counters() {
    let shown = |fault, plant_us| {
        let [model, _] = with(&[injection(fault, MINUTE_US, None, Some(5.0))], plant_us);
        let id = model.holding_registers(1)[address::BATCH_ID + 4];
        (id, u32_at(&model, address::CONSUMED_COUNT))
    };
    let changed_us = {
        let [model, _] = with(&[injection(Fault::BatchIdLate, MINUTE_US, None, None)], HOUR_US);
        model.ledger().batches[1].from_us
    };
    let (first, last) =
        (shown(Fault::BatchIdLate, MINUTE_US).0, shown(Fault::BatchIdLate, HOUR_US).0);
    assert_ne!(first, last, "the batch has changed");
    let soon_us = changed_us + 3 * SECOND_US;
    let (id, count) = shown(Fault::BatchIdEarly, soon_us);
    assert!(id == last && count > 6_000, "the number leads: {count}");
    let (id, count) = shown(Fault::BatchIdLate, soon_us);
    assert!(id == first && count < 1_000, "the number lags: {count}");
    let (early, late) = (shown(Fault::BatchIdEarly, HOUR_US), shown(Fault::BatchIdLate, HOUR_US));
    assert_eq!(early.0, late.0);
    // What was counted in the five seconds is lost to the counter.
    assert!((400..700).contains(&(late.1 - early.1)), "{late:?} {early:?}");
}

#[test]
fn a_batch_that_was_ended_in_a_changeover_ends_none_after_it() {
    let config = ModelConfig { preset: Preset::Good, batch_size: 40_000, ..ModelConfig::default() };
    let changeovers = |struck: bool| {
        let mut model = Model::new(config);
        while model.state() != State::Setup {
            model.advance_to(model.next_us());
        }
        if struck {
            model.inject(injection(Fault::BatchIdLate, model.plant_us(), None, None));
        }
        model.advance_to(model.plant_us() + 12 * HOUR_US);
        let stops = model.ledger().stops.into_iter().filter(|stop| stop.code == CHANGEOVER);
        stops.map(|stop| stop.injected).collect::<Vec<_>>()
    };
    let struck = changeovers(true);
    assert!(struck.len() > 2 && struck.iter().all(Option::is_none), "{struck:?}");
    assert_eq!(struck, changeovers(false), "the batch had ended, and so nothing changes");
}

#[test]
fn a_clock_steps_a_heartbeat_sticks_and_a_sensor_counts_double_for_their_time() {
    let faults = [
        injection(Fault::ClockStep, MINUTE_US, Some(MINUTE_US), Some(-90.0)),
        injection(Fault::HeartbeatStuck, MINUTE_US, Some(MINUTE_US), None),
        injection(Fault::DoubleCount, MINUTE_US, Some(MINUTE_US), Some(2.0)),
    ];
    let clock = |model: &Model| {
        let words = &model.holding_registers(1)[address::PLC_CLOCK..address::PLC_CLOCK + 4];
        words.iter().fold(0_i64, |sum, word| sum << 16 | i64::from(*word))
    };
    let acc = address::PROCESSED_ACC_COUNT;
    let [spoilt, sound] = with(&faults, MINUTE_US + 30 * SECOND_US);
    assert_eq!(clock(&sound) - clock(&spoilt), 90_000);
    assert_eq!((at(&spoilt, address::HEARTBEAT), at(&sound, address::HEARTBEAT)), (60, 90));
    let [spoilt, sound] = with(&faults, 3 * MINUTE_US);
    assert_eq!(clock(&sound), clock(&spoilt));
    assert_eq!(at(&spoilt, address::HEARTBEAT), at(&sound, address::HEARTBEAT));
    let twice = u32_at(&spoilt, acc) - u32_at(&sound, acc);
    assert!((128..=131).contains(&twice), "2 % of the 6,500 of a minute: {twice}");
    assert_eq!(spoilt.ledger(), sound.ledger(), "the machine goes on");
}

#[test]
fn a_stuck_heartbeat_stands_still_from_whatever_moment_on() {
    let from_us = MINUTE_US + 700_000;
    let mut model = Model::new(ModelConfig::default());
    model.inject(injection(Fault::HeartbeatStuck, from_us, Some(MINUTE_US), None));
    let mut shown = BTreeSet::new();
    for step in 0..100 {
        model.advance_to(from_us + step * 300_000);
        let nodes = model.nodes().into_iter().filter(|(node, _)| node.ends_with(".Heartbeat"));
        shown.extend(nodes.map(|(node, value)| format!("{node} {value:?}")));
    }
    assert_eq!(shown.len(), model.units().len(), "{shown:?}");
}

#[test]
fn what_a_fault_does_is_the_same_in_whatever_steps_the_plant_is_looked_at() {
    let faults = [
        injection(Fault::EmptyCapsuleBurst, 10 * MINUTE_US, Some(5 * MINUTE_US), None),
        injection(Fault::Jam, 12 * MINUTE_US + 1, None, None),
        injection(Fault::BatchIdEarly, 14 * MINUTE_US, None, None),
        injection(Fault::DoubleCount, 15 * MINUTE_US + 7, Some(MINUTE_US), None),
        injection(Fault::PlcRestart, 16 * MINUTE_US + 3, None, None),
    ];
    let [whole, _] = with(&faults, 30 * MINUTE_US);
    let mut stepped = Model::new(ModelConfig::default());
    faults.iter().for_each(|fault| stepped.inject(*fault));
    for step in 1..=1_800 {
        stepped.advance_to(step * SECOND_US);
    }
    assert_eq!(whole.ledger(), stepped.ledger());
    assert_eq!(whole.holding_registers(1), stepped.holding_registers(1));
}

#[test]
fn what_is_withdrawn_ends_and_what_was_planned_of_it_is_forgotten() {
    let mut model = Model::new(ModelConfig::default());
    model.inject(injection(Fault::DoubleCount, 0, None, Some(10.0)));
    model.inject(injection(Fault::DoubleCount, HOUR_US, None, Some(10.0)));
    model.advance_to(MINUTE_US);
    model.withdraw(Fault::DoubleCount);
    let twice = |model: &Model| u32_at(model, address::PROCESSED_ACC_COUNT) - model.ledger().made;
    let seen = twice(&model);
    assert!(seen > 500, "{seen}");
    model.advance_to(2 * HOUR_US);
    assert_eq!(twice(&model), seen);
}
