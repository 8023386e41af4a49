//! What goes wrong on a wire, and in which order: drawn from a seed, so that a failure can be had again.

use std::time::Duration;

use super::proxy::Proxy;
use super::record::Speech;

/// What a wire does to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Passes everything.
    None,
    /// Replies come late.
    Late(Duration),
    /// The connection is closed after so many more bytes of replies, in the middle of one.
    CutAfter(usize),
    /// Connections are reset, those that are and those that come.
    Reset,
    /// Nobody listens: a connection is refused. Those that are end.
    Refused,
    /// A connection is accepted and nobody ever answers on it. Those that are end.
    HalfOpen,
    /// Connections stay and nothing passes. What was sent meanwhile comes when it is over, as TCP repeats it.
    BlackHole,
    /// A byte at a time.
    Dribble(Duration),
    /// Each reply comes twice.
    Twice,
    /// A reply is held back until the one to the next request comes, and is delivered in its place.
    HeldBack,
    /// Replies carry another transaction number.
    WrongTransaction,
    /// Replies come from another unit.
    WrongUnit,
    /// Replies are to another function.
    WrongFunction,
    /// Replies are a register shorter than asked for, and sound otherwise.
    WrongLength,
}

impl Fault {
    /// Faults of bytes, which any protocol can meet, and then those of Modbus frames.
    const ALL: [fn(&mut Dice) -> Fault; 13] = [
        |dice| Fault::Late(Duration::from_millis(dice.between(5, 160))),
        |dice| Fault::CutAfter(dice.between(1, 400) as usize),
        |_| Fault::Reset,
        |_| Fault::Refused,
        |_| Fault::HalfOpen,
        |_| Fault::BlackHole,
        |dice| Fault::Dribble(Duration::from_micros(dice.between(50, 2_000))),
        |_| Fault::Twice,
        |_| Fault::HeldBack,
        |_| Fault::WrongTransaction,
        |_| Fault::WrongUnit,
        |_| Fault::WrongFunction,
        |_| Fault::WrongLength,
    ];

    /// How many of them a protocol can meet: OPC UA has no numbers of this kind in its frames.
    fn of(speech: Speech) -> usize {
        if speech == Speech::OpcUa { 9 } else { Fault::ALL.len() }
    }
}

/// Chance from a seed. Source: SplitMix64, Steele and others 2014.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to below `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }
}

/// Puts `n` faults into a wire, one after the other, with sound moments between. All kinds come in turn, each round in an
/// order of its own. Returns what was done.
pub(crate) async fn storm(wire: &Proxy, speech: Speech, dice: &mut Dice, n: u64) -> Vec<Fault> {
    let mut done = Vec::new();
    let mut left: Vec<usize> = Vec::new();
    for _ in 0..n {
        if left.is_empty() {
            left = (0..Fault::of(speech)).collect();
        }
        let kind = left.swap_remove(dice.between(0, left.len() as u64) as usize);
        let fault = Fault::ALL[kind](dice);
        wire.set(fault);
        tokio::time::sleep(Duration::from_millis(dice.between(20, 300))).await;
        wire.set(Fault::None);
        // A secured start of OPC UA would take longer; this one takes some milliseconds.
        let sound_ms = if speech == Speech::OpcUa { (200, 600) } else { (50, 250) };
        tokio::time::sleep(Duration::from_millis(dice.between(sound_ms.0, sound_ms.1))).await;
        done.push(fault);
    }
    done
}
