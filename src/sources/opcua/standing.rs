//! How a session stands: what the server made of our wishes, and how long certificates last.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::plc_map::Group;
use domain::units::{LineId, StationId};

use super::session::{Certificates, Revised};
use crate::sources::pki::Certificate;

const DAY_S: i64 = 86_400;
/// Days before its end at which a certificate begins to be an alarm: time to plan a visit to every PLC.
const WARN_DAYS: i64 = 60;

/// How an OPC UA server is read, for figures.
#[derive(Clone, Debug, PartialEq)]
pub struct OpcUaStanding {
    /// Its line.
    pub line: LineId,
    /// The machine.
    pub station: StationId,
    /// Certificates of the latest session: `own` or `server`, and valid until, in UTC seconds.
    pub certificates: Vec<(&'static str, i64)>,
    /// What the server made of the wishes of each group.
    pub groups: Vec<GroupStanding>,
    /// Values that came with the overflow bit: older ones were lost in the queue of the server.
    pub overflows: u64,
    /// Sessions made since the start.
    pub sessions: u64,
}

/// What a server made of the wishes of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupStanding {
    /// Name in the map.
    pub group: String,
    /// Publishing interval that was asked for.
    pub wanted: Duration,
    /// Publishing interval that it keeps.
    pub publishing: Duration,
    /// Longest sampling interval of an item; zero for every update.
    pub sampling: Duration,
    /// Shortest queue of an item.
    pub queue: u32,
}

/// What belongs to the latest session.
#[derive(Clone, Debug, Default)]
struct Latest {
    certificates: Vec<(&'static str, i64)>,
    groups: Vec<GroupStanding>,
}

/// Shared between the supervisor and whoever shows it.
#[derive(Debug)]
pub(in crate::sources) struct Standing {
    line: LineId,
    station: StationId,
    latest: Mutex<Latest>,
    overflows: AtomicU64,
    sessions: AtomicU64,
}

impl Standing {
    pub(in crate::sources) fn new(line: LineId, station: StationId) -> Standing {
        Standing {
            line,
            station,
            latest: Mutex::default(),
            overflows: AtomicU64::new(0),
            sessions: AtomicU64::new(0),
        }
    }

    pub(super) fn connected(
        &self,
        certificates: &Certificates,
        revised: &[Option<Revised>],
        groups: &[Group],
    ) {
        let certificates = certificates.named().map(|(whose, c)| (whose, c.not_after_s)).collect();
        let groups = groups
            .iter()
            .zip(revised)
            .filter_map(|(group, revised)| {
                let Revised { wanted, publishing, sampling, queue, .. } = (*revised)?;
                let group = group.name.to_string();
                Some(GroupStanding { group, wanted, publishing, sampling, queue })
            })
            .collect();
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) =
            Latest { certificates, groups };
        self.sessions.fetch_add(1, Relaxed);
    }

    pub(super) fn overflowed(&self, values: u64) {
        self.overflows.fetch_add(values, Relaxed);
    }

    pub(in crate::sources) fn read(&self) -> OpcUaStanding {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        OpcUaStanding {
            line: self.line.clone(),
            station: self.station.clone(),
            certificates: latest.certificates,
            groups: latest.groups,
            overflows: self.overflows.load(Relaxed),
            sessions: self.sessions.load(Relaxed),
        }
    }
}

impl Certificates {
    /// Each certificate with the word for whose it is.
    fn named(&self) -> impl Iterator<Item = (&'static str, &Certificate)> {
        [("own", self.own.as_ref()), ("server", self.server.as_ref())]
            .into_iter()
            .filter_map(|(whose, certificate)| Some((whose, certificate?)))
    }
}

/// What a person should hear of a session that works, one sentence each. They do not change from day to day.
pub(super) fn causes(
    certificates: &Certificates,
    revised: &[Option<Revised>],
    groups: &[Group],
    now_s: i64,
) -> Vec<String> {
    let mut causes = Vec::new();
    for (whose, certificate) in certificates.named() {
        causes.extend(expiry(whose, certificate, now_s));
    }
    for (group, revised) in groups.iter().zip(revised) {
        causes.extend(revised.iter().flat_map(|revised| slower(&group.name, revised)));
    }
    causes
}

fn expiry(whose: &str, certificate: &Certificate, now_s: i64) -> Option<String> {
    let Certificate { not_before_s, not_after_s, thumbprint, subject, .. } = certificate;
    let day = |s: i64| {
        jiff::Timestamp::from_second(s)
            .map_or_else(|_| "its end".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
    };
    let what = match whose {
        "own" => "our certificate",
        _ => "the certificate of the server",
    };
    let way_out = match whose {
        "own" => "remove it from pki/own to make a new one, and let the servers trust that",
        _ => "renew it on the server, then trust the new one with `capline pki trust`",
    };
    let state = match () {
        () if now_s < *not_before_s => format!("is valid only from {}", day(*not_before_s)),
        () if now_s >= *not_after_s => format!("has expired on {}", day(*not_after_s)),
        () if now_s + WARN_DAYS * DAY_S >= *not_after_s => {
            format!("expires on {}", day(*not_after_s))
        }
        () => return None,
    };
    Some(format!("{what} {subject} ({thumbprint}) {state}; {way_out}"))
}

fn slower(group: &str, revised: &Revised) -> Vec<String> {
    let Revised { wanted, publishing, sampling, queue_wanted, queue } = *revised;
    let mut causes = Vec::new();
    if publishing > wanted {
        causes.push(format!(
            "group {group}: the server publishes every {publishing:?} instead of every {wanted:?}"
        ));
    }
    if sampling > wanted {
        causes.push(format!(
            "group {group}: the server samples every {sampling:?}, and what changes twice within is seen once; {wanted:?} were asked for"
        ));
    }
    // As many values as come between two messages, and as many again.
    let needed = 2 * publishing.as_micros() / sampling.as_micros().max(10_000);
    if u128::from(queue) < needed.min(u128::from(queue_wanted)).max(2) {
        causes.push(format!(
            "group {group}: the server keeps {queue} values of an item instead of {queue_wanted}; values between two messages may be lost"
        ));
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::pki::Thumbprint;

    fn certificate(not_before_s: i64, not_after_s: i64) -> Certificate {
        Certificate {
            der: Vec::new(),
            thumbprint: Thumbprint::of(b""),
            subject: "CN=PLC".to_owned(),
            names: Vec::new(),
            not_before_s,
            not_after_s,
        }
    }

    #[test]
    fn a_certificate_is_an_alarm_sixty_days_before_its_end_and_until_it_is_replaced() {
        let certificate = certificate(0, 1_000 * DAY_S);
        let at = |day: i64| expiry("server", &certificate, day * DAY_S);
        assert_eq!(at(939), None);
        assert!(at(940).unwrap().contains("expires on 1972-09-27"), "{:?}", at(940));
        assert_eq!(at(940), at(999), "the sentence does not change from day to day");
        assert!(at(1_000).unwrap().contains("has expired"));
        assert!(at(-1).unwrap().contains("is valid only from 1970-01-01"));
    }

    #[test]
    fn a_server_that_does_less_than_asked_is_told_of() {
        let ms = Duration::from_millis;
        let asked = Revised {
            wanted: ms(100),
            publishing: ms(100),
            sampling: ms(0),
            queue_wanted: 100,
            queue: 100,
        };
        let n = |revised: Revised| slower("fast", &revised).len();
        assert_eq!(n(asked), 0);
        assert_eq!(n(Revised { sampling: ms(50), queue: 10, ..asked }), 0);
        assert_eq!(n(Revised { sampling: ms(100), queue: 2, ..asked }), 0);
        assert_eq!(n(Revised { publishing: ms(250), ..asked }), 1);
        assert_eq!(n(Revised { sampling: ms(250), ..asked }), 1);
        assert_eq!(n(Revised { queue: 10, ..asked }), 1, "a hundred updates a second");
        assert_eq!(n(Revised { sampling: ms(100), queue: 1, ..asked }), 1);
    }
}
