//! How much room there is, and what is given up for the rest to go on: a ladder, decided by two shares.
//!
//! Minutes and what is coarser, events, audit and baselines are on no rung: they are never given up.

use std::io;
use std::path::Path;

/// Room on a disk or in a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that there are.
    pub of: u64,
}

/// How far the room has shrunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A fifth or more is free.
    #[default]
    Plenty,
    /// Less than a fifth: a person should look.
    Low,
    /// Less than a tenth: the oldest raw readings go whose minutes the plant database has.
    ShedSent,
    /// Less than a twentieth: the oldest raw readings go, then the oldest seconds.
    Shed,
}

impl Rung {
    /// All rungs.
    pub const ALL: [Rung; 4] = [Rung::Plenty, Rung::Low, Rung::ShedSent, Rung::Shed];

    /// The word used in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Rung::Plenty => "plenty",
            Rung::Low => "low",
            Rung::ShedSent => "shed_sent",
            Rung::Shed => "shed",
        }
    }
}

impl Room {
    /// The rung for this room.
    pub fn rung(self) -> Rung {
        let share =
            |percent: u64| u128::from(self.free) * 100 >= u128::from(self.of) * u128::from(percent);
        match () {
            () if self.of == 0 || share(20) => Rung::Plenty,
            () if share(10) => Rung::Low,
            () if share(5) => Rung::ShedSent,
            () => Rung::Shed,
        }
    }

    /// What a budget of bytes leaves.
    pub fn of_budget(budget: u64, used: u64) -> Room {
        Room { free: budget.saturating_sub(used), of: budget }
    }

    /// The narrower of two.
    pub fn narrower(self, other: Room) -> Room {
        let share = |room: Room| room.free as f64 / room.of.max(1) as f64;
        if share(other) < share(self) { other } else { self }
    }
}

/// The room that a user without special rights has on the disk of a directory.
pub(super) fn of_disk(dir: &Path) -> io::Result<Room> {
    let stat = rustix::fs::statvfs(dir)?;
    Ok(Room { free: stat.f_bavail * stat.f_frsize, of: stat.f_blocks * stat.f_frsize })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_begins_where_it_should() {
        let rung = |free| Room { free, of: 1_000 }.rung();
        let found = [1_000, 200, 199, 100, 99, 50, 49, 0].map(rung);
        use Rung::{Low, Plenty, Shed, ShedSent};
        assert_eq!(found, [Plenty, Plenty, Low, Low, ShedSent, ShedSent, Shed, Shed]);
        assert_eq!(Room::default().rung(), Plenty, "nothing is known yet");
    }

    #[test]
    fn a_budget_counts_like_a_disk() {
        let disk = Room { free: 500, of: 1_000 };
        assert_eq!(disk.narrower(Room::of_budget(100, 93)).rung(), Rung::ShedSent);
        assert_eq!(disk.narrower(Room::of_budget(100, 0)), disk);
        assert_eq!(Room::of_budget(100, 300).rung(), Rung::Shed);
    }
}
