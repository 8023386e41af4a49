//! Faults that strike at a plant time, and the truth about them: which, from when, until when.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    catalogue::{Fault, Figure, Happens, Side},
    faults::FaultSet,
    modbus,
};

const SECOND_US: f64 = 1e6;

/// A fault that struck or will strike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// What goes wrong.
    #[serde(rename = "name")]
    pub fault: Fault,
    /// Plant time of its beginning, in microseconds.
    pub from_us: i64,
    /// Plant time of its end, in microseconds; that of its beginning for what happens once, none while no end is known.
    pub until_us: Option<i64>,
    /// What it takes, in the unit of the catalogue; 0 for a fault that takes nothing.
    pub value: f64,
    /// Which of the fillers side by side it strikes, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub filler: u32,
}

fn is_first(filler: &u32) -> bool {
    *filler == 0
}

impl Injection {
    /// A fault that begins at a plant time, for so long and with this value, or as the catalogue has it.
    ///
    /// A switch without a duration stays on until it is withdrawn.
    ///
    /// # Errors
    /// The fault is none of the plant's, or takes no such duration or value.
    pub fn new(
        fault: Fault,
        from_us: i64,
        for_us: Option<i64>,
        value: Option<f64>,
    ) -> Result<Injection, InjectError> {
        let entry = fault.entry();
        if entry.side == Side::Service {
            return Err(InjectError::OfTheService(fault));
        }
        if entry.happens == Happens::AtStart {
            return Err(InjectError::AtStart(fault));
        }
        let for_s = for_us.map(|us| us as f64 / SECOND_US);
        check(fault, "duration", entry.duration, for_s)?;
        check(fault, "value", entry.value, value)?;
        let is_code =
            |code: f64| code.fract() == 0.0 && modbus::exception_code(code as u8).is_some();
        if let (Fault::Exception, Some(code)) = (fault, value)
            && !is_code(code)
        {
            return Err(InjectError::NoException(code));
        }
        let until_us = match entry.happens {
            Happens::Switch => for_us.map(|us| from_us.saturating_add(us)),
            _ => Some(from_us),
        };
        let value = value.or(entry.value.map(|figure| figure.default)).unwrap_or(0.0);
        Ok(Injection { fault, from_us, until_us, value, filler: 0 })
    }

    /// The same at another of the fillers side by side, from 0.
    ///
    /// # Errors
    /// The fault strikes the first filler only, or all machines at once.
    pub fn at_filler(self, filler: u32) -> Result<Injection, InjectError> {
        if filler > 0 && self.fault != Fault::Jam {
            return Err(InjectError::OfTheFirst(self.fault));
        }
        Ok(Injection { filler, ..self })
    }

    /// Whether it is on at a plant time.
    pub fn is_on(&self, plant_us: i64) -> bool {
        self.from_us <= plant_us && self.until_us.is_none_or(|until_us| plant_us < until_us)
    }

    /// Turns on what it does to answers.
    fn switch(&self, set: &mut FaultSet) {
        let modbus = &mut set.modbus;
        match self.fault {
            Fault::CommsLoss => modbus.refuse_connections = true,
            Fault::Mute => modbus.mute = true,
            Fault::LateReplies => modbus.delay_ms = modbus.delay_ms.max(self.value as u64),
            Fault::Exception => modbus.exception = Some(self.value as u8),
            Fault::Freeze => modbus.freeze = true,
            Fault::TornReplies => modbus.torn = u32::MAX,
            Fault::DuplicateReplies => modbus.duplicate = true,
            Fault::ReorderedReplies => modbus.reorder = true,
            Fault::WrongTransaction => modbus.wrong_transaction = true,
            Fault::WrongUnit => modbus.wrong_unit = true,
            Fault::WrongWordOrder => modbus.swap_words = true,
            Fault::OpcuaLoss => set.opcua.refuse_connections = true,
            Fault::QueueOverflow => set.opcua.overflow = true,
            Fault::BadStatus => set.opcua.bad_status = true,
            // The others are in the model, or happen once.
            _ => {}
        }
    }
}

/// A fault in the service or under it: whoever runs the service brings it about, and no plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceFault {
    /// What goes wrong.
    pub fault: Fault,
    /// Plant time of its beginning, in microseconds.
    pub from_us: i64,
    /// Plant time of its end, in microseconds.
    pub until_us: i64,
}

impl ServiceFault {
    /// A fault that begins at a plant time, for so long or as the catalogue has it.
    ///
    /// # Errors
    /// It takes no such duration, or no value at all.
    pub(crate) fn new(
        fault: Fault,
        from_us: i64,
        for_us: Option<i64>,
        value: Option<f64>,
    ) -> Result<ServiceFault, InjectError> {
        let entry = fault.entry();
        check(fault, "duration", entry.duration, for_us.map(|us| us as f64 / SECOND_US))?;
        check(fault, "value", entry.value, value)?;
        let usual_s = entry.duration.map_or(0.0, |figure| figure.default);
        let for_us = for_us.unwrap_or((usual_s * SECOND_US) as i64);
        Ok(ServiceFault { fault, from_us, until_us: from_us.saturating_add(for_us) })
    }
}

impl fmt::Display for ServiceFault {
    /// For whoever runs the plant alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |us: i64| us as f64 / SECOND_US;
        write!(
            f,
            "{} from {} s to {} s: the plant cannot do this, and whoever runs the service must. {}",
            self.fault.name(),
            seconds(self.from_us),
            seconds(self.until_us),
            self.fault.entry().does.en
        )
    }
}

/// Whether a fault takes a figure that is given for it.
///
/// # Errors
/// It takes none, or not this one.
pub(crate) fn check(
    fault: Fault,
    what: &'static str,
    takes: Option<Figure>,
    given: Option<f64>,
) -> Result<(), InjectError> {
    match (takes, given) {
        (_, None) => Ok(()),
        (None, Some(given)) => Err(InjectError::TakesNone { fault, what, given }),
        (Some(figure), Some(given)) if (figure.least..=figure.most).contains(&given) => Ok(()),
        (Some(figure), Some(given)) => Err(InjectError::OutOfRange { fault, what, given, figure }),
    }
}

/// Why a fault cannot be injected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InjectError {
    /// It strikes the service and not the plant.
    #[error("{}: the plant cannot do this; who runs the service can", .0.name())]
    OfTheService(Fault),
    /// It belongs to the start of a plant.
    #[error(
        "{name}: a running plant cannot do this; start one with run SCENARIO, whose file has \
         [[inject]] fault = \"{name}\" at_s = 0 value = 500, or its counters under [start]",
        name = .0.name()
    )]
    AtStart(Fault),
    /// It strikes no filler beside the first.
    #[error("{}: of fillers side by side only a jam strikes another than the first; leave out filler", .0.name())]
    OfTheFirst(Fault),
    /// It takes no such figure.
    #[error("{}: it takes no {what}; leave out {given}", .fault.name())]
    TakesNone {
        /// The fault.
        fault: Fault,
        /// Duration or value.
        what: &'static str,
        /// What was given.
        given: f64,
    },
    /// Modbus defines no exception of this code.
    #[error("exception: value {0}: Modbus has no such code; 1 to 6, 8, 10 and 11 are possible")]
    NoException(f64),
    /// The figure is not possible.
    #[error(
        "{}: {what} {given}: between {} and {} {} are possible",
        .fault.name(), .figure.least, .figure.most, .figure.unit
    )]
    OutOfRange {
        /// The fault.
        fault: Fault,
        /// Duration or value.
        what: &'static str,
        /// What was given.
        given: f64,
        /// What is possible.
        figure: Figure,
    },
}

/// All injections of a plant.
#[derive(Debug, Default)]
pub(crate) struct Injections {
    list: Mutex<List>,
    /// Told when there is a new one.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
struct List {
    all: Vec<Injection>,
    /// Those whose beginning is still to be brought about.
    ahead: Vec<Injection>,
}

impl Injections {
    pub(crate) fn add(&self, injection: Injection) {
        let mut list = self.list();
        list.all.push(injection);
        list.ahead.push(injection);
        drop(list);
        self.changed.notify_one();
    }

    /// Ends what is on of a fault, and forgets what is still to come of it. How many that were.
    pub(crate) fn withdraw(&self, fault: Fault, now_us: i64) -> usize {
        let mut list = self.list();
        let before = list.all.len();
        list.ahead.retain(|ahead| ahead.fault != fault || ahead.from_us <= now_us);
        list.all.retain(|one| one.fault != fault || one.from_us <= now_us);
        let mut n = before - list.all.len();
        for one in list.all.iter_mut().filter(|one| one.fault == fault && one.is_on(now_us)) {
            one.until_us = Some(now_us);
            n += 1;
        }
        n
    }

    pub(crate) fn all(&self) -> Vec<Injection> {
        self.list().all.clone()
    }

    /// Adds the faults that are on at a plant time to others.
    pub(crate) fn over(&self, mut set: FaultSet, plant_us: i64) -> FaultSet {
        for one in self.list().all.iter().filter(|one| one.is_on(plant_us)) {
            one.switch(&mut set);
        }
        set
    }

    /// Takes those that have begun.
    pub(crate) fn take_due(&self, plant_us: i64) -> Vec<Injection> {
        self.list().ahead.extract_if(.., |one| one.from_us <= plant_us).collect()
    }

    /// Plant time at which the next one begins.
    pub(crate) fn next_us(&self) -> Option<i64> {
        self.list().ahead.iter().map(|one| one.from_us).min()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // Each change of the lists leaves them whole.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
