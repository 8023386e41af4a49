//! kill -9 at random moments, again and again: nothing is lost and nothing invented.
//!
//! `CAPLINE_KILLS` sets the number of kills (20). The moments are seeded and fall into starts, first polls, ticks and
//! checkpoints alike.

use std::time::{Duration, Instant};

use domain::units::Count;

use crate::harness::{Site, until};
use crate::law;
use crate::process::Process;
use crate::restart::{Moments, running_plant, serve};

/// Time from a start to the kill at most: half of it is the start itself.
const LIFE: Duration = Duration::from_millis(700);
/// Time between a kill and the next start at most.
const PAUSE: Duration = Duration::from_millis(150);

/// Shows: HIS-02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kill_loses_or_invents_a_capsule() {
    let wanted = std::env::var("CAPLINE_KILLS").ok().and_then(|text| text.parse().ok());
    let n: u32 = wanted.unwrap_or(20);
    let (site, mut moments, begun) = (Site::new(), Moments(2_026), Instant::now());
    let plant = running_plant(&site).await;
    let before = plant.ledger();
    let (service, api) = serve(&site).await;
    plant.resume();
    api.counts_beyond(0).await;
    service.kill();
    let (mut stored, mut moved) = (Count::ZERO, 0);
    for kill in 1..=n {
        let service = Process::run(&site.file());
        tokio::time::sleep(moments.below(LIFE)).await;
        service.kill();
        let (books, made) = (site.books(), plant.ledger().made - before.made);
        let total = books.total;
        assert!(total.low() >= stored.low(), "kill {kill}: {stored} became {total}");
        assert!(total.high() <= made, "kill {kill}: {total} of {made} made are invented");
        moved += u32::from(total != stored);
        stored = total;
        if kill.is_multiple_of(20) {
            let seconds = begun.elapsed().as_secs();
            eprintln!("{kill} kills in {seconds} s: {total} counted of {made}, {moved} moved it");
        }
        tokio::time::sleep(moments.below(PAUSE)).await;
    }
    assert!(moved >= n / 10, "only {moved} of {n} lives were long enough to count");
    let (service, api) = serve(&site).await;
    plant.hold();
    let made = plant.ledger().made - before.made;
    api.counts(made).await;
    until("a stored total", crate::harness::PATIENCE, async || match api.in_minutes().await? {
        sum if sum.high() <= made => Ok(()),
        sum => Err(sum.to_string()),
    })
    .await;
    service.signal(rustix::process::Signal::TERM);
    let mut service = service;
    assert!(service.exit(crate::harness::PATIENCE).await.success());
    let (books, ledger) = (site.books(), plant.ledger());
    assert_eq!(books.total, Count::exact(made));
    for ((what, counted, truth), (_, _, start)) in
        law::filler(&books, &ledger).into_iter().zip(law::filler(&books, &before))
    {
        assert_eq!(counted, Count::exact(truth - start), "{what} after {n} kills");
    }
    plant.stop().await;
}
