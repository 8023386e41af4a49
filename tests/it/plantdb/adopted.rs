//! A backup that was restored and adopted: day by day the plant has what the restored journal has, not what a journal
//! that is gone had sent after it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use capline::historian::backup::{Report, back_up, restore};
use domain::line::event::Event;
use domain::units::{Count, MINUTE_US};
use tokio_postgres::Client;

use super::book::{Book, T0_US, database, drained, event, minute, moment};
use super::cluster::Cluster;

/// Minutes of a test lie so far apart: some hundreds of them are days.
const STEP: i64 = 20;

/// Good capsules of each day since 1970: those of its minutes, and those that are only known of gaps which end in it.
type Days = BTreeMap<i64, i64>;

fn journal_days(dir: &Path) -> Days {
    let conn = rusqlite::Connection::open(database(dir)).expect("it is there");
    let sql = "select day, sum(best) from (
                 select n.start_us / 86400000000 as day, n.best
                 from minute_count n join counter c on c.id = n.counter where c.counted = 'good'
                 union all
                 select at_us / 86400000000, best from event where kind = 'count' and from_us is not null)
               group by day";
    let mut find = conn.prepare(sql).expect("the tables are there");
    let days = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("days");
    days.collect::<rusqlite::Result<_>>().expect("numbers")
}

async fn plant_days(plant: &Client) -> Days {
    let sql = "select (extract(epoch from t)::bigint / 86400), sum(best)::bigint from (
                 select t, best from capline.minute_count_by_name where counted = 'good'
                 union all
                 select t, best from capline.event_by_name where kind = 'count' and from_t is not null) x
               group by 1";
    let rows = plant.query(sql, &[]).await.expect("the views are there");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// What is known only of the time without a journal.
fn gap((from, to): (i64, i64), capsules: u64) -> Event {
    Event {
        at_us: T0_US + to * MINUTE_US,
        from_us: Some(T0_US + from * MINUTE_US),
        count: Some(Count::exact(capsules)),
        ..event(1, 0)
    }
}

fn fill(book: &mut Book, minutes: std::ops::Range<i64>) {
    for n in minutes {
        book.store(Vec::new(), vec![minute(n * STEP, true, 0)]);
    }
}

/// A box works for two days, is backed up, works on, dies, and its backup is restored and adopted. The days of the plant and
/// of the restored journal.
async fn restored_and_adopted(cluster: &Cluster, admin: &Client) -> (Days, Days) {
    let dir = tempfile::tempdir().expect("there is room");
    let at = |name: &str| dir.path().join(name);
    let quiet: Report = Arc::new(|_| {});
    let mut original = Book::open(&at("original"));
    fill(&mut original, 0..150);
    tokio::task::block_in_place(|| back_up(&at("original"), &at("copy"), &quiet)).expect("a copy");
    fill(&mut original, 150..230);
    // A minute from before the backup is corrected after it, and one is still open at the end.
    original.store(Vec::new(), vec![minute(20 * STEP, true, 1), minute(230 * STEP, false, 0)]);
    let (forwarder, _alarms) = original.forward(cluster.settings("edge-1", None));
    drained(&forwarder, &original).await;
    forwarder.stop().await;
    assert_eq!(plant_days(admin).await, journal_days(&at("original")), "before anything happens");

    tokio::task::block_in_place(|| restore(&at("copy"), &at("back"), &quiet)).expect("it is back");
    let mut back = Book::open(&at("back"));
    // Its counter says what was made meanwhile, as one number for all of the time.
    let away = (149 * STEP + 1, 240 * STEP);
    back.put(|tick| {
        tick.at = moment(away.1);
        tick.events = vec![gap(away, 91 * 6_500)];
    });
    back.historian.adopt(&cluster.settings("edge-1", None)).await.expect("adopted");
    fill(&mut back, 240..300);
    let (forwarder, _alarms) = back.forward(cluster.settings("edge-1", None));
    drained(&forwarder, &back).await;
    forwarder.stop().await;
    (plant_days(admin).await, journal_days(&at("back")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lost_journal_sent_beyond_its_backup_is_in_no_sum() {
    let Some(cluster) = Cluster::migrated("restored and adopted").await else { return };
    let admin = cluster.admin().await;
    let (plant, journal) = restored_and_adopted(&cluster, &admin).await;
    assert!(journal.len() >= 4, "some days: {journal:?}");
    assert_eq!(plant, journal);
    let sql = "select relation, count(*) from capline.superseded group by 1 order by 1";
    let rows = admin.query(sql, &[]).await.expect("the table is there");
    let aside: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    // 80 minutes after the backup, the corrected one and the open one, each with three counts; a stop for each pair.
    let wanted = [("minute", 82), ("minute_count", 246), ("stop", 41)];
    assert_eq!(aside, wanted.map(|(relation, n)| (relation.to_owned(), n)));
    let sql = "select count(*) from capline.superseded
               where relation = 'minute_count' and (row ->> 'best')::bigint > 0";
    let legible: i64 = admin.query_one(sql, &[]).await.expect("it can be read").get(0);
    assert_eq!(legible, 246);
}

/// The control: where nothing is put aside, both the lost minutes and the gap are counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_putting_them_aside_the_sums_are_too_high() {
    let Some(cluster) = Cluster::migrated("adopted without").await else { return };
    let admin = cluster.admin().await;
    let nothing = "create or replace function capline.supersede(of_edge text, of_stream text, from_seq bigint,
                     mark_us bigint) returns bigint language sql as 'select null::bigint'";
    admin.batch_execute(nothing).await.expect("an administrator may do so");
    let (plant, journal) = restored_and_adopted(&cluster, &admin).await;
    let sum = |days: &Days| days.values().sum::<i64>();
    // 80 minutes, the open one, and the capsule that the correction had added.
    assert_eq!(sum(&plant) - sum(&journal), 81 * 6_500 + 1);
}
