//! OPC UA: one supervisor for each server, one subscription for each group.
//!
//! The supervisor makes a fresh session for each connection and watches it: the library's own reconnect loses
//! subscriptions without a word. What a server does not report within its interval is booked as missed, so that
//! the account of due polls adds up as it does for polled devices.

mod access;
pub(super) mod browse;
mod dial;
mod endpoint;
mod last;
pub(super) mod map_text;
mod session;
pub(super) mod standing;
mod values;

// The server part of the library is there only when the demo is built.
#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain::plc_map::{Address, OpcUaOptions};
use domain::reading::{Miss, Reading};
use domain::units::Moment;
use opcua::core::comms::url::is_opc_ua_binary_url;
use opcua::types::{DataChangeNotification, StatusChangeNotification};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::browse::{BrowseLimits, Found};
use self::last::LastPoll;
use self::session::{Message, OpenError, Opening, Reach, ReadOnly, Report};
use self::standing::Standing;
use self::values::Structures;
use super::alarm::Alarms;
use super::backoff::{Backoff, SHORT_ABSENCE, chance, jittered};
use super::outlet::Outlet;
use super::pki::{Pki, Trust};
use super::{Command, Label, PlanError, StartError};
use crate::clock::Clock;
use crate::config::{DeviceConfig, OpcUaAccess};

/// How often misses are booked while a server is down, and staleness is looked at while it is up.
const TICK: Duration = Duration::from_millis(50);
/// A server that is not there is tried again after this time at the latest, however long it has been away, so that it is
/// read again as soon as it is back; one that refuses is given the whole backoff.
const ABSENT: Duration = Duration::from_millis(150);
/// A connection that lived this long was a good one; the next loss is answered at once.
const PROVEN: Duration = Duration::from_secs(5);
/// Requests are given at least this long: creating a thousand items takes its time on a PLC.
const SHORTEST_REQUEST: Duration = Duration::from_secs(2);
/// Time for an answer of a server that is browsed: nothing hurries.
const BROWSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often certificates and trust are looked at while all is well.
const LOOK: Duration = Duration::from_secs(5);
/// How long closing a session in order may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A server and everything that its supervisor needs.
pub(super) struct Server {
    opening: Opening,
    groups: Vec<Group>,
    /// Newest source time of each tag that was handed on.
    newest: Vec<i64>,
    backoff: Backoff,
    commands: mpsc::Receiver<Command>,
    /// A last poll that was asked for and could not be made yet.
    asked: Option<LastPoll>,
    watch: Watch,
    /// Structures of the server that a tag may be a field of.
    structures: Structures,
}

/// Where a supervisor tells how its session stands.
pub(super) struct Watch {
    pub(super) standing: Arc<Standing>,
    pub(super) alarms: Alarms,
}

/// One group, while up and while down.
struct Group {
    outlet: Outlet,
    grid: Grid,
    /// When it last said anything; reset at each connection.
    heard: Instant,
    /// Sequence number of its last message with data.
    sequence: Option<u32>,
}

/// The due polls of a group: an interval after the other since the start.
struct Grid {
    origin: Instant,
    period: Duration,
    booked: u64,
}

/// How the up state ended.
enum Ended {
    Stop,
    Lost { miss: Miss, why: String },
}

impl Server {
    pub(super) fn new(
        config: DeviceConfig,
        options: OpcUaOptions,
        outlets: Vec<Outlet>,
        clock: Clock,
        commands: mpsc::Receiver<Command>,
        watch: Watch,
    ) -> Result<Server, StartError> {
        let (file, address) = (config.map.file.clone(), config.address.clone());
        if !is_opc_ua_binary_url(&address) {
            return Err(StartError::Address { file, address });
        }
        if let Some(tag) =
            config.map.tags.iter().find(|t| matches!(t.address, Address::Register { .. }))
        {
            return Err(PlanError::Address { file, tag: tag.id.to_string() }.into());
        }
        let now = Instant::now();
        let groups = outlets
            .into_iter()
            .zip(&config.map.groups)
            .map(|(outlet, group)| Group {
                outlet,
                grid: Grid { origin: now, period: session::publishing(group.period_us), booked: 0 },
                heard: now,
                sequence: None,
            })
            .collect();
        let (shortest, longest) = config.backoff;
        Ok(Server {
            opening: Opening {
                label: Label::of(&config),
                reach: Reach {
                    url: address,
                    access: config.opcua,
                    request_timeout: config.reply_timeout.max(SHORTEST_REQUEST),
                    connect_timeout: config.connect_timeout,
                    clock,
                },
                map: config.map.clone(),
                options,
            },
            groups,
            newest: vec![i64::MIN; config.map.tags.len()],
            backoff: Backoff::new(shortest, longest),
            commands,
            asked: None,
            watch,
            structures: Structures::default(),
        })
    }

    /// Reads until told to stop.
    pub(super) async fn run(mut self) {
        let mut wait = Duration::ZERO;
        let mut known_down = false;
        let mut absent = Instant::now();
        loop {
            let label = self.opening.label.clone();
            match self.down(wait).await {
                None => break,
                Some(Err(e)) => {
                    self.book(Miss::ConnectFailed).await;
                    wait = self.backoff.next(chance());
                    let long = absent.elapsed() >= SHORT_ABSENCE;
                    wait = match (e.is_absence(), long) {
                        (true, false) => self.backoff.brief(chance()).min(ABSENT),
                        (true, true) => wait.min(jittered(ABSENT, chance())),
                        (false, _) => wait,
                    };
                    if long || !e.is_absence() {
                        self.give_up_last_poll();
                    }
                    match std::mem::replace(&mut known_down, true) {
                        // Repeating it at every attempt would bury other warnings.
                        true => tracing::debug!(%label, error = %e, ?wait, "cannot connect"),
                        false => tracing::warn!(%label, error = %e, "cannot connect"),
                    }
                }
                Some(Ok(session)) => {
                    tracing::info!(%label, "connected and subscribed");
                    known_down = false;
                    let since = Instant::now();
                    match self.up(session).await {
                        Ended::Stop => break,
                        Ended::Lost { miss, why } => {
                            tracing::warn!(%label, why, "connection lost");
                            self.book(miss).await;
                            if since.elapsed() >= PROVEN {
                                self.backoff.reset();
                            }
                            absent = Instant::now();
                            wait = self.backoff.next(chance());
                        }
                    }
                }
            }
        }
        for group in &mut self.groups {
            group.outlet.report().await;
        }
    }

    fn clock(&self) -> Clock {
        self.opening.reach.clock
    }

    /// Waits, then tries to connect, and books the polls that fall due meanwhile. `None` when told to stop.
    async fn down(&mut self, wait: Duration) -> Option<Result<ReadOnly, OpenError>> {
        let (opening, hurry) = (self.opening.clone(), Notify::new());
        if self.asked.is_some() {
            hurry.notify_one();
        }
        let attempt = async {
            tokio::select! {
                () = sleep(wait) => {}
                // No sooner than a server can be tried that is not there.
                () = async { hurry.notified().await; sleep(wait.min(TICK)).await } => {}
            }
            opening.open().await
        };
        tokio::pin!(attempt);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                result = &mut attempt => return Some(result),
                _ = tick.tick() => self.book(Miss::Disconnected).await,
                command = self.commands.recv() => match command {
                    Some(Command::FinalPoll { deadline, done }) => {
                        // It is made as soon as there is a session. Whoever asked may have given up by then.
                        self.asked = Some(LastPoll { deadline, done });
                        hurry.notify_one();
                    }
                    Some(Command::Stop) | None => return None,
                },
            }
        }
    }

    /// Hands on what the server reports until the session ends, goes silent, or is told to stop.
    async fn up(&mut self, mut session: ReadOnly) -> Ended {
        let now = self.clock().now();
        for (group, readings) in
            self.groups.iter_mut().zip(std::mem::take(&mut session.unavailable))
        {
            group.heard = Instant::now();
            group.sequence = None;
            if !readings.is_empty() {
                group.taken(readings, now, 0).await;
            }
        }
        self.structures = std::mem::take(&mut session.structures);
        self.watch.standing.connected(
            &session.certificates,
            &session.revised,
            &self.opening.map.groups,
        );
        self.look(&session);
        if let Some(asked) = self.asked.take() {
            self.final_poll(&mut session, asked).await;
        }
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval(LOOK);
        looks.reset();
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::FinalPoll { deadline, done }) => {
                        self.final_poll(&mut session, LastPoll { deadline, done }).await;
                    }
                    Some(Command::Stop) | None => {
                        session.close(CLOSE_TIMEOUT).await;
                        return Ended::Stop;
                    }
                },
                report = session.next() => match report {
                    Report::Message(message) => {
                        if let Err(ended) = self.message(message).await {
                            return ended;
                        }
                    }
                    Report::Ended(status) => {
                        return Ended::Lost { miss: Miss::Broken, why: format!("the session ended: {status}") };
                    }
                },
                _ = tick.tick() => {
                    if let Some(ended) = self.stale(&session) {
                        return ended;
                    }
                }
                _ = looks.tick() => {
                    if !self.look(&session) {
                        let why = "the certificate of the server is trusted no more".to_owned();
                        session.close(CLOSE_TIMEOUT).await;
                        return Ended::Lost { miss: Miss::Disconnected, why };
                    }
                }
            }
        }
    }

    /// Looks at what changes slowly: certificates that come to their end, and trust that was withdrawn. Whether the
    /// session may go on.
    fn look(&mut self, session: &ReadOnly) -> bool {
        let now_s = self.clock().now().utc_us.div_euclid(1_000_000);
        let (certificates, groups) = (&session.certificates, &self.opening.map.groups);
        self.watch.alarms.now(standing::causes(certificates, &session.revised, groups, now_s));
        certificates.server.as_ref().is_none_or(|server| {
            let pki = Pki::new(&self.opening.reach.access.pki);
            // A directory that cannot be read now is no decision.
            !matches!(pki.judge(server), Ok(Trust::Rejected))
        })
    }

    /// One message of one group: its values, or its word that nothing changed.
    async fn message(&mut self, message: Message) -> Result<(), Ended> {
        let Some(group) = self.groups.get_mut(usize::from(message.group)) else { return Ok(()) };
        group.heard = Instant::now();
        let parts = message.notification.notification_data.unwrap_or_default();
        if !parts.is_empty() {
            group.follow(&self.opening.label, message.notification.sequence_number);
        }
        let mut readings = Vec::new();
        let mut overflows = 0;
        for part in &parts {
            if let Some(change) = part.inner_as::<DataChangeNotification>() {
                for item in change.monitored_items.iter().flatten() {
                    let tag = session::tag_of(item.client_handle);
                    let known = tag
                        .and_then(|tag| Some((tag, self.opening.map.tags.get(usize::from(tag))?)));
                    if let Some((tag, entry)) = known {
                        let reading = values::reading(tag, entry, &item.value, &self.structures);
                        overflows += u64::from(values::overflowed(&item.value));
                        let newest = &mut self.newest[usize::from(tag)];
                        *newest = (*newest).max(reading.source_us.unwrap_or(i64::MIN));
                        readings.push(reading);
                    }
                }
            } else if let Some(change) = part.inner_as::<StatusChangeNotification>() {
                return Err(Ended::Lost {
                    miss: Miss::Refused { code: change.status.bits() },
                    why: format!("the server ended a subscription: {}", change.status),
                });
            }
        }
        if overflows > 0 {
            self.watch.standing.overflowed(overflows);
        }
        values::in_order(&mut readings);
        group.taken(readings, message.at, 0).await;
        Ok(())
    }

    /// Whether a group has been silent for longer than two of its signs of life can take: the socket may look alive for
    /// minutes after a cable was pulled.
    fn stale(&self, session: &ReadOnly) -> Option<Ended> {
        for (group, revised) in self.groups.iter().zip(&session.revised) {
            let Some(revised) = revised else { continue };
            let silent = group.heard.elapsed();
            if silent > patience(revised.publishing) {
                return Some(Ended::Lost {
                    miss: Miss::Timeout,
                    why: format!("silent for {silent:?}"),
                });
            }
        }
        None
    }

    /// Books what fell due by now as missed, in all groups.
    async fn book(&mut self, miss: Miss) {
        for group in &mut self.groups {
            let polls = group.grid.fell_due(Instant::now());
            group.outlet.account().planned(polls);
            group.outlet.missed(miss, polls).await;
        }
    }
}

/// Why a server could not be browsed, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BrowseError(String);

/// Walks through a server from its Objects folder. `progress` hears of the nodes and variables so far.
///
/// # Errors
/// It cannot be reached, refuses us, or answers with nonsense.
pub async fn browse(
    address: &str,
    access: OpcUaAccess,
    limits: BrowseLimits,
    clock: Clock,
    progress: impl FnMut(usize, usize),
) -> Result<Found, BrowseError> {
    let failed = |what: String| BrowseError(format!("{address}: {what}"));
    if !is_opc_ua_binary_url(address) {
        return Err(failed("no address of an OPC UA server; write opc.tcp://host:port".to_owned()));
    }
    let reach = Reach {
        url: address.to_owned(),
        access,
        request_timeout: BROWSE_TIMEOUT,
        connect_timeout: BROWSE_TIMEOUT,
        clock,
    };
    let explorer = reach.explore().await.map_err(|error| {
        let way_out = if error.is_absence() { "; check address, port and cable" } else { "" };
        failed(format!("{error}{way_out}"))
    })?;
    let found = browse::walk(&explorer, limits, progress).await;
    explorer.close(CLOSE_TIMEOUT).await;
    found.map_err(|error| failed(error.to_string()))
}

impl Group {
    /// Hands on readings together with the intervals that they stand for.
    async fn taken(&mut self, readings: Vec<Reading>, at: Moment, round_trip_us: u32) -> bool {
        let polls = self.grid.fell_due(Instant::now());
        self.outlet.account().planned(polls);
        self.outlet.taken(readings, at, round_trip_us, polls).await
    }

    /// Notices messages that were lost on the way: their numbers have no gaps otherwise.
    fn follow(&mut self, label: &Label, number: u32) {
        let expected = self.sequence.map(|last| last.checked_add(1).unwrap_or(1));
        if let Some(expected) = expected.filter(|&expected| expected != number) {
            tracing::error!(%label, expected, number, "messages of the server were lost, and values with them");
        }
        self.sequence = Some(number);
    }
}

impl Grid {
    /// Intervals that ended since the last call.
    fn fell_due(&mut self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.origin).as_micros();
        let total = (passed / self.period.as_micros().max(1)) as u64;
        let new = total.saturating_sub(self.booked);
        self.booked = total;
        u32::try_from(new).unwrap_or(u32::MAX)
    }
}

/// How long a subscription may be silent. It says at least every half second, or at every interval if that is longer,
/// that it lives.
fn patience(publishing: Duration) -> Duration {
    match publishing <= session::KEEP_ALIVE {
        true => (publishing * 10 + Duration::from_millis(500)).min(Duration::from_millis(1_100)),
        false => publishing * 2 + Duration::from_secs(1),
    }
}
