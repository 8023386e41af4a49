//! Who may connect, and who is let go.

use std::net::IpAddr;

use super::*;
use crate::config::WebLimits;
use crate::web::limits::{Gate, Why};
use crate::web::{AppParts, serve};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn gate(connections: usize, per_address: usize) -> Arc<Gate> {
    Arc::new(Gate::new(WebLimits { connections, per_address }, None))
}

fn refused(gate: &Gate, why: &str) -> f64 {
    let is = |label: &(&str, String)| label.1 == why;
    let gauges = gate.gauges();
    gauges.iter().find(|gauge| gauge.labels.iter().any(is)).map_or(-1.0, |gauge| gauge.value)
}

/// The made-up line behind a gate, on a free port.
async fn behind(gate: &Arc<Gate>) -> std::net::SocketAddr {
    let (app, sender) = running();
    let parts = AppParts { gate: gate.clone(), ..app.parts().clone() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let _sender = sender;
        serve(listener, App::new(parts).into(), std::future::pending()).await
    });
    address
}

/// What comes back for some bytes until the other side closes.
async fn said(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Who is refused may be so before all is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the connection is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[test]
fn places_are_counted_in_all_and_for_each_address() {
    let gate = gate(3, 2);
    let other: IpAddr = "10.0.0.9".parse().unwrap();
    let mapped: IpAddr = "::ffff:10.0.0.9".parse().unwrap();
    let first = gate.enter(HERE).unwrap();
    let _second = gate.enter(HERE).unwrap();
    assert_eq!(gate.enter(HERE).map(drop), Err(Why::Address));
    let third = gate.enter(other).unwrap();
    assert_eq!(gate.enter(mapped).map(drop), Err(Why::Full));
    drop(first);
    let _fourth = gate.enter(mapped).unwrap();
    assert_eq!(gate.enter(other).map(drop), Err(Why::Full));
    drop(third);
    let _fifth = gate.enter(HERE).unwrap();
    assert_eq!((refused(&gate, "address"), refused(&gate, "full")), (1.0, 2.0));
}

#[tokio::test]
async fn who_comes_beyond_the_limit_is_told_when_to_come_again() {
    let (roomy, gate) = (gate(8, 8), gate(8, 2));
    let address = behind(&gate).await;
    let idle =
        [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let told = async || {
        for _ in 0..100 {
            let answer = said(address, GET).await;
            if answer.starts_with("HTTP/1.1 503") {
                return answer;
            }
            // The two are accepted in their own time.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody was refused");
    };
    let answer = told().await;
    assert!(answer.contains("retry-after: 10\r\n"), "{answer}");
    assert!(answer.contains("\"code\":\"full\"") && answer.contains("连接数过多"), "{answer}");
    assert!(refused(&gate, "address") >= 1.0);
    // Where there is room the same two hinder nobody.
    let other = behind(&roomy).await;
    let _idle =
        [TcpStream::connect(other).await.unwrap(), TcpStream::connect(other).await.unwrap()];
    for _ in 0..5 {
        assert!(said(other, GET).await.starts_with("HTTP/1.1 200"));
    }
    drop(idle);
    for _ in 0..100 {
        if said(address, GET).await.starts_with("HTTP/1.1 200") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the places are not given back");
}

#[tokio::test]
async fn heads_and_bodies_have_a_bound() {
    let gate = gate(64, 64);
    let address = behind(&gate).await;
    let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    let answer = said(address, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let body = "POST /api/v1/ack/paint HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                content-length: 10000000\r\nconnection: close\r\n\r\n";
    let answer = said(address, body.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_screen_that_does_not_read_is_dropped() {
    let gate = gate(64, 64);
    let address = behind(&gate).await;
    let stream = tokio::net::TcpSocket::new_v4().unwrap();
    // The less the system keeps for it, the sooner it is found out.
    stream.set_recv_buffer_size(2_048).unwrap();
    let mut hung = stream.connect(address).await.unwrap();
    // Many requests one after the other, of which no answer is read.
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
    let _ = hung.write_all(request.as_bytes()).await;
    let dropped = async {
        while refused(&gate, "answer") < 1.0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let limit = crate::web::limits::WRITE_WITHIN + Duration::from_secs(30);
    tokio::time::timeout(limit, dropped).await.expect("it is let go");
    drop(hung);
}

#[tokio::test]
async fn an_answer_of_too_many_says_when_to_ask_again() {
    let (app, _sender) = running();
    let _all = app.0.streams.clone().acquire_many_owned(crate::web::STREAMS as u32).await.unwrap();
    let answer = get(&app, "/events").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "10");
    assert_eq!(refused(&app.parts().gate, "screens"), 1.0);
}
