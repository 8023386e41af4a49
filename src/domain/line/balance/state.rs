//! The test of the balance as it is kept, so that a restart of the service does not begin it anew: what was counted
//! while nobody looked widens the interval by itself, because counts are resumed with their doubt.

use super::{Balance, Difference, Found, Sign, Watched};
use crate::units::{Count, TagId};

/// A section as it is kept. Known by its counters; one that no longer fits the layout of the line begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionState {
    /// Counters of what goes in.
    pub inlets: Vec<TagId>,
    /// Counters of what comes out.
    pub outlets: Vec<TagId>,
    /// The most that can be inside.
    pub capacity: u64,
    /// Total of the inlets together at the base of the test.
    pub base_in: Count,
    /// Totals of the outlets at the base.
    pub base_out: Vec<Count>,
    /// What the content at the base can have been.
    pub at_base: (i128, i128),
    /// In less out since the base.
    pub grown: Difference,
    /// Judgements since the base.
    pub minutes: u64,
    /// When the base was taken, UTC microseconds.
    pub since_us: i64,
    /// When it was judged last, UTC microseconds.
    pub at_us: i64,
    /// The last finding and after how many judgements it was made.
    pub found: Option<(Sign, u64)>,
}

impl Balance {
    /// All sections that were ever judged, as they are kept.
    pub fn save(&self, name: impl Fn(usize) -> TagId) -> Vec<SectionState> {
        self.sections.iter().filter_map(|watched| watched.save(&name)).collect()
    }

    /// Goes on with sections as they were kept.
    pub fn restore(&mut self, states: &[SectionState], name: impl Fn(usize) -> TagId) {
        for watched in &mut self.sections {
            if let Some(state) = states.iter().find(|state| watched.is_of(state, &name)) {
                watched.restore(state);
            }
        }
    }
}

impl Watched {
    fn save(&self, name: impl Fn(usize) -> TagId) -> Option<SectionState> {
        let (base_in, base_out) = self.base.clone()?;
        Some(SectionState {
            inlets: self.section.inlets.iter().map(|inlet| name(*inlet)).collect(),
            outlets: self.section.outlets.iter().map(|outlet| name(outlet.counter)).collect(),
            capacity: self.section.capacity,
            base_in,
            base_out,
            at_base: self.at_base,
            grown: self.now,
            minutes: self.minutes,
            since_us: self.since_us,
            at_us: self.at_us,
            found: self.found.map(|found| (found.sign, found.after_minutes)),
        })
    }

    fn is_of(&self, state: &SectionState, name: impl Fn(usize) -> TagId) -> bool {
        let outlets = self.section.outlets.iter().map(|outlet| name(outlet.counter));
        self.section.inlets.iter().map(|inlet| name(*inlet)).eq(state.inlets.iter().cloned())
            && outlets.eq(state.outlets.iter().cloned())
            && self.section.capacity == state.capacity
            && state.base_out.len() == state.outlets.len()
    }

    fn restore(&mut self, state: &SectionState) {
        self.base = Some((state.base_in, state.base_out.clone()));
        self.at_base = state.at_base;
        self.now = state.grown;
        self.minutes = state.minutes;
        (self.since_us, self.at_us) = (state.since_us, state.at_us);
        self.found = state.found.map(|(sign, after_minutes)| Found { sign, after_minutes });
    }
}
