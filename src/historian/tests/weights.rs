//! Weights in the journal: what is read is what was stored, with the last numbers, and nothing of another minute.

use domain::line::minute::join_weights;
use domain::line::weight::{Account, HEAVIEST_UG, Moments, Series, WeightTally};
use domain::units::{MINUTE_US, StationId};

use super::{T0_US, Tick, l1, minute, open, tick};

fn tally(series: Series, bore: u16, moments: Moments, account: Account) -> WeightTally {
    WeightTally { moments, account, ..WeightTally::nothing(StationId::new("CW04"), series, bore) }
}

/// A tick whose minute holds a sample of two bores, all that was weighed, and what is missing of both.
fn weighed(seq: u64) -> Tick {
    let account =
        Account { records: seq as u32, missed: 2, refused: 3, unheard: seq.is_multiple_of(2) };
    let all = Moments::of_statistics(6_480, 595.9, 9.4).unwrap();
    // As heavy and as many as a minute can be.
    let heavy = Moments::stored(
        60_000,
        60_000 * HEAVIEST_UG,
        60_000 * u128::from(HEAVIEST_UG) * u128::from(HEAVIEST_UG),
    );
    let mut tick = tick(&l1(), seq);
    tick.minutes[0].weights = vec![
        tally(Series::Interval, 0, all, account),
        tally(Series::Sample, 0, Moments::ZERO, account),
        tally(Series::Sample, 3, Moments::one(500_100 + seq), Account::default()),
        tally(Series::Sample, 17, heavy, Account::default()),
    ];
    tick.weighings = vec![
        (StationId::new("CW04"), Series::Interval, seq),
        (StationId::new("CW04"), Series::Sample, u64::from(u16::MAX)),
    ];
    tick
}

#[test]
fn weights_and_last_numbers_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    for seq in 1..=2 {
        historian.append(weighed(seq)).unwrap().wait().unwrap();
    }
    historian.close().unwrap();
    let historian = open(dir.path());
    let wanted = weighed(2);
    let resume = historian.resume(&l1(), 0).unwrap();
    assert_eq!(resume.weighings, wanted.weighings);
    assert_eq!(resume.minutes[0].weights, wanted.minutes[0].weights);
    let mut minutes = historian.minutes(&l1(), 0, i64::MAX, 10).unwrap();
    assert!(minutes[0].weights.is_empty(), "who asks for counts gets counts");
    let weights = historian.weights(&l1(), (T0_US, T0_US + MINUTE_US)).unwrap();
    join_weights(&mut minutes, weights);
    assert_eq!(minutes[0].weights, wanted.minutes[0].weights);
    assert_eq!(historian.weights(&l1(), (0, T0_US)).unwrap(), []);
    historian.close().unwrap();
}

/// A minute that was stored under a newer revision keeps its weights.
#[test]
fn an_older_revision_does_not_cover_the_weights_of_a_newer_one() {
    let dir = tempfile::tempdir().unwrap();
    let historian = open(dir.path());
    historian.append(weighed(1)).unwrap().wait().unwrap();
    let mut newer = weighed(2);
    newer.minutes[0].rev = 9;
    historian.append(newer.clone()).unwrap().wait().unwrap();
    historian.append(weighed(3)).unwrap().wait().unwrap();
    let resume = historian.resume(&l1(), 0).unwrap();
    assert_eq!(resume.minutes[0].weights, newer.minutes[0].weights);
    historian.close().unwrap();
}

#[test]
fn weights_of_minutes_that_are_not_there_are_left_out() {
    let one = tally(Series::Sample, 1, Moments::one(500_000), Account::default());
    let mut minutes = vec![minute(T0_US, 1), minute(T0_US + 2 * MINUTE_US, 2)];
    let weights = (0..4).map(|n| (T0_US + n * MINUTE_US, one.clone()));
    join_weights(&mut minutes, weights);
    assert!(minutes.iter().all(|minute| minute.weights == [one.clone()]));
}
