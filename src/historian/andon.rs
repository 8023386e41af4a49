//! Calls for help, alerts and the log of what was told. Rows are added; of an alert the end is set once.

use std::sync::Arc;

use domain::alert::{Alert, Delivery, Ending, StoredAlert, Turn};
use domain::audit::{Actor, Note, What};
use domain::line::call::{Act, Call, Need, Outcome, Refusal, Step, decide, fold};
use domain::units::{LineId, StationId};
use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::read::{Failure, Found, sql_limit};
use super::record;
use super::{Historian, audit};

impl Historian {
    /// Calls of a line that nobody has closed, oldest first. Blocks.
    pub fn open_calls(&self, line: &LineId) -> Result<Vec<Call>, StoreError> {
        self.readers().query(|conn| match record::line_id(conn, line)? {
            Some(line) => Ok(fold(&open_steps(conn, line, 0)?)),
            None => Ok(Vec::new()),
        })
    }

    /// Calls of a line that were opened in `[from_us, to_us)`, oldest first; the latest ones where there are more than
    /// `limit`. Blocks.
    pub fn calls(
        &self,
        line: &LineId,
        (from_us, to_us): (i64, i64),
        limit: usize,
    ) -> Result<Vec<Call>, StoreError> {
        self.readers().query(|conn| {
            let Some(line) = record::line_id(conn, line)? else { return Ok(Vec::new()) };
            let sql = include_str!("sql/calls_read.sql");
            Ok(fold(&steps(conn, sql, params![line, from_us, to_us, sql_limit(limit)])?))
        })
    }

    /// Adds a step of a call if it can be made; the call as it stands then. Of two people who take a call at once the
    /// journal knows the first. Durable on return. Blocks.
    pub fn add_call_step(
        &self,
        line: &LineId,
        step: Step,
        by: &Actor,
    ) -> Result<Result<Call, Refusal>, StoreError> {
        let (line, by) = (line.clone(), by.clone());
        let (told, made) = std::sync::mpsc::sync_channel(1);
        self.write(move |conn| {
            let made = match add_step(conn, &line, step, &by) {
                Err(Failure::Sql(cause)) => return Err(cause),
                made => made,
            };
            // Whoever asked waits for it.
            let _ = told.send(made);
            Ok(())
        })?;
        let made = made.recv().map_err(|_| StoreError::Closed)?;
        made.map_err(|failure| failure.at(&self.0.path))
    }

    /// Alerts that are open, or that opened or closed since a moment, by their numbers. Blocks.
    pub fn alerts(&self, since_us: i64) -> Result<Vec<StoredAlert>, StoreError> {
        self.readers().query(|conn| {
            let mut find = conn.prepare_cached(include_str!("sql/alerts_read.sql"))?;
            let mut rows = find.query([since_us])?;
            let mut alerts = Vec::new();
            while let Some(row) = rows.next()? {
                alerts.push(alert(row)?);
            }
            Ok(alerts)
        })
    }

    /// The highest number of an alert, 0 without any. Blocks.
    pub fn last_alert(&self) -> Result<i64, StoreError> {
        self.readers().query(|conn| {
            let sql = "select coalesce(max(number), 0) from alert";
            Ok(conn.query_row(sql, [], |row| row.get(0))?)
        })
    }

    /// Keeps an alert. Keeping it twice changes nothing. Durable on return. Blocks.
    pub fn add_alert(&self, stored: StoredAlert) -> Result<(), StoreError> {
        self.write(move |conn| {
            let alert = &stored.alert;
            let line = alert.line.as_ref().map(|line| record::line_row(conn, line)).transpose()?;
            let hooks: Vec<&str> = stored.hooks.iter().map(|hook| &**hook).collect();
            let mut insert = conn.prepare_cached(include_str!("sql/alert_write.sql"))?;
            insert.execute(params![
                stored.number,
                &*stored.id,
                &*alert.rule,
                &*alert.subject,
                line.map(|(line, ..)| line),
                alert.since_us,
                alert.opened_us,
                &*alert.detail,
                serde_json::Value::from(hooks).to_string(),
                stored.closed_us,
            ])?;
            Ok(())
        })
    }

    /// Keeps when an alert closed. One that is closed stays as it is. Durable on return. Blocks.
    pub fn close_alert(&self, id: &str, closed_us: i64) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(move |conn| {
            let sql = "update alert set closed_us = ?2 where id = ?1 and closed_us is null";
            conn.execute(sql, params![id, closed_us]).map(drop)
        })
    }

    /// Keeps an attempt to tell a webhook. Keeping it twice changes nothing. Durable on return. Blocks.
    pub fn add_delivery(&self, delivery: Delivery) -> Result<(), StoreError> {
        self.write(move |conn| {
            let mut insert = conn.prepare_cached(include_str!("sql/delivery_write.sql"))?;
            insert.execute(params![
                delivery.alert,
                delivery.turn.word(),
                &*delivery.hook,
                delivery.attempt,
                delivery.at_us,
                delivery.ending.word(),
                delivery.status,
                delivery.error,
            ])?;
            Ok(())
        })
    }

    /// The latest attempts to tell a webhook, newest first. Blocks.
    pub fn deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let sql = include_str!("sql/deliveries_read.sql");
        self.readers().query(|conn| deliveries(conn, sql, sql_limit(limit)))
    }

    /// All attempts to tell of one alert, oldest first. Blocks.
    pub fn deliveries_of(&self, alert: i64) -> Result<Vec<Delivery>, StoreError> {
        let sql = include_str!("sql/deliveries_of_read.sql");
        self.readers().query(|conn| deliveries(conn, sql, alert))
    }
}

fn add_step(
    conn: &Connection,
    name: &LineId,
    step: Step,
    by: &Actor,
) -> Found<Result<Call, Refusal>> {
    let (line, ..) = record::line_row(conn, name)?;
    let named = i64::try_from(step.call).unwrap_or(i64::MAX);
    let open = fold(&open_steps(conn, line, named)?);
    let last = "select max(call) from call_step where line = ?1";
    let last: Option<i64> = conn.query_row(last, [line], |row| row.get(0))?;
    let step = match decide(&open, step, last.unwrap_or(0) as u64 + 1) {
        Ok(Outcome::Keep(step)) => step,
        Ok(Outcome::Stands(call)) => return Ok(Ok(call)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (need, station) = match &step.act {
        Act::Open { need, station } => (Some(need.word()), station.as_ref()),
        Act::Take | Act::Close => (None, None),
    };
    let mut insert = conn.prepare_cached(include_str!("sql/call_step_write.sql"))?;
    insert.execute(params![
        line,
        step.call as i64,
        step.act.word(),
        step.at_us,
        &*step.by,
        need,
        station.map(StationId::as_str),
        &*step.text,
    ])?;
    let what = match step.act {
        Act::Open { .. } => What::CallOpened,
        Act::Take => What::CallTaken,
        Act::Close => What::CallClosed,
    };
    let noted = Note::new(by, what, format!("{name} call {}", step.call));
    audit::add(conn, &noted.change("", need.unwrap_or_default()).why(&*step.text))?;
    let number = i64::try_from(step.call).unwrap_or(i64::MAX);
    let calls = fold(&open_steps(conn, line, number)?);
    let call = calls.into_iter().find(|call| call.number == step.call);
    Ok(call.ok_or(Refusal::NoCall(step.call)))
}

fn open_steps(conn: &Connection, line: i64, named: i64) -> Found<Vec<Step>> {
    steps(conn, include_str!("sql/calls_open_read.sql"), params![line, named])
}

fn steps(conn: &Connection, sql: &str, args: &[&dyn rusqlite::ToSql]) -> Found<Vec<Step>> {
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query(args)?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        steps.push(step(row)?);
    }
    Ok(steps)
}

fn step(row: &Row<'_>) -> Found<Step> {
    let (act, need): (String, Option<String>) = (row.get(1)?, row.get(4)?);
    let strange = |what: &str| Failure::Damaged(format!("a call: `{what}` is no step"));
    let act = match (act.as_str(), need.as_deref()) {
        ("open", Some(need)) => Act::Open {
            need: Need::from_word(need).ok_or_else(|| strange(need))?,
            station: row.get::<_, Option<String>>(5)?.map(StationId::new),
        },
        ("take", None) => Act::Take,
        ("close", None) => Act::Close,
        (act, _) => return Err(strange(act)),
    };
    Ok(Step {
        call: row.get::<_, i64>(0)? as u64,
        at_us: row.get(2)?,
        by: row.get::<_, String>(3)?.into(),
        act,
        text: row.get::<_, String>(6)?.into(),
    })
}

fn alert(row: &Row<'_>) -> Found<StoredAlert> {
    let text = |column: usize| row.get::<_, String>(column).map(Arc::<str>::from);
    let number: i64 = row.get(0)?;
    let hooks: String = row.get(8)?;
    let hooks: Vec<Arc<str>> = serde_json::from_str(&hooks)
        .map_err(|_| Failure::Damaged(format!("alert {number}: `{hooks}` is no list of names")))?;
    Ok(StoredAlert {
        number,
        id: text(1)?,
        alert: Alert {
            rule: text(2)?,
            subject: text(3)?,
            line: row.get::<_, Option<String>>(4)?.map(LineId::new),
            since_us: row.get(5)?,
            opened_us: row.get(6)?,
            detail: text(7)?,
        },
        hooks,
        closed_us: row.get(9)?,
    })
}

fn deliveries(conn: &Connection, sql: &str, arg: i64) -> Found<Vec<Delivery>> {
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([arg])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (alert, turn, ending): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(5)?);
        let strange =
            |what: &str| Failure::Damaged(format!("a delivery of alert {alert}: `{what}`"));
        all.push(Delivery {
            alert,
            turn: Turn::from_word(&turn).ok_or_else(|| strange(&turn))?,
            hook: row.get::<_, String>(2)?.into(),
            attempt: row.get(3)?,
            at_us: row.get(4)?,
            ending: Ending::from_word(&ending).ok_or_else(|| strange(&ending))?,
            status: row.get(6)?,
            error: row.get(7)?,
        });
    }
    Ok(all)
}
