//! The ways to the tasks of the lines that run now, which alone may touch what they follow.

use std::sync::{Arc, PoisonError, RwLock};

use domain::audit::Actor;
use domain::line::batch::hand::{Entry, Order, Refusal};
use domain::line::event::EventKind;
use domain::units::LineId;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::line::Command;
use crate::web::Desk;

/// A way to each line, in the order of the configuration. Cloning is cheap, and all clones are the same.
#[derive(Clone, Default)]
pub(super) struct Switchboard(Arc<RwLock<Ways>>);

/// Lines and the ways to them.
pub(super) type Ways = Vec<(LineId, mpsc::Sender<Command>)>;

impl Switchboard {
    /// From now on these lines run.
    pub(super) fn set(&self, ways: Ways) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ways;
    }

    /// The way to a line.
    pub(super) fn of(&self, line: &LineId) -> Option<mpsc::Sender<Command>> {
        let ways = self.0.read().unwrap_or_else(PoisonError::into_inner);
        ways.iter().find(|(id, _)| id == line).map(|(_, way)| way.clone())
    }

    /// All lines.
    pub(super) fn all(&self) -> Ways {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets a line note something; without one, the first does, for what concerns them all.
    pub(super) async fn note(
        &self,
        line: Option<&LineId>,
        (kind, word): (EventKind, &'static str),
        detail: String,
    ) {
        let way = match line {
            Some(line) => self.of(line),
            None => self.all().into_iter().next().map(|(_, way)| way),
        };
        if let Some(way) = way {
            // A line that has ended notes nothing; the log has it.
            let _ = way.send(Command::Note { kind, word, detail }).await;
        }
    }
}

impl Desk for Switchboard {
    fn order(
        &self,
        line: &LineId,
        order: Order,
        by: Actor,
    ) -> BoxFuture<'static, Result<Result<Entry, Refusal>, String>> {
        let commands = self.of(line);
        Box::pin(async move {
            let commands = commands.ok_or("there is no task of that line")?;
            let (reply, answer) = oneshot::channel();
            let sent = commands.send(Command::Order { order, by, reply }).await;
            sent.map_err(|_| "the task of the line has ended")?;
            answer.await.map_err(|_| "the task of the line ended before it answered".to_owned())
        })
    }
}
