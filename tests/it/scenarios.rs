//! Each way in which a counter is spoilt, end to end: what the service must make of it is written down, with what a
//! counter that takes the plain difference would have said.

use std::time::Duration;

use capline::clock::Clock;
use capline::service::open_historian;
use domain::line::event::{Event, EventKind};
use domain::line::minute::Counted;
use domain::plc_map::PlcMap;
use domain::reading::{Outcome, Quality};
use domain::units::{Count, LineId};
use simulators::{Counters, Fault, FaultSet, Ledger, Plant, PlantConfig, utc_now_us};

use crate::harness::{App, Books, FILLER, LINE, Site, any_port, plant, repository, until};
use crate::law;

/// Output of the filler: a lifetime counter of 31 bits.
const GOOD: &str = "CF01.Admin.ProdProcessedCount[0].AccCount";
/// Capsules loaded: reset at each batch.
const INFEED: &str = "CF01.Admin.ProdConsumedCount[0].Count";
/// Counters that are reset at each batch.
const RESET: [&str; 8] = [
    INFEED,
    "CF01.Rej.Unseparated",
    "CF01.Rej.EmptyPocket",
    "CF01.Rej.DentedTelescoped",
    "CF01.Rej.Startup",
    "CF01.Samples",
    "CF01.Rej.NoDose",
    "CF01.Rej.DoubleCap",
];

/// Counts the output in the low word of the lifetime counter.
const SIXTEEN_BITS: [(&str, &str); 2] = [
    ("register = \"holding 13\"\ntype = \"i32\"", "register = \"holding 14\"\ntype = \"u16\""),
    ("modulus = \"2^31\"", "modulus = 65536"),
];
/// Counts the output in the four digits of the operator panel.
const FOUR_DIGITS: [(&str, &str); 2] = [
    ("register = \"holding 13\"\ntype = \"i32\"", "register = \"holding 50\"\ntype = \"u16\""),
    ("modulus = \"2^31\"", "modulus = 10000"),
];
/// No counter names its odometer.
const NO_ODOMETER: [(&str, &str); 1] = [("odometer = \"CF01.StrokeTotal\"\n", "")];
/// And nobody says how much is inside.
const NEITHER: [(&str, &str); 2] = [NO_ODOMETER[0], ("\ninside = ", "\n# inside = ")];
/// The sequence words around the block are not looked at.
const NO_SEQUENCE: [(&str, &str); 2] = [
    ("role = \"sequence_head\"", "role = \"condition\""),
    ("role = \"sequence_tail\"", "role = \"condition\""),
];

/// Time for the longest of these runs on a loaded machine.
const LONG: Duration = Duration::from_secs(60);

/// A filler from its first capsule, and the service that counts it.
struct Scene {
    site: Site,
    plant: Plant,
    app: App,
}

/// What is known when it is over.
struct Verdict {
    ledger: Ledger,
    counted: Count,
    books: Books,
    events: Vec<Event>,
    site: Site,
}

impl Scene {
    /// A plant `speed` times as fast as real, counted by the shipped map with some of its text changed.
    async fn new(speed: f64, config: PlantConfig, changes: &[(&str, &str)]) -> Scene {
        let scene = Scene::held(speed, config, changes).await;
        scene.plant.resume();
        scene
    }

    /// The same before its first capsule.
    async fn held(speed: f64, config: PlantConfig, changes: &[(&str, &str)]) -> Scene {
        let site = Site::new();
        let shipped = std::fs::read_to_string(repository(FILLER)).expect("the map is there");
        let text = changes.iter().fold(shipped, |text, (old, new)| {
            assert!(text.contains(old), "{old} is not in the map");
            text.replace(old, new)
        });
        let map = site.path().join("map.toml");
        std::fs::write(&map, text).expect("a test can write a map");
        let now_us = utc_now_us();
        let plant =
            plant(PlantConfig { speed, line_start_us: now_us, ..config }, site.path()).await;
        let address = plant.modbus_addr().to_string();
        site.configure(any_port(), "CF01", &[(&map.display().to_string(), &address)]);
        let app = site.serve(Clock::accelerated(0, speed)).await;
        app.heard().await;
        Scene { site, plant, app }
    }

    /// Waits until so many good capsules are made.
    async fn made(&self, n: u64) {
        until(&format!("{n} capsules"), LONG, async || match self.plant.ledger().made {
            made if made >= n => Ok(()),
            made => Err(made.to_string()),
        })
        .await;
    }

    /// Waits until so many seconds of the plant have passed.
    async fn pass(&self, seconds: i64) {
        let end_us = self.plant.plant_us() + seconds * 1_000_000;
        until(&format!("{seconds} s of the plant"), LONG, async || {
            match self.plant.ledger().plant_us {
                now_us if now_us >= end_us => Ok(()),
                now_us => Err(format!("{} s to go", (end_us - now_us) / 1_000_000)),
            }
        })
        .await;
    }

    /// Lets no answer through for so many seconds of the plant. Capsules made in it.
    async fn silence(&self, seconds: i64) -> u64 {
        self.plant.faults().change(|set| set.modbus.mute = true);
        let before = self.plant.ledger().made;
        self.pass(seconds).await;
        let hidden = self.plant.ledger().made - before;
        self.plant.faults().set(FaultSet::default());
        hidden
    }

    /// Waits until the service has counted beyond what is made now: it is back.
    async fn counted_again(&self) {
        let made = self.plant.ledger().made;
        until("a count beyond the silence", LONG, async || match self.app.api().total().await? {
            total if total.high() > made => Ok(()),
            total => Err(total.to_string()),
        })
        .await;
    }

    async fn end(self) -> Verdict {
        let Scene { site, plant, app } = self;
        plant.hold();
        let counted = app.stop().await.counted;
        let ledger = plant.ledger();
        plant.stop().await;
        let historian = open_historian(&site.config()).expect("the journal opens");
        let line = LineId::new(LINE);
        let events = historian.events(&line, 0, i64::MAX, None, 100_000).expect("events are read");
        let events = events.into_iter().rev().map(|(_, event)| event).collect();
        historian.close().expect("the journal closes");
        Verdict { ledger, counted, books: site.books(), events, site }
    }
}

impl Verdict {
    /// What was said of a counter, in words.
    fn words(&self, tag: &str) -> Vec<&str> {
        self.of(EventKind::Count, tag).map(|event| event.word.as_str()).collect()
    }

    fn of(&self, kind: EventKind, tag: &str) -> impl Iterator<Item = &Event> {
        let about = move |event: &&Event| {
            event.kind == kind && event.tag.as_ref().is_some_and(|id| id.as_str() == tag)
        };
        self.events.iter().filter(about)
    }

    fn alarms(&self) -> Vec<&Event> {
        self.events.iter().filter(|event| event.kind == EventKind::Alarm).collect()
    }

    /// The law: no counter of the filler is outside its interval, and no alarm was raised.
    fn holds(&self) {
        for (what, counted, truth) in law::filler(&self.books, &self.ledger) {
            assert!(
                counted.contains(truth),
                "{what}: {truth} is not in {counted}: {:#?}",
                self.events
            );
        }
        assert!(self.alarms().is_empty(), "{:?}", self.alarms());
    }

    /// The law where nothing is in doubt.
    fn holds_exactly(&self) {
        self.holds();
        for (what, counted, truth) in law::filler(&self.books, &self.ledger) {
            assert_eq!(counted, Count::exact(truth), "{what}");
        }
        assert_eq!(self.counted, Count::exact(self.ledger.made));
    }

    /// What a naive counter makes of the original readings: the difference, and after a drop what the register shows.
    fn naive(&self, tag: &str) -> u64 {
        let file = self.site.path().join("map.toml");
        let text = std::fs::read_to_string(file).expect("the map is there");
        let map = PlcMap::parse("map", &text).expect("the map is right");
        let position = map.tags.iter().position(|entry| entry.id.as_str() == tag).expect("a tag");
        let bits = map.tags[position].encoding.kind.bits();
        let historian = open_historian(&self.site.config()).expect("the journal opens");
        let raw = historian.raw(&LineId::new(LINE), 0, i64::MAX, usize::MAX / 4);
        let raw = raw.expect("readings are read");
        historian.close().expect("the journal closes");
        let readings = raw.iter().filter_map(|snapshot| match &snapshot.outcome {
            Outcome::Taken(readings) => Some(readings),
            Outcome::Missed(_) => None,
        });
        let values = readings.flatten().filter(|reading| usize::from(reading.tag) == position);
        let values = values.filter(|reading| reading.quality != Quality::Bad);
        let mut last = None;
        values.filter_map(|reading| reading.value.as_counter(bits)).fold(0, |total, value| {
            let before = last.replace(value).unwrap_or(value);
            total + value.checked_sub(before).unwrap_or(value)
        })
    }
}

fn starting_at(processed_acc: u32) -> PlantConfig {
    let start_counters = Counters { processed_acc, ..Counters::default() };
    PlantConfig { start_counters, ..PlantConfig::default() }
}

/// A register passes its end 500 capsules after the start.
async fn a_rollover_is_a_wrap(changes: &[(&str, &str)], states: u32) {
    let scene = Scene::new(20.0, starting_at(states - 500), changes).await;
    scene.made(1_500).await;
    let verdict = scene.end().await;
    verdict.holds_exactly();
    assert_eq!(verdict.words(GOOD), ["first", "wrap"], "{:#?}", verdict.events);
    let (made, naive) = (verdict.ledger.made, verdict.naive(GOOD));
    assert!(naive < made, "a naive counter loses what was left to the end: {naive} of {made}");
}

/// Shows: CNT-03
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollover_at_2_16_is_a_wrap() {
    a_rollover_is_a_wrap(&SIXTEEN_BITS, 65_536).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollover_at_10_000_is_a_wrap() {
    a_rollover_is_a_wrap(&FOUR_DIGITS, 10_000).await;
}

/// A batch that had counted before the service came.
fn running_batch() -> Counters {
    Counters {
        consumed: 5_000,
        unseparated: 40,
        empty_pocket: 30,
        dented: 20,
        startup: 500,
        samples: 60,
        no_dose: 10,
        double_cap: 3,
        ..Counters::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_batch_is_one_row_a_counter_and_hides_a_few_strokes_at_most() {
    let start_counters = running_batch();
    let config = PlantConfig { batch_size: 1_500, start_counters, ..PlantConfig::default() };
    let scene = Scene::new(6.0, config, &[]).await;
    scene.made(2_500).await;
    let verdict = scene.end().await;
    verdict.holds();
    assert_eq!(verdict.counted, Count::exact(verdict.ledger.made), "the output is never reset");
    assert_eq!(verdict.words(GOOD), ["first"]);
    for tag in RESET {
        assert_eq!(verdict.words(tag), ["first", "reset"], "{tag}");
        let reset = verdict.of(EventKind::Count, tag).filter_map(|event| event.count);
        let width: u64 = reset.map(Count::width).sum();
        // One stroke, if each poll comes in time; on a loaded machine some may not.
        assert!(width <= 250, "{tag}: {width} in doubt");
    }
    let batches = verdict.events.iter().filter(|event| event.kind == EventKind::Batch).count();
    assert_eq!(batches, 2, "the first and the new one");
    assert!(verdict.ledger.batches.len() == 2, "{:?}", verdict.ledger.batches);
    // The negative control: a wrap of 32 bits would be billions.
    let books = &verdict.books;
    assert!(books.of("CF01", &Counted::Infeed, INFEED).high() < verdict.ledger.infeed + 251);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_and_a_restart_in_a_gap_leave_what_the_strokes_allow() {
    let config = PlantConfig { start_counters: running_batch(), ..PlantConfig::default() };
    let scene = Scene::new(10.0, config, &[]).await;
    scene.made(1_000).await;
    scene.plant.faults().change(|set| set.modbus.mute = true);
    let before = scene.plant.ledger().infeed;
    scene.pass(20).await;
    // The PLC keeps its counters; somebody sets them to zero before they are read again.
    scene.plant.inject(Fault::CounterReset, None, None).expect("a plant can be reset");
    scene.plant.faults().trigger(simulators::Event::RestartPlc);
    scene.pass(20).await;
    scene.plant.faults().set(FaultSet::default());
    scene.counted_again().await;
    // A register that fell is believed at the next poll.
    scene.pass(5).await;
    let hidden = scene.plant.ledger().infeed - before;
    let verdict = scene.end().await;
    verdict.holds();
    assert_eq!(verdict.counted, Count::exact(verdict.ledger.made), "the lifetime counter is kept");
    // Where a poll comes late on a busy machine, its step is told too.
    let mut words = verdict.words(GOOD);
    words.retain(|word| *word != "step");
    assert_eq!(words, ["first", "gap"]);
    for tag in RESET {
        assert_eq!(verdict.words(tag), ["first", "reset"], "{tag}");
    }
    let infeed = verdict.books.of("CF01", &Counted::Infeed, INFEED);
    assert!(infeed.width() > 0 && infeed.width() <= hidden + 250, "{infeed}, {hidden} in the gap");
    let (truth, naive) = (verdict.ledger.infeed, verdict.naive(INFEED));
    assert!(naive + 1_000 < truth, "a naive counter loses what was before: {naive} of {truth}");
}

/// The counters of the filler are in retentive memory, and the map says so: its restart takes nothing from them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_plc_alone_is_one_exact_gap() {
    let config = PlantConfig { start_counters: running_batch(), ..PlantConfig::default() };
    let scene = Scene::new(10.0, config, &[]).await;
    scene.made(1_000).await;
    scene.plant.faults().change(|set| set.modbus.mute = true);
    scene.pass(20).await;
    scene.plant.faults().trigger(simulators::Event::RestartPlc);
    scene.pass(20).await;
    scene.plant.faults().set(FaultSet::default());
    scene.counted_again().await;
    let verdict = scene.end().await;
    verdict.holds_exactly();
    assert!(verdict.words(GOOD).contains(&"gap"), "{:?}", verdict.words(GOOD));
    for tag in RESET {
        assert!(!verdict.words(tag).contains(&"reset"), "{tag}: {:?}", verdict.words(tag));
    }
}

/// Shows: CNT-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_block_is_read_again() {
    let scene = Scene::new(20.0, starting_at(65_536 - 500), &[]).await;
    scene.plant.faults().change(|set| set.modbus.torn = 100);
    scene.made(1_500).await;
    let verdict = scene.end().await;
    verdict.holds_exactly();
    assert_eq!(verdict.words(GOOD), ["first"], "a torn block never reaches a counter");
}

/// Without sequence words every answer after a stroke is torn, and one of them where the low word passes its end.
/// Shows: CNT-04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_register_is_never_counted() {
    let scene = Scene::new(5.0, starting_at(65_536 - 500), &NO_SEQUENCE).await;
    scene.plant.faults().change(|set| set.modbus.torn = u32::MAX);
    scene.made(1_000).await;
    scene.plant.faults().set(FaultSet::default());
    scene.made(1_200).await;
    let verdict = scene.end().await;
    assert_eq!(verdict.counted, Count::exact(verdict.ledger.made));
    let torn = verdict.of(EventKind::Count, GOOD).filter(|event| event.word == "torn");
    let torn: Vec<&Event> = torn.collect();
    assert!(torn.len() == 1 && torn[0].detail.contains("65536 above"), "{torn:?}");
    let found = verdict.of(EventKind::Alarm, GOOD).map(|event| event.word.as_str());
    assert_eq!(found.collect::<Vec<_>>(), ["contradicted"], "strokes and capsules disagree");
    let (made, naive) = (verdict.ledger.made, verdict.naive(GOOD));
    assert!(naive > made + 60_000, "a naive counter believes it: {naive} for {made}");
}

/// One silence is one gap, and nothing in it is in doubt.
async fn a_silence_is_one_exact_gap(speed: f64, seconds: i64) {
    let scene = Scene::new(speed, PlantConfig::default(), &[]).await;
    scene.made(300).await;
    let hidden = scene.silence(seconds).await;
    scene.counted_again().await;
    let verdict = scene.end().await;
    verdict.holds_exactly();
    assert_eq!(verdict.words(GOOD), ["first", "gap"]);
    let gaps = verdict.books.gaps(GOOD);
    assert!(gaps.len() == 1 && gaps[0].low() >= hidden, "{hidden} made unseen: {gaps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_of_5_s_is_one_exact_gap() {
    a_silence_is_one_exact_gap(2.0, 5).await;
}

/// Shows: CNT-05
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_of_60_s_is_one_exact_gap() {
    a_silence_is_one_exact_gap(20.0, 60).await;
}

/// Rejects have 16 bits, which 12 minutes could overrun: the strokes and the siblings say that they did not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_of_12_min_is_one_exact_gap() {
    a_silence_is_one_exact_gap(50.0, 720).await;
}

/// Without an odometer, what came in and left as good says it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_decides_12_min_of_16_bits_where_there_is_no_odometer() {
    assert_eq!(doubt_of_12_min(&NO_ODOMETER).await, 0);
}

/// The negative control: with neither the rejects may have wrapped, and it is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_nothing_beside_them_12_min_leave_a_wrap_of_16_bits_open() {
    let width = doubt_of_12_min(&NEITHER).await;
    assert!(width >= 65_536 && width.is_multiple_of(65_536), "{width} in doubt");
}

/// How many empty capsules are in doubt after 12 minutes without a reading.
async fn doubt_of_12_min(edits: &[(&str, &str)]) -> u64 {
    let scene = Scene::new(50.0, PlantConfig::default(), edits).await;
    scene.made(300).await;
    scene.silence(720).await;
    scene.counted_again().await;
    let verdict = scene.end().await;
    verdict.holds();
    assert_eq!(verdict.counted, Count::exact(verdict.ledger.made), "31 bits are enough");
    let open = verdict.of(EventKind::Count, "CF01.Rej.NoDose").filter_map(|event| event.count);
    open.map(Count::width).sum()
}

/// An output of 16 bits cannot be known after 12 minutes at full speed: the interval holds the truth, a naive counter
/// does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_minutes_of_a_16_bit_output_are_an_interval() {
    let scene = Scene::new(50.0, PlantConfig::default(), &SIXTEEN_BITS).await;
    scene.made(300).await;
    let hidden = scene.silence(720).await;
    assert!(hidden > 65_536, "{hidden} made unseen");
    scene.counted_again().await;
    let verdict = scene.end().await;
    verdict.holds();
    let (made, counted) = (verdict.ledger.made, verdict.counted);
    assert!(counted.contains(made) && counted.width().is_multiple_of(65_536), "{made}, {counted}");
    let naive = verdict.naive(GOOD);
    assert!(naive < made - 60_000, "a naive counter misses a wrap: {naive} of {made}");
}

/// A sensor that counts one capsule in a hundred twice: the balance of the machine finds it within minutes, and the
/// odometer at once. The count stays what the sensor says, and is known to be wrong.
/// Shows: CNT-07
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sensor_that_counts_double_is_found_out() {
    let scene = Scene::held(60.0, PlantConfig::default(), &[]).await;
    scene.plant.inject(Fault::DoubleCount, None, Some(1.0)).expect("the plant can do this");
    scene.plant.resume();
    let alarms = format!("/api/v1/lines/{LINE}/events?kind=alarm");
    until("an alarm of the balance", LONG, async || {
        let events = scene.app.api().get(&alarms).await?;
        let found = events
            .as_array()
            .is_some_and(|events| events.iter().any(|event| event["word"] == "miscount"));
        if found { Ok(()) } else { Err(events.to_string()) }
    })
    .await;
    let verdict = scene.end().await;
    let made = verdict.ledger.made;
    assert!(made < 200_000, "{made} made before it was found");
    assert_eq!(verdict.counted, Count::exact(made + made / 100), "{:#?}", verdict.events);
    let words = |tag| verdict.of(EventKind::Alarm, tag).map(|event| event.word.as_str());
    assert!(words(GOOD).any(|word| word == "contradicted"), "{:?}", verdict.alarms());
    // A row a stroke would be two thousand. A few are of polls that came late on a loaded machine.
    assert!(verdict.words(GOOD).len() <= 12, "no flood: {:?}", verdict.words(GOOD));
    let count = |event: &&Event| event.kind == EventKind::Alarm;
    assert!(verdict.events.iter().filter(count).count() <= 12, "{:?}", verdict.alarms());
}
