//! Register images that are not what the PLC holds: frozen, torn, turned round, or zero for a moment.

use crate::{
    faults::Faults,
    faults::ModbusFaults,
    registers::{FILLER_REGISTERS, address},
};

/// A torn answer is new up to here: in the middle of `AccCount`.
const TEAR_AT: usize = address::PROCESSED_ACC_COUNT + 1;

/// Values of the filler of two words, and the one of four.
const WIDE: [(usize, usize); 8] = [
    (address::PLC_UPTIME, 2),
    (address::STROKE_TOTAL, 2),
    (address::CONSUMED_COUNT, 2),
    (address::PROCESSED_COUNT, 2),
    (address::PROCESSED_ACC_COUNT, 2),
    (address::DOSE_SETPOINT, 2),
    (address::ACC_TIME_SINCE_RESET, 2),
    (address::PLC_CLOCK, 4),
];

/// Counters of the filler but for its odometer.
const COUNTERS: [std::ops::Range<usize>; 2] =
    [address::CONSUMED_COUNT..address::CUR_MACH_SPEED, address::REJ_NO_DOSE..FILLER_REGISTERS];

/// Whether an answer of the filler from an address on holds a counter. What is refused holds none.
pub(crate) fn has_counters(from: u16, n: u16) -> bool {
    let (from, to) = (usize::from(from), usize::from(from) + usize::from(n));
    let is_in = |counters: std::ops::Range<usize>| from < counters.end && counters.start < to;
    to <= FILLER_REGISTERS && COUNTERS.into_iter().any(is_in)
}

/// Images of the filler that faults need again.
#[derive(Debug, Default)]
pub(crate) struct Spoiler {
    last: Vec<u16>,
    frozen: Option<Vec<u16>>,
}

impl Spoiler {
    /// The registers of the filler as the faults let them be seen. `once` is asked for faults that are counted down,
    /// `is_zero` whether the counters read zero.
    pub(crate) fn filler(
        &mut self,
        image: Vec<u16>,
        faults: ModbusFaults,
        once: &Faults,
        is_zero: impl FnOnce() -> bool,
    ) -> Vec<u16> {
        if faults.freeze {
            return self.frozen.get_or_insert(image).clone();
        }
        self.frozen = None;
        let earlier = std::mem::replace(&mut self.last, image.clone());
        let has_new_stroke = earlier.first().is_some_and(|seq| *seq != image[address::SEQ_HEAD]);
        let mut shown = image;
        if has_new_stroke && (faults.torn == u32::MAX || once.take_torn()) {
            shown[TEAR_AT..].copy_from_slice(&earlier[TEAR_AT..]);
        }
        if is_zero() {
            COUNTERS.into_iter().for_each(|counters| shown[counters].fill(0));
        }
        if faults.swap_words {
            WIDE.into_iter().for_each(|(at, words)| shown[at..at + words].reverse());
        }
        shown
    }
}
