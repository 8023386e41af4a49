//! Against a server of our own that answers late, short, wrong or not at all, byte by byte.

mod fuzz;
mod groups;
mod reconnects;
mod rtu;
mod tls;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::plc_map::{Kind, ModbusOptions, Protocol, Role, Tag};
use domain::reading::{Miss, Outcome, Quality, Snapshot, Value};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::DeviceConfig;
use crate::sources::tests::{coil, device, holding, map, modbus};
use crate::sources::{Feed, GroupPace, Sources};

/// A request as the server saw it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// How many requests came before, on all connections.
    n: usize,
    /// Which connection, from 1.
    connection: usize,
    function: u8,
    first: u16,
    count: u16,
}

/// What the server does with a request.
enum Answer {
    /// Answers, after a while.
    Words(Duration, Vec<u16>),
    Bits(Vec<u8>),
    Exception(u8),
    /// Answers to another transaction.
    Stranger(Vec<u16>),
    /// Sends these bytes as they are.
    Raw(Vec<u8>),
    Close,
}

/// Every register holds its own address.
fn own_address(seen: Seen) -> Answer {
    Answer::Words(Duration::ZERO, (seen.first..seen.first + seen.count).collect())
}

struct Server {
    address: String,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(answer: impl Fn(Seen) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Server::on(listener, answer)
    }

    fn on(
        listener: TcpListener,
        answer: impl Fn(Seen) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let server = Server {
            address: listener.local_addr().unwrap().to_string(),
            connections: Arc::default(),
            seen: Arc::default(),
        };
        let (connections, seen) = (server.connections.clone(), server.seen.clone());
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = connections.fetch_add(1, SeqCst) + 1;
                tokio::spawn(serve(stream, connection, seen.clone(), answer.clone()));
            }
        });
        server
    }

    fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }
}

/// One connection, strictly one request after the other, as most PLCs do it.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    all: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<dyn Fn(Seen) -> Answer + Send + Sync>,
) -> Option<()> {
    loop {
        let mut frame = [0; 12];
        stream.read_exact(&mut frame).await.ok()?;
        let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
        let seen = {
            let mut all = all.lock().unwrap();
            let (n, function) = (all.len(), frame[7]);
            let seen = Seen { n, connection, function, first: word(8), count: word(10) };
            all.push(seen);
            seen
        };
        let (transaction, pdu) = match answer(seen) {
            Answer::Words(wait, words) => {
                tokio::time::sleep(wait).await;
                (word(0), pdu_of(seen.function, &words))
            }
            Answer::Bits(bytes) => {
                (word(0), [vec![seen.function, bytes.len() as u8], bytes].concat())
            }
            Answer::Exception(code) => (word(0), vec![seen.function | 0x80, code]),
            Answer::Stranger(words) => (word(0).wrapping_add(1), pdu_of(seen.function, &words)),
            Answer::Raw(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                continue;
            }
            Answer::Close => return None,
        };
        let mut reply = transaction.to_be_bytes().to_vec();
        reply.extend([0, 0]);
        reply.extend((pdu.len() as u16 + 1).to_be_bytes());
        reply.push(frame[6]);
        reply.extend(pdu);
        stream.write_all(&reply).await.ok()?;
    }
}

fn pdu_of(function: u8, words: &[u16]) -> Vec<u8> {
    let mut pdu = vec![function, words.len() as u8 * 2];
    pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    pdu
}

/// Sources that read one device, and the line that gets its snapshots.
struct Line {
    sources: Sources,
    queue: mpsc::Receiver<Snapshot>,
}

impl Line {
    fn start(config: DeviceConfig) -> Line {
        let (out, queue) = mpsc::channel(10_000);
        let feed = Feed { line: domain::units::LineId::new("L1"), device: 2, config, out };
        Line { sources: Sources::start(vec![feed], Clock::real()).unwrap(), queue }
    }

    async fn next(&mut self) -> Snapshot {
        let next = timeout(Duration::from_secs(10), self.queue.recv()).await;
        next.expect("a snapshot within ten seconds").unwrap()
    }

    /// Passes over snapshots until one is as wanted; returns it and those before it.
    async fn until(&mut self, wanted: impl Fn(&Snapshot) -> bool) -> (Snapshot, Vec<Snapshot>) {
        let mut before = Vec::new();
        loop {
            let snapshot = self.next().await;
            if wanted(&snapshot) {
                return (snapshot, before);
            }
            before.push(snapshot);
        }
    }

    /// Stops, and checks that the snapshots add up to the polls that fell due.
    async fn stop(self, mut received: Vec<Snapshot>) -> Vec<GroupPace> {
        let mut queue = self.queue;
        let accounts = self.sources.accounts();
        self.sources.stop().await;
        while let Ok(snapshot) = queue.try_recv() {
            received.push(snapshot);
        }
        let paces: Vec<GroupPace> = accounts.iter().map(|account| account.pace()).collect();
        for (group, pace) in paces.iter().enumerate() {
            let of_group = received.iter().filter(|s| usize::from(s.group) == group);
            let polls: u64 = of_group.map(|s| u64::from(s.polls)).sum();
            let missed: u64 = pace.missed.iter().map(|(_, n)| n).sum();
            assert_eq!(polls, pace.done + missed, "{pace:?}");
            assert_eq!(pace.planned, polls, "the account ends even: {pace:?}");
        }
        paces
    }
}

fn taken(snapshot: &Snapshot) -> bool {
    matches!(snapshot.outcome, Outcome::Taken(_))
}

fn missed_as(snapshot: &Snapshot, miss: Miss) -> bool {
    snapshot.outcome == Outcome::Missed(miss)
}

/// The values of a snapshot with readings.
fn values(snapshot: &Snapshot) -> Vec<Value> {
    match &snapshot.outcome {
        Outcome::Taken(readings) => readings.iter().map(|r| r.value.clone()).collect(),
        Outcome::Missed(miss) => panic!("missed: {miss:?}"),
    }
}

fn count_of(pace: &GroupPace, word: &str) -> u64 {
    pace.missed.iter().find(|(w, _)| *w == word).unwrap().1
}

fn plain(periods_ms: &[i64], tags: Vec<Tag>, address: &str) -> DeviceConfig {
    device(map(Protocol::Modbus(modbus()), periods_ms, tags), address.to_owned())
}

const U16: Kind = Kind::Unsigned(16);

#[tokio::test]
async fn all_kinds_arrive_in_the_order_of_the_map() {
    let server = Server::start(|seen| match seen.function {
        1 => Answer::Bits(vec![0b0000_0101]),
        _ => own_address(seen),
    })
    .await;
    let tags = vec![
        holding(40, Kind::Unsigned(32), 0),
        coil(8, 0),
        holding(10, U16, 0),
        coil(9, 0),
        holding(42, Kind::Bit(1), 0),
    ];
    let mut line = Line::start(plain(&[20], tags, &server.address));
    let before = Clock::real().now();
    let (snapshot, mut seen) = line.until(taken).await;
    let expected = [
        Value::Unsigned(40 << 16 | 41),
        Value::Bool(true),
        Value::Unsigned(10),
        Value::Bool(false),
        Value::Bool(true),
    ];
    assert_eq!(values(&snapshot), expected);
    assert_eq!((snapshot.device, snapshot.group, snapshot.polls), (2, 0, 1));
    let Outcome::Taken(readings) = &snapshot.outcome else { unreachable!() };
    assert_eq!(readings.iter().map(|r| r.tag).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(readings.iter().all(|r| r.quality == Quality::Good && r.source_us.is_none()));
    let now = Clock::real().now();
    assert!((before.mono_us..now.mono_us).contains(&snapshot.taken_at.mono_us));
    seen.push(snapshot);
    line.stop(seen).await;
    let functions: Vec<u8> =
        server.seen.lock().unwrap().iter().map(|s| s.function).take(3).collect();
    assert_eq!(functions, [1, 3, 3], "nothing but reads, and the registers in two runs");
}

/// Two blocks of the same shape whose values are their addresses: a reply taken for another would show.
fn two_blocks() -> Vec<Tag> {
    vec![holding(100, Kind::Unsigned(32), 0), holding(1_000, Kind::Unsigned(32), 0)]
}

const RIGHT: [Value; 2] = [Value::Unsigned(100 << 16 | 101), Value::Unsigned(1_000 << 16 | 1_001)];

/// Freezes once for longer than the timeout of 100 ms, then answers in order, late: into the next request.
fn freezes_once(seen: Seen) -> Answer {
    let wait = if seen.n == 4 { Duration::from_millis(150) } else { Duration::ZERO };
    Answer::Words(wait, (seen.first..seen.first + seen.count).collect())
}

/// Shows: ACQ-04
#[tokio::test]
async fn a_late_reply_is_never_taken_for_another() {
    let server = Server::start(freezes_once).await;
    let mut line = Line::start(plain(&[20], two_blocks(), &server.address));
    let (timed_out, mut all) = line.until(|s| missed_as(s, Miss::Timeout)).await;
    all.push(timed_out);
    for _ in 0..20 {
        let (snapshot, before) = line.until(taken).await;
        all.extend(before);
        all.push(snapshot);
    }
    for snapshot in all.iter().filter(|s| taken(s)) {
        assert_eq!(values(snapshot), RIGHT);
    }
    assert_eq!(server.connections(), 2, "the connection with the late reply was given up");
    let paces = line.stop(all).await;
    assert_eq!(count_of(&paces[0], "timeout"), 1);
    assert!(count_of(&paces[0], "skipped") >= 3, "polls that fell due during the timeout");
}

/// The control to the test above: the same server does mislead a client that keeps its connection and trusts the
/// order of replies.
#[tokio::test]
async fn the_same_server_misleads_a_client_without_checks() {
    let server = Server::start(freezes_once).await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let mut shown = Vec::new();
    for n in 0..8_u8 {
        let first: u16 = if n % 2 == 0 { 100 } else { 1_000 };
        let [high, low] = first.to_be_bytes();
        stream.write_all(&[0, n, 0, 0, 0, 6, 1, 3, high, low, 0, 2]).await.unwrap();
        let mut reply = [0; 13];
        if timeout(Duration::from_millis(100), stream.read_exact(&mut reply)).await.is_ok() {
            shown.push((first, u16::from_be_bytes([reply[9], reply[10]])));
        }
    }
    assert!(
        shown.contains(&(1_000, 100)),
        "the value of one block under the name of the other: {shown:?}"
    );
}

#[tokio::test]
async fn wrong_replies_are_mismatches_and_end_the_connection() {
    // One word instead of two, two of them too many, an answer to another transaction, another protocol, an answer
    // to another function, and a frame that is shorter than it says.
    let server = Server::start(|seen| match seen.n {
        0 => Answer::Words(Duration::ZERO, vec![1]),
        1 => Answer::Words(Duration::ZERO, vec![1, 2, 3, 4]),
        2 => Answer::Stranger(vec![1, 2]),
        3 => Answer::Raw(vec![0, 0, 0, 9, 0, 7, 1, 3, 4, 0, 1, 0, 2]),
        4 => Answer::Raw(vec![0, 0, 0, 0, 0, 7, 1, 4, 4, 0, 1, 0, 2]),
        5 => Answer::Raw(vec![0, 0, 0, 0, 0, 5, 1, 3, 4, 0, 1]),
        _ => own_address(seen),
    })
    .await;
    let mut line =
        Line::start(plain(&[20], vec![holding(5, Kind::Unsigned(32), 0)], &server.address));
    let (good, mut all) = line.until(taken).await;
    assert_eq!(values(&good), [Value::Unsigned(5 << 16 | 6)]);
    assert_eq!(server.connections(), 7);
    all.push(good);
    let paces = line.stop(all).await;
    assert_eq!(count_of(&paces[0], "mismatch"), 6, "{:?}", paces[0].missed);
}

#[tokio::test]
async fn an_exception_is_booked_and_keeps_the_connection() {
    let server = Server::start(|seen| match seen.n {
        0..3 => Answer::Exception(2),
        _ => own_address(seen),
    })
    .await;
    let mut line = Line::start(plain(&[20], vec![holding(5, U16, 0)], &server.address));
    let (good, mut all) = line.until(taken).await;
    // On a busy machine misses of a kind come together in one snapshot.
    let refused = all.iter().filter(|s| missed_as(s, Miss::Refused { code: 2 }));
    assert_eq!(refused.map(|s| s.polls).sum::<u32>(), 3);
    all.push(good);
    assert_eq!(server.connections(), 1);
    let paces = line.stop(all).await;
    assert_eq!(count_of(&paces[0], "refused"), 3);
}

#[tokio::test]
async fn a_closed_connection_is_made_anew_at_once() {
    let server = Server::start(|seen| match seen.n {
        5 => Answer::Close,
        _ => own_address(seen),
    })
    .await;
    let mut line = Line::start(plain(&[20], vec![holding(5, U16, 0)], &server.address));
    let (broken, mut all) = line.until(|s| missed_as(s, Miss::Broken)).await;
    let at = broken.taken_at.mono_us;
    all.push(broken);
    let (good, before) = line.until(taken).await;
    assert!(good.taken_at.mono_us - at < 200_000, "{} us", good.taken_at.mono_us - at);
    all.extend(before);
    all.push(good);
    line.stop(all).await;
}

#[tokio::test]
async fn a_device_that_is_not_there_costs_few_snapshots_and_comes_back_by_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut line = Line::start(plain(&[10], vec![holding(5, U16, 0)], &address.to_string()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut all: Vec<Snapshot> = std::iter::from_fn(|| line.queue.try_recv().ok()).collect();
    let polls: u32 = all.iter().map(|s| s.polls).sum();
    assert!((25..=52).contains(&polls), "{polls} polls in half a second");
    assert!(all.len() <= 18, "at most one of each kind in 100 ms, not one a poll: {}", all.len());
    assert!(all.iter().any(|s| missed_as(s, Miss::ConnectFailed)));
    assert!(all.iter().any(|s| missed_as(s, Miss::Disconnected)));
    let server = Server::on(TcpListener::bind(address).await.unwrap(), own_address);
    let (good, before) = line.until(taken).await;
    all.extend(before);
    all.push(good);
    line.stop(all).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_last_poll_brings_what_is_there_now() {
    let counter = Arc::new(AtomicUsize::new(0));
    let shown = counter.clone();
    let server =
        Server::start(move |_| Answer::Words(Duration::ZERO, vec![shown.load(SeqCst) as u16]))
            .await;
    // A period so long that no ordinary poll falls due after the change.
    let tags = vec![holding(5, U16, 0), holding(9, U16, 1)];
    let mut line = Line::start(plain(&[60_000, 60_000], tags, &server.address));
    while server.connections() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    counter.store(321, SeqCst);
    assert_eq!(line.sources.final_poll(Duration::from_secs(2)).await, []);
    let all: Vec<Snapshot> = std::iter::from_fn(|| line.queue.try_recv().ok()).collect();
    for group in [0, 1] {
        let last = all.iter().rfind(|s| s.group == group).unwrap();
        assert_eq!(values(last), [Value::Unsigned(321)]);
    }
    line.stop(all).await;
}

#[tokio::test]
async fn the_last_poll_names_who_did_not_answer() {
    let server = Server::start(|_| Answer::Exception(4)).await;
    let line = Line::start(plain(&[50], vec![holding(5, U16, 0)], &server.address));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let failed = line.sources.final_poll(Duration::from_millis(500)).await;
    assert_eq!(failed.iter().map(|(_, s)| s.as_str()).collect::<Vec<_>>(), ["CF01"]);
    line.stop(Vec::new()).await;
}

#[tokio::test]
async fn a_map_that_cannot_be_planned_is_said_at_the_start() {
    let options = ModbusOptions { max_registers: 2, ..modbus() };
    let map = map(Protocol::Modbus(options), &[10], vec![holding(0, Kind::Float(64), 0)]);
    let (out, _queue) = mpsc::channel(1);
    let feed = Feed {
        line: domain::units::LineId::new("L1"),
        device: 0,
        config: device(map, "127.0.0.1:1".into()),
        out,
    };
    let error = Sources::start(vec![feed], Clock::real()).err().unwrap();
    assert!(error.to_string().contains("raise max_registers"), "{error}");
}
