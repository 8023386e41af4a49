//! A running chart. Closed minutes come in order; one that comes late or corrected takes the chart back to before it,
//! and what then turns out otherwise is told under a new revision, beside the old one.

use std::collections::VecDeque;

use super::characteristic::Characteristic;
use super::limits::Limits;
use super::signal::{Incident, Incidents};
use super::stream::{ChartStream, Judged};
use super::subgroup::Subgrouper;
use crate::line::minute::Minute;

/// Subgroups that a chart can be taken back: a day of 15 minutes. For older ones it starts afresh from the record.
const KEPT: usize = 96;

/// A running chart of one characteristic. Its memory does not grow with time.
#[derive(Clone, Debug)]
pub struct Monitor {
    characteristic: Characteristic,
    limits: Option<Limits>,
    now: State,
    /// The state before each of the last subgroups began, oldest first.
    before: VecDeque<(i64, State)>,
    /// What was told of the last subgroups, oldest first.
    told: VecDeque<Told>,
}

/// All that the future of a chart depends on.
#[derive(Clone, Debug)]
struct State {
    subgrouper: Subgrouper,
    stream: ChartStream,
    incidents: Incidents,
}

/// A judged subgroup under its revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// 0 when it is told for the first time, one more each time it turns out otherwise.
    pub rev: u32,
    /// What was judged.
    pub judged: Judged,
    /// The incident that it opened, continued or ended.
    pub incident: Option<Incident>,
}

impl Monitor {
    /// A chart that has seen nothing.
    pub fn new(characteristic: Characteristic, limits: Option<Limits>) -> Monitor {
        let now = State {
            subgrouper: Subgrouper::new(&characteristic),
            stream: ChartStream::new(limits.as_ref()),
            incidents: Incidents::default(),
        };
        Monitor { characteristic, limits, now, before: VecDeque::new(), told: VecDeque::new() }
    }

    /// What it charts.
    pub fn characteristic(&self) -> &Characteristic {
        &self.characteristic
    }

    /// The limits that judge.
    pub fn limits(&self) -> Option<&Limits> {
        self.limits.as_ref()
    }

    /// The incident that has not ended.
    pub fn open_incident(&self) -> Option<&Incident> {
        self.now.incidents.open()
    }

    /// Lets other limits judge from the next subgroup on. What was judged stays as it was; the open incident ends,
    /// and is handed back.
    pub fn adopt(&mut self, limits: Option<Limits>) -> Option<Incident> {
        self.now.stream = ChartStream::new(limits.as_ref());
        self.limits = limits;
        // A later correction must not be judged again under limits that were not there.
        self.before.clear();
        self.now.incidents.cut()
    }

    /// Takes the next closed minute; what it closes and was not told before in the same words goes to `out`.
    pub fn push(&mut self, minute: &Minute, batch_changed: bool, mut out: impl FnMut(Told)) {
        let start_us = self.now.subgrouper.start_of(minute.start_us);
        if self.before.back().is_none_or(|(at_us, _)| *at_us < start_us) {
            if self.before.len() == KEPT {
                self.before.pop_front();
            }
            self.before.push_back((start_us, self.now.clone()));
        }
        let mut closed = Vec::with_capacity(2);
        self.now.subgrouper.push(minute, batch_changed, |subgroup| closed.push(subgroup));
        for subgroup in closed {
            let judged = self.now.stream.push(subgroup);
            let incident =
                self.now.incidents.push(&self.characteristic, &judged, self.limits.as_ref());
            if let Some(told) = self.tell(judged, incident) {
                out(told);
            }
        }
    }

    /// Takes the chart back to before the subgroup of a minute that came late or corrected. Every minute since the
    /// returned moment is to be pushed again. None when that is too long ago: then a new monitor is to be made from
    /// the record.
    pub fn rewind(&mut self, minute_us: i64) -> Option<i64> {
        let start_us = self.now.subgrouper.start_of(minute_us);
        let at = self.before.iter().rposition(|(at_us, _)| *at_us <= start_us)?;
        let (at_us, state) = self.before.get(at).cloned()?;
        self.before.truncate(at);
        self.now = state;
        Some(at_us)
    }

    /// What was told of the last subgroups, oldest first.
    pub fn told(&self) -> impl Iterator<Item = &Told> {
        self.told.iter()
    }

    fn tell(&mut self, judged: Judged, incident: Option<Incident>) -> Option<Told> {
        let start_us = judged.subgroup.start_us;
        let place = self.told.iter().position(|told| told.judged.subgroup.start_us >= start_us);
        let earlier = place.and_then(|place| self.told.get_mut(place));
        match earlier {
            Some(told) if told.judged.subgroup.start_us == start_us => {
                if told.judged == judged && told.incident == incident {
                    return None;
                }
                *told = Told { rev: told.rev + 1, judged, incident };
                Some(told.clone())
            }
            _ => {
                let told = Told { rev: 0, judged, incident };
                self.told.insert(place.unwrap_or(self.told.len()), told.clone());
                if self.told.len() > KEPT {
                    self.told.pop_front();
                }
                Some(told)
            }
        }
    }
}
