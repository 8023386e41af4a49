//! What must hold for every plant at every time.

use proptest::prelude::*;

use super::{HOUR_US, MINUTE_US, plant_at};
use crate::{
    CHANGEOVER, CLEANING, Ledger, Model, ModelConfig, Preset, RejectClass, State, StopRecord,
    WeightModel,
    machines::{filler::Taken, weigher::Weigher},
};

const PRESETS: [Preset; 4] = [Preset::Steady, Preset::Good, Preset::Typical, Preset::Poor];

fn check_accounts(ledger: &Ledger) {
    let rejected: u64 = ledger.rejects.values().sum();
    let accounted = ledger.made + rejected + ledger.samples + ledger.in_process;
    assert_eq!(ledger.infeed, accounted, "{ledger:?}");
    for filler in &ledger.beside {
        let rejected: u64 = filler.rejects.values().sum();
        let accounted = filler.made + rejected + filler.samples + filler.in_process;
        assert_eq!(filler.infeed, accounted, "{filler:?}");
    }
    let made = ledger.made + ledger.beside.iter().map(|filler| filler.made).sum::<u64>();
    let polisher = &ledger.polisher;
    assert_eq!(made, polisher.infeed + polisher.on_the_way);
    let out = polisher.good + polisher.empty + polisher.halves;
    assert_eq!(polisher.infeed, out + polisher.in_process);
    let detector = &ledger.detector;
    assert_eq!(polisher.good, detector.passed + detector.dumped + detector.on_the_way);
    assert!(detector.dumped <= 60 * detector.events, "{detector:?}");
    let weigher = &ledger.weigher;
    assert_eq!(weigher.weighed, weigher.good + weigher.under + weigher.over);
    assert_eq!(detector.passed, weigher.passed() + weigher.on_the_way);
    let counter = &ledger.counter;
    assert_eq!(weigher.good, counter.infeed + counter.hopper);
    let bottled = 60 * counter.good_bottles + counter.short_capsules;
    assert_eq!(counter.infeed, bottled + counter.in_process);
    assert!(
        (55 * counter.short_bottles..60 * counter.short_bottles.max(1))
            .contains(&counter.short_capsules)
    );
    assert!(counter.hopper < 46_000, "what is full takes no more: {counter:?}");
    assert_eq!(ledger.unaccounted(), 0, "{ledger:?}");
    assert_eq!(ledger.state_us.values().sum::<i64>(), ledger.plant_us);
    for (machine, standing) in &ledger.machines {
        assert_eq!(standing.state_us.values().sum::<i64>(), ledger.plant_us, "{machine}");
        let end_us = |stop: &StopRecord| stop.to_us.unwrap_or(ledger.plant_us);
        let stood_us: i64 = standing.stops.iter().map(|stop| end_us(stop) - stop.from_us).sum();
        let moving = [State::Running, State::Starting];
        let moved_us: i64 = moving.iter().filter_map(|state| standing.state_us.get(state)).sum();
        assert_eq!(stood_us + moved_us, ledger.plant_us, "{machine}: {:?}", standing.stops);
        assert!(standing.stops.is_sorted_by_key(|stop| stop.from_us), "{machine}");
    }
    let weighed = weigher.under + weigher.over + weigher.unweighed;
    let polished = polisher.empty + polisher.halves;
    let beside = ledger
        .beside
        .iter()
        .zip(2..)
        .map(|(filler, nth)| (format!("CF{nth:02}"), filler.rejects.values().sum::<u64>()));
    let others = [
        ("CF01", rejected),
        ("PS02", polished),
        ("MD03", detector.dumped),
        ("CW04", weighed),
        ("BC05", counter.short_capsules),
    ];
    let others = others.map(|(machine, rejects)| (machine.to_owned(), rejects));
    for (machine, rejects) in others.into_iter().chain(beside) {
        let causes = &ledger.machines[&machine].rejects_by_cause;
        assert_eq!(causes.values().sum::<u64>(), rejects, "{machine}: {causes:?}");
    }
    assert!(ledger.in_process <= 600);
}

/// Shows: SIM-02
#[test]
fn every_capsule_is_accounted_for_after_every_stroke() {
    for preset in PRESETS {
        let mut model = plant_at(3, preset, 0);
        while model.plant_us() < 2 * HOUR_US {
            model.advance_to(model.next_us());
            check_accounts(&model.ledger());
        }
    }
}

#[test]
fn a_steady_plant_makes_exactly_130_strokes_a_minute() {
    let mut model = plant_at(1, Preset::Steady, 0);
    for minute in 1..=600 {
        model.advance_to(minute * MINUTE_US);
        assert_eq!(model.ledger().strokes, 130 * minute as u64);
    }
    assert!(model.ledger().stops.is_empty());
}

#[test]
fn pockets_are_loaded_or_empty() {
    let ledger = plant_at(5, Preset::Steady, 3 * HOUR_US).ledger();
    assert_eq!(ledger.infeed + ledger.empty_pockets, 50 * ledger.strokes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a plant was advanced, at the same plant time it is the same plant.
    #[test]
    fn chunks_do_not_matter(
        seed in any::<u64>(),
        preset in prop::sample::select(&PRESETS),
        fillers in 1_u32..=3,
        chunks_us in prop::collection::vec(1_i64..400_000_000, 1..40),
    ) {
        let config =
            ModelConfig { seed, preset, fillers, batch_size: 40_000, ..ModelConfig::default() };
        let mut in_chunks = Model::new(config);
        for chunk_us in &chunks_us {
            in_chunks.advance_to(in_chunks.plant_us() + chunk_us);
            let _looking_changes_nothing = (in_chunks.nodes(), in_chunks.holding_registers(1));
            check_accounts(&in_chunks.ledger());
        }
        let mut at_once = Model::new(config);
        at_once.advance_to(chunks_us.iter().sum());
        prop_assert_eq!(at_once.ledger(), in_chunks.ledger());
        for unit in at_once.units() {
            prop_assert_eq!(at_once.holding_registers(unit), in_chunks.holding_registers(unit));
            prop_assert_eq!(at_once.input_registers(unit), in_chunks.input_registers(unit));
        }
        prop_assert_eq!(at_once.nodes(), in_chunks.nodes());
        check_accounts(&at_once.ledger());
    }
}

/// Shows: SIM-02
#[test]
fn seeds_differ_and_repeat() {
    let ledger = |seed| plant_at(seed, Preset::Good, HOUR_US).ledger();
    assert_eq!(ledger(7), ledger(7));
    assert_ne!(ledger(7), ledger(8));
}

#[test]
fn time_in_the_past_changes_nothing() {
    let mut model = plant_at(1, Preset::Good, HOUR_US);
    let before = model.ledger();
    model.advance_to(MINUTE_US);
    assert_eq!(model.ledger(), before);
}

#[test]
fn a_batch_runs_empty_before_the_next_begins() {
    for preset in [Preset::Steady, Preset::Good] {
        let config = ModelConfig {
            preset,
            batch_size: 100_000,
            first_batch: 9_999,
            ..ModelConfig::default()
        };
        let mut model = Model::new(config);
        model.advance_to(8 * HOUR_US);
        let ledger = model.ledger();
        let [first, second, ..] = &ledger.batches[..] else { panic!("{:?}", ledger.batches) };
        assert_eq!(first.batch_id, "B2611-9999");
        assert_eq!(second.batch_id, "B2611-0000");
        let accounted = first.made + first.rejected + first.samples;
        assert_eq!(first.infeed, accounted, "nothing of a batch is left in the machine");
        assert!((100_000..100_700).contains(&first.made), "{first:?}");
        let n_changeovers = ledger.stops.iter().filter(|stop| stop.code == CHANGEOVER).count();
        let ended = ledger.batches.iter().filter(|batch| batch.to_us.is_some()).count();
        assert_eq!(n_changeovers, if preset == Preset::Steady { 0 } else { ended });
        let sum: u64 = ledger.batches.iter().map(|batch| batch.made).sum();
        assert_eq!(sum, ledger.made);
    }
}

#[test]
fn presets_stop_as_often_as_documented() {
    // Expected stops per hour of running, from an independent program; the tolerance is that of a shorter run.
    for (preset, stops_per_hour) in
        [(Preset::Good, 7.8), (Preset::Typical, 14.0), (Preset::Poor, 23.3)]
    {
        let ledger = plant_at(11, preset, 1_000 * HOUR_US).ledger();
        let hours = |states: &[State]| {
            let us: i64 = states.iter().filter_map(|state| ledger.state_us.get(state)).sum();
            us as f64 / HOUR_US as f64
        };
        let n_stops = ledger.stops.iter().filter(|stop| stop.code < CLEANING).count();
        let rate = n_stops as f64 / hours(&[State::Starting, State::Running]);
        assert!((rate / stops_per_hour - 1.0).abs() < 0.05, "{preset:?}: {rate} stops an hour");
    }
}

#[test]
fn stops_follow_each_other_and_machines_coast() {
    let ledger = plant_at(2, Preset::Poor, 50 * HOUR_US).ledger();
    assert!(ledger.stops.len() > 100);
    for pair in ledger.stops.windows(2) {
        assert!(pair[0].to_us.is_some_and(|end| end <= pair[1].from_us), "{pair:?}");
    }
    let first = &ledger.stops[0];
    let at_stop = plant_at(2, Preset::Poor, first.from_us).ledger();
    let later = plant_at(2, Preset::Poor, first.from_us + 4_000_000).ledger();
    assert_eq!(at_stop.state, first.state);
    assert_eq!(later.strokes, at_stop.strokes + 2);
}

#[test]
fn a_start_costs_fourteen_seconds_and_ten_strokes() {
    // 10 s at 30 % and 20 s at 65 % on average, of 125.45 strokes a minute.
    let mut model = plant_at(4, Preset::Good, 30_000_000);
    let strokes = model.ledger().strokes as f64;
    assert!((strokes - 16.0 / 60.0 * 125.45).abs() <= 1.5, "{strokes} strokes in 30 s");
    model.advance_to(MINUTE_US);
    let ledger = model.ledger();
    let discarded = ledger.rejects[&RejectClass::Startup];
    assert!((480..=500).contains(&discarded), "{discarded} discarded");
}

#[test]
fn rejects_come_in_bursts_at_the_documented_rate() {
    let ledger = plant_at(6, Preset::Steady, 600 * HOUR_US).ledger();
    let n: u64 = ledger.rejects.values().sum();
    let share = |n: u64, of: u64| n as f64 / of as f64;
    assert!((share(n, ledger.infeed) / 0.0014 - 1.0).abs() < 0.1, "{n} of {}", ledger.infeed);
    for (class, expected) in [
        (RejectClass::Unseparated, 0.55),
        (RejectClass::Dented, 0.25),
        (RejectClass::NoDose, 0.15),
        (RejectClass::DoubleCap, 0.05),
    ] {
        let found = share(ledger.rejects[&class], n);
        assert!((found - expected).abs() < 0.01, "{class:?}: {found}");
    }
    assert_eq!(ledger.samples, 20 * 4 * 600 - 20, "20 capsules every 15 minutes after the first");
}

/// Samples of 20 capsules, one a stroke.
fn weights(n: u64, prepare: impl FnOnce(&mut Weigher)) -> Vec<(u16, f64)> {
    let mut weigher = Weigher::new(1, WeightModel::default(), 1);
    prepare(&mut weigher);
    let sample = |stroke| {
        weigher.inspect(&mut vec![Taken { stroke, capsules: 20, drift: 0.0 }]);
        let sample = weigher.sample().unwrap();
        assert_eq!(weigher.sample().as_ref(), Some(&sample), "who looks twice sees the same");
        sample.weights
    };
    let all = (10..10 + n).flat_map(sample);
    all.map(|(bore, tenths)| (bore, f64::from(tenths) / 10.0)).collect()
}

#[test]
fn one_capsule_of_a_sample_in_ten_thousand_has_not_got_all_of_its_fill() {
    let all = weights(20_000, |_| ());
    let few: Vec<f64> = all.iter().map(|(_, mg)| *mg).filter(|mg| *mg < 450.0).collect();
    // 40 of 400,000 are expected, and 450 mg are nearly six standard deviations below the mean.
    assert!((20..60).contains(&few.len()), "{few:?}");
    assert!(few.iter().all(|mg| (150.0..450.0).contains(mg)), "{few:?}");
}

#[test]
fn a_worn_bore_has_twice_its_noise_and_no_other_has() {
    const WORN: u16 = 17;
    let all = weights(5_000, |weigher| weigher.wear(WORN, (0, 1), -0.06));
    let sound = weights(5_000, |_| ());
    let of = |weights: &[(u16, f64)], bore: u16| {
        let mg = weights.iter().filter(|(number, mg)| *number == bore && *mg > 400.0);
        let mg: Vec<f64> = mg.map(|(_, mg)| *mg).collect();
        let mean = mg.iter().sum::<f64>() / mg.len() as f64;
        let squares: f64 = mg.iter().map(|mg| (mg - mean).powi(2)).sum();
        (mean, (squares / mg.len() as f64).sqrt())
    };
    for bore in 1..=50 {
        let ((mean, sd), (before, sd_before)) = (of(&all, bore), of(&sound, bore));
        let (lost, noise) = if bore == WORN { (30.0, 2.0) } else { (0.0, 1.0) };
        assert!((before - mean - lost).abs() < 2.0, "bore {bore}: {before} to {mean} mg");
        assert!((sd / sd_before / noise - 1.0).abs() < 0.1, "bore {bore}: {sd_before} to {sd} mg");
    }
}

#[test]
fn weights_are_rejected_at_the_documented_rate() {
    let ledger = plant_at(8, Preset::Steady, 200 * HOUR_US).ledger().weigher;
    let ppm = |n: u64| 1e6 * n as f64 / ledger.weighed as f64;
    // 114 and 24 ppm on average over tooling sets; one set differs from the next.
    assert!((100.0..180.0).contains(&ppm(ledger.under)), "{} ppm under", ppm(ledger.under));
    assert!((2.0..80.0).contains(&ppm(ledger.over)), "{} ppm over", ppm(ledger.over));
    assert!((30.0..70.0).contains(&ppm(ledger.unweighed)), "{} ppm", ppm(ledger.unweighed));
}
