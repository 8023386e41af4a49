//! How the poll thread is scheduled: like any other thread, or before all of them.
//!
//! Under load nothing but a real-time policy keeps a poll to its moment: the scheduler gives a thread that wakes up its
//! turn within milliseconds, and under `SCHED_FIFO` at once. The system lets only those have it who may take the processor
//! from everybody else (sched(7)).

use thread_priority::{
    Error, NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadPriority,
    ThreadPriorityValue, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
    thread_schedule_policy_param,
};

const FIFO: ThreadSchedulePolicy =
    ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);

/// How the poll thread is scheduled, as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scheduling {
    /// Priority under `SCHED_FIFO` that was asked for, 1 to 99.
    pub wanted: Option<u8>,
    /// Priority under `SCHED_FIFO` that it runs with; none while it is scheduled like any other thread.
    pub realtime: Option<u8>,
}

impl Scheduling {
    /// Whether what was asked for was refused.
    pub fn is_refused(self) -> bool {
        self.wanted.is_some() && self.realtime != self.wanted
    }
}

/// Lets the present thread run under `SCHED_FIFO` with this priority, if one is wanted. What is not permitted is warned
/// of once and is no reason not to poll.
pub fn enter(wanted: Option<u8>) -> Scheduling {
    let refused = wanted.and_then(|priority| ask(priority).err());
    let scheduling = Scheduling { wanted, realtime: realtime() };
    if scheduling.is_refused() {
        let cause = refused.map_or_else(|| "the system says nothing".to_owned(), |e| words(&e));
        tracing::warn!(realtime_priority = wanted, cause, "{WAY_OUT}");
    }
    scheduling
}

/// Gives a thread that a real-time thread has started the ordinary policy: a name that is looked up must not take the
/// processor from anybody.
pub(super) fn leave() {
    if realtime().is_some() {
        // 0 to 99 stand for niceness 19 to -20 here, and 47 for 0.
        let plain = ThreadPriorityValue::try_from(47).map(ThreadPriority::Crossplatform);
        let normal = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
        // Giving up is never refused, and niceness does not matter.
        let _ = plain.map(|p| set_thread_priority_and_policy(thread_native_id(), p, normal));
    }
}

const WAY_OUT: &str = "the poll thread may not have its real-time priority and polls without it; allow it with \
    LimitRTPRIO=99 in the unit of the service, or CAP_SYS_NICE, or leave realtime_priority out";

fn ask(priority: u8) -> Result<(), Error> {
    let value = ThreadPriorityValue::try_from(priority)
        .map_err(|_| Error::Priority("a priority is 1 to 99"))?;
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(value), FIFO)
}

/// The priority of the present thread under `SCHED_FIFO`, as the system says.
fn realtime() -> Option<u8> {
    match thread_schedule_policy_param(thread_native_id()) {
        Ok((policy, params)) if policy == FIFO => u8::try_from(params.sched_priority).ok(),
        _ => None,
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::OS(code) => std::io::Error::from_raw_os_error(*code).to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_asks_for_nothing_is_scheduled_like_any_other() {
        let of_thread = std::thread::spawn(|| enter(None)).join().unwrap();
        assert_eq!(of_thread, Scheduling { wanted: None, realtime: None });
        assert!(!of_thread.is_refused());
    }

    /// Both answers of the system are right, and which one it was is known from the system and not from the wish.
    #[test]
    fn what_runs_is_what_the_system_says() {
        let (entered, after) = std::thread::spawn(|| {
            let entered = enter(Some(7));
            leave();
            (entered, realtime())
        })
        .join()
        .unwrap();
        assert_eq!(entered.wanted, Some(7));
        assert_eq!(entered.realtime, (!entered.is_refused()).then_some(7));
        assert_eq!(after, None, "a thread that left is scheduled like any other");
    }

    #[test]
    fn only_what_was_asked_for_can_be_refused() {
        let refused = |wanted, realtime| Scheduling { wanted, realtime }.is_refused();
        assert!(refused(Some(20), None) && refused(Some(20), Some(1)));
        assert!(!refused(Some(20), Some(20)) && !refused(None, None) && !refused(None, Some(5)));
        assert!(ask(100).is_err(), "there is no such priority");
    }
}
