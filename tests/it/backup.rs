//! A backup of a running service, a disk that is lost, a restore: every capsule is counted in the end.

use domain::units::Count;
use rustix::process::Signal;

use crate::harness::{PATIENCE, Site};
use crate::process::{capline, text};
use crate::restart::{counting, gaps, running_plant, serve};

/// Shows: HIS-05
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_disk_costs_no_capsule() {
    let site = Site::new();
    let plant = running_plant(&site).await;
    let (before, service, api) = counting(&site, &plant, 100).await;
    let (config, copy) = (text(&site.file()), text(&site.path().join("copy")));

    let (code, out, err) = capline(&["backup", &config, &copy]).await;
    assert_eq!(code, Some(0), "{out} {err}");
    assert!(out.contains("every page and every hash checked"), "{out}");
    let (code, out, _) = capline(&["restore", "--check", "--json", &copy]).await;
    let manifest: serde_json::Value = serde_json::from_str(&out).expect("a manifest");
    let backed_up = manifest["lines"][0]["total"][0].as_u64().expect("a total");
    assert_eq!(code, Some(0));
    let (code, _, err) = capline(&["restore", &copy, &config]).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("in use by another Capline"), "{err}");

    // The service went on meanwhile, and what it counted since is lost with its disk.
    api.counts_beyond(backed_up + 200).await;
    service.kill();
    std::fs::remove_dir_all(site.data()).expect("a test can lose its disk");
    // Longer than a count may be smeared over minutes.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let (code, _, err) = capline(&["restore", &copy, &config]).await;
    assert_eq!(code, Some(0), "{err}");
    let (mut service, api) = serve(&site).await;
    let gap = gaps(api, 1).await[0];
    assert!(gap.is_exact() && gap.best() >= 200, "{gap}");
    plant.hold();
    let made = plant.ledger().made - before;
    api.counts(made).await;
    service.signal(Signal::TERM);
    assert!(service.exit(PATIENCE).await.success());
    assert_eq!(site.books().total, Count::exact(made));

    // And all of it adds up in the next backup, gap and all.
    let (code, out, err) =
        capline(&["backup", &text(&site.data()), &text(&site.path().join("next"))]).await;
    assert_eq!(code, Some(0), "{out} {err}");
    assert!(out.contains(&format!("in gaps = {made} of the counter")), "{out}");
    plant.stop().await;
}
