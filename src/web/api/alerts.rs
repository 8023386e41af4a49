//! `/api/v1/alerts`: what is an alert, which are open, and what was told to whom.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::alert::{Delivery, Rule, StoredAlert};
use domain::units::HOUR_US;
use serde::Serialize;
use utoipa::ToSchema;

use super::picked::SheetForm;
use super::tables;
use crate::web::details::{chinese, chinese_or_log};
use crate::web::error::{ErrorView, Params, WebError};
use crate::web::{App, blocking};

/// How far back closed alerts are shown.
const SHOWN_US: i64 = 7 * 24 * HOUR_US;
/// Rows of each list.
const ROWS: usize = 100;

/// Alerts of the service.
#[derive(Serialize, ToSchema)]
pub(super) struct AlertsView {
    /// What is an alert, in the order of the configuration.
    rules: Vec<AlertRuleView>,
    /// Alerts that are open, newest first.
    open: Vec<AlertView>,
    /// Alerts that closed within a week, newest first, at most 100.
    closed: Vec<AlertView>,
    /// Attempts to tell a webhook, newest first, at most 100.
    deliveries: Vec<DeliveryView>,
}

/// When there is an alert.
#[derive(Serialize, ToSchema)]
struct AlertRuleView {
    /// Its name.
    name: String,
    /// `stopped`, `unknown`, `spc`, `disk`, `database` or `call`.
    when: &'static str,
    /// How long that must last, milliseconds.
    longer_ms: i64,
    /// How long it must be away before the alert closes, milliseconds.
    calm_ms: i64,
    /// On which lines; empty for all.
    lines: Vec<String>,
    /// Which webhooks are told.
    send: Vec<String>,
}

/// An alert.
#[derive(Serialize, ToSchema)]
struct AlertView {
    /// Its number.
    alert: i64,
    /// Its rule.
    rule: String,
    /// What it is about.
    subject: String,
    /// On which line, null for the service itself.
    line: Option<String>,
    /// When the fact began, UTC milliseconds.
    since_ms: i64,
    /// When it opened, UTC milliseconds.
    opened_ms: i64,
    /// When it closed, UTC milliseconds; null while it is open.
    closed_ms: Option<i64>,
    /// For how long it was open, milliseconds; null while it is.
    lasted_ms: Option<i64>,
    /// In words.
    detail: String,
    /// The same in Chinese.
    detail_zh: String,
}

/// An attempt to tell a webhook.
#[derive(Serialize, ToSchema)]
struct DeliveryView {
    /// When it ended, UTC milliseconds.
    at_ms: i64,
    /// Number of the alert.
    alert: i64,
    /// What the alert is about; empty for one that is not shown any more.
    subject: String,
    /// `opened` or `closed`.
    turn: &'static str,
    /// The webhook.
    hook: String,
    /// Which attempt.
    attempt: u32,
    /// `delivered`, `failed` or `given_up`.
    ending: &'static str,
    /// HTTP status, null without an answer.
    status: Option<u16>,
    /// What went wrong.
    error: String,
    /// The same in Chinese.
    error_zh: String,
}

/// Rules, alerts, and the log of what was told.
#[utoipa::path(
    get, path = "/api/v1/alerts", params(SheetForm),
    responses(
        (status = 200, content((AlertsView = "application/json"), (String = "text/csv"))),
        (status = 400, body = ErrorView),
        (status = 500, body = ErrorView)
    )
)]
pub(super) async fn alerts(
    State(app): State<App>,
    Params(form): Params<SheetForm>,
) -> Result<Response, WebError> {
    let sheet = form.sheet(tables::ALERTS)?;
    let since_us = app.present().now.utc_us - SHOWN_US;
    let book = app.parts().alerts.clone();
    let read = blocking(move || Ok((book.alerts(since_us)?, book.deliveries(ROWS)?)));
    let (alerts, deliveries) = read.await?;
    let book = &app.parts().alerts;
    let closed = alerts.iter().rev().filter(|stored| stored.closed_us.is_some());
    let view = AlertsView {
        rules: book.rules().iter().map(AlertRuleView::of).collect(),
        open: book.open_alerts().iter().rev().map(AlertView::of).collect(),
        closed: closed.take(ROWS).map(AlertView::of).collect(),
        deliveries: deliveries.iter().map(|d| DeliveryView::of(d, &alerts)).collect(),
    };
    let Some(sheet) = sheet else { return Ok(Json(view).into_response()) };
    let alerts: Vec<&AlertView> = view.open.iter().chain(&view.closed).collect();
    let answer = serde_json::json!({ "alerts": alerts, "deliveries": view.deliveries });
    app.sheet_of("capline", sheet, since_us, &answer)
}

impl AlertRuleView {
    fn of(rule: &Rule) -> AlertRuleView {
        AlertRuleView {
            name: rule.name.to_string(),
            when: rule.condition.word(),
            longer_ms: rule.longer_us / 1_000,
            calm_ms: rule.calm_us / 1_000,
            lines: rule.lines.iter().map(|line| line.to_string()).collect(),
            send: rule.hooks.iter().map(|hook| hook.to_string()).collect(),
        }
    }
}

impl AlertView {
    fn of(stored: &StoredAlert) -> AlertView {
        let alert = &stored.alert;
        AlertView {
            alert: stored.number,
            rule: alert.rule.to_string(),
            subject: alert.subject.to_string(),
            line: alert.line.as_ref().map(|line| line.to_string()),
            since_ms: alert.since_us / 1_000,
            opened_ms: alert.opened_us / 1_000,
            closed_ms: stored.closed_us.map(|us| us / 1_000),
            lasted_ms: stored.closed_us.map(|us| (us - alert.opened_us) / 1_000),
            detail: alert.detail.to_string(),
            detail_zh: chinese(&alert.detail),
        }
    }
}

impl DeliveryView {
    fn of(delivery: &Delivery, alerts: &[StoredAlert]) -> DeliveryView {
        let of = alerts.iter().find(|stored| stored.number == delivery.alert);
        DeliveryView {
            at_ms: delivery.at_us / 1_000,
            alert: delivery.alert,
            subject: of.map_or_else(String::new, |stored| stored.alert.subject.to_string()),
            turn: delivery.turn.word(),
            hook: delivery.hook.to_string(),
            attempt: delivery.attempt,
            ending: delivery.ending.word(),
            status: delivery.status,
            error: delivery.error.clone(),
            error_zh: chinese_or_log(&delivery.error),
        }
    }
}
