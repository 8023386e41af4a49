//! Stops against the truth: which true stop a reported one is of, and how well its begin, its end, its reason and its key
//! cause are told.
//!
//! A reported stop is of one true stop at most, the one that it has most of its time with: what covers two is missed for
//! one of them. A true stop may be reported in pieces that follow each other, because a service that was blind meanwhile,
//! or heard of another cause, begins anew.

use serde::Serialize;

use crate::{
    catalogue::Fault,
    injections::Injection,
    ledger::StopRecord,
    machines::filler::JOG_US,
    report::SaidStop,
    score::Truth,
    stops::{BLOCKED_REASON, CHANGEOVER, CLEANING, State},
};

const SECOND_US: i64 = 1_000_000;
/// Shorter stops need not be found.
const SHORTEST_STOP_US: i64 = 2 * SECOND_US;
/// A reported stop may lie so far from a true one and is still of it; how far it is off is told.
pub(crate) const SAME_STOP_US: i64 = 5 * SECOND_US;

/// A machine that starts slowly is on its way for so long: the slow running, and the stroke that ends it. A stop may be told
/// to end with its first stroke or with the end of that.
const STARTS_US: i64 = JOG_US + 2 * SECOND_US;

/// Machines behind the filler: what blocks it is one of them.
const BEHIND: [&str; 4] = ["PS02", "MD03", "CW04", "BC05"];

/// A true stop, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopScore {
    /// Reason code of the machine.
    pub code: u16,
    /// Start by the reporter's clock, in microseconds.
    pub from_us: i64,
    /// How long it lasted, in microseconds; until now for one that lasts.
    pub lasted_us: i64,
    /// Whether it was found.
    pub found: bool,
    /// Whether less than 2 s of it could be seen, because of a fault of the connection.
    pub hidden: bool,
    /// By how much the start is said too late, in microseconds; none where it could not be seen or nothing is said.
    pub start_off_us: Option<i64>,
    /// By how much the end is said too late, in microseconds; none where it could not be seen. One that is said to last
    /// ends now, and a slow start may belong to it.
    pub end_off_us: Option<i64>,
    /// How much of it lies in no reported stop, in microseconds; none where a part of it could not be seen.
    pub untold_us: Option<i64>,
    /// Whether the reason is right.
    pub reason: bool,
    /// How its key cause is told.
    pub key: KeyScore,
}

/// How the key cause of a stop is told: the filler where it is to blame, nobody where the stop is planned or nothing comes
/// to the line, and a machine that stood by itself where the filler is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScore {
    /// As it is.
    Right,
    /// A machine that is not to blame.
    Another,
    /// None, and there is one that could be seen.
    Unnamed,
    /// None, and the one that is to blame could not be known: it is not read, or was out of sight when it stopped.
    NotAsked,
}

/// A true stop by the reporter's clock; one that lasts ends now.
struct Stood {
    stop: StopRecord,
    from_us: i64,
    to_us: i64,
}

impl Stood {
    /// The time that it has in common with a reported stop; below 0 how far they lie apart.
    fn shared_us(&self, said: &SaidStop, now_us: i64) -> i64 {
        end_us(said, now_us).min(self.to_us) - said.from_us.max(self.from_us)
    }
}

/// The end of a reported stop, no later than now: the plant stands still for the score, and that is no stop of it.
fn end_us(said: &SaidStop, now_us: i64) -> i64 {
    said.to_us.unwrap_or(now_us).min(now_us)
}

impl Truth {
    /// Every true stop of 2 s and more against what is said, and what is said of none.
    pub(crate) fn stops(&self, said: &[SaidStop]) -> (Vec<StopScore>, Vec<SaidStop>) {
        let now_us = self.zero_us + self.ledger.plant_us;
        let begun_us = self.zero_us + self.base.as_ref().map_or(0, |base| base.plant_us);
        // Whoever was told of a stop through a run was told of none.
        let is_unseen = |from_us: i64, to_us: i64| {
            let covers = |stop: &&SaidStop| {
                let (from_us, to_us) = (self.zero_us + from_us, self.zero_us + to_us);
                stop.from_us <= from_us && to_us <= end_us(stop, now_us)
            };
            to_us - from_us < JOG_US + self.unseen_us
                && said.iter().filter(|stop| tells(stop)).any(|stop| covers(&stop))
        };
        let all: Vec<Stood> = without_failed_starts(self.ledger.line_stops(), is_unseen)
            .into_iter()
            .map(|stop| {
                let to_us = stop.to_us.map_or(now_us, |us| self.zero_us + us);
                Stood { from_us: self.zero_us + stop.from_us, stop, to_us }
            })
            .collect();
        let told: Vec<(&SaidStop, Option<usize>)> = said
            .iter()
            .filter(|stop| tells(stop))
            .map(|stop| (stop, owner(&all, stop, now_us)))
            .collect();
        let of = |n: usize| -> Vec<&SaidStop> {
            told.iter().filter(|(_, owner)| *owner == Some(n)).map(|(stop, _)| *stop).collect()
        };
        let long = all.iter().enumerate().filter(|(_, stood)| {
            stood.to_us - stood.from_us >= SHORTEST_STOP_US && stood.from_us >= begun_us
        });
        let scored = long.map(|(n, stood)| self.stop(stood, &of(n), now_us)).collect();
        // What had begun before the base may go on; what had begun before the plant must end with its start.
        let counts = |stop: &SaidStop| match self.base {
            Some(_) => stop.from_us >= begun_us,
            None => end_us(stop, now_us) >= self.zero_us,
        };
        let is_false = |stop: &SaidStop| {
            let lasted_us = stop.to_us.map_or(i64::MAX, |end_us| end_us - stop.from_us);
            lasted_us >= SHORTEST_STOP_US
                && counts(stop)
                && !self.is_its_start(stop)
                && !all.iter().any(|stood| self.is_start_after(stood, stop))
        };
        let none = told.iter().filter(|(stop, owner)| owner.is_none() && is_false(stop));
        (scored, none.map(|(stop, _)| (*stop).clone()).collect())
    }

    /// Whether a stop is that before plant time 0 and the slow running after it: the plant came from no stop of its own.
    fn is_its_start(&self, stop: &SaidStop) -> bool {
        let runs_us = self.zero_us + JOG_US + self.blind_us;
        let ends_with_it = |to_us: i64| (self.zero_us - SAME_STOP_US..=runs_us).contains(&to_us);
        stop.from_us <= self.zero_us + SAME_STOP_US && stop.to_us.is_some_and(ends_with_it)
    }

    /// Whether a stop is the slow running after a true one that was out of sight until then: the rest of it, which is all that
    /// could be seen.
    fn is_start_after(&self, stood: &Stood, said: &SaidStop) -> bool {
        let starts = stood.to_us..=stood.to_us + STARTS_US;
        self.is_blind(stood.to_us - self.zero_us)
            && self.ledger.state_us.contains_key(&State::Starting)
            && starts.contains(&said.from_us)
            && said.to_us.is_some_and(|to_us| starts.contains(&to_us))
    }

    fn stop(&self, stood: &Stood, pieces: &[&SaidStop], now_us: i64) -> StopScore {
        let Stood { ref stop, from_us, to_us } = *stood;
        let lasted_us = to_us - from_us;
        let (from_plant_us, to_plant_us) = (stop.from_us, to_us - self.zero_us);
        let seen_us = self.seen_us(from_plant_us, to_plant_us);
        let first = pieces.iter().map(|piece| piece.from_us).min();
        let last = pieces.iter().map(|piece| end_us(piece, now_us)).max();
        let lasts = pieces.iter().any(|piece| piece.to_us.is_none());
        // Whoever sees the machine again can no longer say that it stands.
        let seen_since = self.seen_us(to_plant_us, now_us - self.zero_us) >= SHORTEST_STOP_US;
        let starts_us =
            if self.ledger.state_us.contains_key(&State::Starting) { STARTS_US } else { 0 };
        let end_seen = !self.is_blind(to_plant_us) || (lasts && seen_since);
        let told_us: i64 = pieces.iter().map(|piece| stood.shared_us(piece, now_us).max(0)).sum();
        let longest = pieces.iter().max_by_key(|piece| stood.shared_us(piece, now_us));
        StopScore {
            code: stop.code,
            from_us,
            lasted_us,
            found: !pieces.is_empty(),
            hidden: seen_us < SHORTEST_STOP_US,
            start_off_us: first.filter(|_| !self.is_blind(from_plant_us)).map(|us| us - from_us),
            end_off_us: last.filter(|_| end_seen).map(|us| {
                let off_us = us - to_us;
                off_us - off_us.clamp(0, starts_us)
            }),
            untold_us: first.filter(|_| seen_us == lasted_us).map(|_| lasted_us - told_us),
            reason: longest.is_some_and(|piece| reason_holds(stop.code, piece)),
            key: self.key(stop, longest.and_then(|piece| piece.key.as_deref())),
        }
    }

    /// How a key cause is told.
    fn key(&self, stop: &StopRecord, said: Option<&str>) -> KeyScore {
        let by = stop.by.as_deref();
        match said {
            _ if said == by => KeyScore::Right,
            Some(key) if stop.code == BLOCKED_REASON && self.stood_by_itself(key, stop) => {
                KeyScore::Right
            }
            Some(_) => KeyScore::Another,
            // Of a filler that is to blame itself its state tells it.
            None if stop.code != BLOCKED_REASON => KeyScore::Unnamed,
            None if by.is_some_and(|machine| self.could_be_seen(machine, stop)) => {
                KeyScore::Unnamed
            }
            None => KeyScore::NotAsked,
        }
    }

    /// Whether whoever reads the line could know that a machine made the filler stand: it is read, and was in sight when it
    /// stopped by itself.
    fn could_be_seen(&self, machine: &str, stop: &StopRecord) -> bool {
        let is_read = self.machines.iter().any(|read| read == machine);
        let its = self.ledger.machines.get(machine).map_or(&[][..], |one| &one.stops[..]);
        // Two machines that stand for the same reason stop within a moment of each other.
        let is_cause = |one: &&StopRecord| {
            one.by.as_deref() == Some(machine) && one.from_us <= stop.from_us + SAME_STOP_US
        };
        let began_us = its.iter().rfind(is_cause).map_or(stop.from_us, |one| one.from_us);
        let hidden = |one: &Injection| {
            let seen_us = one.until_us.unwrap_or(i64::MAX / 2) + self.blind_us;
            (one.from_us - SHORTEST_STOP_US..seen_us).contains(&began_us)
        };
        let mut faults = self.injected.iter();
        is_read && !faults.any(|one| (blinds(one.fault) || blinds_opcua(one.fault)) && hidden(one))
    }

    /// Whether a machine behind the filler had a stop of its own while the filler was blocked, or just before: of several that
    /// follow each other each can be to blame.
    fn stood_by_itself(&self, machine: &str, blocked: &StopRecord) -> bool {
        let begin_us = blocked.from_us - SAME_STOP_US;
        let end_us = blocked.to_us.unwrap_or(self.ledger.plant_us);
        let is_one = |stop: &StopRecord| {
            stop.by.as_deref() == Some(machine)
                && stop.from_us <= end_us
                && stop.to_us.is_none_or(|to_us| begin_us <= to_us)
        };
        let behind = self.ledger.machines.get(machine).filter(|_| BEHIND.contains(&machine));
        behind.is_some_and(|standing| standing.stops.iter().any(is_one))
    }

    /// Spans of plant time in which nobody could see the filler, in order.
    fn blind(&self) -> Vec<(i64, i64)> {
        let mut blind: Vec<(i64, i64)> = self
            .injected
            .iter()
            .filter(|one| blinds(one.fault))
            .map(|one| (one.from_us, one.until_us.unwrap_or(i64::MAX / 2) + self.blind_us))
            .collect();
        blind.sort_unstable();
        blind
    }

    /// Whether what happened at a plant time could not be seen at once, or only just.
    fn is_blind(&self, at_us: i64) -> bool {
        let covers =
            |(from_us, to_us): &(i64, i64)| (from_us - SHORTEST_STOP_US..*to_us).contains(&at_us);
        self.blind().iter().any(covers)
    }

    /// How much of a span of plant time could be seen.
    pub(crate) fn seen_us(&self, from_us: i64, to_us: i64) -> i64 {
        let (mut seen_us, mut at_us) = (0, from_us);
        for (begin_us, end_us) in self.blind() {
            seen_us += (begin_us.min(to_us) - at_us).max(0);
            at_us = at_us.max(end_us);
        }
        seen_us + (to_us - at_us).max(0)
    }
}

/// A stop goes on where the machine was started and stood again for the same reason before it ran: nobody who reads its state
/// saw it run. It may go on, too, where it ran for so short a time that a reader can have missed that, and did.
fn without_failed_starts(
    stops: Vec<StopRecord>,
    is_unseen: impl Fn(i64, i64) -> bool,
) -> Vec<StopRecord> {
    let mut whole: Vec<StopRecord> = Vec::new();
    for stop in stops {
        let goes_on = |last: &StopRecord| {
            let runs =
                |to_us: i64| stop.from_us - to_us >= JOG_US && !is_unseen(to_us, stop.from_us);
            last.code == stop.code && last.to_us.is_some_and(|to_us| !runs(to_us))
        };
        match whole.last_mut() {
            Some(last) if goes_on(last) => last.to_us = stop.to_us,
            _ => whole.push(stop),
        }
    }
    whole
}

/// The true stop that a reported one is of.
fn owner(all: &[Stood], said: &SaidStop, now_us: i64) -> Option<usize> {
    let shared = all.iter().map(|stood| stood.shared_us(said, now_us)).enumerate();
    let (n, shared_us) = shared.max_by_key(|(_, shared_us)| *shared_us)?;
    (shared_us >= -SAME_STOP_US).then_some(n)
}

/// Whether a report of a stop says anything but that nothing is known.
fn tells(stop: &SaidStop) -> bool {
    !["unknown", "no_signal"].contains(&stop.cause.as_str())
}

/// Whether a fault takes the state of the filler out of sight, for its time and until a reader is back.
pub(crate) fn blinds(fault: Fault) -> bool {
    use Fault::*;
    matches!(
        fault,
        CommsLoss
            | Mute
            | LateReplies
            | Exception
            | Freeze
            | TornReplies
            | DuplicateReplies
            | ReorderedReplies
            | WrongTransaction
            | WrongUnit
            | HeartbeatStuck
            | PlcRestart
    )
}

/// Whether a fault takes machines out of sight that are read over OPC UA. Which these are is known to the reader alone.
fn blinds_opcua(fault: Fault) -> bool {
    matches!(fault, Fault::OpcuaLoss | Fault::SessionLoss | Fault::BadStatus)
}

/// Whether a reason is right: the code of the machine, or that the stop was planned.
fn reason_holds(code: u16, said: &SaidStop) -> bool {
    let planned = [CLEANING, CHANGEOVER].contains(&code) && said.cause == "planned";
    planned || said.reason == Some(i64::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Model, ModelConfig, Report, Summary, score::MACHINES};

    const ZERO_US: i64 = 1_793_577_600_000_000;

    fn stood(code: u16, by: &str, from_s: i64, to_s: i64) -> StopRecord {
        let (from_us, to_us) = (from_s * SECOND_US, Some(to_s * SECOND_US));
        StopRecord {
            code,
            state: State::Held,
            from_us,
            to_us,
            by: Some(by.to_owned().into()),
            injected: None,
        }
    }

    /// How a key cause is told of a filler that PS02 has blocked from 300 s to 320 s, where CW04 stood too, by who reads these
    /// machines.
    fn told(
        key: Option<&str>,
        weigher: StopRecord,
        read: &[&str],
        faults: &[Injection],
    ) -> KeyScore {
        let mut model = Model::new(ModelConfig::default());
        model.advance_to(600 * SECOND_US);
        let mut ledger = model.ledger();
        ledger.stops = vec![stood(BLOCKED_REASON, "PS02", 300, 320)];
        for (machine, stop) in [("PS02", stood(1, "PS02", 300, 320)), ("CW04", weigher)] {
            ledger.machines.get_mut(machine).unwrap().stops = vec![stop];
        }
        let said = SaidStop {
            from_us: ZERO_US + 300 * SECOND_US,
            to_us: Some(ZERO_US + 320 * SECOND_US),
            cause: "external".to_owned(),
            reason: Some(i64::from(BLOCKED_REASON)),
            key: key.map(str::to_owned),
        };
        let report = Report { stops: vec![said], ..Report::default() };
        let truth = Truth::new(ledger, faults.to_vec(), ZERO_US).of_machines(read);
        let score = truth.score(&report);
        assert!(score.stops[0].found, "{score}");
        score.stops[0].key
    }

    /// The same by who reads all of them.
    fn of_all(key: Option<&str>, weigher: StopRecord) -> KeyScore {
        told(key, weigher, &MACHINES, &[])
    }

    #[test]
    fn a_start_that_did_not_help_ends_no_stop() {
        let ends = |second: StopRecord| {
            let stops = vec![stood(1, "CF01", 100, 157), second];
            let whole = without_failed_starts(stops, |_, _| false);
            whole.iter().map(|stop| stop.to_us.unwrap() / SECOND_US).collect::<Vec<_>>()
        };
        assert_eq!(ends(stood(1, "CF01", 166, 200)), [200]);
        // The negative controls: it ran meanwhile, and it stood for another reason.
        assert_eq!(ends(stood(1, "CF01", 168, 200)), [157, 200]);
        assert_eq!(ends(stood(2, "CF01", 166, 200)), [157, 200]);
    }

    /// Two stops with a run of two seconds after a slow start, by who may not see so long, told as one and as two.
    #[test]
    fn a_run_that_a_reader_can_have_missed_parts_no_stop_that_is_told_as_one() {
        let told = |unseen_s: i64, second: StopRecord, said: &[(i64, i64)]| {
            let mut model = Model::new(ModelConfig::default());
            model.advance_to(600 * SECOND_US);
            let mut ledger = model.ledger();
            ledger.stops = vec![stood(1, "CF01", 100, 157), second];
            let stops = said.iter().map(|(from_s, to_s)| SaidStop {
                from_us: ZERO_US + from_s * SECOND_US,
                to_us: Some(ZERO_US + to_s * SECOND_US),
                cause: "internal".to_owned(),
                reason: Some(1),
                key: Some("CF01".to_owned()),
            });
            let report = Report { stops: stops.collect(), ..Report::default() };
            let truth = Truth::new(ledger, Vec::new(), ZERO_US).unseen_for(unseen_s * SECOND_US);
            let score = truth.score(&report);
            let Summary { stops, stops_found, stops_false, off_us, .. } = score.summary();
            (stops_found, stops, stops_false, off_us / SECOND_US)
        };
        let again = || stood(1, "CF01", 169, 200);
        assert_eq!(told(3, again(), &[(100, 200)]), (1, 1, 0, 0));
        assert_eq!(told(3, again(), &[(100, 157), (169, 200)]), (2, 2, 0, 0), "who saw it");
        assert_eq!(told(3, again(), &[(100, 157)]), (1, 2, 0, 0), "the second is missed");
        // The negative controls: a reader who sees more, a longer run, and another end.
        assert_eq!(told(1, again(), &[(100, 200)]), (1, 2, 0, 43));
        assert_eq!(told(3, stood(1, "CF01", 171, 200), &[(100, 200)]), (1, 2, 0, 43));
        assert_eq!(told(3, again(), &[(100, 230)]), (1, 1, 0, 30));
    }

    /// False stops of a report that has nothing but a stop of these seconds, where the machine stood from 100 to 116 s and
    /// could not be seen from 90 s until so long.
    #[test]
    fn the_slow_start_after_a_stop_that_nobody_saw_is_no_false_stop() {
        let false_stops = |hidden_until_s: i64, (from_s, to_s): (i64, i64)| {
            let mut model = Model::new(ModelConfig::default());
            model.advance_to(600 * SECOND_US);
            let mut ledger = model.ledger();
            ledger.stops = vec![stood(1, "CF01", 100, 116)];
            ledger.state_us.insert(State::Starting, JOG_US);
            let said = SaidStop {
                from_us: ZERO_US + from_s * SECOND_US,
                to_us: Some(ZERO_US + to_s * SECOND_US),
                cause: "internal".to_owned(),
                reason: None,
                key: Some("CF01".to_owned()),
            };
            let (from_us, to_us) = (90 * SECOND_US, hidden_until_s * SECOND_US);
            let freeze = Injection::new(Fault::Freeze, from_us, Some(to_us - from_us), None);
            let truth = Truth::new(ledger, freeze.into_iter().collect(), ZERO_US);
            let report = Report { stops: vec![said], ..Report::default() };
            truth.score(&report).false_stops.len()
        };
        assert_eq!(false_stops(122, (122, 127)), 0);
        // The negative controls: the stop was seen, and what is said began or went on after the start.
        assert_eq!(false_stops(95, (122, 127)), 1);
        assert_eq!(false_stops(122, (129, 133)), 1);
        assert_eq!(false_stops(122, (122, 133)), 1);
    }

    #[test]
    fn who_blocks_the_filler_is_a_machine_that_stood_by_itself_meanwhile() {
        let long_ago = || stood(1, "CW04", 200, 280);
        assert_eq!(of_all(Some("PS02"), long_ago()), KeyScore::Right);
        for other in ["CW04", "MD03", "CF01", "XX99"] {
            assert_eq!(of_all(Some(other), long_ago()), KeyScore::Another, "{other}");
        }
        let just_before = stood(1, "CW04", 280, 297);
        assert_eq!(of_all(Some("CW04"), just_before), KeyScore::Right);
        assert_eq!(of_all(Some("CW04"), stood(1, "CW04", 310, 330)), KeyScore::Right, "meanwhile");
        let waited = stood(1, "PS02", 300, 320);
        assert_eq!(of_all(Some("CW04"), waited), KeyScore::Another, "it waited for PS02");
    }

    /// Who names nobody is right only where nobody could know better.
    #[test]
    fn who_blocks_the_filler_is_to_be_named_where_it_is_read_and_in_sight() {
        let long_ago = || stood(1, "CW04", 200, 280);
        assert_eq!(of_all(None, long_ago()), KeyScore::Unnamed);
        let without = ["CF01", "CW04"];
        assert_eq!(told(None, long_ago(), &without, &[]), KeyScore::NotAsked);
        assert_eq!(told(Some("CW04"), long_ago(), &without, &[]), KeyScore::Another, "it is told");
        let fault = |fault: Fault, from_s: i64| {
            [Injection::new(fault, from_s * SECOND_US, Some(5 * SECOND_US), None).unwrap()]
        };
        for hides in [Fault::CommsLoss, Fault::OpcuaLoss, Fault::BadStatus] {
            assert_eq!(told(None, long_ago(), &MACHINES, &fault(hides, 298)), KeyScore::NotAsked);
            // The negative control: it was seen to stop.
            assert_eq!(told(None, long_ago(), &MACHINES, &fault(hides, 304)), KeyScore::Unnamed);
            assert_eq!(told(None, long_ago(), &MACHINES, &fault(hides, 200)), KeyScore::Unnamed);
        }
        let harmless = fault(Fault::QueueOverflow, 298);
        assert_eq!(told(None, long_ago(), &MACHINES, &harmless), KeyScore::Unnamed);
    }
}
