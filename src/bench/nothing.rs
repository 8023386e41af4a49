//! What stands behind the screens of a record that nobody works with: it measures nothing, takes nothing and has nobody
//! to call.

use domain::alert::{Delivery, Rule, StoredAlert};
use domain::audit::Actor;
use domain::line::batch::hand::{self, Entry, Order};
use domain::line::call::{Call, Refusal, Step};
use domain::units::LineId;
use futures_util::future::BoxFuture;

use crate::web::{AlertBook, CallDesk, Desk, Gauge, Gauges, Reload, Reloads};

/// Neither gauges nor orders, calls, alerts or configuration.
pub(super) struct Nothing;

impl Gauges for Nothing {
    fn render(&self) -> Vec<Gauge> {
        Vec::new()
    }
}

impl Desk for Nothing {
    fn order(
        &self,
        line: &LineId,
        _: Order,
        _: Actor,
    ) -> BoxFuture<'static, Result<Result<Entry, hand::Refusal>, String>> {
        let told = format!("{line} only exists as a record");
        Box::pin(async move { Err(told) })
    }
}

impl Reloads for Nothing {
    fn reload(&self, _: Actor) -> BoxFuture<'static, Result<Reload, String>> {
        Box::pin(async { Err("a record has no configuration".to_owned()) })
    }

    fn last(&self) -> Option<Reload> {
        None
    }
}

impl CallDesk for Nothing {
    fn open_calls(&self, _: &LineId) -> Vec<Call> {
        Vec::new()
    }

    fn calls(&self, _: &LineId, _: (i64, i64)) -> Result<Vec<Call>, String> {
        Ok(Vec::new())
    }

    fn step(&self, line: &LineId, _: Step, _: &Actor) -> Result<Result<Call, Refusal>, String> {
        Err(format!("{line} only exists as a record"))
    }
}

impl AlertBook for Nothing {
    fn rules(&self) -> Vec<Rule> {
        Vec::new()
    }

    fn open_alerts(&self) -> Vec<StoredAlert> {
        Vec::new()
    }

    fn alerts(&self, _: i64) -> Result<Vec<StoredAlert>, String> {
        Ok(Vec::new())
    }

    fn deliveries(&self, _: usize) -> Result<Vec<Delivery>, String> {
        Ok(Vec::new())
    }
}
