//! The whole service over a long time: faults at random, and nothing that grows.
//!
//! `tests/run.sh --soak` runs 24 hours of the plant, `CAPLINE_SOAK_HOURS` another number of them, at 60 times real. At
//! each other run it is six minutes, with as many kinds of faults as they hold.

use std::collections::BTreeSet;
use std::path::Path;

use simulators::{Scenario, Summary};

use crate::service_side::ServiceSide;
use crate::skip::say;
use crate::stage::Stage;

const MINUTE_US: i64 = 60_000_000;
/// Samples of what could grow, over the whole run.
const SAMPLES: i64 = 40;
/// The most that anything may have grown by in the last quarter against the second, which is an hour of growth in a day.
const MOST: f64 = 1.2;
/// A commit may take so much longer: programs beside the service come and go in a day.
const MOST_SLOWER: f64 = 1.5;
/// Below these nothing grows: pages that the allocator keeps, what the log may hold before it is folded into the file,
/// a connection or two, and the time of a commit on a disk that is not busy.
const MEMORY_FLOOR: f64 = 128e6;
const WAL_FLOOR: f64 = 16e6;
const DESCRIPTORS_FLOOR: f64 = 128.0;
const COMMIT_FLOOR_S: f64 = 0.005;

/// What could grow.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    resident: f64,
    descriptors: f64,
    /// The journal's log of changes that are not in its file yet.
    wal: f64,
    /// Median time of a commit of a tick, in seconds.
    commit: f64,
}

impl Sample {
    async fn take(stage: &Stage) -> Sample {
        let metrics = stage.app.api().text("/metrics").await.expect("metrics");
        let of = |name: &str| {
            let is_it = |line: &&str| {
                line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']))
            };
            let value =
                metrics.lines().find(is_it).and_then(|line| line.rsplit(' ').next()?.parse().ok());
            value.unwrap_or_else(|| panic!("there is no {name} in {metrics}"))
        };
        let files = std::fs::read_dir("/proc/self/fd").expect("descriptors can be listed");
        Sample {
            resident: of("capline_resident_bytes"),
            descriptors: files.count() as f64,
            wal: wal_bytes(&stage.site.data()),
            // The first line of it is the median.
            commit: of("capline_store_commit_seconds"),
        }
    }
}

fn wal_bytes(data: &Path) -> f64 {
    let files = std::fs::read_dir(data).expect("the journal is there");
    let wal = files.flatten().filter(|file| file.path().to_string_lossy().ends_with("-wal"));
    wal.filter_map(|file| file.metadata().ok()).map(|meta| meta.len() as f64).sum()
}

/// The last quarter of the samples as a multiple of the second: the first is that of a service that warms up. What stays
/// below the floor counts as the floor.
fn growth(samples: &[Sample], floor: f64, of: impl Fn(&Sample) -> f64) -> f64 {
    let quarter = samples.len() / 4;
    let mean =
        |part: &[Sample]| (part.iter().map(&of).sum::<f64>() / part.len().max(1) as f64).max(floor);
    mean(&samples[samples.len() - quarter..]) / mean(&samples[quarter..2 * quarter])
}

/// The negative control of what a long run asks for.
#[test]
fn what_grows_is_found_and_what_is_small_is_not() {
    let sample = |n: usize, resident: f64, commit: f64| Sample {
        resident: resident * (1.0 + n as f64 / 40.0),
        commit: commit * (1.0 + n as f64 / 10.0),
        ..Sample::default()
    };
    let of = |resident: f64, commit: f64| -> [f64; 2] {
        let samples: Vec<Sample> = (0..40).map(|n| sample(n, resident, commit)).collect();
        [
            growth(&samples, MEMORY_FLOOR, |sample| sample.resident),
            growth(&samples, COMMIT_FLOOR_S, |sample| sample.commit),
        ]
    };
    let large = of(200e6, 0.01);
    assert!(large[0] > MOST && large[1] > MOST_SLOWER, "{large:?}");
    assert_eq!(of(20e6, 20e-6), [1.0, 1.0]);
}

fn hours(text: &str) -> Result<f64, String> {
    let hours = text.parse().ok().filter(|hours: &f64| *hours > 0.0 && hours.is_finite());
    hours.ok_or_else(|| format!("CAPLINE_SOAK_HOURS={text:?}: write a number of hours"))
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("CAPLINE_SOAK_SEED={text:?}: write a whole number from 0 on"))
}

#[test]
fn hours_and_a_seed_that_are_none_are_refused() {
    assert_eq!((hours("0.5"), seed("7")), (Ok(0.5), Ok(7)));
    for text in ["", "a day", "-1", "0", "NaN", "inf"] {
        let wanted = format!("CAPLINE_SOAK_HOURS={text:?}: write a number of hours");
        assert_eq!(hours(text), Err(wanted));
    }
    for text in ["", "seven", "-1", "1.5"] {
        let wanted = format!("CAPLINE_SOAK_SEED={text:?}: write a whole number from 0 on");
        assert_eq!(seed(text), Err(wanted));
    }
}

/// Shows: EVI-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_of_faults_lose_no_capsule_and_nothing_grows() {
    let given = |name: &str| std::env::var(name).ok();
    let hours = given("CAPLINE_SOAK_HOURS").map(|text| hours(&text));
    let hours = hours.map(|hours| hours.unwrap_or_else(|error| panic!("{error}")));
    let seed = given("CAPLINE_SOAK_SEED").map_or(Ok(1), |text| seed(&text));
    let seed = seed.unwrap_or_else(|error| panic!("{error}"));
    let (length_us, speed) = match hours {
        Some(hours) => ((hours * 60.0) as i64 * MINUTE_US, 60.0),
        None => (6 * MINUTE_US, 6.0),
    };
    let scenario = Scenario::random(seed, length_us, speed);
    let mut stage = Stage::set(&scenario, ServiceSide::default()).await;
    let mut samples = Vec::new();
    for n in 1..=SAMPLES {
        stage.run_to(length_us / SAMPLES * n).await;
        samples.push(Sample::take(&stage).await);
    }
    let (score, wrong) = stage.judge(&scenario).await;
    let naive = stage.naive_score().await;
    let told = if wrong.is_empty() { String::new() } else { stage.told().await };
    let n_faults = scenario.inject.len();
    let kinds: BTreeSet<_> = scenario.inject.iter().map(|one| one.fault).collect();
    stage.end().await;

    let [resident, descriptors, wal, commit] = [
        growth(&samples, MEMORY_FLOOR, |sample| sample.resident),
        growth(&samples, DESCRIPTORS_FLOOR, |sample| sample.descriptors),
        growth(&samples, WAL_FLOOR, |sample| sample.wal),
        growth(&samples, COMMIT_FLOOR_S, |sample| sample.commit),
    ];
    let last = samples.last().copied().unwrap_or_default();
    say(&format!(
        "{:.2} h of the plant at x{speed}, seed {}, {n_faults} faults of {} kinds\n{}\n{}\n{}\n\
         last quarter against the second: resident memory x{resident:.2} ({:.0} MB), descriptors x{descriptors:.2} ({}), \
         WAL x{wal:.2} ({:.1} MB), commit of a tick x{commit:.2} ({:.2} ms)\n\n{score}",
        length_us as f64 / 3.6e9,
        scenario.seed,
        kinds.len(),
        Summary::HEAD,
        score.summary().row("capline"),
        naive.summary().row("naive reader"),
        last.resident / 1e6,
        last.descriptors,
        last.wal / 1e6,
        last.commit * 1e3,
    ));
    assert!(kinds.len() >= 5, "only {kinds:?} struck");
    assert!(wrong.is_empty(), "{}\n{:#?}\n{told}", wrong.join("\n"), scenario.inject);
    assert_eq!(score.outside().count(), 0, "{score}");
    // Other tests of this process come and go meanwhile, so growth is judged in a run of its own.
    if hours.is_some() {
        for (what, growth, most) in [
            ("memory", resident, MOST),
            ("descriptors", descriptors, MOST),
            ("WAL", wal, MOST),
            ("the time of a commit", commit, MOST_SLOWER),
        ] {
            assert!(growth < most, "{what} grew to {growth:.2} times what it was: {samples:#?}");
        }
    }
}
