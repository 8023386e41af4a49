//! Counts as sums of what is stored: whole minutes, the minute that goes on, gaps, and what the borders of a period cut.

use domain::line::minute::{Counted, Minute, Tally, sum};
use domain::line::output::Output;
use domain::line::rollup::{Rollup, Unread};
use domain::units::{Count, Reason};

use super::figures::whole;
use super::{Facts, InputView};

/// Counters of stations that are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// Capsules in.
    Infeed,
    /// Good capsules.
    Good,
    /// Rejects, of one reason where one is asked for.
    Rejected,
    /// Rejects of all other reasons than the one that is asked for; none without one.
    OtherRejects,
    /// Capsules taken for inspection.
    Samples,
}

/// Whose counters are summed.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) stations: &'a Output,
    /// The reason whose rejects are asked for; none for all.
    pub(super) reason: Option<&'a Reason>,
}

impl Pick {
    fn takes(self, counted: &Counted, reason: Option<&Reason>) -> bool {
        let named = |other: &Reason| reason.is_none_or(|reason| reason == other);
        match (self, counted) {
            (Pick::Rejected, Counted::Reject(other)) => named(other),
            (Pick::OtherRejects, Counted::Reject(other)) => !named(other),
            (Pick::Infeed, _) => *counted == Counted::Infeed,
            (Pick::Good, _) => *counted == Counted::Good,
            (Pick::Samples, _) => *counted == Counted::Sample,
            (Pick::Rejected | Pick::OtherRejects, _) => false,
        }
    }

    /// Its sum over some tallies.
    pub(super) fn of(self, whose: Whose, tallies: &[Tally]) -> Count {
        sum(tallies, whose.stations, |counted| self.takes(counted, whose.reason))
    }
}

impl Facts {
    fn whose(&self) -> Whose<'_> {
        Whose { stations: &self.wanted.stations, reason: self.wanted.reason.as_ref() }
    }

    /// All of it, as the periods have it, and what may have been made since the machine was read.
    pub(super) fn total(&self, picks: &[Pick]) -> Count {
        self.of_periods(picks, |period| &period.counts) + self.unread(picks)
    }

    /// What may have been made in one of the periods since the machine was read, once; zero while it is read.
    fn unread(&self, picks: &[Pick]) -> Count {
        let unread = self.status.iter().flat_map(|status| &status.unread);
        let takes = |unread: &&Unread| self.periods.iter().any(|period| period.takes(unread));
        let tallies: Vec<Tally> = unread.filter(takes).map(|unread| unread.tally.clone()).collect();
        picks.iter().map(|pick| pick.of(self.whose(), &tallies)).sum()
    }

    /// Whether anything of the periods was read. If not, there are no numbers, and no zeros.
    pub(super) fn is_read(&self) -> bool {
        self.periods.iter().any(Rollup::was_read)
    }

    fn of_periods(&self, picks: &[Pick], tallies: fn(&Rollup) -> &[Tally]) -> Count {
        let of = |pick: &Pick| -> Count {
            self.periods.iter().map(|period| pick.of(self.whose(), tallies(period))).sum()
        };
        picks.iter().map(of).sum()
    }

    fn of_minutes(&self, picks: &[Pick], closed: bool) -> Count {
        let of = |minute: &Minute, pick: &Pick| pick.of(self.whose(), &minute.tallies);
        let minutes = self.minutes.iter().filter(|minute| minute.closed == closed);
        minutes.flat_map(|minute| picks.iter().map(move |pick| of(minute, pick))).sum()
    }

    /// What some counters counted, in the parts that it is stored in. They add up to [`Facts::total`], each bound by
    /// itself. `of` is the symbol of what they are parts of; empty for the terms of a sum, which then have symbols.
    pub(super) fn parts(&self, picks: &[Pick], of: &'static str) -> Vec<InputView> {
        let closed = self.of_minutes(picks, true);
        let going = self.of_minutes(picks, false);
        let gap = self.of_periods(picks, |period| &period.gaps);
        let unread = self.unread(picks);
        let (total, known) = (bounds(self.total(picks)), bounds(closed + going + gap + unread));
        let rest = [0, 1, 2].map(|i| total[i] - known[i]);
        let symbol = |symbol| if of.is_empty() { symbol } else { "" };
        let part = |id, symbol, [low, best, high]: [i64; 3], in_rows| InputView {
            id,
            title: None,
            symbol,
            of,
            unit: "capsules",
            best,
            low,
            high,
            in_rows,
        };
        let mut parts = vec![part("minutes", symbol("M"), bounds(closed), true)];
        if self.minutes.iter().any(|minute| !minute.closed) {
            parts.push(part("going", symbol("O"), bounds(going), false));
        }
        parts.push(part("gaps", symbol("G"), bounds(gap), true));
        if rest != [0; 3] {
            parts.push(part("border", symbol("B"), rest, false));
        }
        if !unread.is_zero() {
            parts.push(part("unread", symbol("U"), bounds(unread), false));
        }
        parts
    }

    /// Whether whole minutes, the minutes that go on and gaps are all that was counted.
    pub(super) fn is_whole(&self, picks: &[Pick]) -> bool {
        self.parts(picks, "").iter().all(|part| !matches!(part.id, "border" | "unread"))
    }
}

/// Low, best and high.
fn bounds(count: Count) -> [i64; 3] {
    [count.low(), count.best(), count.high()].map(whole)
}
