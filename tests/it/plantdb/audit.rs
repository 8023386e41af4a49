//! The head of the audit trail in the plant: the proof that is not in the journal's own hands.

use capline::historian::audit::{Told, told_to_plant, verify};
use domain::audit::{Fault, Head};
use domain::digest::sha256;

use super::book::{Book, drained};
use super::cluster::Cluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plant_is_told_the_head_of_the_trail_and_knows_a_chain_that_was_written_anew() {
    let Some(cluster) = Cluster::migrated("the head of the audit trail").await else { return };
    let dir = tempfile::tempdir().expect("there is room");
    let mut book = Book::open(dir.path());
    book.tick(3);
    let settings = cluster.settings("edge-1", None);
    assert_eq!(told_to_plant(dir.path(), &settings).await, Ok(Vec::new()));
    let (forwarder, _alarms) = book.forward(settings.clone());
    drained(&forwarder, &book).await;
    forwarder.stop().await;
    let told = told_to_plant(dir.path(), &settings).await.expect("it was told");
    let head = book.historian.audit_head().expect("a head");
    assert_eq!(told.last().map(|told| &told.head), Some(&head));
    let sound = verify(dir.path(), &told).expect("a trail");
    assert_eq!(sound.findings, []);
    assert!(sound.compared.iter().any(|with| with.contains("the plant database")), "{sound:?}");
    // Another chain with the same numbers, and one that is shorter, are not what was told.
    let by = || "the plant database".to_owned();
    let anew = Head { hash: sha256("another chain"), ..head.clone() };
    let found = verify(dir.path(), &[Told { by: by(), head: anew.clone() }]).expect("a trail");
    assert_eq!(
        found.findings.iter().map(|f| f.fault.clone()).collect::<Vec<_>>(),
        [Fault::Rewritten(anew)]
    );
    let longer = Head { number: head.number + 1, hash: sha256("cut off") };
    let found = verify(dir.path(), &[Told { by: by(), head: longer.clone() }]).expect("a trail");
    assert_eq!(
        found.findings.iter().map(|f| f.fault.clone()).collect::<Vec<_>>(),
        [Fault::Cut(longer)]
    );
}
