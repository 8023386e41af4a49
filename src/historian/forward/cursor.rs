//! How far a stream is, how large its next batch is, and what of it was read ahead.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::outbox::Batch;
use super::session::{Backlog, Part};
use super::stream::Stream;
use crate::historian::error::StoreError;

/// A batch of a backlog should take about so long: the present waits for it, and every batch costs a sync of the disk
/// there.
const BATCH_TAKES: Duration = Duration::from_millis(250);
/// Changes in the first batch, before it is known how fast the way there is, and the fewest later on.
const FIRST_BATCH: i64 = 500;
const LEAST_BATCH: i64 = 50;

/// How far a stream is.
pub(super) struct Cursor {
    pub(super) stream: &'static Stream,
    pub(super) last: i64,
    pub(super) backlogs: VecDeque<Backlog>,
    /// Changes in the next batch: fewer while a bad one is looked for, and as many as the time for a batch allows.
    pub(super) limit: i64,
    /// The next batch of the backlog, read while the last one was on its way.
    pub(super) ahead: Option<Ahead>,
}

/// A batch that is read while another one is on its way.
pub(super) struct Ahead {
    pub(super) after: i64,
    pub(super) upto: i64,
    pub(super) task: JoinHandle<Result<Batch, StoreError>>,
}

impl Cursor {
    /// Where a stream stands when a session takes it over.
    pub(super) fn new(stream: &'static Stream, last: i64, backlogs: Vec<Backlog>) -> Cursor {
        Cursor { stream, last, backlogs: backlogs.into(), limit: FIRST_BATCH, ahead: None }
    }

    /// Makes batches larger while they are quick and smaller when they are slow.
    pub(super) fn took(&mut self, batch: &Batch, time: Duration) {
        if time > BATCH_TAKES * 2 {
            self.limit = (self.limit / 2).max(LEAST_BATCH.min(self.limit));
        } else if time * 2 < BATCH_TAKES && batch.n >= self.limit / 2 {
            self.limit *= 2;
        }
        self.limit = self.limit.min(self.stream.most);
    }

    /// Notes what was taken.
    pub(super) fn moved(&mut self, part: Part, upto: i64) {
        match part {
            Part::Live => self.last = upto,
            Part::Backlog(end) => {
                if let Some(backlog) = self.backlogs.iter_mut().find(|backlog| backlog.upto == end)
                {
                    backlog.last = upto;
                }
                self.backlogs.retain(|backlog| backlog.last < backlog.upto);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::MINUTES;
    use super::*;

    fn batch(n: i64) -> Batch {
        Batch { after: 0, upto: n, n, mark: None, rows: Vec::new() }
    }

    #[test]
    fn a_batch_grows_while_it_is_quick_and_shrinks_when_it_is_slow() {
        let stream = &MINUTES;
        let mut cursor = Cursor::new(stream, 0, Vec::new());
        let mut sizes = Vec::new();
        for _ in 0..6 {
            cursor.took(&batch(cursor.limit), BATCH_TAKES / 10);
            sizes.push(cursor.limit);
        }
        assert_eq!(sizes, [1_000, 2_000, 4_000, stream.most, stream.most, stream.most]);
        // A small rest says nothing about a large batch, one in time changes nothing.
        cursor.limit = 1_000;
        cursor.took(&batch(10), BATCH_TAKES / 10);
        cursor.took(&batch(1_000), BATCH_TAKES);
        assert_eq!(cursor.limit, 1_000);
        for _ in 0..9 {
            cursor.took(&batch(cursor.limit), BATCH_TAKES * 3);
        }
        assert_eq!(cursor.limit, LEAST_BATCH);
        // A bad row is looked for one by one; a slow answer does not end that.
        cursor.limit = 1;
        cursor.took(&batch(1), BATCH_TAKES * 3);
        assert_eq!(cursor.limit, 1);
    }
}
