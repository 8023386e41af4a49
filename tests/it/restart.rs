//! kill -9: what was made is still inside the count, and what was made unseen is a gap of its own, never smeared.

use std::path::Path;
use std::time::Duration;

use capline::historian::{Historian, Options};
use domain::line::minute::Counted;
use domain::units::Count;
use rustix::process::Signal;
use simulators::{Plant, PlantConfig, utc_now_us};

use crate::demo::summary;
use crate::harness::{Api, PATIENCE, Site, count, plant, until};
use crate::process::Process;

/// The counter of good capsules of the simulated filler.
pub(crate) const GOOD: &str = "CF01.Admin.ProdProcessedCount[0].AccCount";

/// The counter of good capsules of the simulated weigher.
const WEIGHED: &str = "CW04.Statistic.TotalPackagesAccepted.ItemCount";

/// Longer than a count may be spread over time: what is made in such a silence is a gap.
const LONG: Duration = Duration::from_millis(2_300);

/// Moments that look random and are the same in every run (xorshift64, Marsaglia 2003).
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
    /// A span shorter than this one.
    pub(crate) fn below(&mut self, longest: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        longest.mul_f64((self.0 % 1_000) as f64 / 1_000.0)
    }
}

/// A plant in real time that has run for two minutes, so that both machines have capsules.
pub(crate) async fn running_plant(site: &Site) -> Plant {
    let start_at_us = 120_000_000;
    let line_start_us = utc_now_us() - start_at_us;
    let plant =
        plant(PlantConfig { line_start_us, start_at_us, ..PlantConfig::default() }, site.path())
            .await;
    site.follow(&plant);
    plant
}

/// Starts the service, and lets capsules be made once both machines are heard.
pub(crate) async fn serve(site: &Site) -> (Process, Api) {
    let mut service = Process::run(&site.file());
    let api = service.api().await;
    api.heard("CF01").await;
    api.heard("CW04").await;
    (service, api)
}

/// Starts the service of a plant that stands still, and lets capsules be made until it has counted more than so many.
/// Returns how many were made before that, and the service with its screens.
pub(crate) async fn counting(site: &Site, plant: &Plant, beyond: u64) -> (u64, Process, Api) {
    let before = plant.ledger().made;
    let (service, api) = serve(site).await;
    plant.resume();
    api.counts_beyond(beyond).await;
    (before, service, api)
}

/// Waits until the journal holds so many gaps of the good counter.
pub(crate) async fn gaps(api: Api, n: usize) -> Vec<Count> {
    until(&format!("{n} gaps in the journal"), PATIENCE, async || match api.gaps(GOOD).await? {
        gaps if gaps.len() == n => Ok(gaps),
        gaps => Err(format!("{gaps:?}")),
    })
    .await
}

/// Shows: HIS-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_kills_cost_no_capsule_and_leave_three_gaps() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let before = plant.ledger();
    let mut moments = Moments(7);
    let (mut service, mut api) = serve(&site).await;
    plant.resume();
    let mut unseen = 0;
    for kills in 1..=3 {
        api.counts_beyond(api.total().await.expect("a total").best()).await;
        tokio::time::sleep(moments.below(Duration::from_millis(900))).await;
        service.kill();
        let at_kill = plant.ledger().made;
        tokio::time::sleep(LONG + moments.below(Duration::from_millis(500))).await;
        unseen += plant.ledger().made - at_kill;
        (service, api) = serve(&site).await;
        let gaps = gaps(api, kills).await;
        assert!(gaps.iter().all(|gap| gap.is_exact() && !gap.is_zero()), "{gaps:?}");
    }
    plant.hold();
    let made = plant.ledger().made - before.made;
    api.counts(made).await;
    let gap: Count = gaps(api, 3).await.into_iter().sum();
    assert!(gap.best() >= unseen, "the {unseen} capsules made unseen are in the gaps: {gap}");
    until("minutes and gaps that sum up to the total", PATIENCE, async || {
        match api.in_minutes().await? + gap {
            sum if sum == Count::exact(made) => Ok(()),
            sum => Err(sum.to_string()),
        }
    })
    .await;
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    let books = site.books();
    assert_eq!(books.total, Count::exact(made), "the journal holds what the screen showed");
    let weighed = plant.ledger().weigher.good - before.weigher.good;
    assert_eq!(books.of("CW04", &Counted::Good, WEIGHED), Count::exact(weighed));
    plant.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_during_the_start_cost_no_capsule() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let before = plant.ledger();
    let mut moments = Moments(11);
    let (service, api) = serve(&site).await;
    plant.resume();
    api.counts_beyond(0).await;
    service.kill();
    for _ in 0..6 {
        let starting = Process::run(&site.file());
        tokio::time::sleep(moments.below(Duration::from_millis(300))).await;
        starting.kill();
    }
    let (service, api) = serve(&site).await;
    plant.hold();
    let made = plant.ledger().made - before.made;
    api.counts(made).await;
    until("minutes and gaps that sum up to the total", PATIENCE, async || {
        let gaps: Count = api.gaps(GOOD).await?.into_iter().sum();
        match api.in_minutes().await? + gaps {
            sum if sum == Count::exact(made) => Ok(()),
            sum => Err(format!("{sum}, of which {gaps} in gaps")),
        }
    })
    .await;
    service.kill();
    plant.stop().await;
}

/// The negative control: without its journal the service cannot know what was made before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_journal_the_law_is_broken() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let before = plant.ledger();
    let (service, api) = serve(&site).await;
    plant.resume();
    api.counts_beyond(0).await;
    service.kill();
    std::fs::remove_dir_all(site.data()).expect("a test can delete its journal");
    let (service, api) = serve(&site).await;
    plant.hold();
    let made = plant.ledger().made - before.made;
    let after = api.total().await.expect("a total");
    assert!(made > 0 && after.high() < made, "{made} made, and {after} cannot hold it");
    service.kill();
    plant.stop().await;
}

/// Starts a demo on a directory, for good or for a while.
fn demo(data: &Path, speed: &str, duration: Option<&str>) -> Process {
    let data = data.display().to_string();
    let mut args = vec!["demo", "--port", "0", "--seed", "1", "--history", "1min", "--data", &data];
    args.extend(["--speed", speed]);
    args.extend(duration.iter().flat_map(|duration| ["--duration", duration]));
    Process::capline(&args)
}

/// Runs a demo until it has counted, and kills it. Its total when the screens opened, and then.
async fn killed_demo(data: &Path, speed: &str) -> (u64, u64) {
    let mut demo = demo(data, speed, None);
    let api = demo.api().await;
    let history = api.total().await.expect("a total").best();
    api.counts_beyond(history + 200).await;
    let total = api.total().await.expect("a total").best();
    demo.kill();
    (history, total)
}

/// Runs a killed demo for a while longer: what was made, and what was counted.
async fn ended(demo: Process) -> (u64, Count) {
    let summary = summary(demo).await;
    let made = summary["made"].as_u64().expect("made is a number");
    (made, count(&summary["counted"]).expect("counted is a count"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_demo_goes_on_and_shows_the_gap() {
    let site = Site::new();
    let (_, total) = killed_demo(&site.data(), "1").await;
    // The plant made capsules all the while, as a real one does.
    tokio::time::sleep(LONG).await;
    let mut demo = demo(&site.data(), "1", Some("3s"));
    let api = demo.api().await;
    let gap = gaps(api, 1).await[0];
    assert!(gap.is_exact() && !gap.is_zero(), "{gap}");
    api.counts_beyond(total + gap.best()).await;
    let (made, counted) = ended(demo).await;
    assert_eq!(counted, Count::exact(made));
    assert!(made > 200 + gap.best(), "{made} made, {gap} of them unseen");
}

/// A demo that ran ahead of the real time is not behind it when it is back: nothing was made unseen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_fast_demo_goes_on_where_it_was() {
    let site = Site::new();
    killed_demo(&site.data(), "10").await;
    let (made, counted) = ended(demo(&site.data(), "10", Some("2s"))).await;
    assert_eq!(counted, Count::exact(made));
    assert!(made > 200, "{made} made");
}

/// The negative control of both: what the first run counted is missing when its journal is thrown away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_without_its_journal_breaks_the_law() {
    let site = Site::new();
    let (history, total) = killed_demo(&site.data(), "1").await;
    std::fs::remove_dir_all(site.data()).expect("a test can delete its journal");
    let (made, counted) = ended(demo(&site.data(), "1", Some("1s"))).await;
    let made_in_both = total - history + made;
    assert!(!counted.contains(made_in_both), "{made_in_both} made in both runs, counted {counted}");
}

/// An end while the history before the demo is being recorded, and one before its first tick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_killed_while_it_starts_goes_on() {
    let site = Site::new();
    let mut moments = Moments(13);
    for _ in 0..4 {
        let starting = demo(&site.data(), "1", None);
        tokio::time::sleep(moments.below(Duration::from_millis(700))).await;
        starting.kill();
    }
    let (made, counted) = ended(demo(&site.data(), "1", Some("1s"))).await;
    assert_eq!(counted, Count::exact(made));

    forget_the_count(&site.data());
    let (made, counted) = ended(demo(&site.data(), "1", Some("1s"))).await;
    assert_eq!(counted, Count::exact(made), "a plant of which nothing is counted begins anew");
}

/// A new journal that knows nothing but which plant it belongs to.
fn forget_the_count(data: &Path) {
    let options = Options { keep_raw: Duration::from_secs(3_600), ..Options::default() };
    let old = Historian::open(data, options).expect("the journal opens");
    let origin = old.setting("demo").expect("settings are read").expect("a demo keeps its origin");
    old.close().expect("the journal closes");
    std::fs::remove_dir_all(data).expect("a test can delete its journal");
    let new = Historian::open(data, options).expect("a new journal opens");
    new.set_setting("demo", &origin).expect("settings are written");
    new.close().expect("the journal closes");
}
