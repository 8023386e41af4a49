//! One bad device costs the others nothing: neither polls nor memory.

use std::net::SocketAddr;
use std::time::Duration;

use capline::clock::Clock;
use capline::config::DeviceConfig;
use capline::sources::{Feed, GroupPace, Sources};
use domain::units::LineId;
use simulators::{Plant, PlantConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::fault::Fault;
use super::naive::in_turn;
use super::proxy::Proxy;
use super::record::Speech;
use super::{device, fast_plant};
use crate::harness::{PATIENCE, Site, any_port, until};

/// How long each run is watched.
const RUN: Duration = Duration::from_secs(3);

/// Snapshots that the queue of a line can take that does not follow.
const ROOM: usize = 16;

/// Share of the due polls of the devices that were made in one run, and what came of the others.
struct Run {
    good: f64,
    bad: Vec<GroupPace>,
}

/// Reads good devices beside bad ones.
async fn run(good: &[DeviceConfig], bad: &[DeviceConfig]) -> Run {
    let (mut feeds, mut queues) = (Vec::new(), Vec::new());
    for (at, config) in good.iter().chain(bad).enumerate() {
        // The lines of the bad ones do not follow.
        let (out, queue) = mpsc::channel(if at < good.len() { 100_000 } else { ROOM });
        feeds.push(Feed {
            line: LineId::new("L1"),
            device: at as u16,
            config: config.clone(),
            out,
        });
        queues.push(queue);
    }
    let sources = Sources::start(feeds, Clock::real()).expect("sources start");
    let is_good = |pace: &GroupPace| usize::from(pace.device) < good.len();
    let of_good = |paces: &[GroupPace]| {
        let sum = |of: fn(&GroupPace) -> u64| {
            paces.iter().filter(|pace| is_good(pace)).map(of).sum::<u64>()
        };
        (sum(|pace| pace.done), sum(|pace| pace.planned))
    };
    until("readings of every good device", PATIENCE, async || {
        let paces = sources.pace();
        match paces.iter().filter(|pace| is_good(pace)).all(|pace| pace.done > 0) {
            true => Ok(()),
            false => Err(format!("{paces:?}")),
        }
    })
    .await;
    let before = of_good(&sources.pace());
    tokio::time::sleep(RUN).await;
    let paces = sources.pace();
    let after = of_good(&paces);
    for queue in &queues[good.len()..] {
        assert!(queue.len() <= ROOM, "a queue has room for {ROOM} snapshots: {}", queue.len());
    }
    sources.stop().await;
    let (made, due) = (after.0 - before.0, after.1 - before.1);
    let bad = paces.into_iter().filter(|pace| !is_good(pace)).collect();
    Run { good: made as f64 / due.max(1) as f64, bad }
}

/// A device that sends without end, asked or not: sound replies to a request that nobody made.
async fn flood() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(any_port()).await.expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    let serve = async move {
        let reply = [0xff, 0xfe, 0, 0, 0, 5, 1, 3, 2, 0, 7].repeat(1_000);
        while let Ok((mut stream, _)) = listener.accept().await {
            let reply = reply.clone();
            tokio::spawn(async move { while stream.write_all(&reply).await.is_ok() {} });
        }
    };
    (address, tokio::spawn(serve))
}

/// A weigher that has something new a thousand times a second.
async fn chatterbox(site: &Site) -> Plant {
    let config = PlantConfig {
        speed: 1_000.0,
        update_hz: 1_000,
        pki_dir: site.path().join("chatterbox-pki"),
        ..PlantConfig::default()
    };
    Plant::start(config).await.expect("a plant starts on free ports")
}

/// Shows: ACQ-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_devices_cost_the_others_no_poll() {
    let site = Site::new();
    let (plant, _) = fast_plant(site.path(), 1.0).await;
    plant.resume();
    let (filler, weigher) = (plant.modbus_addr(), plant.opcua_addr());
    let good = [
        device(Speech::ModbusTcp, &filler.to_string()),
        device(Speech::ModbusTcp, &filler.to_string()),
        device(Speech::OpcUa, &weigher.to_string()),
    ];
    let slow = Proxy::start(filler, Speech::ModbusTcp).await;
    slow.set(Fault::Late(Duration::from_millis(90)));
    let resetting = Proxy::start(filler, Speech::ModbusTcp).await;
    resetting.set(Fault::Reset);
    let mute = Proxy::start(filler, Speech::ModbusTcp).await;
    mute.set(Fault::HalfOpen);
    let mute_server = Proxy::start(weigher, Speech::OpcUa).await;
    mute_server.set(Fault::HalfOpen);
    let taken = TcpSocket::new_v4().expect("a socket");
    taken.bind(any_port()).expect("a free port");
    let dead = taken.local_addr().expect("an address");
    let (flooding, flood) = flood().await;
    let chatterbox = chatterbox(&site).await;
    let bad = [
        device(Speech::ModbusTcp, &dead.to_string()),
        device(Speech::ModbusTcp, &slow.address),
        device(Speech::ModbusTcp, &resetting.address),
        device(Speech::ModbusTcp, &mute.address),
        device(Speech::ModbusTcp, &flooding.to_string()),
        device(Speech::OpcUa, &mute_server.address),
        device(Speech::OpcUa, &chatterbox.opcua_addr().to_string()),
    ];

    let (alone, beside) = (run(&good, &[]).await, run(&good, &bad).await);
    eprintln!("polls made alone {:.3}, beside bad devices {:.3}", alone.good, beside.good);
    assert!(
        beside.good > alone.good - 0.25,
        "alone {:.3}, beside bad devices {:.3}",
        alone.good,
        beside.good
    );
    // What a line has no room for is counted.
    let dropped = |device: u16| -> u64 {
        beside.bad.iter().filter(|pace| pace.device == device).map(|pace| pace.dropped).sum()
    };
    let last = (good.len() + bad.len() - 1) as u16;
    assert!(dropped(last) > 0, "{:?}", beside.bad);

    // The control: one loop over a good device and the slow one makes few of the polls that are due.
    let period = Duration::from_millis(20);
    let filler = filler.to_string();
    let in_turn = in_turn(&[&filler, &slow.address], period, RUN).await;
    assert!(in_turn < 0.5, "{in_turn:.3} of the polls were made in turn with a slow device");
    flood.abort();
    chatterbox.stop().await;
    plant.stop().await;
}
