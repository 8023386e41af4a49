//! Which changes of state PackML allows, for states that are polled: what cannot have happened is flagged, never dropped.

use super::state::State;

/// Whether a machine can have come from one state to the other unseen, between two readings.
///
/// Acting states end by themselves and may be missed; a waiting state is left only by a command, so that a jump
/// over one is impossible. Modes of ours (manual, cleaning, set-up) are entered and left where the machine does not
/// produce. What is not known is not judged.
///
/// The transitions are those of ISA TR88.00.02-2022: reset, start, hold, unhold, suspend, unsuspend, complete,
/// clear; stop from everywhere but the aborted side; abort from everywhere. A machine that has one code for running up
/// is mapped to `starting` whether it comes from idle, held or suspended: the three ways up are one here.
pub fn is_possible(from: State, to: State) -> bool {
    let judged = |state| !matches!(state, State::Unknown | State::UnknownCode);
    if from == to || !judged(from) || !judged(to) {
        return true;
    }
    match (is_mode(from), is_mode(to)) {
        (true, true) => true,
        (false, true) => is_at_rest(from),
        (true, false) => is_at_rest(to) || to == State::Starting,
        (false, false) if is_running_up(to) => {
            let ways = [State::Starting, State::Unholding, State::Unsuspending];
            ways.into_iter().any(|way| from == way || reaches(from, way, 0))
        }
        (false, false) => reaches(from, to, 0),
    }
}

/// Whether a state ends by itself.
pub fn is_acting(state: State) -> bool {
    matches!(
        state,
        State::Clearing
            | State::Starting
            | State::Stopping
            | State::Aborting
            | State::Holding
            | State::Unholding
            | State::Suspending
            | State::Unsuspending
            | State::Resetting
            | State::Completing
    )
}

/// Whether a machine is on its way to running.
pub(super) fn is_running_up(state: State) -> bool {
    matches!(state, State::Starting | State::Unholding | State::Unsuspending)
}

fn is_mode(state: State) -> bool {
    matches!(state, State::Manual | State::Cleaning | State::Setup)
}

/// States in which a mode may be changed, and those on the way to them.
fn is_at_rest(state: State) -> bool {
    matches!(
        state,
        State::Stopped
            | State::Stopping
            | State::Idle
            | State::Resetting
            | State::Aborted
            | State::Aborting
            | State::Clearing
            | State::Complete
            | State::Completing
    )
}

/// No chain of acting states is longer than stop after unhold, suspend or the like.
const LONGEST_CHAIN: u8 = 4;

fn reaches(from: State, to: State, n: u8) -> bool {
    let next = next(from);
    let stop = !is_aborted_side(from) && !matches!(from, State::Stopping | State::Stopped);
    let abort = !matches!(from, State::Aborting | State::Aborted);
    let all = next
        .into_iter()
        .chain(stop.then_some(State::Stopping))
        .chain(abort.then_some(State::Aborting));
    all.into_iter().any(|step| {
        step == to || (is_acting(step) && n < LONGEST_CHAIN && reaches(step, to, n + 1))
    })
}

fn is_aborted_side(state: State) -> bool {
    matches!(state, State::Aborting | State::Aborted | State::Clearing)
}

/// Where a state leads without a stop or an abort.
fn next(state: State) -> Vec<State> {
    match state {
        State::Stopped | State::Complete => vec![State::Resetting],
        State::Resetting => vec![State::Idle],
        State::Idle => vec![State::Starting],
        State::Starting | State::Unholding | State::Unsuspending => vec![State::Execute],
        State::Execute => vec![State::Holding, State::Suspending, State::Completing],
        State::Holding => vec![State::Held],
        State::Held => vec![State::Unholding],
        State::Suspending => vec![State::Suspended],
        State::Suspended => vec![State::Unsuspending],
        State::Completing => vec![State::Complete],
        State::Stopping | State::Clearing => vec![State::Stopped],
        State::Aborting => vec![State::Aborted],
        State::Aborted => vec![State::Clearing],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_states_may_be_missed_by_a_poll() {
        for (from, to) in [
            (State::Execute, State::Held),
            (State::Held, State::Execute),
            (State::Execute, State::Suspended),
            (State::Suspended, State::Execute),
            (State::Stopped, State::Idle),
            (State::Idle, State::Execute),
            (State::Execute, State::Complete),
            (State::Complete, State::Idle),
            (State::Execute, State::Stopped),
            (State::Held, State::Stopped),
            (State::Suspended, State::Aborted),
            (State::Aborted, State::Stopped),
            (State::Unholding, State::Stopped),
            (State::Held, State::Starting),
            (State::Suspended, State::Starting),
        ] {
            assert!(is_possible(from, to), "{from:?} → {to:?}");
        }
    }

    #[test]
    fn a_waiting_state_cannot_be_jumped_over() {
        for (from, to) in [
            (State::Stopped, State::Execute),
            (State::Stopped, State::Starting),
            (State::Aborted, State::Idle),
            (State::Aborted, State::Execute),
            (State::Execute, State::Idle),
            (State::Held, State::Idle),
            (State::Idle, State::Held),
            (State::Suspended, State::Held),
            (State::Complete, State::Execute),
            (State::Execute, State::Setup),
            (State::Cleaning, State::Execute),
        ] {
            assert!(!is_possible(from, to), "{from:?} → {to:?}");
        }
    }

    #[test]
    fn every_state_can_be_stopped_and_aborted_and_what_is_unknown_is_not_judged() {
        for state in State::ALL {
            assert!(is_possible(state, State::Aborted), "{state:?}");
            // From aborting the way leads through aborted, which waits for a person.
            assert!(is_possible(state, State::Stopped) || state == State::Aborting, "{state:?}");
            assert!(is_possible(state, State::Unknown) && is_possible(State::UnknownCode, state));
        }
    }
}
