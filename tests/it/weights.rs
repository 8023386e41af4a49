//! Weights over real sockets: what the journal holds is what the simulated weigher weighed, record by record.

use std::collections::BTreeMap;

use capline::clock::Clock;
use capline::service::open_historian;
use domain::line::event::{Event, EventKind};
use domain::line::weight::{Account, Moments, Series, WeightTally};
use domain::units::LineId;
use simulators::{IntervalRecord, Model, Plant, PlantConfig, SampleRecord, utc_now_us};

use crate::harness::{FILLER, LINE, PATIENCE, Site, WEIGHER, any_port, plant, until};
use crate::process::Process;

/// Line seconds in a real second: a minute's record a second, a sample every quarter of a minute.
const SPEED: f64 = 60.0;

/// The plant has already run so long: its first sample is half a minute away.
const BEGAN_US: i64 = 14 * 60_000_000 + 30_000_000;

/// The same machine over Modbus.
const WEIGHER_BLOCK: &str = "plc-maps/cw04-modbus.toml";

fn config() -> PlantConfig {
    let line_start_us = utc_now_us() - BEGAN_US;
    PlantConfig { speed: SPEED, line_start_us, start_at_us: BEGAN_US, ..PlantConfig::default() }
}

/// Every record that the plant published up to a plant time. What a model shows depends on its configuration and on
/// plant time alone, so that a second one tells what the first has shown.
#[derive(Default)]
struct Truth {
    intervals: BTreeMap<u64, IntervalRecord>,
    samples: BTreeMap<u64, SampleRecord>,
}

impl Truth {
    fn of(config: &PlantConfig, until_us: i64) -> Truth {
        let (mut model, mut truth) = (Model::new(config.model()), Truth::default());
        while model.plant_us() < until_us {
            model.advance_to((model.plant_us() + 10_000_000).min(until_us));
            truth.intervals.extend(model.interval().map(|record| (record.sequence, record)));
            truth.samples.extend(model.sample().map(|record| (record.sequence, record)));
        }
        truth
    }

    fn weights(&self, series: Series, number: u64) -> Moments {
        let of_interval = |record: &IntervalRecord| {
            // A float of 32 bits is what goes over the wire.
            let [mean, sd] = [record.mean_mg, record.std_dev_mg].map(|x| f64::from(x as f32));
            Moments::of_statistics(u64::from(record.capsules), mean, sd)
        };
        let of_sample = |record: &SampleRecord| {
            record.weights.iter().map(|(_, tenths)| Moments::one(u64::from(*tenths) * 100)).sum()
        };
        match series {
            Series::Interval => self.intervals.get(&number).and_then(of_interval),
            Series::Sample => self.samples.get(&number).map(of_sample),
        }
        .unwrap_or(Moments::ZERO)
    }
}

/// What the journal holds of the weigher.
struct Books {
    tallies: Vec<WeightTally>,
    last: BTreeMap<Series, u64>,
    alarms: Vec<Event>,
}

impl Books {
    fn of(site: &Site) -> Books {
        let historian = open_historian(&site.config()).expect("the journal opens");
        let line = LineId::new(LINE);
        let span = (i64::MIN, i64::MAX);
        let weights = historian.weights(&line, span).expect("the weights are read");
        let last = historian.resume(&line, i64::MAX).expect("the journal is read").weighings;
        let alarms = historian
            .events(&line, i64::MIN, i64::MAX, Some(&[EventKind::Alarm]), 10_000)
            .expect("the events are read");
        historian.close().expect("the journal closes");
        Books {
            tallies: weights.into_iter().map(|(_, tally)| tally).collect(),
            last: last.into_iter().map(|(_, series, number)| (series, number)).collect(),
            alarms: alarms.into_iter().map(|(_, event)| event).collect(),
        }
    }

    fn of_series(&self, series: Series) -> (Moments, Account) {
        let is_it = |tally: &&WeightTally| tally.series == series;
        self.tallies
            .iter()
            .filter(is_it)
            .fold((Moments::ZERO, Account::default()), |(moments, account), tally| {
                (moments + tally.moments, account + tally.account)
            })
    }

    fn last(&self, series: Series) -> u64 {
        *self.last.get(&series).expect("the last number is kept")
    }
}

async fn run_until_sampled(plant: &Plant, n: u64) {
    let longest = PATIENCE * 6;
    until(&format!("{n} samples"), longest, async || {
        let samples = plant.ledger().samples;
        if samples >= 20 * n { Ok(()) } else { Err(format!("{samples} capsules")) }
    })
    .await;
}

/// Follows a plant for two samples over a protocol and compares every record.
async fn follow(weigher: &str, address: impl Fn(&Plant) -> String) {
    let site = Site::new();
    let config = config();
    let plant = plant(config.clone(), site.path()).await;
    let filler = plant.modbus_addr().to_string();
    site.configure(any_port(), "CF01", &[(FILLER, &filler), (weigher, &address(&plant))]);
    let app = site.serve(Clock::accelerated(config.line_start_us + BEGAN_US, SPEED)).await;
    app.heard().await;
    plant.resume();
    run_until_sampled(&plant, 2).await;
    // Three more minutes of the line, so that the sample is read too.
    let weighed = plant.ledger().weigher.good;
    until("three more minutes", PATIENCE, async || {
        let more = plant.ledger().weigher.good - weighed;
        if more >= 20_000 { Ok(()) } else { Err(more.to_string()) }
    })
    .await;
    plant.hold();
    app.stop().await;
    let truth = Truth::of(&config, plant.ledger().plant_us);
    let books = Books::of(&site);

    let first = u64::try_from(BEGAN_US / 60_000_000).expect("a minute") + 1;
    let (weights, account) = books.of_series(Series::Interval);
    let last = books.last(Series::Interval);
    let newest = *truth.intervals.keys().next_back().expect("minutes have passed");
    assert!(last >= newest - 1, "read up to {last} of {newest}");
    assert_eq!(account.missed, 0, "{:?}", books.alarms);
    assert_eq!(u64::from(account.records), last - first + 1);
    let wanted: Moments = (first..=last).map(|n| truth.weights(Series::Interval, n)).sum();
    assert_eq!(weights, wanted, "number, sum and squares of all weighed capsules");

    let (weights, account) = books.of_series(Series::Sample);
    assert_eq!((account.records, account.missed, account.refused), (2, 0, 0));
    let wanted: Moments = [1, 2].map(|n| truth.weights(Series::Sample, n)).into_iter().sum();
    assert_eq!(weights, wanted, "to the microgram");
    for (bore, tenths) in truth.samples.values().flat_map(|sample| &sample.weights) {
        let held = books.tallies.iter().filter(|t| t.series == Series::Sample && t.bore == *bore);
        let held: Moments = held.map(|tally| tally.moments).sum();
        assert_eq!(held, Moments::one(u64::from(*tenths) * 100), "bore {bore}");
    }
    plant.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_of_the_weigher_is_held_once_over_opcua() {
    follow(WEIGHER, |plant| plant.opcua_url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_of_the_weigher_is_held_once_over_modbus() {
    follow(WEIGHER_BLOCK, |plant| plant.modbus_addr().to_string()).await;
}

/// Numbers of records that were told as not seen.
fn told_missed(books: &Books) -> Vec<u64> {
    let numbers = |event: &Event| {
        let words: Vec<&str> = event.detail.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        let is_it = words.first() == Some(&Series::Interval.word());
        let (from, to) = (number(2)?, number(4)?);
        is_it.then(|| (from..=to).collect::<Vec<_>>())
    };
    books.alarms.iter().filter_map(numbers).flatten().collect()
}

/// Shows: SPC-06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_neither_double_a_record_nor_hide_that_one_was_missed() {
    let site = Site::new();
    let config = config();
    let plant = plant(config.clone(), site.path()).await;
    let filler = plant.modbus_addr().to_string();
    let address = plant.opcua_url();
    site.configure(any_port(), "CF01", &[(FILLER, &filler), (WEIGHER, &address)]);
    let mut service = Process::run(&site.file());
    service.api().await.heard("CW04").await;
    plant.resume();
    for life in 0..4 {
        // A life and a death of some records each, at moments that fall anywhere between two.
        let weighed = plant.ledger().weigher.good;
        until("a life", PATIENCE, async || {
            let more = plant.ledger().weigher.good - weighed;
            if more >= 15_000 + 2_000 * life { Ok(()) } else { Err(more.to_string()) }
        })
        .await;
        service.kill();
        service = Process::run(&site.file());
        service.api().await.heard("CW04").await;
    }
    service.kill();
    plant.hold();
    let (truth, books) = (Truth::of(&config, plant.ledger().plant_us), Books::of(&site));
    let first = u64::try_from(BEGAN_US / 60_000_000).expect("a minute") + 1;
    let last = books.last(Series::Interval);
    let missed = told_missed(&books);
    let (weights, account) = books.of_series(Series::Interval);
    assert!(account.records >= 4, "{account:?}");
    assert_eq!(u64::from(account.records) + missed.len() as u64, last - first + 1);
    assert_eq!(u64::from(account.missed), missed.len() as u64);
    let seen = (first..=last).filter(|number| !missed.contains(number));
    let wanted: Moments = seen.map(|number| truth.weights(Series::Interval, number)).sum();
    assert_eq!(weights, wanted, "missed {missed:?}");
    plant.stop().await;
}
