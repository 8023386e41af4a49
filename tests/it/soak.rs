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

/// The last quarter of the samples as a multiple of the second: the first is that of a service that warms up.
fn growth(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let quarter = samples.len() / 4;
    let mean = |part: &[Sample]| part.iter().map(&of).sum::<f64>() / part.len().max(1) as f64;
    mean(&samples[samples.len() - quarter..]) / mean(&samples[quarter..2 * quarter]).max(1.0)
}

/// Mean of the medians of a quarter, in milliseconds.
fn commit_ms(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.commit).sum::<f64>() / samples.len().max(1) as f64 * 1_000.0
}

/// Shows: EVI-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_of_faults_lose_no_capsule_and_nothing_grows() {
    let hours: Option<f64> = std::env::var("CAPLINE_SOAK_HOURS").ok().map(|hours| {
        hours
            .parse()
            .unwrap_or_else(|_| panic!("CAPLINE_SOAK_HOURS={hours:?}: write a number of hours"))
    });
    let (length_us, speed) = match hours {
        Some(hours) => ((hours * 60.0) as i64 * MINUTE_US, 60.0),
        None => (6 * MINUTE_US, 6.0),
    };
    let seed = std::env::var("CAPLINE_SOAK_SEED").ok().and_then(|seed| seed.parse().ok());
    let scenario = Scenario::random(seed.unwrap_or(1), length_us, speed);
    let mut stage = Stage::set(&scenario, ServiceSide::default()).await;
    let mut samples = Vec::new();
    for n in 1..=SAMPLES {
        stage.run_to(length_us / SAMPLES * n).await;
        samples.push(Sample::take(&stage).await);
    }
    let (score, wrong) = stage.judge(&scenario).await;
    let naive = stage.truth().score(&stage.report(&stage.naive).await);
    let n_faults = scenario.inject.len();
    let kinds: BTreeSet<_> = scenario.inject.iter().map(|one| one.fault).collect();
    eprintln!(
        "{}",
        stage
            .told()
            .await
            .lines()
            .filter(|l| l.contains("alarm") || l.contains("PS02") || l.contains("\"link"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    stage.end().await;

    let quarter = samples.len() / 4;
    let [resident, descriptors, wal] = [
        growth(&samples, |sample| sample.resident),
        growth(&samples, |sample| sample.descriptors),
        growth(&samples, |sample| sample.wal),
    ];
    let commits =
        [&samples[quarter..2 * quarter], &samples[samples.len() - quarter..]].map(commit_ms);
    let last = samples.last().copied().unwrap_or_default();
    say(&format!(
        "{:.2} h of the plant at x{speed}, seed {}, {n_faults} faults of {} kinds\n{}\n{}\n{}\n\
         last quarter against the second: resident memory x{resident:.2} ({:.0} MB), descriptors x{descriptors:.2} ({}), \
         WAL x{wal:.2} ({:.1} MB), commit of a tick {:.2} ms and {:.2} ms\n\n{score}",
        length_us as f64 / 3.6e9,
        scenario.seed,
        kinds.len(),
        Summary::HEAD,
        score.summary().row("capline"),
        naive.summary().row("naive reader"),
        last.resident / 1e6,
        last.descriptors,
        last.wal / 1e6,
        commits[0],
        commits[1],
    ));
    assert!(kinds.len() >= 5, "only {kinds:?} struck");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(score.outside().count(), 0, "{score}");
    // Other tests of this process come and go meanwhile, so growth is judged in a run of its own.
    if hours.is_some() {
        for (what, growth) in [("memory", resident), ("descriptors", descriptors), ("WAL", wal)] {
            assert!(growth < 1.5, "{what} grew to {growth:.2} times what it was: {samples:#?}");
        }
    }
}
