//! Of what the rejects of a machine are a part.

use domain::line::minute::{Counted, Tally};
use domain::plc_map::Role;
use domain::units::{Count, StationId};

use crate::config::LineConfig;

/// Of what the rejects of a machine are a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Of all that it judged: it counts what is good.
    Judged,
    /// Of what went in: that is all that it counts beside its rejects.
    Infeed,
    /// Of nothing that is known. A metal detector tells the openings of its flap and no more: what it rejected would be
    /// all that it ever saw.
    Untold,
}

impl Flow {
    /// The flow of the machines that `is_it` picks: as their maps tell it, and what was counted under them.
    pub(crate) fn of<'a>(
        config: &'a LineConfig,
        counts: impl Iterator<Item = &'a Tally>,
        is_it: impl Fn(&StationId) -> bool,
    ) -> Flow {
        let mut flow = Flow::Untold;
        let tags = config.devices.iter().filter(|device| is_it(&device.map.station));
        for tag in tags.flat_map(|device| &device.map.tags) {
            match tag.role {
                Role::Good => return Flow::Judged,
                Role::Infeed => flow = Flow::Infeed,
                _ => {}
            }
        }
        for tally in counts.filter(|tally| is_it(&tally.station)) {
            match tally.counted {
                Counted::Good => return Flow::Judged,
                Counted::Infeed => flow = Flow::Infeed,
                _ => {}
            }
        }
        flow
    }

    /// The whole that rejects are a part of, by a sum over what was counted; none where it is not known.
    pub(crate) fn whole(self, rejected: Count, count: impl Fn(&Counted) -> Count) -> Option<Count> {
        match self {
            Flow::Judged => Some(rejected + count(&Counted::Good)),
            Flow::Infeed => Some(count(&Counted::Infeed)),
            Flow::Untold => None,
        }
    }
}
