use super::*;

fn seen(station: usize, state: State, stood_s: Option<i64>) -> Seen {
    let stood = stood_s.map(|s| Moment { utc_us: s * 1_000_000, mono_us: s * 1_000_000 });
    Seen { station, state, reason: Some(station as i64), stood }
}

fn decider(machines: &[Seen]) -> (usize, State) {
    let standing = decide(machines.iter().copied()).expect("there is a machine");
    assert_eq!(
        standing.reason,
        Some(standing.station as i64),
        "state and reason are of one machine"
    );
    (standing.station, standing.state)
}

/// Shows: CNT-13
#[test]
fn a_line_runs_while_one_of_its_machines_runs() {
    let (runs, held) = (seen(1, State::Execute, None), seen(0, State::Held, Some(5)));
    assert_eq!(decider(&[held, runs]), (1, State::Execute));
    assert_eq!(decider(&[seen(0, State::Completing, None), runs]), (0, State::Completing));
}

#[test]
fn it_stands_as_the_machine_that_stopped_last() {
    let first = seen(0, State::Held, Some(5));
    let last = seen(1, State::Suspended, Some(9));
    assert_eq!(decider(&[first, last]), (1, State::Suspended));
    assert_eq!(decider(&[last, first]), (1, State::Suspended));
    // Both at once: the first.
    assert_eq!(decider(&[seen(0, State::Held, Some(5)), seen(1, State::Idle, Some(5))]).0, 0);
}

#[test]
fn it_is_unknown_while_one_of_them_is() {
    let unknown = seen(1, State::Unknown, None);
    for other in [seen(0, State::Execute, None), seen(0, State::Held, Some(3))] {
        assert_eq!(decider(&[other, unknown]), (1, State::Unknown));
    }
    let code = seen(1, State::UnknownCode, None);
    assert_eq!(decider(&[seen(0, State::Execute, None), code]), (1, State::UnknownCode));
    assert_eq!(decide(std::iter::empty()), None);
}

#[test]
fn an_output_is_never_empty_and_says_all_its_names() {
    assert_eq!(Output::of(Vec::new()), None);
    let [a, b] = ["CF01", "CF02"].map(StationId::new);
    let two = Output::of(vec![a.clone(), b.clone()]).expect("two machines");
    assert_eq!(two.to_string(), "CF01 + CF02");
    assert_eq!(Output::one(a.clone()).to_string(), "CF01");
    assert!(two.has(&a) && two.has(&b) && !two.has(&StationId::new("PS02")));
    assert!(two.is_group() && !Output::one(a).is_group());
}
