//! Somebody on the network wants to bring the screens down: nothing is polled less, nothing counted wrong, nothing grows.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::units::Count;
use serde_json::Value;
use simulators::PlantConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;

use crate::harness::{FILLER, PATIENCE, Site, any_port, count, plant, repository, until};
use crate::process::{Process, capline, text};

/// Heads that never end.
const LORIS: usize = 200;
/// Passwords that are wrong.
const WRONG: usize = 1_000;
/// Bodies of ten megabytes.
const BODIES: usize = 20;
/// Live screens that are asked for.
const SCREENS: usize = 10_000;
/// So many of them are under way at once.
const AT_ONCE: usize = 100;

/// A connection from one of many machines: all of 127/8 are this one.
async fn from(machine: usize, to: SocketAddr) -> std::io::Result<TcpStream> {
    // From one machine alone ten thousand connections would use up the ports.
    let socket = TcpSocket::new_v4()?;
    let last = u8::try_from(2 + machine % 200).unwrap_or(2);
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
    socket.connect(to).await
}

/// The screens as a display sees them: it shows a token.
struct Display {
    to: SocketAddr,
    token: String,
}

impl Display {
    async fn text(&self, path: &str) -> Result<String, String> {
        let mut stream = from(0, self.to).await.map_err(|error| error.to_string())?;
        let token = &self.token;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => Err(format!("GET {path}: {answer}")),
        }
    }

    /// Waits until the total is what is wanted.
    async fn counts(&self, what: &str, is: impl Fn(Count) -> bool) {
        until(what, PATIENCE, async || {
            let text = self.text("/api/v1/lines/L1/snapshot").await?;
            let view: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            match count(&view["total"])? {
                total if is(total) => Ok(()),
                total => Err(total.to_string()),
            }
        })
        .await;
    }
}

/// The status of an answer, none if the connection was closed without one.
async fn status(stream: &mut TcpStream) -> Option<(u16, String)> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match tokio::time::timeout(PATIENCE, stream.read_buf(&mut head)).await {
            Ok(Ok(n)) if n > 0 => {}
            _ => return None,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    Some((head.split(' ').nth(1)?.parse().ok()?, head))
}

/// How many live screens got in, and how many were refused and told when to come again.
async fn ask_for_screens(display: &Display) -> (Vec<TcpStream>, usize) {
    let (turns, refused) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for n in 0..SCREENS {
        let turn = turns.clone().acquire_owned().await.expect("it stays open");
        let (refused, to) = (refused.clone(), display.to);
        let request = format!(
            "GET /events?line=L1 HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\n\r\n",
            display.token
        );
        tasks.push(tokio::spawn(async move {
            let _turn = turn;
            let mut stream = from(n, to).await.expect("it listens");
            stream.write_all(request.as_bytes()).await.expect("it takes a request");
            match status(&mut stream).await.expect("it answers") {
                (200, _) => return Some(stream),
                (503, head) if head.contains("retry-after: ") => {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
                (status, head) => panic!("{status}: {head}"),
            }
            None
        }));
    }
    let mut open = Vec::new();
    for task in tasks {
        open.extend(task.await.expect("a screen is refused in order"));
    }
    (open, refused.load(Ordering::Relaxed))
}

async fn post(to: SocketAddr, machine: usize, body: &[u8]) -> Option<u16> {
    let mut stream = from(machine, to).await.ok()?;
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    // Who is refused need not have said all.
    let _ = stream.write_all(body).await;
    status(&mut stream).await.map(|(status, _)| status)
}

/// What the service says of itself: polls that fell due, polls missed, and its memory.
async fn figures(display: &Display) -> Result<(u64, u64, f64), String> {
    let text = display.text("/metrics").await?;
    let sum = |name: &str| -> f64 {
        let of = text.lines().filter(|line| line.starts_with(name));
        of.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    let planned = sum("capline_polls_planned_total{");
    let missed = sum("capline_polls_missed_total{") + sum("capline_snapshots_dropped_total{");
    Ok((planned as u64, missed as u64, sum("capline_resident_bytes")))
}

/// A filler that is read once a second: a machine that also runs the attack keeps that.
async fn calm_site(addr: SocketAddr) -> Site {
    let site = Site::new();
    let map = std::fs::read_to_string(repository(FILLER)).expect("the map");
    assert!(map.contains("fast = \"10ms\"\nslow = \"1s\""), "the groups of the map");
    let map = map.replace("fast = \"10ms\"\nslow = \"1s\"", "fast = \"1s\"\nslow = \"2s\"");
    let file = site.path().join("filler.toml");
    std::fs::write(&file, map).expect("a map");
    site.configure(any_port(), "CF01", &[(&file.display().to_string(), &addr.to_string())]);
    let text = std::fs::read_to_string(site.file()).expect("a configuration");
    let text = text.replace("\naddress = ", "\nreply_timeout = '10s'\naddress = ");
    let text = text.replace("[web]\n", "[web]\naccess = 'users'\n");
    std::fs::write(site.file(), text).expect("a configuration");
    site
}

/// Shows: ACC-14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attack_on_the_screens_reaches_neither_polls_nor_counts_nor_memory() {
    let folder = Site::new();
    let plant = plant(PlantConfig::default(), folder.path()).await;
    let site = calm_site(plant.modbus_addr()).await;
    let (_, token, _) = capline(&["display", "add", &text(&site.data()), "Wall 1"]).await;
    assert_eq!(token.len(), 64, "{token}");
    let mut service = Process::run(&site.file());
    let display = Display { to: service.api().await.0, token };
    until("a heard station", PATIENCE, async || {
        let view = display.text("/api/v1/lines/L1/snapshot").await?;
        if view.contains("\"up\":true") { Ok(()) } else { Err(view) }
    })
    .await;
    let before = plant.ledger().made;
    plant.resume();
    display.counts("some capsules", |total| total.low() > 100).await;
    let (begun, missed_before, bytes_before) = figures(&display).await.expect("figures");

    let to = display.to;
    let mut loris = Vec::new();
    for _ in 0..LORIS {
        let mut stream = from(0, to).await.expect("it listens");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ").await.expect("a byte");
        loris.push(stream);
    }
    let (screens, refused) = ask_for_screens(&display).await;
    assert!(!screens.is_empty() && screens.len() <= 64, "{} screens are open", screens.len());
    assert_eq!(screens.len() + refused, SCREENS, "each is open, or told when to come again");
    let (_, _, bytes_during) = figures(&display).await.expect("the screens still answer");
    let (mut wrong, mut late) = (0, 0);
    for n in 0..WRONG {
        match post(to, n % 2, b"{\"name\":\"boss\",\"password\":\"a guess of mine\"}").await {
            Some(401) => wrong += 1,
            Some(429) => late += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong + late, WRONG, "each is refused, most without a look at the password");
    let body = vec![b'x'; 10_000_000];
    for n in 0..BODIES {
        let answer = post(to, n, &body).await;
        // Who goes on to send may find the connection closed before the answer is read.
        assert!(matches!(answer, None | Some(413)), "{answer:?}");
    }
    let (ended, missed_after, bytes_after) = figures(&display).await.expect("figures");
    drop((loris, screens));

    // As many polls without anybody else.
    let quiet = (ended - begun).min(60);
    let (then, missed_quiet) = until("a quiet while", PATIENCE * 3, async || {
        let (planned, missed, _) = figures(&display).await?;
        if planned >= ended + quiet { Ok((planned, missed)) } else { Err(planned.to_string()) }
    })
    .await;
    let (under_attack, in_peace) = (missed_after - missed_before, missed_quiet - missed_after);
    assert!(
        under_attack <= in_peace,
        "{under_attack} of {} polls missed under attack, {in_peace} of {} in peace",
        ended - begun,
        then - ended
    );
    let most = bytes_before * 2.0 + 32e6;
    assert!(
        bytes_during < most && bytes_after < most,
        "{bytes_before} {bytes_during} {bytes_after}"
    );

    plant.hold();
    let made = plant.ledger().made - before;
    // Open above once a held plant gives no sign of life; what the journal holds in the end is exact.
    display.counts("all capsules", |total| total.low() == made).await;
    service.signal(rustix::process::Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    assert_eq!(site.books().total, Count::exact(made));
    plant.stop().await;
}
