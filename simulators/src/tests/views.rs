//! Registers and nodes against the ledger.

use super::{HOUR_US, MINUTE_US, plant_at};
use crate::{
    Counters, LAG_US, Ledger, Model, ModelConfig, NodeValue, Preset, RejectClass, State,
    registers::address,
};

/// A long value as the tag list defines it: the most significant word first.
fn u32_at(registers: &[u16], at: usize) -> u32 {
    u32::from(registers[at]) * 65_536 + u32::from(registers[at + 1])
}

fn node(model: &Model, tag: &str) -> NodeValue {
    let (_, value) = model.nodes().into_iter().find(|(id, _)| id == tag).expect(tag);
    value
}

#[test]
fn long_values_go_most_significant_word_first() {
    let start_counters = Counters { stroke_total: 0x0012_3456, ..Counters::default() };
    let line_start_us = 0x0123_4567_89ab_i64 * 1_000;
    let config = ModelConfig { start_counters, line_start_us, ..ModelConfig::default() };
    let registers = Model::new(config).holding_registers(1);
    assert_eq!(registers[7..9], [0x0012, 0x3456]);
    assert_eq!(registers[42..46], [0x0000, 0x0123, 0x4567, 0x89ab]);
    // 500.0 is 0x43fa0000 in IEEE 754.
    assert_eq!(registers[29..31], [0x43fa, 0x0000]);
    let batch = &registers[31..39];
    assert_eq!(batch[..2], [u16::from_be_bytes(*b"B0"), u16::from_be_bytes(*b"90")]);
    assert_eq!(batch[5..], [0, 0, 0]);
}

#[test]
fn registers_say_what_the_ledger_says() {
    for preset in [Preset::Steady, Preset::Typical] {
        let model = plant_at(9, preset, 3 * HOUR_US);
        let (registers, ledger) = (model.holding_registers(1), model.ledger());
        assert_eq!(registers.len(), 51);
        assert_eq!(registers[address::SEQ_HEAD], registers[address::SEQ_TAIL]);
        assert_eq!(registers[address::SEQ_HEAD], ledger.strokes as u16);
        assert_eq!(registers[address::STATE_CURRENT], ledger.state as u16);
        assert_eq!(registers[address::STOP_REASON], ledger.stop_reason);
        assert_eq!(registers[address::HEARTBEAT], 3 * 3_600);
        for (at, value) in [
            (address::PLC_UPTIME, 3 * 3_600),
            (address::STROKE_TOTAL, ledger.strokes),
            (address::CONSUMED_COUNT, ledger.infeed),
            (address::PROCESSED_COUNT, ledger.made),
            (address::PROCESSED_ACC_COUNT, ledger.made),
            (address::ACC_TIME_SINCE_RESET, 3 * 3_600),
        ] {
            assert_eq!(u64::from(u32_at(&registers, at)), value, "HR {at}");
        }
        for (at, value) in [
            (address::REJ_UNSEPARATED, ledger.rejects[&RejectClass::Unseparated]),
            (address::REJ_EMPTY_POCKET, ledger.empty_pockets),
            (address::REJ_DENTED_TELESCOPED, ledger.rejects[&RejectClass::Dented]),
            (address::REJ_STARTUP, ledger.rejects[&RejectClass::Startup]),
            (address::SAMPLES, ledger.samples),
            (address::REJ_NO_DOSE, ledger.rejects[&RejectClass::NoDose]),
            (address::REJ_DOUBLE_CAP, ledger.rejects[&RejectClass::DoubleCap]),
        ] {
            assert_eq!(u64::from(registers[at]), value, "HR {at}");
        }
    }
}

#[test]
fn a_steady_plant_shows_its_design_speed() {
    let registers = plant_at(1, Preset::Steady, MINUTE_US).holding_registers(1);
    assert_eq!(registers[address::CUR_MACH_SPEED..=address::BORES], [6_500, 6_500, 1_300, 50]);
}

#[test]
fn a_stopped_plant_shows_speed_zero_reason_and_alarm() {
    let stop = plant_at(2, Preset::Poor, HOUR_US).ledger().stops[0].clone();
    let registers = plant_at(2, Preset::Poor, stop.from_us + 4_000_000).holding_registers(1);
    assert_eq!(registers[address::CUR_MACH_SPEED], 0);
    assert_eq!(registers[address::STOP_REASON], stop.code);
    assert_ne!(registers[address::ALARM], 0);
}

#[test]
fn counters_roll_over_at_their_own_width() {
    let start_counters = Counters {
        stroke_total: u32::MAX - 100,
        consumed: u32::MAX - 100,
        processed: 5,
        processed_acc: (1 << 31) - 100,
        empty_pocket: 65_535,
        weigher_total: u32::MAX - 100,
        weigher_master: u64::from(u32::MAX) - 100,
        ..Counters::default()
    };
    let mut model = Model::new(ModelConfig { start_counters, ..ModelConfig::default() });
    model.advance_to(10 * MINUTE_US);
    let (registers, ledger) = (model.holding_registers(1), model.ledger());
    let at = |at| u64::from(u32_at(&registers, at));
    assert_eq!(at(address::STROKE_TOTAL), ledger.strokes - 101);
    assert_eq!(at(address::CONSUMED_COUNT), ledger.infeed - 101);
    assert_eq!(at(address::PROCESSED_COUNT), ledger.made + 5);
    assert_eq!(at(address::PROCESSED_ACC_COUNT), ledger.made - 100);
    assert_eq!(u64::from(registers[address::REJ_EMPTY_POCKET]), ledger.empty_pockets - 1);
    let passed = ledger.weigher.passed();
    let total = NodeValue::U32(passed as u32 - 101);
    assert_eq!(node(&model, "CW04.Statistic.TotalPackages.ItemCount"), total);
    let master = NodeValue::U64(u64::from(u32::MAX) - 100 + passed);
    assert_eq!(node(&model, "CW04.MasterTotal"), master);
}

#[test]
fn a_new_batch_resets_its_counters_and_no_others() {
    let start_counters = Counters { processed: 1_499_000, ..Counters::in_use() };
    let mut model = Model::new(ModelConfig { start_counters, ..ModelConfig::default() });
    while model.ledger().batches.len() == 1 {
        model.advance_to(model.next_us());
    }
    let (registers, ledger) = (model.holding_registers(1), model.ledger());
    assert_eq!(ledger.batch_id, "B2611-0418");
    assert_eq!(registers[address::BATCH_ID + 4], u16::from_be_bytes(*b"18"));
    assert_eq!(registers[address::CONSUMED_COUNT..address::PROCESSED_ACC_COUNT], [0; 4]);
    assert_eq!(registers[address::REJ_UNSEPARATED..=address::SAMPLES], [0; 5]);
    assert_eq!(registers[address::REJ_NO_DOSE..=address::REJ_DOUBLE_CAP], [0; 2]);
    assert_eq!(u32_at(&registers, address::ACC_TIME_SINCE_RESET), 0);
    let Counters { processed_acc, stroke_total, .. } = start_counters;
    let acc_count = u64::from(u32_at(&registers, address::PROCESSED_ACC_COUNT));
    assert_eq!(acc_count, u64::from(processed_acc) + ledger.made);
    let panel = u64::from(registers[address::PANEL_COUNT]);
    assert_eq!(panel, acc_count % 10_000);
    let strokes = u64::from(u32_at(&registers, address::STROKE_TOTAL));
    assert_eq!(strokes, u64::from(stroke_total) + ledger.strokes);
}

#[test]
fn a_plc_restart_resets_the_uptime_and_no_counter() {
    let mut model = plant_at(1, Preset::Steady, 10 * MINUTE_US);
    let before = model.ledger();
    model.restart_plc();
    assert_eq!(model.ledger(), before);
    let registers = model.holding_registers(1);
    assert_eq!(u32_at(&registers, address::PLC_UPTIME), 0);
    // All counters are in retentive memory, as the map has it.
    assert_eq!(u64::from(u32_at(&registers, address::CONSUMED_COUNT)), before.infeed);
    assert_eq!(u64::from(u32_at(&registers, address::PROCESSED_ACC_COUNT)), before.made);
    assert_eq!(u32_at(&registers, address::ACC_TIME_SINCE_RESET), 600);
    model.advance_to(11 * MINUTE_US);
    let registers = model.holding_registers(1);
    assert_eq!(u32_at(&registers, address::PLC_UPTIME), 60);
    assert_eq!(u64::from(u32_at(&registers, address::PROCESSED_COUNT)), model.ledger().made);
}

#[test]
fn the_weigher_follows_the_filler_by_its_lag() {
    let model = plant_at(1, Preset::Steady, HOUR_US);
    let earlier = plant_at(1, Preset::Steady, HOUR_US - LAG_US);
    let earlier = earlier.ledger().made;
    let Ledger { polisher, detector, weigher, .. } = model.ledger();
    assert_eq!(weigher.passed() + polisher.empty + polisher.halves + detector.dumped, earlier);
    assert_eq!(node(&model, "CW04.StateCurrent"), NodeValue::U16(State::Running as u16));
    let at_start = plant_at(1, Preset::Steady, LAG_US / 2);
    assert_eq!(node(&at_start, "CW04.StateCurrent"), NodeValue::U16(State::Waiting as u16));
}

#[test]
fn weights_spread_as_documented_and_repeat() {
    let number = |model: &Model, tag| match node(model, tag) {
        NodeValue::F32(value) => f64::from(value),
        other => panic!("{tag} is {other:?}"),
    };
    let model = plant_at(1, Preset::Steady, HOUR_US);
    assert_eq!(model.nodes(), plant_at(1, Preset::Steady, HOUR_US).nodes());
    let mean = number(&model, "CW04.Mean");
    assert!((mean - 596.0).abs() < 12.0, "mean {mean} mg: drift has a spread of 3 mg");
    let spread = number(&model, "CW04.StdDev");
    assert!((7.5..10.5).contains(&spread), "standard deviation {spread} mg within a minute");
    let last = number(&model, "CW04.LastWeight");
    assert!((500.0..700.0).contains(&last), "last weight {last} mg");
}
