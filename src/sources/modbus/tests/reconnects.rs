//! Many connections after each other leave nothing behind.

use std::sync::atomic::AtomicBool;

use tokio::runtime::{Builder, Handle};
use tokio::time::Instant;

use domain::units::LineId;

use super::*;
use crate::sources::account::Account;
use crate::sources::modbus::{Device, Tracks};
use crate::sources::outlet::Outlet;
use crate::sources::tests::{alone, held, reconnects};
use crate::sources::{Command, plan};

/// A device on the runtime of the test, whose tasks can be counted there.
fn device_here(
    config: DeviceConfig,
    out: mpsc::Sender<Snapshot>,
) -> (Device, mpsc::Sender<Command>) {
    let options = modbus();
    let plan = plan::plan(&config.map, &options, 0).unwrap();
    let account = Arc::new(Account::new(
        (LineId::new("L1"), 0),
        config.map.station.clone(),
        "g0".into(),
        10_000,
    ));
    let groups = vec![(plan, Outlet::new(0, 0, out, Clock::real(), account))];
    let track = Tracks::default().of(&config.wire);
    let (sender, commands) = mpsc::channel(4);
    let device = Device::new(config, options, groups, track, 0.0, Clock::real(), commands);
    (device.unwrap(), sender)
}

/// In a process of its own, because other tests open sockets too. `CAPLINE_RECONNECTS=500` is the long form.
#[test]
fn reconnecting_leaks_no_socket_no_thread_and_no_task() {
    const NAME: &str =
        "sources::modbus::tests::reconnects::reconnecting_leaks_no_socket_no_thread_and_no_task";
    if !alone(NAME) {
        return;
    }
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let n = reconnects(50);
        let closes = Arc::new(AtomicBool::new(false));
        let is_due = closes.clone();
        let server = Server::start(move |seen| match is_due.swap(false, SeqCst) {
            true => Answer::Close,
            false => own_address(seen),
        })
        .await;
        let (out, mut queue) = mpsc::channel(10_000);
        let config = plain(&[10], vec![holding(5, U16, 0)], &server.address);
        let (device, commands) = device_here(config, out);
        let task = tokio::spawn(device.run());
        let mut read_on = async |connections: usize| loop {
            let next = timeout(Duration::from_secs(20), queue.recv()).await;
            let snapshot = next.expect("a snapshot within twenty seconds").unwrap();
            if taken(&snapshot) && server.connections() >= connections {
                return;
            }
        };
        read_on(1).await;
        let (mut slowest, mut before, mut tasks) = (Duration::ZERO, (0, 0), 0);
        for i in 1..=n {
            let connected = server.connections();
            closes.store(true, SeqCst);
            let since = Instant::now();
            read_on(connected + 1).await;
            slowest = slowest.max(since.elapsed());
            if i == 2 {
                // The first connections start threads of the runtime, which stay.
                (before, tasks) = (held(), Handle::current().metrics().num_alive_tasks());
            }
        }
        // A connection that was closed leaves when its end has noticed.
        let is_sound = || {
            let (now, alive) = (held(), Handle::current().metrics().num_alive_tasks());
            let sound = now.0 <= before.0 + 2 && now.1 <= before.1 + 1 && alive <= tasks + 2;
            (sound, now, alive)
        };
        let (sound, after, alive) = is_sound();
        assert!(server.connections() > n as usize, "{} connections", server.connections());
        assert!(sound, "{before:?} {after:?}, {tasks} tasks became {alive}");
        // The control: a few connections that nobody reads are found.
        let mut left = Vec::new();
        for _ in 0..5 {
            left.push(TcpStream::connect(&server.address).await.unwrap());
        }
        assert!(!is_sound().0, "{} connections were left open", left.len());
        eprintln!(
            "{n} reconnects, the slowest {slowest:?}, files and threads {before:?} {after:?}, tasks {tasks} {alive}"
        );
        drop(commands);
        task.await.unwrap();
    });
}
