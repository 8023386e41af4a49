//! Several groups on one connection or more, and blocks that are torn.

use super::*;
use domain::reading::status;

/// A loaded machine must not lose the connection of a test that counts connections.
fn patient(config: DeviceConfig) -> DeviceConfig {
    DeviceConfig { reply_timeout: Duration::from_secs(20), ..config }
}

#[tokio::test]
async fn groups_share_one_connection_and_neither_starves() {
    // 12 ms for each request: more than the fast group can have, let alone both.
    let server = Server::start(|seen| {
        Answer::Words(Duration::from_millis(12), vec![seen.first; usize::from(seen.count)])
    })
    .await;
    let tags =
        vec![holding(0, U16, 0), holding(100, U16, 1), holding(200, U16, 1), holding(300, U16, 1)];
    let mut line = Line::start(patient(plain(&[10, 200], tags, &server.address)));
    let (mut all, mut slow) = (Vec::new(), 0);
    while slow < 4 {
        let snapshot = line.next().await;
        if taken(&snapshot) && snapshot.group == 1 {
            slow += 1;
            assert_eq!(values(&snapshot), [100, 200, 300].map(Value::Unsigned));
        }
        all.push(snapshot);
    }
    assert_eq!(server.connections(), 1);
    let paces = line.stop(all).await;
    assert!(count_of(&paces[0], "skipped") > 0, "what cannot be done is skipped and said so");
    assert!(paces[0].done > 2 * paces[1].done, "fast groups come first: {paces:?}");
    assert!(server.seen.lock().unwrap().iter().all(|seen| seen.connection == 1));
}

#[tokio::test]
async fn a_fast_poll_goes_between_two_requests_of_a_slow_one() {
    let server = Server::start(|seen| {
        Answer::Words(Duration::from_millis(4), vec![seen.first; usize::from(seen.count)])
    })
    .await;
    let mut tags: Vec<Tag> = (1..=6).map(|i| holding(i * 100, U16, 1)).collect();
    tags.push(holding(0, U16, 0));
    let mut line = Line::start(plain(&[10, 100], tags, &server.address));
    let mut all = Vec::new();
    while all.iter().filter(|s: &&Snapshot| taken(s) && s.group == 1).count() < 3 {
        all.push(line.next().await);
    }
    line.stop(all).await;
    let requests: Vec<u16> = server.seen.lock().unwrap().iter().map(|seen| seen.first).collect();
    let between = |w: &[u16]| w[0] >= 100 && w[1] == 0 && w[2] == w[0] + 100;
    assert!(requests.windows(3).any(between), "{requests:?}");
}

#[tokio::test]
async fn how_late_it_began_is_counted_of_every_poll() {
    let server =
        Server::start(|seen| Answer::Words(Duration::ZERO, vec![7; usize::from(seen.count)])).await;
    let mut line = Line::start(plain(&[5], vec![holding(0, U16, 0)], &server.address));
    let mut all = Vec::new();
    while all.iter().filter(|s: &&Snapshot| taken(s)).count() < 30 {
        all.push(line.next().await);
    }
    let paces = line.stop(all).await;
    let (pace, lateness) = (&paces[0], &paces[0].lateness);
    assert!(pace.done >= 30);
    assert_eq!(lateness.n(), pace.done, "one for each poll that began: {pace:?}");
    let bounds: Vec<u64> = lateness.buckets.iter().map(|(bound, _)| *bound).collect();
    assert!(bounds.is_sorted() && bounds.first() == Some(&10) && bounds.contains(&100_000));
    assert_eq!(bounds.last(), Some(&u64::MAX), "nothing is too late to be counted");
    assert!(lateness.p50_us <= lateness.p99_us && lateness.p99_us <= lateness.max_us);
}

/// A poll each period is what a map asks for; without a period the next one begins when the last is done, on one
/// connection and after an outage too.
#[tokio::test]
async fn a_group_without_a_period_is_polled_again_at_once() {
    let server = Server::start(|seen| match seen.n {
        100 => Answer::Close,
        _ => Answer::Words(Duration::ZERO, vec![7; usize::from(seen.count)]),
    })
    .await;
    let mut line = Line::start(plain(&[0], vec![holding(0, U16, 0)], &server.address));
    let mut all = Vec::new();
    while all.iter().filter(|s: &&Snapshot| taken(s)).count() < 300 {
        all.push(line.next().await);
    }
    let paces = line.stop(all).await;
    let pace = &paces[0];
    assert_eq!(server.connections(), 2);
    assert_eq!(
        pace.planned - pace.done,
        1,
        "the poll that met the end of the connection: {pace:?}"
    );
    assert_eq!(count_of(pace, "broken"), 1, "{pace:?}");
}

fn sequenced() -> Vec<Tag> {
    let head = Tag { role: Role::SequenceHead, ..holding(0, U16, 0) };
    let tail = Tag { role: Role::SequenceTail, ..holding(2, U16, 0) };
    vec![head, holding(1, U16, 0), tail]
}

#[tokio::test]
async fn a_torn_block_is_read_once_more() {
    let server = Server::start(|seen| match seen.n {
        0 => Answer::Words(Duration::ZERO, vec![7, 500, 8]),
        _ => Answer::Words(Duration::ZERO, vec![8, 501, 8]),
    })
    .await;
    let mut line = Line::start(plain(&[50], sequenced(), &server.address));
    let (snapshot, mut all) = line.until(taken).await;
    assert_eq!(values(&snapshot)[1], Value::Unsigned(501));
    all.push(snapshot);
    let paces = line.stop(all).await;
    assert_eq!(count_of(&paces[0], "torn"), 0, "one poll, two reads");
    assert_eq!(paces[0].rereads, 1);
}

#[tokio::test]
async fn a_block_torn_twice_is_a_miss() {
    let server = Server::start(|_| Answer::Words(Duration::ZERO, vec![7, 500, 8])).await;
    let mut line = Line::start(plain(&[50], sequenced(), &server.address));
    let (torn, mut all) = line.until(|s| missed_as(s, Miss::Torn)).await;
    assert!(!all.iter().any(taken));
    all.push(torn);
    line.stop(all).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_block_is_read_as_often_as_its_map_says() {
    let server = Server::start(|seen| match seen.n % 4 {
        3 => Answer::Words(Duration::ZERO, vec![9, 502, 9]),
        _ => Answer::Words(Duration::ZERO, vec![7, 500, 8]),
    })
    .await;
    let options = ModbusOptions { reads: 4, ..modbus() };
    let map = map(Protocol::Modbus(options), &[50], sequenced());
    let mut line = Line::start(device(map, server.address.clone()));
    let (snapshot, mut all) = line.until(taken).await;
    assert_eq!(values(&snapshot)[1], Value::Unsigned(502));
    assert!(!all.iter().any(|s| missed_as(s, Miss::Torn)), "the fourth read is whole: {all:?}");
    all.push(snapshot);
    let paces = line.stop(all).await;
    assert!(paces[0].rereads >= 3, "{:?}", paces[0]);
}

/// A slow group with ten requests of 125 registers that take 5 ms each, beside a fast one. Between the moment when a
/// fast poll is due and its request there is never more than the one request under way.
#[tokio::test]
async fn a_slow_group_of_large_requests_delays_a_fast_one_by_one_request_at_most() {
    const TAKES: Duration = Duration::from_millis(5);
    let server = Server::start(move |seen| {
        let wait = if seen.first == 0 { Duration::ZERO } else { TAKES };
        Answer::Words(wait, vec![1; usize::from(seen.count)])
    })
    .await;
    let mut tags = vec![holding(0, U16, 0)];
    tags.extend((0..1_250).map(|i| holding(1_000 + i, U16, 1)));
    let mut line = Line::start(plain(&[10, 200], tags, &server.address));
    let mut all = Vec::new();
    while all.iter().filter(|s: &&Snapshot| taken(s) && s.group == 1).count() < 5 {
        all.push(line.next().await);
    }
    let paces = line.stop(all).await;
    let requests: Vec<u16> = server.seen.lock().unwrap().iter().map(|seen| seen.first).collect();
    assert!(requests.iter().filter(|first| **first > 0).count() >= 50);
    // Each slow request takes half a fast period, so that at most two follow each other without a fast one.
    let longest = requests.split(|first| *first == 0).map(<[u16]>::len).max();
    assert!(longest <= Some(3), "{longest:?} slow requests in a row");
    for pace in &paces {
        let missed: u64 = pace.missed.iter().map(|(_, n)| n).sum();
        assert!(pace.planned - pace.done - missed <= 1, "planned = done + missed: {pace:?}");
    }
}

#[tokio::test]
async fn two_connections_keep_the_fast_group_apart() {
    let server = Server::start(|seen| {
        let wait = if seen.first == 0 { Duration::ZERO } else { Duration::from_millis(60) };
        Answer::Words(wait, vec![seen.first; usize::from(seen.count)])
    })
    .await;
    let tags = vec![holding(0, U16, 0), holding(100, U16, 1), holding(200, U16, 2)];
    let mut config = patient(plain(&[10, 100, 100], tags, &server.address));
    config.wire.connections = 2;
    let mut line = Line::start(config);
    let mut all = Vec::new();
    while all.iter().filter(|s: &&Snapshot| taken(s) && s.group == 2).count() < 4 {
        all.push(line.next().await);
    }
    let failed = line.sources.final_poll(Duration::from_secs(1)).await;
    assert_eq!(failed, [], "both connections deliver their last poll");
    line.stop(all).await;
    assert_eq!(server.connections(), 2);
    let seen = server.seen.lock().unwrap().clone();
    let of = |first: u16| seen.iter().find(|s| s.first == first).map(|s| s.connection);
    assert!(of(0) != of(100) && of(100) == of(200), "{seen:?}");
    let fast = seen.iter().filter(|s| s.first == 0).count();
    let slow = seen.len() - fast;
    assert!(
        fast > 4 * slow,
        "60 ms of a slow request do not stop the fast group: {fast} to {slow}"
    );
}

#[tokio::test]
async fn what_registers_do_not_hold_is_bad_and_says_why() {
    let server =
        Server::start(|_| Answer::Words(Duration::ZERO, vec![0x12A4, 0x7FC0, 0x0000, 0x0042]))
            .await;
    let tags =
        vec![holding(0, Kind::Bcd(16), 0), holding(1, Kind::Float(32), 0), holding(3, U16, 0)];
    let mut line = Line::start(plain(&[20], tags, &server.address));
    let (snapshot, mut all) = line.until(taken).await;
    let Outcome::Taken(readings) = &snapshot.outcome else { unreachable!() };
    let found: Vec<_> = readings.iter().map(|r| (r.quality, status::cause(r.status))).collect();
    let expected = [
        (Quality::Bad, Some("undecodable")),
        (Quality::Bad, Some("no_number")),
        (Quality::Good, None),
    ];
    assert_eq!(found, expected);
    all.push(snapshot);
    line.stop(all).await;
}

#[tokio::test]
async fn the_line_is_left_alone_for_the_pause_after_each_answer() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let log = times.clone();
    let server = Server::start(move |seen| {
        log.lock().unwrap().push(std::time::Instant::now());
        own_address(seen)
    })
    .await;
    let tags = (0..5).map(|i| holding(i * 100, U16, 0)).collect();
    let mut config = plain(&[100], tags, &server.address);
    config.wire.pause = Duration::from_millis(8);
    config.wire.unit = Some(7);
    let mut line = Line::start(config);
    let (snapshot, mut all) = line.until(taken).await;
    all.push(snapshot);
    line.stop(all).await;
    let times = times.lock().unwrap();
    for pair in times[..5].windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(8), "{:?}", pair[1] - pair[0]);
    }
}
