//! Calls for help and alerts end to end: an alert that opened before a kill -9 and was not told is told afterwards, once.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Api, FILLER, PATIENCE, Site, any_port, until};
use crate::process::Process;

const CALLS: &str = "/api/v1/lines/L1/calls";

/// A line whose filler is not there, with an alert for calls that nobody takes.
fn configure(site: &Site, port: u16) {
    site.configure(any_port(), "CF01", &[(FILLER, "127.0.0.1:9")]);
    let secret = site.path().join("secret");
    std::fs::write(&secret, "a secret of 24 bytes or more").expect("it is written");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("it is set");
    let text = std::fs::read_to_string(site.file()).expect("the configuration");
    let text = format!(
        "{text}[[webhook]]\nname = 'maintenance'\nurl = 'http://127.0.0.1:{port}/andon'\nsecret_file = 'secret'\n\
         [[alert]]\nwhen = 'call'\nlonger = '1s'\ncalm = '1s'\nsend = ['maintenance']\n"
    );
    std::fs::write(site.file(), text).expect("it is written");
}

/// Id and body of what came.
type Got = Arc<Mutex<Vec<(String, Value)>>>;

/// A receiver that takes everything.
async fn receive(port: u16) -> Got {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let got = Got::default();
    let kept = got.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = kept.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let kept = kept.clone();
                async move {
                    let id = request.headers()["webhook-id"].to_str().expect("text").to_owned();
                    let body = request.into_body().collect().await.expect("a body").to_bytes();
                    let body = serde_json::from_slice(&body).expect("JSON");
                    kept.lock().expect("nobody panicked").push((id, body));
                    Response::builder().status(204).body(Full::new(Bytes::new()))
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer);
            tokio::spawn(connection);
        }
    });
    got
}

async fn alerts(api: Api) -> Result<Value, String> {
    api.get("/api/v1/alerts").await
}

/// Shows: SCR-12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_was_not_told_before_a_kill_is_told_after_it_and_once() {
    let site = Site::new();
    let port =
        TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("it").port();
    configure(&site, port);
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    let call = json!({ "need": "machine", "station": "CF01", "by": "Li Wei" });
    let (status, opened) = api.post(CALLS, &call).await.expect("an answer");
    assert_eq!((status, &opened["number"]), (200, &json!(1)));
    // Nobody listens at the webhook: the attempt fails and is written down.
    let before = until("a failed attempt", PATIENCE, async || {
        let alerts = alerts(api).await?;
        match alerts["deliveries"][0]["ending"] == "failed" {
            true => Ok(alerts),
            false => Err(alerts.to_string()),
        }
    })
    .await;
    assert_eq!(before["open"][0]["detail"], "machine at CF01 was not taken, called by Li Wei");
    service.kill();

    let got = receive(port).await;
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    let took = |n: usize| {
        let got = got.clone();
        async move || {
            let got = got.lock().expect("nobody panicked").clone();
            if got.len() >= n { Ok(got) } else { Err(format!("{got:?}")) }
        }
    };
    let told = until("the message", PATIENCE, took(1)).await;
    let (id, body) = &told[0];
    assert!(id.starts_with("alert_") && id.ends_with("_opened"), "{id}");
    assert_eq!((&body["type"], &body["data"]["alert"]), (&json!("alert.opened"), &json!(1)));
    assert_eq!((&body["data"]["line"], &body["data"]["simulated"]), (&json!("L1"), &json!(false)));
    assert_eq!(alerts(api).await.expect("alerts")["open"].as_array().map(Vec::len), Some(1));
    let figures = api.text("/metrics").await.expect("the figures");
    assert!(figures.contains("\ncapline_alerts_open{rule=\"call\"} 1.0\n"), "{figures}");
    // The call is open still, and once somebody takes it the alert closes.
    let view = api.snapshot().await.expect("a view");
    assert_eq!(view["calls"][0]["opened"]["by"], "Li Wei");
    let (status, taken) =
        api.post(&format!("{CALLS}/1/take"), &json!({ "by": "Wang" })).await.expect("an answer");
    assert_eq!((status, &taken["taken"]["by"]), (200, &json!("Wang")));
    let (status, late) =
        api.post(&format!("{CALLS}/1/take"), &json!({ "by": "Zhao" })).await.expect("an answer");
    assert!(
        status == 409 && late["message"].as_str().is_some_and(|m| m.contains("Wang")),
        "{late}"
    );
    let told = until("that it closed", PATIENCE, took(2)).await;
    let kinds: Vec<&Value> = told.iter().map(|(_, body)| &body["type"]).collect();
    assert_eq!(kinds, [&json!("alert.opened"), &json!("alert.closed")]);
    assert_eq!(told[1].1["data"]["alert"], 1);
    let log = until("both in the log", PATIENCE, async || {
        let alerts = alerts(api).await?;
        let delivered = |row: &&Value| row["ending"] == "delivered";
        let n =
            alerts["deliveries"].as_array().map_or(0, |rows| rows.iter().filter(delivered).count());
        if n == 2 { Ok(alerts) } else { Err(alerts.to_string()) }
    })
    .await;
    assert_eq!(log["open"], json!([]));
    let figures = api.text("/metrics").await.expect("the figures");
    let told = "capline_webhook_deliveries_total{hook=\"maintenance\",outcome=\"delivered\"} 2.0\n";
    assert!(figures.contains("\ncapline_alerts_open{rule=\"call\"} 0.0\n"), "{figures}");
    assert!(figures.contains(told), "{figures}");
    assert_eq!(log["closed"].as_array().map(Vec::len), Some(1), "one alert in all: {log}");
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    assert_eq!(got.lock().expect("nobody panicked").len(), 2, "each was told once");
}

/// Shows: ACC-03
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_without_a_secret_is_refused_at_the_start_and_none_is_ever_shown() {
    let site = Site::new();
    configure(&site, 9);
    let text = std::fs::read_to_string(site.file()).expect("the configuration");
    std::fs::write(site.file(), text.replace("secret_file = 'secret'\n", "")).expect("written");
    let mut service = Process::run(&site.file());
    assert!(!service.exit(PATIENCE).await.success());
    let said = service.stderr().join("\n");
    assert!(said.contains("CAPLINE_WEBHOOK_MAINTENANCE_SECRET"), "{said}");
    // A secret that others may read is no secret.
    std::fs::write(site.file(), text).expect("written");
    let secret = site.path().join("secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).expect("it is set");
    let mut service = Process::run(&site.file());
    assert!(!service.exit(PATIENCE).await.success());
    let said = service.stderr().join("\n");
    assert!(said.contains("chmod 600 it") && !said.contains("24 bytes or more"), "{said}");
}
