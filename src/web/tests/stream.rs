//! The live stream and its connections.

use domain::line::event::Event;
use domain::line::minute::Counted;
use domain::line::stop::Stop;

use super::*;
use crate::web::fixture::kept::{self, BEGIN_US, Kept};

/// Serves `app` on a free port until the sender is dropped or used.
async fn serve(
    app: App,
) -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let served = tokio::spawn(async move {
        let stopped = async move {
            let _ = stopped.await;
        };
        crate::web::serve(listener, app.into(), stopped).await.unwrap();
    });
    (address, stop, served)
}

async fn open_stream(address: std::net::SocketAddr) -> TcpStream {
    open_as(address, "").await
}

async fn open_as(address: std::net::SocketAddr, more: &str) -> TcpStream {
    open_after(address, more, "last-event-id: 41\r\n").await
}

async fn open_after(address: std::net::SocketAddr, more: &str, last: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /events?line=L1{more} HTTP/1.1\r\nhost: {address}\r\naccept-encoding: gzip, br\r\n{last}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// What arrives until it holds `end`, or until the other side closes.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 65_536];
    while !text.contains(end) {
        let n = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        if n == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    text
}

#[tokio::test]
async fn the_stream_begins_with_the_whole_present_in_the_shape_of_the_snapshot() {
    let (app, _sender) = running();
    let (address, _stop, _served) = serve(app.clone()).await;
    let mut stream = open_stream(address).await;
    let text = read_until(&mut stream, "event: charts").await;
    // A browser takes it compressed too, but what is compressed waits until there is more.
    assert!(text.contains("text/event-stream") && !text.contains("content-encoding"), "{text}");
    assert!(text.contains("event: hb\n"), "{text}");
    assert!(text.contains("id: 42\n"), "numbers go on after the last one heard");
    // An id of a service before this one has no moment, and so there is nothing to tell again.
    assert!(!text.contains("event: missed"), "{text}");
    let data = text.split("event: view\ndata: ").nth(1).unwrap().lines().next().unwrap();
    let (mut streamed, mut asked) = (BTreeMap::new(), BTreeMap::new());
    shape(&serde_json::from_str(data).unwrap(), "", &mut streamed);
    shape(&get(&app, SNAPSHOT).await.json(), "", &mut asked);
    assert_eq!(streamed, asked);
    assert!(streamed.contains_key(".stations.state.word"));
    assert_eq!(app.n_streams(), 1);
}

#[tokio::test]
async fn who_sends_a_request_byte_by_byte_is_let_go() {
    let (app, _sender) = running();
    let (address, _stop, _served) = serve(app).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    let begun = std::time::Instant::now();
    let closed = async {
        for byte in
            b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ".iter().chain(std::iter::repeat(&b'x'))
        {
            if slow.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let limit = crate::web::serve::HEAD_WITHIN + Duration::from_secs(5);
    tokio::time::timeout(limit, closed).await.expect("the connection is closed");
    assert!(
        begun.elapsed() >= crate::web::serve::HEAD_WITHIN / 2,
        "a slow but honest client has its time"
    );
}

#[tokio::test]
async fn streams_end_when_the_service_stops() {
    let (app, _sender) = running();
    let (address, stop, served) = serve(app.clone()).await;
    let mut stream = open_stream(address).await;
    read_until(&mut stream, "event: view").await;
    stop.send(()).unwrap();
    let rest = read_until(&mut stream, "never").await;
    assert!(rest.ends_with("0\r\n\r\n") || rest.is_empty(), "the stream ends as it should");
    drop(stream);
    tokio::time::timeout(Duration::from_secs(2), served).await.unwrap().unwrap();
}

#[tokio::test]
async fn more_screens_than_allowed_are_told_so_and_leave_room_when_they_go() {
    let (app, _sender) = running();
    let all = app.0.streams.clone().acquire_many_owned(crate::web::STREAMS as u32).await.unwrap();
    let answer = get(&app, "/events").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.json()["hint"].as_str().unwrap().contains("snapshot"));
    drop(all);
    assert_eq!(app.n_streams(), 0);
}

#[tokio::test]
async fn a_screen_that_follows_closely_hears_each_count_and_others_do_not() {
    let (app, sender) = running();
    let followers = app.parts().lines[0].followers.clone();
    let (address, _stop, _served) = serve(app).await;
    let mut others = open_stream(address).await;
    read_until(&mut others, "event: view").await;
    assert!(!followers.any());
    let mut closely = open_as(address, "&hz=10").await;
    read_until(&mut closely, "event: view").await;
    assert!(followers.any());
    let one_more = |status: &mut Option<Arc<LineStatus>>| {
        let status = Arc::make_mut(status.as_mut().unwrap());
        let good = status.stations[0].good.unwrap() + Count::exact(1);
        status.stations[0].good = Some(good);
    };
    sender.send_modify(one_more);
    let text = read_until(&mut closely, "\"flows\":").await;
    assert!(text.contains("event: now"), "{text}");
    // A status whose counts stand still says nothing new; one more capsule does.
    for _ in 0..3 {
        sender.send_modify(|_| {});
        let text = read_until(&mut closely, "event: view").await;
        assert!(!text.contains("event: now"), "{text}");
    }
    sender.send_modify(one_more);
    let text = read_until(&mut closely, "\"flows\":").await;
    assert!(text.contains("event: now"), "{text}");
    let twice = read_until(&mut others, "event: view").await
        + &read_until(&mut others, "event: view").await;
    assert!(!twice.contains("event: now"), "{twice}");
    drop(closely);
    let left = async {
        while followers.any() {
            sender.send_modify(|_| {});
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), left).await.expect("nobody follows closely");
}

/// A morning with three stops in its last hour; the third goes on.
fn with_stops() -> Kept {
    let mut record = Kept::morning();
    for (number, span) in [(3, 125..132), (4, 140..145), (5, 170..171)] {
        let like = record.stops[1].clone();
        let at = |minute: i64| kept::at(BEGIN_US + minute * MINUTE_US);
        let to = (number != 5).then(|| at(span.end));
        record.stops.push(Stop { number, from: at(span.start), to, ..like });
    }
    record.events.push(Event { at_us: BEGIN_US + 145 * MINUTE_US, ..record.events[8].clone() });
    record
}

/// What comes on a stream that goes on after this id, up to the first view: names with ids, and what was missed.
async fn resumed(app: App, more: &str, last: &str) -> (Vec<(String, String)>, Option<Value>) {
    let (address, _stop, _served) = serve(app).await;
    let mut stream = open_after(address, more, last).await;
    // An event has its id behind what it tells: up to the view after it all is there.
    let text = read_until(&mut stream, "event: charts").await
        + &read_until(&mut stream, "event: view").await;
    let of = |key: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(key))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (names, ids, data) = (of("event: "), of("id: "), of("data: "));
    let missed = names.iter().position(|name| name == "missed");
    let missed = missed.map(|i| serde_json::from_str(&data[i]).unwrap());
    (names.into_iter().zip(ids).collect(), missed)
}

fn id_at(minute: i64) -> String {
    format!("41-{}", (BEGIN_US + minute * MINUTE_US) / 1_000)
}

fn starts_of(list: &Value, key: &str) -> Vec<i64> {
    let minute = |item: &Value| (item[key].as_i64().unwrap() * 1_000 - BEGIN_US) / MINUTE_US;
    list.as_array().unwrap().iter().map(minute).collect()
}

/// Shows: SCR-17
#[tokio::test]
async fn a_screen_that_comes_back_is_told_what_it_missed_and_then_the_present() {
    let record = with_stops();
    let made: u64 = record.minutes[129..]
        .iter()
        .map(|m| m.count(&kept::line().output, &Counted::Good).best())
        .sum();
    let header = format!("last-event-id: {}\r\n", id_at(130));
    let (came, missed) = resumed(kept::app(record.clone()), "&step=60", &header).await;
    let names: Vec<&str> = came.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..4], ["missed", "hb", "view", "charts"], "first the gap, then the present");
    let missed = missed.expect("an event tells it");
    assert_eq!(missed["whole"], true);
    assert_eq!(missed["from_ms"], (BEGIN_US + 130 * MINUTE_US) / 1_000);
    let to_ms = missed["to_ms"].as_i64().unwrap();
    assert!((0..60_000).contains(&(to_ms - kept::NOW_US / 1_000)), "{to_ms}");
    // Minutes from a little earlier on; the last one goes on.
    let points = &missed["series"]["points"];
    assert_eq!(starts_of(points, "start_ms"), Vec::from_iter(129..kept::MINUTES));
    let told = points.as_array().unwrap().iter().map(|p| p["good"]["best"].as_u64().unwrap());
    assert_eq!(told.sum::<u64>(), made);
    // What ended, what was there and gone, and what goes on; the stop of the minutes before is known already.
    assert_eq!(starts_of(&missed["stops"], "from_ms"), [125, 140, 170]);
    assert_eq!(missed["stops"][2]["to_ms"], Value::Null);
    assert_eq!(
        (starts_of(&missed["events"], "at_ms"), missed["n_events"].as_u64()),
        (vec![145], Some(1))
    );
    // Numbers go on, and each id says up to when the line was seen: told again, then what the view shows.
    assert_eq!(came[0].1, format!("42-{to_ms}"));
    let (seq, seen) = came[2].1.split_once('-').unwrap();
    assert_eq!(seq, "44");
    assert!(seen.parse::<i64>().unwrap() >= kept::NOW_US / 1_000, "{seen}");

    // A page that opens a stream of its own says it in the address, and asks for no points where it draws none.
    let (_, same) = resumed(kept::app(record.clone()), &format!("&after={}", id_at(130)), "").await;
    let same = same.expect("told as well");
    assert_eq!((&same["stops"], &same["series"]), (&missed["stops"], &Value::Null));
    // The header of the browser is newer than the address that it opens again.
    let (_, newer) = resumed(
        kept::app(record),
        &format!("&after={}", id_at(130)),
        &format!("last-event-id: {}\r\n", id_at(160)),
    )
    .await;
    assert_eq!(starts_of(&newer.unwrap()["stops"], "from_ms"), [170]);
}

#[tokio::test]
async fn without_a_past_moment_nothing_is_told_again() {
    for last in [
        "",
        "last-event-id: 41\r\n",
        "last-event-id: 41-9999999999999\r\n",
        "last-event-id: 41-x\r\n",
    ] {
        let (came, missed) = resumed(kept::app(with_stops()), "&step=60", last).await;
        assert_eq!(missed, None, "{last}");
        assert_eq!(came[0].0, "hb", "{last}: the present, and no more");
    }
    let app = kept::app(with_stops());
    let answer = get(&app, "/events?step=7").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.n_streams(), 0, "a refused stream has no place");
}

#[tokio::test]
async fn beyond_an_hour_or_without_the_record_it_says_that_it_is_not_all() {
    let header = format!("last-event-id: {}\r\n", id_at(60));
    let (_, missed) = resumed(kept::app(with_stops()), "&step=60", &header).await;
    let missed = missed.unwrap();
    let span = missed["to_ms"].as_i64().unwrap() - missed["from_ms"].as_i64().unwrap();
    assert_eq!((&missed["whole"], span), (&Value::Bool(false), 3_600_000));
    assert_eq!(starts_of(&missed["stops"], "from_ms"), [125, 140, 170], "none of two hours ago");

    let unreadable = Kept { stops_unreadable: true, ..with_stops() };
    let header = format!("last-event-id: {}\r\n", id_at(130));
    let (came, missed) = resumed(kept::app(unreadable), "&step=60", &header).await;
    let missed = missed.unwrap();
    assert_eq!((&missed["whole"], &missed["series"]), (&Value::Bool(false), &Value::Null));
    assert!(came.iter().any(|(name, _)| name == "view"), "the present comes all the same");
}
