//! Calls for help: the open ones in memory, so that every screen can show them twice a second, and all in the journal.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::audit::Actor;
use domain::line::call::{Call, Refusal, Step};
use domain::units::LineId;

use crate::clock::Clock;
use crate::historian::Historian;
use crate::web::CallDesk;

/// Most calls of one answer.
const ROWS: usize = 5_000;

/// The calls of all lines.
pub(in crate::service) struct CallBook {
    historian: Historian,
    clock: Clock,
    /// Open calls, each with when it began by the boot clock.
    open: Mutex<BTreeMap<LineId, Vec<(Call, i64)>>>,
    /// One step at a time: what is in memory is in the order of the journal.
    steps: Mutex<()>,
}

impl CallBook {
    /// Goes on with the calls that were open.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(in crate::service) fn new<'l>(
        historian: Historian,
        clock: Clock,
        lines: impl Iterator<Item = &'l LineId>,
    ) -> anyhow::Result<CallBook> {
        let open = Mutex::default();
        let book = CallBook { historian, clock, open, steps: Mutex::new(()) };
        lines.into_iter().try_for_each(|line| book.learn(line))?;
        Ok(book)
    }

    /// Goes on with the calls of a line that were open, where they are not known yet. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(in crate::service) fn learn(&self, line: &LineId) -> anyhow::Result<()> {
        let _one = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open().contains_key(line) {
            return Ok(());
        }
        let now = self.clock.now();
        // How long it waited while nobody looked, only the wall clock knows.
        let began = |call: Call| {
            let began_us = now.mono_us - call.lasted_us(now.utc_us);
            (call, began_us)
        };
        let calls = self.historian.open_calls(line)?.into_iter().map(began).collect();
        self.open().insert(line.clone(), calls);
        Ok(())
    }

    /// Open calls with how long each has been open, in microseconds of the boot clock.
    pub(super) fn waiting(&self, line: &LineId) -> Vec<(Call, i64)> {
        let now_us = self.clock.now().mono_us;
        let open = self.open();
        let calls = open.get(line).into_iter().flatten();
        calls.map(|(call, began_us)| (call.clone(), (now_us - began_us).max(0))).collect()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<LineId, Vec<(Call, i64)>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallDesk for CallBook {
    fn open_calls(&self, line: &LineId) -> Vec<Call> {
        self.open().get(line).into_iter().flatten().map(|(call, _)| call.clone()).collect()
    }

    fn calls(&self, line: &LineId, span: (i64, i64)) -> Result<Vec<Call>, String> {
        self.historian.calls(line, span, ROWS).map_err(|error| error.to_string())
    }

    fn step(&self, line: &LineId, step: Step, by: &Actor) -> Result<Result<Call, Refusal>, String> {
        let _one = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let made =
            self.historian.add_call_step(line, step, by).map_err(|error| error.to_string())?;
        if let Ok(call) = &made {
            let mut open = self.open();
            let calls = open.entry(line.clone()).or_default();
            let known = calls.iter().position(|(other, _)| other.number == call.number);
            match (known, call.is_open()) {
                (Some(known), true) => calls[known].0 = call.clone(),
                (Some(known), false) => drop(calls.remove(known)),
                (None, true) => calls.push((call.clone(), self.clock.now().mono_us)),
                (None, false) => {}
            }
        }
        Ok(made)
    }
}
