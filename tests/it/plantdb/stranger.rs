//! Boxes that are not who they say: nothing is written until a person has looked.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use capline::historian::backup::{Report, back_up, restore};
use capline::historian::forward::ForwardState;

use super::book::{Book, comes_to, drained, sums};
use super::cluster::Cluster;

/// A journal as a restored or cloned box has it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is room");
    for name in ["journal.db-wal", "journal.db"] {
        fs::copy(from.join(name), to.join(name)).expect("it can be copied");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_journal_under_the_same_name_is_refused() {
    let Some(cluster) = Cluster::migrated("two boxes").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let mut one = Book::open(&dir.path().join("one"));
    let mut two = Book::open(&dir.path().join("two"));
    one.tick(10);
    two.tick(20);
    let (first, _alarms) = one.forward(cluster.settings("edge-1", None));
    drained(&first, &one).await;
    let (second, mut alarms) = two.forward(cluster.settings("edge-1", None));
    let stats = comes_to(&second, ForwardState::Refused).await;
    let said = stats.trouble.expect("it says why");
    assert!(said.starts_with("the journal of another box writes as edge \"edge-1\""), "{said}");
    assert_eq!(alarms.recv().await, Some(said));
    // The first one is not disturbed.
    one.tick(5);
    drained(&first, &one).await;
    assert_eq!(sums(&admin, "edge-1").await.events, 15);
    // Under a name of its own the second is welcome.
    drop(second);
    let (second, _alarms) = two.forward(cluster.settings("edge-2", None));
    drained(&second, &two).await;
    assert_eq!(sums(&admin, "edge-2").await.events, 20);
    assert_eq!(sums(&admin, "edge-1").await.events, 15);
}

/// Shows: HIS-07
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_that_runs_at_the_same_time_is_found() {
    let Some(cluster) = Cluster::migrated("a clone").await else { return };
    let dir = tempfile::tempdir().expect("there is room");
    let mut original = Book::open(&dir.path().join("original"));
    original.tick(10);
    let (first, mut alarms) = original.forward(cluster.settings("edge-1", None));
    drained(&first, &original).await;
    copy(&dir.path().join("original"), &dir.path().join("clone"));
    let clone = Book::open(&dir.path().join("clone"));
    let (second, _alarms) = clone.forward(cluster.settings("edge-1", None));
    comes_to(&second, ForwardState::Forwarding).await;
    // The last one to come has it; the other one says so and leaves it alone.
    original.tick(10);
    comes_to(&first, ForwardState::Refused).await;
    let alarm = alarms.recv().await.expect("an alarm");
    assert!(alarm.starts_with("another box that runs now writes as edge \"edge-1\""), "{alarm}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_journal_is_found() {
    let Some(cluster) = Cluster::migrated("a restored box").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let mut original = Book::open(&dir.path().join("original"));
    original.tick(10);
    copy(&dir.path().join("original"), &dir.path().join("restored"));
    original.tick(10);
    let (first, _alarms) = original.forward(cluster.settings("edge-1", None));
    drained(&first, &original).await;
    first.stop().await;
    let mut restored = Book::open(&dir.path().join("restored"));
    let (second, _alarms) = restored.forward(cluster.settings("edge-1", None));
    let said = comes_to(&second, ForwardState::Refused).await.trouble.expect("it says why");
    assert!(said.contains("the journal is an older copy"), "{said}");
    drop(second);
    // It has passed the number meanwhile, with rows of its own.
    restored.store(Vec::new(), Vec::new());
    restored.tick(30);
    let (second, _alarms) = restored.forward(cluster.settings("edge-1", None));
    let said = comes_to(&second, ForwardState::Refused).await.trouble.expect("it says why");
    assert!(said.contains("went on from an older copy"), "{said}");
    assert_eq!(sums(&admin, "edge-1").await.events, 20);
}

/// A backup that was restored is another journal: refused while nobody has decided, and let in by `adopt`. What the plant
/// holds beyond the backup is put aside, and no number is given twice.
/// Shows: HIS-07
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_is_refused_until_it_is_adopted() {
    let Some(cluster) = Cluster::migrated("a restored backup").await else { return };
    let (admin, dir) = (cluster.admin().await, tempfile::tempdir().expect("there is room"));
    let at = |name: &str| dir.path().join(name);
    let quiet: Report = Arc::new(|_| {});
    let settings = || cluster.settings("edge-1", None);
    let mut original = Book::open(&at("original"));
    original.tick(10);
    tokio::task::block_in_place(|| back_up(&at("original"), &at("copy"), &quiet)).expect("a copy");
    original.tick(7);
    let (first, _alarms) = original.forward(settings());
    drained(&first, &original).await;
    first.stop().await;
    tokio::task::block_in_place(|| restore(&at("copy"), &at("back"), &quiet)).expect("it is back");

    let mut back = Book::open(&at("back"));
    let (second, _alarms) = back.forward(settings());
    let said = comes_to(&second, ForwardState::Refused).await.trouble.expect("it says why");
    assert!(said.contains("was restored from") && said.contains("capline adopt"), "{said}");
    second.stop().await;
    assert_eq!(sums(&admin, "edge-1").await.events, 17, "nothing was written");

    // Somebody else's journal cannot be adopted.
    let stranger = Book::open(&at("stranger"));
    let said = stranger.historian.adopt(&settings()).await.expect_err("adopted");
    assert!(said.contains("was not restored from"), "{said}");

    let adopted = back.historian.adopt(&settings()).await.expect("adopted");
    let event = adopted.iter().find(|stream| stream.stream == "event").expect("events");
    assert_eq!((event.stood, event.from), (17, 10));
    back.tick(5);
    let (second, _alarms) = back.forward(settings());
    drained(&second, &back).await;
    // 10 of the backup, the alarm that tells of the restore, 5 of the second life. The 7 of the first one are aside.
    assert_eq!(sums(&admin, "edge-1").await.events, 16);
    let aside =
        "select count(*) from capline.superseded where edge = 'edge-1' and relation = 'event'";
    assert_eq!(admin.query_one(aside, &[]).await.expect("a number").get::<_, i64>(0), 7);
    let sql = "select count(*), count(distinct seq) from capline.event";
    let row = admin.query_one(sql, &[]).await.expect("numbers");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (16, 16));

    // The box that was given up is refused now.
    original.tick(1);
    let (first, _alarms) = original.forward(settings());
    let said = comes_to(&first, ForwardState::Refused).await.trouble.expect("it says why");
    assert!(said.contains("the journal of another box"), "{said}");
}
