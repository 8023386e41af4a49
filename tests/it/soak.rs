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
/// What takes time may take so much longer: programs beside the service come and go in a day.
const MOST_SLOWER: f64 = 1.5;

/// What could grow.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    /// Resident memory, in bytes.
    resident: f64,
    descriptors: f64,
    /// The journal's log of changes that are not in its file yet, in bytes.
    wal: f64,
    /// Median time of a commit of a tick, in seconds.
    commit: f64,
    /// How late polls were sent on average since the sample before, in seconds.
    late: f64,
}

/// Something that could grow, and by how much it may: by the factor, and by so much beside it. What is added is what the
/// allocator keeps, what the log may hold before it is folded into the file, a connection or two, a disk that is busy. It is
/// no floor: what is small may not become large below one.
struct Limit {
    what: &'static str,
    of: fn(&Sample) -> f64,
    factor: f64,
    slack: f64,
    /// What it is printed in, and how much of it that is.
    unit: (&'static str, f64),
}

static LIMITS: [Limit; 5] = [
    Limit {
        what: "resident memory",
        of: |one| one.resident,
        factor: MOST,
        slack: 8e6,
        unit: ("MB", 1e6),
    },
    Limit {
        what: "descriptors",
        of: |one| one.descriptors,
        factor: MOST,
        slack: 8.0,
        unit: ("", 1.0),
    },
    Limit { what: "WAL", of: |one| one.wal, factor: MOST, slack: 4e6, unit: ("MB", 1e6) },
    Limit {
        what: "commit of a tick",
        of: |one| one.commit,
        factor: MOST_SLOWER,
        slack: 2e-3,
        unit: ("ms", 1e-3),
    },
    Limit {
        what: "polls late by",
        of: |one| one.late,
        factor: MOST_SLOWER,
        slack: 2e-3,
        unit: ("ms", 1e-3),
    },
];

/// How much there was of something in the second quarter of the samples and in the last: the first is that of a service that
/// warms up.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Growth {
    second: f64,
    last: f64,
}

impl Limit {
    fn growth(&self, samples: &[Sample]) -> Growth {
        let quarter = samples.len() / 4;
        let mean =
            |part: &[Sample]| part.iter().map(self.of).sum::<f64>() / part.len().max(1) as f64;
        let last = mean(&samples[samples.len() - quarter..]);
        Growth { second: mean(&samples[quarter..2 * quarter]), last }
    }

    fn is_kept(&self, growth: Growth) -> bool {
        growth.last <= self.factor * growth.second + self.slack
    }

    /// A row of a table in Markdown.
    fn row(&self, growth: Growth) -> String {
        let (unit, one) = self.unit;
        let [second, last] = [growth.second, growth.last].map(|n| n / one);
        let (what, most) = (self.what, (self.factor * growth.second + self.slack) / one);
        format!("| {what} | {second:.2} {unit} | {last:.2} {unit} | {most:.2} {unit} |")
    }
}

/// Head of that table.
const GROWTH: &str =
    "| what could grow | second quarter | last quarter | most |\n|---|---|---|---|";

/// Figures of the service as its text for Prometheus tells them.
struct Metrics(String);

impl Metrics {
    fn all(&self, name: &str) -> Vec<f64> {
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse().ok())?
        };
        let found: Vec<f64> = self.0.lines().filter_map(value).collect();
        assert!(!found.is_empty(), "there is no {name} in {}", self.0);
        found
    }

    /// The first of a name.
    fn of(&self, name: &str) -> f64 {
        self.all(name)[0]
    }

    /// How late all polls together were, in seconds, and how many these are.
    fn late(&self) -> (f64, f64) {
        let sum = |name: &str| self.all(name).iter().sum();
        (sum("capline_poll_lateness_seconds_sum"), sum("capline_poll_lateness_seconds_count"))
    }
}

impl Sample {
    /// What there is now. `late` is how late how many polls were until the sample before, and until now thereafter.
    async fn take(stage: &Stage, late: &mut (f64, f64)) -> Sample {
        let metrics = Metrics(stage.app.api().text("/metrics").await.expect("metrics"));
        let files = std::fs::read_dir("/proc/self/fd").expect("descriptors can be listed");
        let (before, now) = (*late, metrics.late());
        *late = now;
        Sample {
            resident: metrics.of("capline_resident_bytes"),
            descriptors: files.count() as f64,
            wal: wal_bytes(&stage.site.data()),
            // The first line of it is the median.
            commit: metrics.of("capline_store_commit_seconds"),
            late: (now.0 - before.0) / (now.1 - before.1).max(1.0),
        }
    }
}

fn wal_bytes(data: &Path) -> f64 {
    let files = std::fs::read_dir(data).expect("the journal is there");
    let wal = files.flatten().filter(|file| file.path().to_string_lossy().ends_with("-wal"));
    wal.filter_map(|file| file.metadata().ok()).map(|meta| meta.len() as f64).sum()
}

/// What is beyond its limit of samples that grow evenly from one to another, by name.
fn beyond(first: Sample, last: Sample) -> Vec<&'static str> {
    let samples: Vec<Sample> = (0..40)
        .map(|n| {
            let at = |a: f64, b: f64| a + (b - a) * f64::from(n) / 39.0;
            Sample {
                resident: at(first.resident, last.resident),
                descriptors: at(first.descriptors, last.descriptors),
                wal: at(first.wal, last.wal),
                commit: at(first.commit, last.commit),
                late: at(first.late, last.late),
            }
        })
        .collect();
    let grew = LIMITS.iter().filter(|limit| !limit.is_kept(limit.growth(&samples)));
    grew.map(|limit| limit.what).collect()
}

/// The negative control of what a long run asks for: a leak is found however little there was at first.
#[test]
fn what_grows_is_found_and_what_wavers_is_not() {
    let usual = Sample { resident: 60e6, descriptors: 20.0, wal: 1e6, commit: 1e-3, late: 1e-4 };
    assert_eq!(beyond(usual, usual), [""; 0]);
    let wavers = Sample { resident: 68e6, descriptors: 26.0, wal: 4e6, commit: 3e-3, late: 2e-3 };
    assert_eq!(beyond(usual, wavers), [""; 0]);
    for (what, grown) in [
        ("resident memory", Sample { resident: 120e6, ..usual }),
        ("descriptors", Sample { descriptors: 128.0, ..usual }),
        ("WAL", Sample { wal: 16e6, ..usual }),
        ("commit of a tick", Sample { commit: 15e-3, ..usual }),
        ("polls late by", Sample { late: 15e-3, ..usual }),
    ] {
        assert_eq!(beyond(usual, grown), [what]);
    }
    // What is large may grow by a share and no more.
    let large = Sample { resident: 2e9, descriptors: 900.0, wal: 1e9, commit: 1.0, late: 1.0 };
    assert_eq!(beyond(large, Sample { resident: 2.2e9, descriptors: 990.0, ..large }), [""; 0]);
    assert_eq!(beyond(large, Sample { resident: 4e9, ..large }), ["resident memory"]);
}

/// The figures are those of the text and of no other name.
#[test]
fn the_figures_of_the_service_are_read_by_their_names() {
    let metrics = Metrics(
        "# TYPE capline_poll_lateness_seconds histogram\n\
         capline_poll_lateness_seconds_sum{group=\"fast\"} 1.5\n\
         capline_poll_lateness_seconds_count{group=\"fast\"} 100\n\
         capline_poll_lateness_seconds_sum{group=\"slow\"} 0.5\n\
         capline_poll_lateness_seconds_count{group=\"slow\"} 10\n\
         capline_resident_bytes_peak 9\n\
         capline_resident_bytes 7\n"
            .to_owned(),
    );
    assert_eq!((metrics.late(), metrics.of("capline_resident_bytes")), ((2.0, 110.0), 7.0));
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
    let (mut samples, mut late) = (Vec::new(), (0.0, 0.0));
    for n in 1..=SAMPLES {
        stage.run_to(length_us / SAMPLES * n).await;
        samples.push(Sample::take(&stage, &mut late).await);
    }
    let (score, wrong) = stage.judge(&scenario).await;
    let naive = stage.naive_score().await;
    let told = if wrong.is_empty() { String::new() } else { stage.told().await };
    let n_faults = scenario.inject.len();
    let kinds: BTreeSet<_> = scenario.inject.iter().map(|one| one.fault).collect();
    stage.end().await;

    let growths = LIMITS.each_ref().map(|limit| (limit.growth(&samples), limit));
    let rows: Vec<String> = growths.iter().map(|(growth, limit)| limit.row(*growth)).collect();
    let summary = score.summary();
    say(&format!(
        "{:.2} h of the plant at x{speed}, seed {}, {n_faults} faults of {} kinds\n{}\n{}\n{}\n\
         in doubt over {} counters: {}; signals true {}, missed {}, false {}\n\n{GROWTH}\n{}\n\n{score}",
        length_us as f64 / 3.6e9,
        scenario.seed,
        kinds.len(),
        Summary::HEAD,
        summary.row("capline"),
        naive.summary().row("naive reader"),
        summary.counts,
        summary.width,
        summary.signals_true,
        summary.signals - summary.signals_true,
        summary.signals_false,
        rows.join("\n"),
    ));
    assert!(kinds.len() >= 5, "only {kinds:?} struck");
    assert!(wrong.is_empty(), "{}\n{:#?}\n{told}", wrong.join("\n"), scenario.inject);
    assert_eq!(score.outside().count(), 0, "{score}");
    // Other tests of this process come and go meanwhile, so growth is judged in a run of its own.
    if hours.is_some() {
        for (growth, limit) in growths {
            assert!(limit.is_kept(growth), "{}: {}\n{samples:#?}", limit.what, limit.row(growth));
        }
    }
}
