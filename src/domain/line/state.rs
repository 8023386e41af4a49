//! Machine states after PackML (ISA TR88.00.02-2022), and the class of time each belongs to.

/// The seventeen PackML states, and what lies outside of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Faults are being cleared.
    Clearing,
    /// At rest, needs a reset.
    Stopped,
    /// Getting ready to run.
    Starting,
    /// Ready, waiting for a start.
    Idle,
    /// Standing for an outside cause: starved or blocked.
    Suspended,
    /// Producing.
    Execute,
    /// Coming to rest.
    Stopping,
    /// Coming to an emergency stop.
    Aborting,
    /// After an emergency stop or a breakdown.
    Aborted,
    /// Coming to a hold.
    Holding,
    /// Standing for a cause inside the machine.
    Held,
    /// Leaving a hold.
    Unholding,
    /// Coming to a suspension.
    Suspending,
    /// Leaving a suspension.
    Unsuspending,
    /// Getting back to idle.
    Resetting,
    /// Finishing the order.
    Completing,
    /// Order finished.
    Complete,
    /// Not production: maintenance or manual mode.
    Manual,
    /// Not production: planned cleaning.
    Cleaning,
    /// Not production: setting up or changing over.
    Setup,
    /// A code that the machine's map does not name.
    UnknownCode,
    /// No current reading: neither up nor down.
    Unknown,
}

/// What a span of time counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeClass {
    /// Producing.
    Run,
    /// Standing for a cause inside the machine, unplanned.
    Internal,
    /// Standing because it is starved or blocked.
    External,
    /// Standing as planned: break, cleaning, set-up, no order.
    Planned,
    /// Standing, and nobody said why.
    Idle,
    /// Not known: no connection, frozen values or an unknown code.
    Unknown,
}

impl State {
    /// All states, in PackML order and then our own.
    pub const ALL: [State; 22] = [
        State::Clearing,
        State::Stopped,
        State::Starting,
        State::Idle,
        State::Suspended,
        State::Execute,
        State::Stopping,
        State::Aborting,
        State::Aborted,
        State::Holding,
        State::Held,
        State::Unholding,
        State::Suspending,
        State::Unsuspending,
        State::Resetting,
        State::Completing,
        State::Complete,
        State::Manual,
        State::Cleaning,
        State::Setup,
        State::UnknownCode,
        State::Unknown,
    ];

    /// The word used in maps, SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            State::Clearing => "clearing",
            State::Stopped => "stopped",
            State::Starting => "starting",
            State::Idle => "idle",
            State::Suspended => "suspended",
            State::Execute => "execute",
            State::Stopping => "stopping",
            State::Aborting => "aborting",
            State::Aborted => "aborted",
            State::Holding => "holding",
            State::Held => "held",
            State::Unholding => "unholding",
            State::Suspending => "suspending",
            State::Unsuspending => "unsuspending",
            State::Resetting => "resetting",
            State::Completing => "completing",
            State::Complete => "complete",
            State::Manual => "manual",
            State::Cleaning => "cleaning",
            State::Setup => "setup",
            State::UnknownCode => "unknown_code",
            State::Unknown => "unknown",
        }
    }

    /// The state of that word, for maps. The two unknown states cannot be asked for.
    pub fn from_word(word: &str) -> Option<State> {
        State::ALL[..20].iter().copied().find(|state| state.word() == word)
    }

    /// What time spent in this state counts as.
    pub fn time_class(self) -> TimeClass {
        match self {
            State::Execute | State::Completing => TimeClass::Run,
            State::Suspending | State::Suspended | State::Unsuspending => TimeClass::External,
            State::Manual | State::Cleaning | State::Setup | State::Complete => TimeClass::Planned,
            State::Idle | State::Stopped | State::Resetting => TimeClass::Idle,
            State::Unknown | State::UnknownCode => TimeClass::Unknown,
            State::Starting | State::Stopping | State::Clearing => TimeClass::Internal,
            State::Aborting | State::Aborted | State::Holding | State::Held | State::Unholding => {
                TimeClass::Internal
            }
        }
    }
}

impl TimeClass {
    /// All classes, in the order in which they are shown.
    pub const ALL: [TimeClass; 6] = [
        TimeClass::Run,
        TimeClass::Internal,
        TimeClass::External,
        TimeClass::Planned,
        TimeClass::Idle,
        TimeClass::Unknown,
    ];

    /// The word used in SQL and JSON.
    pub fn word(self) -> &'static str {
        match self {
            TimeClass::Run => "run",
            TimeClass::Internal => "internal",
            TimeClass::External => "external",
            TimeClass::Planned => "planned",
            TimeClass::Idle => "idle",
            TimeClass::Unknown => "unknown",
        }
    }
}
