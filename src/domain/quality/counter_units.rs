//! What the counters of a station count, where one count is not one capsule.
//!
//! A map says how many capsules one count stands for: a rejected bottle lacks one to five of sixty. For the balance that is
//! a count in doubt; for a chart it is not: it charts bottles rejected of bottles, as the counter counts them, and these are
//! exact. Minutes keep capsules, so that the counts are found again in them.

use std::sync::Arc;

use super::characteristic::Measure;
use crate::line::minute::Counted;
use crate::line::output::Stations;
use crate::plc_map::{PlcMap, Role};
use crate::units::Count;

/// Capsules that one count of each counter stands for, of a station whose rejects could not be charted in capsules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterUnits {
    unit: Option<Arc<str>>,
    per_count: Vec<(Counted, (u64, u64))>,
}

impl CounterUnits {
    /// Those of what is charted; empty where its counts are capsules, where they are exact in capsules, and where several
    /// stations are summed, whose counts have no common unit.
    pub fn of(measure: &Measure, maps: &[Arc<PlcMap>]) -> CounterUnits {
        let mut judging = maps.iter().filter(|map| measure.has(&map.station));
        let (Some(map), None, true) = (judging.next(), judging.next(), measure.counts()) else {
            return CounterUnits::default();
        };
        let counters: Vec<_> = (0_u16..).zip(&map.tags).collect();
        let converted: Vec<_> = counters
            .iter()
            .filter_map(|(at, tag)| {
                let per_count = *map.flow.capsules.get(at)?;
                let counted = match &tag.role {
                    Role::Good => Counted::Good,
                    Role::Reject(reason) => Counted::Reject(reason.clone()),
                    _ => return None,
                };
                let alone =
                    counters.iter().filter(|(_, other)| other.role == tag.role).count() == 1;
                (alone && per_count.0 > 0).then(|| (counted, per_count, tag.unit.clone()))
            })
            .collect();
        let doubtful = converted.iter().any(|(_, (least, most), _)| least < most);
        if !doubtful {
            return CounterUnits::default();
        }
        let good = converted.iter().find(|(counted, ..)| *counted == Counted::Good);
        CounterUnits {
            unit: good.map(|(.., unit)| unit.clone()).filter(|unit| !unit.is_empty()),
            per_count: converted.into_iter().map(|(counted, per, _)| (counted, per)).collect(),
        }
    }

    /// What is judged, in the word of the map, such as `bottles`; none where that is capsules.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Capsules of a minute as counts of their counter. What no whole number of counts makes, such as minutes that were read by
    /// another map, stays in doubt.
    pub fn own(&self, counted: &Counted, capsules: Count) -> Count {
        let found = self.per_count.iter().find(|(one, _)| one == counted);
        let Some((_, (least, most))) = found else { return capsules };
        let (low, high) = (capsules.low(), capsules.high());
        if low.is_multiple_of(*least) && high.is_multiple_of(*most) && low / least <= high / most {
            let (low, high) = (low / least, high / most);
            let middle = least.saturating_add(*most) / 2;
            return Count::between(low, (capsules.best() / middle).clamp(low, high), high);
        }
        let (low, high) = (low / most, high.div_ceil(*least));
        Count::between(low, low.midpoint(high), high.max(low.saturating_add(1)))
    }
}
