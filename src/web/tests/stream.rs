//! The live stream and its connections.

use super::*;

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
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /events?line=L1{more} HTTP/1.1\r\nhost: {address}\r\naccept-encoding: gzip, br\r\nlast-event-id: 41\r\n\r\n"
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
