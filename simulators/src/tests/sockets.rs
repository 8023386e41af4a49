//! What clients see over real sockets.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_modbus::{
    ExceptionCode, Slave,
    client::{Context, Reader, Writer, tcp},
    prelude::SlaveContext,
};

use crate::{
    Event, FaultSet, ModbusFaults, Plant, PlantConfig, PlantError, RejectClass, Table,
    registers::{FILLER_REGISTERS, address},
};

pub(super) async fn start(change: impl FnOnce(&mut PlantConfig)) -> Plant {
    let mut config = PlantConfig { speed: 60.0, ..PlantConfig::default() };
    change(&mut config);
    Plant::start(config).await.unwrap()
}

pub(super) async fn connect(plant: &Plant) -> Context {
    tcp::connect_slave(plant.modbus_addr(), Slave(1)).await.unwrap()
}

pub(super) async fn read(client: &mut Context) -> Vec<u16> {
    let answer = timeout(Duration::from_secs(5), client.read_holding_registers(0, 50));
    answer.await.unwrap().unwrap().unwrap()
}

/// Returns when the server has closed the connection.
pub(super) async fn is_lost(client: &mut Context) {
    let lost = async { while client.read_holding_registers(0, 1).await.is_ok() {} };
    timeout(Duration::from_secs(5), lost).await.unwrap();
}

pub(super) fn u32_at(registers: &[u16], at: usize) -> u64 {
    u64::from(registers[at]) * 65_536 + u64::from(registers[at + 1])
}

#[tokio::test]
async fn a_read_says_what_the_ledger_says() {
    let plant = start(|config| config.start_at_us = 3_600_000_000).await;
    let mut client = connect(&plant).await;
    let first = read(&mut client).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    plant.hold();
    let (registers, ledger) = (read(&mut client).await, plant.ledger());
    assert_ne!(first, registers);
    assert_eq!(u32_at(&registers, address::STROKE_TOTAL), ledger.strokes);
    assert_eq!(u32_at(&registers, address::PROCESSED_COUNT), ledger.made);
    assert_eq!(ledger, plant.ledger(), "a held plant stands still");
    plant.resume();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(plant.ledger().strokes > ledger.strokes);
    plant.stop().await;
}

#[tokio::test]
async fn a_held_plant_waits_at_its_start() {
    let plant = start(|config| config.held = true).await;
    let mut client = connect(&plant).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(u32_at(&read(&mut client).await, address::STROKE_TOTAL), 0);
    assert_eq!(plant.plant_us(), 0);
}

#[tokio::test]
async fn what_is_not_there_is_refused_as_a_plc_does() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    let outside = client.read_holding_registers(40, FILLER_REGISTERS as u16 - 39).await.unwrap();
    assert_eq!(outside, Err(ExceptionCode::IllegalDataAddress));
    let inputs = client.read_input_registers(0, 1).await.unwrap();
    assert_eq!(inputs, Err(ExceptionCode::IllegalDataAddress));
    let coils = client.read_coils(0, 1).await.unwrap();
    assert_eq!(coils, Err(ExceptionCode::IllegalFunction));
    // What a machine has begins somewhere, and nothing is before it.
    for (unit, first) in [(2, 100), (4, 200), (5, 300)] {
        client.set_slave(Slave(unit));
        for (from, n) in [(0, 48), (first - 1, 2)] {
            let below = client.read_holding_registers(from, n).await.unwrap();
            assert_eq!(below, Err(ExceptionCode::IllegalDataAddress), "unit {unit}, {from}");
        }
        client.read_holding_registers(first, 1).await.unwrap().unwrap();
        let (table, addresses) = plant.range(unit);
        assert_eq!((table, *addresses.start()), (Table::Holding, first), "unit {unit}");
        let last = client.read_holding_registers(*addresses.end(), 1).await.unwrap();
        assert!(last.is_ok(), "unit {unit}");
    }
    client.set_slave(Slave(7));
    let nobody = client.read_holding_registers(0, 1).await.unwrap();
    assert_eq!(nobody, Err(ExceptionCode::GatewayTargetDevice));
}

#[tokio::test]
async fn every_machine_answers_at_its_unit() {
    let plant = start(|config| {
        (config.start_at_us, config.held, config.fillers) = (3_600_000_000, true, 2);
    })
    .await;
    let ledger = plant.ledger();
    let stations: Vec<(u8, String)> = plant.machines();
    let named: Vec<&str> = stations.iter().map(|(_, station)| station.as_str()).collect();
    assert_eq!(named, ["CF01", "PS02", "MD03", "CW04", "BC05", "CF02"]);
    let mut client = connect(&plant).await;
    let mut holding = async |unit, from, n| {
        client.set_slave(Slave(unit));
        client.read_holding_registers(from, n).await.unwrap()
    };
    let polisher = holding(2, 100, 11).await.unwrap();
    let infeed = u64::from(polisher[2]) + 65_536 * u64::from(polisher[3]);
    assert_eq!(infeed, ledger.polisher.infeed, "the least significant word first");
    let counter = holding(5, 300, 18).await.unwrap();
    assert_eq!(u32_at(&counter, 14), ledger.counter.good_bottles);
    let beside = holding(12, 0, 50).await.unwrap();
    assert_eq!(u32_at(&beside, address::STROKE_TOTAL), ledger.beside[0].strokes);
    assert_eq!(holding(3, 0, 1).await, Err(ExceptionCode::IllegalDataAddress));
    client.set_slave(Slave(3));
    let detector = client.read_input_registers(0, 6).await.unwrap().unwrap();
    assert_eq!(u64::from(detector[2]), ledger.detector.events);
    let beyond = client.read_input_registers(0, 7).await.unwrap();
    assert_eq!(beyond, Err(ExceptionCode::IllegalDataAddress));
}

#[tokio::test]
async fn writes_are_refused_and_counted() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    read(&mut client).await;
    assert_eq!(plant.write_attempts(), 0);
    let single = client.write_single_register(3, 0).await.unwrap();
    let multiple = client.write_multiple_registers(3, &[0, 0]).await.unwrap();
    let coil = client.write_single_coil(0, true).await.unwrap();
    assert_eq!([single, multiple, coil], [Err(ExceptionCode::IllegalFunction); 3]);
    assert_eq!(plant.write_attempts(), 3);
}

#[tokio::test]
async fn a_mute_plc_does_not_answer_and_a_slow_one_does() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    plant.faults().change(|set| set.modbus.mute = true);
    let silence = timeout(Duration::from_millis(100), client.read_holding_registers(0, 1)).await;
    assert!(silence.is_err());
    plant.faults().set(FaultSet {
        modbus: ModbusFaults { delay_ms: 80, ..ModbusFaults::default() },
        ..FaultSet::default()
    });
    let mut client = connect(&plant).await;
    let asked = std::time::Instant::now();
    read(&mut client).await;
    assert!(asked.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn frozen_registers_stay_while_the_plant_goes_on() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    plant.faults().change(|set| set.modbus.freeze = true);
    let frozen = read(&mut client).await;
    let strokes = plant.ledger().strokes;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(read(&mut client).await, frozen);
    assert!(plant.ledger().strokes > strokes);
    plant.faults().set(FaultSet::default());
    assert_ne!(read(&mut client).await, frozen);
}

#[tokio::test]
async fn a_torn_answer_shows_in_its_sequence_words() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    let whole = read(&mut client).await;
    plant.faults().change(|set| set.modbus.torn = 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let torn = read(&mut client).await;
    assert_eq!(torn[address::SEQ_TAIL], whole[address::SEQ_TAIL]);
    assert_ne!(torn[address::SEQ_HEAD], torn[address::SEQ_TAIL]);
    let next = read(&mut client).await;
    assert_eq!(next[address::SEQ_HEAD], next[address::SEQ_TAIL]);
    assert_eq!(plant.faults().get(), FaultSet::default());
}

#[tokio::test]
async fn an_exception_answers_every_request() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    plant.faults().change(|set| set.modbus.exception = Some(6));
    let busy = client.read_holding_registers(0, 1).await.unwrap();
    assert_eq!(busy, Err(ExceptionCode::ServerDeviceBusy));
}

#[tokio::test]
async fn connections_can_be_dropped_and_refused() {
    let plant = start(|_| {}).await;
    let mut client = connect(&plant).await;
    read(&mut client).await;
    plant.faults().trigger(Event::DropConnections);
    is_lost(&mut client).await;
    read(&mut connect(&plant).await).await;
    plant.faults().change(|set| set.modbus.refuse_connections = true);
    assert!(connect(&plant).await.read_holding_registers(0, 1).await.is_err());
}

#[tokio::test]
async fn a_restarted_plc_drops_its_clients_and_its_uptime() {
    let plant = start(|config| config.start_at_us = 3_600_000_000).await;
    let mut client = connect(&plant).await;
    let before = read(&mut client).await;
    assert!(u32_at(&before, address::PLC_UPTIME) >= 3_600);
    plant.faults().trigger(Event::RestartPlc);
    is_lost(&mut client).await;
    let after = read(&mut connect(&plant).await).await;
    assert!(u32_at(&after, address::PLC_UPTIME) < u32_at(&before, address::PLC_UPTIME));
    assert!(u32_at(&after, address::STROKE_TOTAL) >= u32_at(&before, address::STROKE_TOTAL));
}

#[tokio::test]
async fn a_stopped_plant_frees_its_ports() {
    let plant = start(|_| {}).await;
    let (modbus_addr, opcua_addr) = (plant.modbus_addr(), plant.opcua_addr());
    plant.stop().await;
    let again = start(|config| {
        config.modbus_addr = modbus_addr;
        config.opcua_addr = opcua_addr;
    })
    .await;
    let taken = PlantConfig { modbus_addr: again.modbus_addr(), ..PlantConfig::default() };
    let error = Plant::start(taken).await.err().unwrap();
    assert!(matches!(error, PlantError::Listen { server: "the Modbus server", .. }), "{error}");
    assert!(error.to_string().ends_with("stop what uses it or choose another port"), "{error}");
}

#[tokio::test]
async fn impossible_configurations_say_why() {
    let with = |change: fn(&mut PlantConfig)| {
        let mut config = PlantConfig::default();
        change(&mut config);
        Plant::start(config)
    };
    let speed = with(|config| config.speed = 0.0).await.err().unwrap().to_string();
    assert_eq!(speed, "speed 0: a speed between 0 and 100000 is needed");
    let shift = with(|config| config.shift_us = Some(60_000_000)).await.err().unwrap().to_string();
    assert_eq!(shift, "a shift of 60 s: it lasts from an hour to a day");
    let start = with(|config| config.start_at_us = -1).await.err().unwrap().to_string();
    assert_eq!(start, "start_at_us -1: a plant cannot start before its time 0");
}

/// One request over HTTP/1.1; returns the status line and the body as JSON, null where it is none.
pub(super) async fn http(
    plant: &Plant,
    method: &str,
    path: &str,
    body: &str,
) -> (String, serde_json::Value) {
    let (status, body) = http_as("application/json", plant, method, path, body).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

/// The same with this content type, and the body as text.
pub(super) async fn http_as(
    content: &str,
    plant: &Plant,
    method: &str,
    path: &str,
    body: &str,
) -> (String, String) {
    let mut stream = TcpStream::connect(plant.http_addr().unwrap()).await.unwrap();
    let n = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\
         content-type: {content}\r\ncontent-length: {n}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.lines().next().unwrap().to_owned();
    (status, body.to_owned())
}

#[tokio::test]
async fn the_ledger_and_the_faults_are_on_http() {
    let plant = start(|config| config.http_addr = Some(config.modbus_addr)).await;
    let (status, held) = http(&plant, "POST", "/hold", "").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert_eq!(held["held"], true);
    let (_, account) = http(&plant, "GET", "/ledger", "").await;
    assert_eq!(account["made"], plant.ledger().made);
    assert_eq!(account["speed"], 60.0);
    assert_eq!(account["rejects"]["no_dose"], plant.ledger().rejects[&RejectClass::NoDose]);
    let order = r#"{"modbus": {"delay_ms": 5}, "once": ["restart_plc"]}"#;
    let (_, faults) = http(&plant, "POST", "/faults", order).await;
    assert_eq!(faults["modbus"]["delay_ms"], 5);
    assert_eq!(plant.faults().get().modbus.delay_ms, 5);
    let (status, _) = http(&plant, "POST", "/faults", r#"{"modbus": {"dely_ms": 5}}"#).await;
    assert_eq!(status, "HTTP/1.1 422 Unprocessable Entity");
    let (_, resumed) = http(&plant, "POST", "/resume", "").await;
    assert_eq!(resumed["held"], false);
    assert_eq!(http(&plant, "GET", "/healthz", "").await.0, "HTTP/1.1 200 OK");
}

/// What a PLC shows goes on while its machine stands, as the clock of a real one does.
#[tokio::test]
async fn the_clocks_of_plcs_do_not_stand_still_with_the_plant() {
    let clock = |plant: &Plant| {
        let images = plant.registers();
        let filler = images.iter().find(|image| image.unit == 1).unwrap();
        let words = &filler.values[address::PLC_CLOCK..address::PLC_CLOCK + 4];
        words.iter().fold(0_i64, |sum, word| sum << 16 | i64::from(*word))
    };
    // Half a minute of the line ago it was 1,000,000 ms.
    let (utc_us, at) = (1_000_000_000, Instant::now() - Duration::from_millis(500));
    let plant = start(|config| (config.held, config.plc_clock) = (true, Some((utc_us, at)))).await;
    let (first, plant_us) = (clock(&plant), plant.plant_us());
    assert!(first >= 1_030_000, "{first}");
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(clock(&plant) >= first + 1_200, "{first} {}", clock(&plant));
    assert_eq!(plant.plant_us(), plant_us, "the plant is held");
    // The negative control: without it they show plant time.
    let plant = start(|config| config.held = true).await;
    let first = clock(&plant);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(clock(&plant), first);
}

#[tokio::test]
async fn a_stopped_plant_leaves_no_task_behind() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(alive(), 0);
    let plant = start(|config| config.http_addr = Some(config.modbus_addr)).await;
    let mut client = connect(&plant).await;
    read(&mut client).await;
    let mut idle = Vec::new();
    for addr in [plant.opcua_addr(), plant.http_addr().unwrap()] {
        idle.push(TcpStream::connect(addr).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(alive() >= 6, "three servers with a connection each, {} tasks", alive());
    plant.stop().await;
    let all_gone = async {
        while alive() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), all_gone).await.unwrap_or_else(|_| panic!("{}", alive()));
}
