//! Calls, alerts and the log of what was told outlive a restart, and none of them can be changed.

use domain::alert::{Alert, Delivery, Ending, StoredAlert, Turn};
use domain::line::call::{Act, Need, Refusal, Step};

use super::*;

fn step(call: u64, after_us: i64, by: &str, act: Act) -> Step {
    Step { call, at_us: T0_US + after_us, by: by.into(), act, text: "".into() }
}

fn open_call(need: Need) -> Act {
    Act::Open { need, station: Some(StationId::new("CF01")) }
}

#[test]
fn calls_are_kept_over_a_restart_and_found_by_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let add = |step| store.add_call_step(&l1(), step, &by()).unwrap();
    assert_eq!(add(step(1, 0, "Li", Act::Take)), Err(Refusal::NoCall(1)));
    let first = add(step(0, 10, "", open_call(Need::Machine))).unwrap();
    assert_eq!(first.number, 1);
    assert_eq!(add(step(0, 11, "", open_call(Need::Machine))).unwrap(), first, "a double tap");
    let second = add(step(0, 20, "Wang", open_call(Need::Quality))).unwrap();
    assert_eq!(second.number, 2);
    let taken = add(step(1, 30, "Li", Act::Take)).unwrap();
    let closed = add(step(2, 40, "Li", Act::Close)).unwrap();
    assert!(closed.closed.is_some());
    drop(store);

    let store = open(dir.path());
    assert_eq!(store.open_calls(&l1()).unwrap(), std::slice::from_ref(&taken));
    let span = |from, to| store.calls(&l1(), (T0_US + from, T0_US + to), 9).unwrap();
    assert_eq!(span(0, 99), [taken.clone(), closed.clone()]);
    assert_eq!(span(11, 99), std::slice::from_ref(&closed));
    assert_eq!(store.calls(&l1(), (0, i64::MAX), 1).unwrap(), [closed]);
    assert_eq!(store.open_calls(&LineId::new("L9")).unwrap(), []);
    // Another line has numbers of its own.
    let other =
        store.add_call_step(&LineId::new("L2"), step(0, 50, "", open_call(Need::Other)), &by());
    assert_eq!(other.unwrap().unwrap().number, 1);
}

#[test]
fn of_two_who_take_a_call_at_once_one_is_told_who_was_faster() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.add_call_step(&l1(), step(0, 0, "", open_call(Need::Machine)), &by()).unwrap().unwrap();
    let names: Vec<String> = (0..8).map(|n| format!("P{n}")).collect();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let takers = names.iter().map(|name| {
            scope.spawn(|| store.add_call_step(&l1(), step(1, 5, name, Act::Take), &by()).unwrap())
        });
        let takers: Vec<_> = takers.collect();
        takers.into_iter().map(|taker| taker.join().unwrap()).collect()
    });
    let won: Vec<_> = outcomes.iter().flatten().collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    let by = won[0].taken.as_ref().unwrap().by.clone();
    let told = Refusal::Taken { call: 1, by };
    assert_eq!(outcomes.iter().filter(|outcome| outcome.as_ref() == Err(&told)).count(), 7);
}

fn alert(number: i64) -> StoredAlert {
    StoredAlert {
        number,
        id: format!("id-{number}").into(),
        alert: Alert {
            rule: "stopped".into(),
            subject: "L1".into(),
            line: Some(l1()),
            since_us: T0_US,
            opened_us: T0_US + number,
            detail: "held".into(),
        },
        hooks: vec!["maintenance".into(), "班长".into()],
        closed_us: None,
    }
}

fn delivery(attempt: u32, ending: Ending) -> Delivery {
    Delivery {
        alert: 1,
        turn: Turn::Opened,
        hook: "班长".into(),
        attempt,
        at_us: T0_US + i64::from(attempt),
        ending,
        status: (ending == Ending::Delivered).then_some(204),
        error: if ending == Ending::Delivered { "" } else { "no answer" }.into(),
    }
}

#[test]
fn an_alert_is_kept_once_and_closed_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.last_alert().unwrap(), 0);
    let of_disk = StoredAlert { alert: Alert { line: None, ..alert(2).alert }, ..alert(2) };
    for kept in [alert(1), alert(1), of_disk.clone()] {
        store.add_alert(kept).unwrap();
    }
    store.close_alert("id-1", T0_US + 50).unwrap();
    store.close_alert("id-1", T0_US + 99).unwrap();
    drop(store);
    let store = open(dir.path());
    let closed = StoredAlert { closed_us: Some(T0_US + 50), ..alert(1) };
    assert_eq!(store.alerts(0).unwrap(), [closed.clone(), of_disk.clone()]);
    assert_eq!(store.alerts(T0_US + 50).unwrap(), [closed, of_disk.clone()]);
    assert_eq!(store.alerts(T0_US + 51).unwrap(), [of_disk], "the open one stays in sight");
    assert_eq!(store.last_alert().unwrap(), 2);
}

#[test]
fn what_was_told_is_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let [failed, delivered] = [delivery(1, Ending::Failed), delivery(2, Ending::Delivered)];
    assert!(store.add_delivery(failed.clone()).is_err(), "there is no such alert");
    store.add_alert(alert(1)).unwrap();
    for kept in [&failed, &delivered, &delivered] {
        store.add_delivery(kept.clone()).unwrap();
    }
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.deliveries(9).unwrap(), [delivered.clone(), failed.clone()]);
    assert_eq!(store.deliveries(1).unwrap(), std::slice::from_ref(&delivered));
    assert_eq!(store.deliveries_of(1).unwrap(), [failed, delivered]);
    assert_eq!(store.deliveries_of(2).unwrap(), []);
}

#[test]
fn what_happened_cannot_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.add_call_step(&l1(), step(0, 0, "Li", open_call(Need::Other)), &by()).unwrap().unwrap();
    store.add_alert(alert(1)).unwrap();
    store.close_alert("id-1", T0_US + 9).unwrap();
    store.add_alert(alert(2)).unwrap();
    store.add_delivery(delivery(1, Ending::GivenUp)).unwrap();
    drop(store);
    let conn = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    for (sql, words) in [
        ("update call_step set by_whom = 'me'", "never changed"),
        ("delete from call_step", "never deleted"),
        ("update alert set closed_us = 1 where number = 1", "closed once"),
        ("update alert set closed_us = null where number = 1", "closed once"),
        ("update alert set detail = 'x', closed_us = 1 where number = 2", "closed once"),
        ("delete from alert", "never deleted"),
        ("update delivery set ending = 'delivered'", "never changed"),
        ("delete from delivery", "never deleted"),
    ] {
        let refused = conn.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains(words), "{sql}: {refused}");
    }
    // The negative control: what may be done passes the same trigger.
    conn.execute("update alert set closed_us = 5 where number = 2", []).unwrap();
}
