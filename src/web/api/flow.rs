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

#[cfg(test)]
mod tests {
    use domain::units::Reason;

    use super::*;
    use crate::web::fixture::kept;

    #[test]
    fn a_machine_is_taken_at_what_it_counts() {
        let config = kept::line();
        let tally = |counted| {
            let station = StationId::new("PO03");
            Tally { station, counted, count: Count::exact(7) }
        };
        let flow = |counts: &[Tally], name: &str| {
            Flow::of(&config, counts.iter(), |station| station.as_str() == name)
        };
        let rejects = tally(Counted::Reject(Reason::new("metal")));
        // The map of the filler has a counter of good capsules, also in a span without one.
        assert_eq!(flow(&[], "CF01"), Flow::Judged);
        assert_eq!(flow(std::slice::from_ref(&rejects), "PO03"), Flow::Untold);
        assert_eq!(flow(&[rejects.clone(), tally(Counted::Infeed)], "PO03"), Flow::Infeed);
        assert_eq!(
            flow(&[rejects, tally(Counted::Infeed), tally(Counted::Good)], "PO03"),
            Flow::Judged
        );
        let whole = |flow: Flow| {
            let count = |counted: &Counted| match counted {
                Counted::Good => Count::exact(90),
                _ => Count::exact(100),
            };
            flow.whole(Count::exact(7), count).map(Count::best)
        };
        assert_eq!(
            [Flow::Judged, Flow::Infeed, Flow::Untold].map(whole),
            [Some(97), Some(100), None]
        );
    }
}
