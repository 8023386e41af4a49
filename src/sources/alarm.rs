//! What a person should hear of a source although it reads: raised once, and again only after it had passed.

use std::collections::BTreeSet;

use domain::units::{LineId, StationId};
use tokio::sync::mpsc;

/// Alarms that wait for whoever notes them; more are dropped, and are in the log anyway.
const WAITING: usize = 64;

/// Something that a person should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAlarm {
    /// Its line.
    pub line: LineId,
    /// Its station.
    pub station: StationId,
    /// One sentence.
    pub detail: String,
}

/// The ends of the channel that alarms go through.
pub(super) fn channel() -> (mpsc::Sender<SourceAlarm>, mpsc::Receiver<SourceAlarm>) {
    mpsc::channel(WAITING)
}

/// What stands against one device.
#[derive(Debug)]
pub(super) struct Alarms {
    line: LineId,
    station: StationId,
    out: mpsc::Sender<SourceAlarm>,
    standing: BTreeSet<String>,
}

impl Alarms {
    pub(super) fn new(line: LineId, station: StationId, out: mpsc::Sender<SourceAlarm>) -> Alarms {
        Alarms { line, station, out, standing: BTreeSet::new() }
    }

    /// Takes all that stands against the device now, and raises what is new.
    pub(super) fn now(&mut self, causes: impl IntoIterator<Item = String>) {
        let causes: BTreeSet<String> = causes.into_iter().collect();
        for detail in causes.difference(&self.standing) {
            tracing::warn!(station = %self.station, "{detail}");
            let alarm = SourceAlarm {
                line: self.line.clone(),
                station: self.station.clone(),
                detail: detail.clone(),
            };
            // A full queue, or nobody who listens: the log has it.
            let _ = self.out.try_send(alarm);
        }
        for detail in self.standing.difference(&causes) {
            tracing::info!(station = %self.station, "no longer: {detail}");
        }
        self.standing = causes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_raised_once_until_it_has_passed() {
        let (out, mut heard) = channel();
        let mut alarms = Alarms::new(LineId::new("L1"), StationId::new("CW04"), out);
        let mut raised = |causes: &[&str]| {
            alarms.now(causes.iter().map(|&cause| cause.to_owned()));
            std::iter::from_fn(|| heard.try_recv().ok())
                .map(|alarm| (alarm.line.to_string(), alarm.detail))
                .collect::<Vec<_>>()
        };
        assert_eq!(raised(&["slow"]), [("L1".to_owned(), "slow".to_owned())]);
        assert_eq!(raised(&["slow", "old"]), [("L1".to_owned(), "old".to_owned())]);
        assert_eq!(raised(&["slow"]), []);
        assert_eq!(raised(&[]), []);
        assert_eq!(raised(&["slow"]), [("L1".to_owned(), "slow".to_owned())]);
    }
}
