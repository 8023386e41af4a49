//! Switches that spoil what a client sees. None of them changes what the plant does.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Faults that stay until they are switched off. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSet {
    /// Faults of the Modbus server of all machines.
    pub modbus: ModbusFaults,
    /// Faults of the OPC UA server of all machines.
    pub opcua: OpcUaFaults,
}

/// Faults of the Modbus server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModbusFaults {
    /// Each answer comes this many milliseconds late.
    pub delay_ms: u64,
    /// Requests are read and never answered.
    pub mute: bool,
    /// A new connection is closed at once. Open ones stay.
    pub refuse_connections: bool,
    /// The registers of the filler (unit 1) keep the values of the first answer after the switch.
    pub freeze: bool,
    /// That many answers of the filler (unit 1) are torn: the words before address 14 are new, the rest is that of an
    /// earlier stroke. The cut goes through `AccCount` and parts `SeqHead` from `SeqTail`. Only an
    /// answer after a new stroke can be torn, and the number counts down as they are.
    pub torn: u32,
    /// Every request is answered with this Modbus exception code (1 to 11).
    pub exception: Option<u8>,
    /// Values of several words of the filler (unit 1) come with the least significant word first.
    pub swap_words: bool,
    /// The answer before comes again ahead of each answer.
    pub duplicate: bool,
    /// Every other answer comes behind the next one.
    pub reorder: bool,
    /// Answers carry the transaction number of no request.
    pub wrong_transaction: bool,
    /// Answers carry a unit that was not asked.
    pub wrong_unit: bool,
}

/// Faults of the OPC UA server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpcUaFaults {
    /// All nodes keep their value and have the status `BadNoCommunication`.
    pub bad_status: bool,
    /// Values are sent once a second, with the bit that says that others were lost.
    pub overflow: bool,
    /// The server is away: open connections are closed, and a new one is closed at once.
    pub refuse_connections: bool,
}

/// A fault that happens once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// All Modbus connections are closed.
    DropConnections,
    /// The filler's PLC restarts: uptime at zero, counters kept, connections closed.
    RestartPlc,
    /// The OPC UA server restarts: connections, sessions and subscriptions are gone.
    DropSessions,
}

/// How many of the answers with zeros a connection was shown. Each reader of a wire gets all of them: one that another reader
/// takes away would be no fault of what this one reads.
#[derive(Debug)]
pub(crate) struct Zeros {
    shown: AtomicU64,
}

impl Zeros {
    /// Whether the counters of an answer that holds some are to be zero; counted as shown then.
    pub(crate) fn take(&self, faults: &Faults) -> bool {
        let ordered = faults.zeros.load(Ordering::Acquire);
        let one_more = |shown: u64| (shown < ordered).then_some(shown + 1);
        self.shown.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }
}

/// The switches of one plant. They may be set from any thread at any time.
#[derive(Debug, Default)]
pub struct Faults {
    set: Mutex<FaultSet>,
    restart_plc: AtomicBool,
    /// Answers with zeros that each connection was to get since the start.
    zeros: AtomicU64,
    drop_connections: watch::Sender<()>,
    drop_sessions: watch::Sender<()>,
}

impl Faults {
    /// The faults that are on.
    pub fn get(&self) -> FaultSet {
        *self.lock()
    }

    /// Replaces all switches; [`FaultSet::default`] clears them.
    pub fn set(&self, set: FaultSet) {
        *self.lock() = set;
    }

    /// Changes some switches and leaves the others.
    pub fn change(&self, change: impl FnOnce(&mut FaultSet)) {
        change(&mut self.lock());
    }

    /// Lets a fault happen once.
    pub fn trigger(&self, event: Event) {
        match event {
            Event::DropConnections => self.drop_connections.send_replace(()),
            Event::RestartPlc => {
                self.restart_plc.store(true, Ordering::Release);
                self.drop_connections.send_replace(());
            }
            Event::DropSessions => self.drop_sessions.send_replace(()),
        }
    }

    /// True once after a restart was triggered.
    pub(crate) fn take_restart(&self) -> bool {
        self.restart_plc.swap(false, Ordering::AcqRel)
    }

    /// Counts down the torn answers; true if this one is to be torn.
    pub(crate) fn take_torn(&self) -> bool {
        let torn = &mut self.lock().modbus.torn;
        let is_due = *torn > 0;
        *torn = torn.saturating_sub(1);
        is_due
    }

    /// In that many more answers with counters of the filler all of them are zero, on every connection that is open now.
    pub(crate) fn flash_to_zero(&self, answers: u32) {
        self.zeros.fetch_add(u64::from(answers), Ordering::AcqRel);
    }

    /// The zeros of a connection that is made now: what was ordered before is none of its own.
    pub(crate) fn zeros(&self) -> Zeros {
        Zeros { shown: AtomicU64::new(self.zeros.load(Ordering::Acquire)) }
    }

    pub(crate) fn connection_drops(&self) -> watch::Receiver<()> {
        self.drop_connections.subscribe()
    }

    pub(crate) fn session_drops(&self) -> watch::Receiver<()> {
        self.drop_sessions.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, FaultSet> {
        // The switches are plain values: any state of them is a valid one.
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
