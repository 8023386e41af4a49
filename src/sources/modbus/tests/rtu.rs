//! RTU frames: on a pseudo terminal with a device of our own at its other end, and over TCP.
//!
//! The device frames and checks with its own code, so that a common mistake cannot cancel out.

use tokio_serial::{SerialPort as _, SerialStream};

use super::*;
use crate::config::{SerialPort, Transport, Wire};

/// The check sum of RTU, bit by bit (Modbus over serial line V1.02, 6.2.2).
pub(super) fn crc(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0xFFFF_u16;
    for byte in bytes {
        crc ^= u16::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
        }
    }
    crc.to_le_bytes()
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &crc(bytes)].concat()
}

/// One device, or all devices of a line: one request after the other.
async fn serve_rtu(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    all: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<dyn Fn(u8, Seen) -> Answer + Send + Sync>,
) -> Option<()> {
    loop {
        let mut frame = [0; 8];
        stream.read_exact(&mut frame).await.ok()?;
        assert_eq!(crc(&frame[..6]), frame[6..], "requests have a right check sum");
        let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
        let (unit, function) = (frame[0], frame[1]);
        let seen = {
            let mut all = all.lock().unwrap();
            let seen =
                Seen { n: all.len(), connection: 1, function, first: word(2), count: word(4) };
            all.push(seen);
            seen
        };
        let reply = match answer(unit, seen) {
            Answer::Words(wait, words) => {
                tokio::time::sleep(wait).await;
                framed(&[vec![unit], pdu_of(function, &words)].concat())
            }
            Answer::Bits(bytes) => {
                framed(&[vec![unit, function, bytes.len() as u8], bytes].concat())
            }
            Answer::Exception(code) => framed(&[unit, function | 0x80, code]),
            Answer::Stranger(words) => framed(&[vec![unit + 1], pdu_of(function, &words)].concat()),
            Answer::Raw(bytes) => bytes,
            Answer::Close => return None,
        };
        stream.write_all(&reply).await.ok()?;
    }
}

/// A serial line with devices at its far end.
struct Bus {
    path: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Keeps the line open while nobody reads it.
    _near: SerialStream,
}

impl Bus {
    fn start(answer: impl Fn(u8, Seen) -> Answer + Send + Sync + 'static) -> Bus {
        let (far, mut near) = SerialStream::pair().unwrap();
        near.set_exclusive(false).unwrap();
        let bus = Bus { path: near.name().unwrap(), seen: Arc::default(), _near: near };
        tokio::spawn(serve_rtu(far, bus.seen.clone(), Arc::new(answer)));
        bus
    }

    fn device(&self, unit: u8, periods_ms: &[i64], tags: Vec<Tag>) -> DeviceConfig {
        let mut config = plain(periods_ms, tags, &format!("serial:{}", self.path));
        let port = SerialPort { baud: 115_200, ..SerialPort::standard(&self.path) };
        config.wire = Wire { unit: Some(unit), ..Wire::of(Transport::Serial(port)) };
        config
    }
}

fn addresses(wait: Duration, seen: Seen) -> Answer {
    Answer::Words(wait, (seen.first..seen.first + seen.count).collect())
}

#[tokio::test]
async fn a_serial_line_is_read() {
    let bus = Bus::start(|unit, seen| match seen.function {
        1 => Answer::Bits(vec![0b10]),
        _ => Answer::Words(Duration::ZERO, vec![u16::from(unit) * 100; usize::from(seen.count)]),
    });
    let tags = vec![holding(5, U16, 0), coil(9, 0), coil(8, 0), holding(6, U16, 0)];
    let mut line = Line::start(bus.device(3, &[20], tags));
    let (snapshot, mut all) = line.until(taken).await;
    let expected =
        [Value::Unsigned(300), Value::Bool(true), Value::Bool(false), Value::Unsigned(300)];
    assert_eq!(values(&snapshot), expected);
    all.push(snapshot);
    line.stop(all).await;
}

/// Freezes once, for so long, then answers in order: the late answer has the shape of the next one.
fn late_once(wait_ms: u64) -> impl Fn(u8, Seen) -> Answer + Send + Sync + 'static {
    move |_, seen| {
        let wait = if seen.n == 4 { Duration::from_millis(wait_ms) } else { Duration::ZERO };
        addresses(wait, seen)
    }
}

/// Reads a line whose device is late once, and returns how many polls brought something.
async fn all_right_behind_a_late_reply(wait_ms: u64) -> usize {
    let bus = Bus::start(late_once(wait_ms));
    let mut line = Line::start(bus.device(1, &[20], two_blocks()));
    let (timed_out, mut all) = line.until(|s| missed_as(s, Miss::Timeout)).await;
    all.push(timed_out);
    for _ in 0..10 {
        let (snapshot, before) = line.until(taken).await;
        all.extend(before);
        all.push(snapshot);
    }
    for snapshot in all.iter().filter(|s| taken(s)) {
        assert_eq!(values(snapshot), RIGHT, "late by {wait_ms} ms");
    }
    let n = all.iter().filter(|s| taken(s)).count();
    line.stop(all).await;
    n
}

#[tokio::test]
async fn a_late_reply_on_a_serial_line_is_waited_out() {
    // Later than the timeout of 100 ms by less than the silence of 100 ms that follows it.
    assert!(all_right_behind_a_late_reply(150).await >= 10);
}

#[tokio::test]
async fn a_reply_later_than_the_silence_is_found_out_by_its_length() {
    assert!(all_right_behind_a_late_reply(350).await >= 10);
}

/// The challenges are late too, so that the answer to one could pass for the answer to the next.
#[tokio::test]
async fn a_device_that_stays_slow_for_a_while_misleads_nobody() {
    let bus = Bus::start(|_, seen| {
        let wait = if (4..9).contains(&seen.n) { 330 } else { 0 };
        addresses(Duration::from_millis(wait), seen)
    });
    let tags =
        vec![holding(100, U16, 0), holding(1_000, U16, 0), holding(2_000, Kind::Float(64), 0)];
    let mut line = Line::start(bus.device(1, &[20], tags));
    let mut all = Vec::new();
    while all.iter().filter(|s| taken(s)).count() < 10 {
        all.push(line.next().await);
    }
    for snapshot in all.iter().filter(|s| taken(s)) {
        assert_eq!(values(snapshot)[..2], [100, 1_000].map(Value::Unsigned));
    }
    assert!(all.iter().any(|s| missed_as(s, Miss::Timeout)));
    line.stop(all).await;
}

#[tokio::test]
async fn a_late_refusal_proves_nothing() {
    // An answer of four registers is late, and the challenge is refused: by what comes from that device, or from before.
    let bus = Bus::start(|_, seen| match seen.n {
        5 => addresses(Duration::from_millis(150), seen),
        6 => Answer::Exception(6),
        _ => addresses(Duration::ZERO, seen),
    });
    let mut line = Line::start(bus.device(
        1,
        &[20],
        vec![holding(100, Kind::Float(64), 0), holding(9, U16, 0)],
    ));
    let (refused, mut all) = line.until(|s| missed_as(s, Miss::Refused { code: 6 })).await;
    all.push(refused);
    let (good, before) = line.until(taken).await;
    all.extend(before);
    all.push(good);
    line.stop(all).await;
    let counts: Vec<u16> = bus.seen.lock().unwrap()[5..9].iter().map(|seen| seen.count).collect();
    assert_eq!(counts[1..3], [1, 2], "another length after the refusal: {counts:?}");
}

/// The control: on the same line a client that neither waits nor asks for another length shows the value of one block
/// under the name of the other.
#[tokio::test]
async fn the_same_line_misleads_a_client_that_goes_on() {
    let bus = Bus::start(late_once(150));
    let port = tokio_serial::new(&bus.path, 115_200);
    let mut stream = SerialStream::open(&port.exclusive(false)).unwrap();
    let mut shown = Vec::new();
    for n in 0..10 {
        let first: u16 = if n % 2 == 0 { 100 } else { 1_000 };
        let [high, low] = first.to_be_bytes();
        stream.write_all(&framed(&[1, 3, high, low, 0, 2])).await.unwrap();
        let mut reply = [0; 9];
        if timeout(Duration::from_millis(100), stream.read_exact(&mut reply)).await.is_ok() {
            shown.push((first, u16::from_be_bytes([reply[3], reply[4]])));
        }
    }
    assert!(shown.contains(&(1_000, 100)), "{shown:?}");
}

#[tokio::test]
async fn damaged_and_foreign_frames_are_no_values() {
    // A wrong check sum, an answer of another unit, one register too few, then rubbish before the end.
    let bus = Bus::start(|_, seen| match seen.n {
        0 => Answer::Raw(vec![1, 3, 4, 0, 5, 0, 6, 0xDE, 0xAD]),
        2 => Answer::Stranger(vec![5, 6]),
        4 => Answer::Words(Duration::ZERO, vec![5]),
        6 => Answer::Raw(framed(&[1, 4, 4, 0, 5, 0, 6])),
        _ => addresses(Duration::ZERO, seen),
    });
    let mut line = Line::start(bus.device(1, &[20], vec![holding(5, Kind::Unsigned(32), 0)]));
    let mut all = Vec::new();
    while all.iter().filter(|s| taken(s)).count() < 5 {
        all.push(line.next().await);
    }
    for snapshot in all.iter().filter(|s| taken(s)) {
        assert_eq!(values(snapshot), [Value::Unsigned(5 << 16 | 6)]);
    }
    let paces = line.stop(all).await;
    assert!(count_of(&paces[0], "timeout") >= 1, "a wrong check sum is no answer");
    assert!(count_of(&paces[0], "mismatch") >= 2, "{:?}", paces[0].missed);
}

#[tokio::test]
async fn devices_on_one_line_take_turns_and_a_dead_one_misleads_nobody() {
    // Unit 2 never answers; units 1 and 3 hold their own number.
    let bus = Bus::start(|unit, seen| match unit {
        2 => Answer::Raw(Vec::new()),
        _ => Answer::Words(Duration::ZERO, vec![u16::from(unit); usize::from(seen.count)]),
    });
    let (out, mut queue) = mpsc::channel(10_000);
    let feeds = [1, 2, 3].map(|unit| {
        let config = bus.device(unit, &[50], vec![holding(5, Kind::Unsigned(32), 0)]);
        Feed {
            line: domain::units::LineId::new("L1"),
            device: u16::from(unit),
            config,
            out: out.clone(),
        }
    });
    let sources = Sources::start(feeds.into(), Clock::real()).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    sources.stop().await;
    let mut good = [0; 4];
    while let Ok(snapshot) = queue.try_recv() {
        if let Outcome::Taken(readings) = &snapshot.outcome {
            let unit = u64::from(snapshot.device);
            assert_eq!(readings[0].value, Value::Unsigned(unit << 16 | unit));
            good[usize::from(snapshot.device)] += 1;
        }
    }
    assert_eq!(good[2], 0);
    assert!(good[1] >= 15 && good[3] >= 15, "of 50 polls each: {good:?}");
}

#[tokio::test]
async fn rtu_over_tcp_is_read_and_comes_back_after_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let connections = Arc::new(AtomicUsize::new(0));
    let (log, opened) = (seen.clone(), connections.clone());
    tokio::spawn(async move {
        let answer: Arc<dyn Fn(u8, Seen) -> Answer + Send + Sync> = Arc::new(late_once(150));
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if opened.fetch_add(1, SeqCst) == 1 {
                // A gateway that hands the late answer to whoever is connected now.
                let late = framed(&[1, 3, 4, 0, 100, 0, 101]);
                stream.write_all(&late).await.unwrap();
            }
            tokio::spawn(serve_rtu(stream, log.clone(), answer.clone()));
        }
    });
    let mut config = plain(&[20], two_blocks(), &format!("rtu+tcp://{address}"));
    config.wire = Wire::of(Transport::RtuOverTcp(address));
    let mut line = Line::start(config);
    let mut all = Vec::new();
    while all.iter().filter(|s| taken(s)).count() < 12 {
        all.push(line.next().await);
    }
    for snapshot in all.iter().filter(|s| taken(s)) {
        assert_eq!(values(snapshot), RIGHT);
    }
    assert_eq!(connections.load(SeqCst), 2);
    let paces = line.stop(all).await;
    assert_eq!(count_of(&paces[0], "timeout"), 1);
}

#[tokio::test]
async fn a_port_that_is_not_there_is_a_failed_connection() {
    let mut config = plain(&[20], vec![holding(5, U16, 0)], "serial:/dev/none");
    config.wire = Wire::of(Transport::Serial(SerialPort::standard("/dev/none")));
    let mut line = Line::start(config);
    let (failed, mut all) = line.until(|s| missed_as(s, Miss::ConnectFailed)).await;
    all.push(failed);
    line.stop(all).await;
}
