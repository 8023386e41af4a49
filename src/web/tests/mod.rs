//! Tests of the web.

mod access;
mod andon;
mod audit;
mod colours;
mod compression;
mod configured;
mod curve;
mod displays;
mod filler;
mod gate;
mod hand;
mod ledger;
mod lines;
mod matrix;
mod pages;
mod rejects;
mod reload;
mod reports;
mod routes;
mod second;
mod silence;
mod sim;
mod spans;
mod stream;
mod tags;
mod texts;
mod then;
mod unread;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use domain::line::event::EventKind;
use domain::line::state::{State, TimeClass};
use domain::line::status::LineStatus;
use domain::units::{Count, MINUTE_US, Moment, SECOND_US};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::Service;

use super::fixture::{self, Answer, Case, NOW_US, Record, Unreadable, ask, get, get_with};
use super::i18n::{Key, Lang};
use super::view::{ChartView, ChartsView, LineView, Present, STALE_MS};
use super::{App, api, assets, routes};
use crate::clock::Clock;

const OVERVIEW: &str = "/";
const SNAPSHOT: &str = "/api/v1/lines/L1/snapshot";

type Sender = watch::Sender<Option<Arc<LineStatus>>>;

fn running() -> (App, Sender) {
    let clock = Clock::real();
    let (app, sender) = fixture::app(clock, Arc::new(Record));
    sender.send_replace(Some(Arc::new(fixture::status(clock.now(), Case::Running))));
    (app, sender)
}

/// Paths with blanks filled in, and every asset.
fn paths() -> Vec<String> {
    let fill = |path: &str| {
        let path = path.replace("{id}", "L1").replace("{name}", "app.css");
        let path = path.replace("{station}", "CF01");
        path.replace("{characteristic}", "reject_fraction").replace("{tag}", "CF01.Good%5B0%5D")
    };
    // What is only posted, or asks for a version that must be there, has tests of its own.
    let posted = [
        "{version}",
        "{incident}",
        "/revisions",
        "/ack/paint",
        "/explain/",
        "{number}",
        "/batches/close",
        "/report/final",
        "/reports/gaps",
        "/reports/final",
        "/lines/{id}/reports",
        "/trends",
        "/api/v1/sim/",
        "{sha256}",
        // Who signs in has tests of its own.
        "/login",
        "/logout",
        "/setup",
        "/account",
        "/api/v1/password",
        "/api/v1/admin",
    ];
    let special = |path: &&str| posted.iter().any(|part| path.contains(part));
    routes().iter().map(|(path, _)| *path).filter(|p| !special(p)).map(fill).collect()
}

fn present(zone: &jiff::tz::TimeZone, utc_us: i64) -> Present<'_> {
    Present { now: fixture::moment(utc_us), speed: 1.0, zone }
}

fn view(status: &LineStatus, now_us: i64) -> LineView {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    LineView::new(&fixture::line(), Some(status), &present(&zone, now_us))
}

fn now() -> Moment {
    fixture::moment(NOW_US)
}

/// The names of all members of an object, of all objects in it, and so on.
fn shape(value: &Value, path: &str, names: &mut BTreeMap<String, ()>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            names.insert(format!("{path}.{name}"), ());
            shape(value, &format!("{path}.{name}"), names);
        }),
        Value::Array(values) => values.iter().for_each(|value| shape(value, path, names)),
        _ => {}
    }
}
