//! Maps made by hand, for the tests of the sources.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::{
    Address, ByteOrder, Encoding, Group, Kind, ModbusOptions, PlcMap, Protocol, Role, Table, Tag,
    Title,
};
use domain::units::{StationId, TagId};

use crate::config::{DeviceConfig, Wire};

/// A map with a group for each period in milliseconds.
pub(super) fn map(protocol: Protocol, periods_ms: &[i64], tags: Vec<Tag>) -> PlcMap {
    let groups = periods_ms
        .iter()
        .enumerate()
        .map(|(i, ms)| Group { name: format!("g{i}").into(), period_us: ms * 1_000 })
        .collect();
    PlcMap {
        file: "test.toml".into(),
        station: StationId::new("CF01"),
        title: Title { en: "Filler".into(), zh: "充填机".into() },
        protocol,
        max_per_minute: 6_500,
        step: 50,
        groups,
        tags,
        states: BTreeMap::new(),
        stop_reasons: BTreeMap::new(),
        flow: Default::default(),
    }
}

pub(super) fn modbus() -> ModbusOptions {
    ModbusOptions { max_gap: 4, ..ModbusOptions::default() }
}

pub(super) fn tag(name: &str, address: Address, kind: Kind, group: u16) -> Tag {
    Tag {
        id: TagId::new(name),
        line: 1,
        address,
        encoding: Encoding { kind, order: ByteOrder::Abcd },
        role: Role::Condition,
        scale: 1.0,
        offset: 0.0,
        unit: "".into(),
        words: Arc::default(),
        array: None,
        group,
        counter: None,
        odometer: None,
    }
}

/// A tag in the holding registers.
pub(super) fn holding(first: u16, kind: Kind, group: u16) -> Tag {
    let address = Address::Register { table: Table::Holding, first };
    tag(&format!("h{first}"), address, kind, group)
}

/// A coil.
pub(super) fn coil(first: u16, group: u16) -> Tag {
    let address = Address::Register { table: Table::Coil, first };
    tag(&format!("c{first}"), address, Kind::Bit(0), group)
}

pub(super) fn device(map: PlcMap, address: String) -> DeviceConfig {
    DeviceConfig {
        map: Arc::new(map),
        wire: Wire::tcp(&address),
        address,
        connect_timeout: Duration::from_secs(1),
        reply_timeout: Duration::from_millis(100),
        backoff: (Duration::from_millis(20), Duration::from_millis(200)),
        opcua: Default::default(),
    }
}

/// How long a fuzz target runs: two seconds, or as many as `CAPLINE_FUZZ_SECONDS` says.
pub(super) fn fuzz_time() -> Duration {
    let seconds = std::env::var("CAPLINE_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or(2.0))
}

/// What the process holds: open files and threads.
pub(super) fn held() -> (usize, usize) {
    let count = |dir| std::fs::read_dir(dir).expect("Linux has /proc").count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

/// How often a test reconnects: `CAPLINE_RECONNECTS`, or the number given.
pub(super) fn reconnects(otherwise: u32) -> u32 {
    std::env::var("CAPLINE_RECONNECTS").ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// Whether a test is in a process of its own, where no other test opens sockets. If it is not, it was run in one, and has
/// passed there.
pub(super) fn alone(name: &str) -> bool {
    const ALONE: &str = "CAPLINE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut alone = std::process::Command::new(std::env::current_exe().expect("it runs"));
    let alone = alone.args([name, "--exact", "--nocapture"]).env(ALONE, "1").output();
    let output = alone.expect("it runs once more");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
    eprint!("{err}");
    false
}
