//! Faults of the catalogue on a running plant: its frames, its connections, and the truth about them.

use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_modbus::client::Reader;

use super::sockets::{connect, http, http_as, is_lost, read, start, u32_at};
use crate::{
    Fault, Injection, Plant, RemotePlant, Server, ServiceLine, http::ROUTES, registers::address,
};

const SECOND_US: i64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks for one register under this transaction number.
async fn ask(stream: &mut TcpStream, transaction: u8) {
    stream.write_all(&[0, transaction, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]).await.unwrap();
}

/// Transaction number and unit of the next answer, none if there is none for a while.
async fn heard(stream: &mut TcpStream) -> Option<(u16, u8)> {
    let mut frame = [0; 11];
    let answer = timeout(Duration::from_millis(300), stream.read_exact(&mut frame)).await;
    answer.ok()?.unwrap();
    Some((u16::from(frame[0]) << 8 | u16::from(frame[1]), frame[6]))
}

#[tokio::test]
async fn frames_come_twice_out_of_order_and_under_wrong_names() {
    let plant = start(|_| {}).await;
    let mut stream = TcpStream::connect(plant.modbus_addr()).await.unwrap();
    ask(&mut stream, 1).await;
    assert_eq!(heard(&mut stream).await, Some((1, 1)));

    plant.inject(Fault::DuplicateReplies, None, None).unwrap();
    ask(&mut stream, 2).await;
    assert_eq!([heard(&mut stream).await, heard(&mut stream).await], [Some((1, 1)), Some((2, 1))]);
    plant.withdraw(Fault::DuplicateReplies);

    plant.inject(Fault::ReorderedReplies, None, None).unwrap();
    ask(&mut stream, 3).await;
    assert_eq!(heard(&mut stream).await, None, "held back");
    ask(&mut stream, 4).await;
    assert_eq!([heard(&mut stream).await, heard(&mut stream).await], [Some((4, 1)), Some((3, 1))]);
    plant.withdraw(Fault::ReorderedReplies);

    plant.inject(Fault::WrongTransaction, None, None).unwrap();
    ask(&mut stream, 5).await;
    assert_ne!(heard(&mut stream).await.unwrap().0, 5);
    plant.withdraw(Fault::WrongTransaction);

    plant.inject(Fault::WrongUnit, None, None).unwrap();
    ask(&mut stream, 6).await;
    let (transaction, unit) = heard(&mut stream).await.unwrap();
    assert!(transaction == 6 && unit != 1, "{unit}");
    plant.withdraw(Fault::WrongUnit);

    ask(&mut stream, 7).await;
    assert_eq!(heard(&mut stream).await, Some((7, 1)), "and all is well again");
}

/// Waits until plant time is beyond a moment.
async fn beyond(plant: &Plant, plant_us: i64) {
    let passed = async {
        while plant.plant_us() <= plant_us {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, passed).await.unwrap();
}

#[tokio::test]
async fn a_planned_loss_of_communication_begins_and_ends_at_its_plant_time() {
    let plant = start(|config| config.held = true).await;
    let mut client = connect(&plant).await;
    read(&mut client).await;
    let (from_us, for_us) = (30 * SECOND_US, 60 * SECOND_US);
    plant.plan(Injection::new(Fault::CommsLoss, from_us, Some(for_us), None).unwrap());
    plant.resume();
    is_lost(&mut client).await;
    assert!(plant.plant_us() >= from_us);
    beyond(&plant, from_us + for_us).await;
    read(&mut connect(&plant).await).await;
    let [truth] = plant.injected()[..] else { panic!("{:?}", plant.injected()) };
    assert_eq!((truth.from_us, truth.until_us), (from_us, Some(from_us + for_us)));
}

#[tokio::test]
async fn counters_flash_to_zero_and_words_are_turned_round() {
    let plant = start(|config| (config.held, config.start_at_us) = (true, 600 * SECOND_US)).await;
    let (mut client, mut beside) = (connect(&plant).await, connect(&plant).await);
    let whole = read(&mut client).await;
    assert_eq!(read(&mut beside).await, whole);
    plant.inject(Fault::ZeroGlitch, None, Some(2.0)).unwrap();
    // What holds no counter takes none of them away, and neither does the other reader.
    let slow = address::STROKE_RATE..address::ROOM_RH + 1;
    let (at, n) = (slow.start as u16, slow.len() as u16);
    let held = client.read_holding_registers(at, n).await.unwrap().unwrap();
    assert_eq!(held, whole[slow]);
    for reader in [&mut client, &mut beside] {
        for _ in 0..2 {
            let zeros = read(reader).await;
            assert_eq!(u32_at(&zeros, address::PROCESSED_ACC_COUNT), 0);
            assert_eq!(zeros[..address::CONSUMED_COUNT], whole[..address::CONSUMED_COUNT]);
        }
        assert_eq!(read(reader).await, whole);
    }
    assert_eq!(read(&mut connect(&plant).await).await, whole, "what was before is not shown again");
    plant.inject(Fault::WrongWordOrder, None, None).unwrap();
    let turned = read(&mut client).await;
    assert_eq!(turned[address::CONSUMED_COUNT], whole[address::CONSUMED_COUNT + 1]);
    assert_eq!(turned[address::REJ_UNSEPARATED], whole[address::REJ_UNSEPARATED]);
}

#[tokio::test]
async fn the_catalogue_and_the_injections_are_on_http() {
    let secured = Server::new("https://127.0.0.1:1").unwrap();
    let error = ServiceLine::find(secured.clone(), None).await.unwrap_err().to_string();
    assert!(error.ends_with("name the certificate that it shows, or its authority, with --ca"));
    let error = secured.trusting(Path::new("no.pem")).unwrap_err().to_string();
    assert!(error.starts_with("no.pem: ") && error.ends_with("in PEM"), "{error}");
    let plant = start(|config| config.http_addr = Some(config.modbus_addr)).await;
    let (_, catalogue) = http(&plant, "GET", "/faults/catalogue", "").await;
    assert_eq!(catalogue.as_array().unwrap().len(), Fault::ALL.len());
    assert_eq!(catalogue[0]["name"], "comms_loss");
    assert_eq!(
        (&catalogue[0]["title"]["zh"], &catalogue[0]["happens"]),
        (&"通信中断".into(), &"switch".into())
    );
    let order = r#"{"fault": "late_replies", "for_s": 5, "value": 40}"#;
    let (status, injected) = http(&plant, "POST", "/inject", order).await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    let (_, all) = http(&plant, "GET", "/injections", "").await;
    assert_eq!(all[0], injected);
    let lasts_us = all[0]["until_us"].as_i64().unwrap() - all[0]["from_us"].as_i64().unwrap();
    assert_eq!((lasts_us, &all[0]["name"]), (5 * SECOND_US, &"late_replies".into()));
    let (status, _) = http(&plant, "POST", "/inject", r#"{"fault": "disk_full"}"#).await;
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    http(&plant, "POST", "/inject", r#"{"fault": "mute"}"#).await;
    let (_, all) = http(&plant, "POST", "/withdraw", r#"{"fault": "mute"}"#).await;
    assert!(all[1]["until_us"].is_i64(), "{all}");
}

#[tokio::test]
async fn who_has_no_manual_finds_every_route_and_a_line_that_works() {
    let plant = start(|config| config.http_addr = Some(config.modbus_addr)).await;
    let (status, list) = http_as("text/plain", &plant, "GET", "/", "").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    for (method, path, _) in ROUTES {
        assert!(list.contains(&format!("{method:<5} {path} ")), "{method} {path}: {list}");
        let (status, _) = http(&plant, method, path, "").await;
        let is_there = !["404", "405"].iter().any(|code| status.contains(code));
        assert!(is_there, "{method} {path}: {status}");
    }
    let (status, _) = http(&plant, "GET", "/stops", "").await;
    assert_eq!(status, "HTTP/1.1 404 Not Found", "the control");

    // What is printed for a shell, as curl sends it with its head and without.
    let line = plant.inject_line().unwrap();
    let url = format!(
        "curl http://{}/inject -H 'content-type: application/json'",
        plant.http_addr().unwrap()
    );
    let body = line.strip_prefix(&url).and_then(|rest| rest.trim().strip_prefix("-d '"));
    let body = body.and_then(|rest| rest.strip_suffix('\'')).unwrap_or_else(|| panic!("{line}"));
    for content in ["application/json", "application/x-www-form-urlencoded"] {
        let (status, said) = http_as(content, &plant, "POST", "/inject", body).await;
        assert_eq!(status, "HTTP/1.1 200 OK", "{content}: {said}");
    }
    assert_eq!(plant.injected().len(), 2);
    let (status, said) = http_as("text/plain", &plant, "POST", "/inject", "fault=jam").await;
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert!(said.contains(r#"send JSON such as {"fault": "jam", "value": 40}"#), "{said}");
}

#[tokio::test]
async fn a_plant_in_another_process_tells_and_stands_as_it_is_asked() {
    let plant = start(|config| config.http_addr = Some(config.modbus_addr)).await;
    plant.inject(Fault::Mute, Some(SECOND_US), None).unwrap();
    let url = format!("http://{}/", plant.http_addr().unwrap());
    let remote = RemotePlant::new(Server::new(&url).unwrap());
    assert_eq!(remote.speed().await.unwrap(), 60.0);
    let held = remote.hold().await.unwrap();
    assert_eq!((&held, remote.ledger().await.unwrap()), (&plant.ledger(), plant.ledger()));
    assert_eq!(remote.injected().await.unwrap(), plant.injected());
    remote.resume().await.unwrap();
    beyond(&plant, held.plant_us).await;
}

#[tokio::test]
async fn who_is_not_there_or_is_something_else_is_named() {
    for url in ["127.0.0.1:8080", "http://127.0.0.1", "http://127.0.0.1:80/x", "ftp://a:1"] {
        let error = Server::new(url).unwrap_err().to_string();
        assert!(error.contains("write one such as http://127.0.0.1:8080"), "{error}");
    }
    let plant = start(|config| config.http_addr = Some(config.modbus_addr)).await;
    let url = format!("http://{}", plant.http_addr().unwrap());
    let error = ServiceLine::find(Server::new(&url).unwrap(), None).await.unwrap_err().to_string();
    assert_eq!(error, format!("{url}/api/v1/lines: there is no such thing"));
    plant.stop().await;
    let error = ServiceLine::find(Server::new(&url).unwrap(), None).await.unwrap_err().to_string();
    assert!(error.ends_with("is it running, and is the address right?"), "{error}");
}
