//! From an alert to the messages that tell of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use domain::alert::{Delivery, Ending, StoredAlert, Turn, untold};
use domain::units::HOUR_US;
use serde_json::json;
use tracing::{info, warn};

use super::scribe::{Entry, Pen};
use crate::clock::Clock;
use crate::config::WebhookConfig;
use crate::historian::Historian;
use crate::secret::Secret;
use crate::webhook::{Courier, Hook, Key, Message, Target, Tries};

/// A message is worth so long.
pub(super) const WORTH_US: i64 = 24 * HOUR_US;
/// How long a message waits for its alert to be durable. Then it goes all the same.
const DURABLE_WITHIN: Duration = Duration::from_secs(5);

/// All webhooks.
pub(super) struct PostOffice {
    couriers: Vec<Courier>,
    told: Told,
    site: String,
    simulated: bool,
}

/// Where attempts to tell go: into the journal, into the log, and into a count since the start.
#[derive(Clone)]
struct Told {
    pen: Pen,
    tally: Tally,
}

impl Told {
    fn note(&self, delivery: Delivery) {
        say(&delivery);
        self.tally.add(&delivery);
        drop(self.pen.write(Entry::Told(delivery)));
    }
}

/// Attempts since the start. All clones are the same, and none of them holds up the end of the journal.
#[derive(Clone)]
pub(super) struct Tally(Arc<Mutex<Counts>>);

/// Attempts by webhook and by what came of them.
pub(super) type Counts = BTreeMap<(Arc<str>, &'static str), u64>;

impl Tally {
    /// Counts from zero for these webhooks.
    pub(super) fn new(hooks: &[Hook]) -> Tally {
        let zero = |hook: &Hook| {
            let name = hook.name.clone();
            Ending::ALL.map(|ending| ((name.clone(), ending.word()), 0))
        };
        Tally(Arc::new(Mutex::new(hooks.iter().flat_map(zero).collect())))
    }

    /// The counts now.
    pub(super) fn read(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, delivery: &Delivery) {
        let key = (delivery.hook.clone(), delivery.ending.word());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }
}

/// The webhooks of a configuration, with their secrets.
///
/// # Errors
/// A secret is missing, cannot be read or cannot sign.
pub(in crate::service) fn hooks(configured: &[WebhookConfig]) -> anyhow::Result<Vec<Hook>> {
    configured.iter().map(hook).collect()
}

fn hook(config: &WebhookConfig) -> anyhow::Result<Hook> {
    let WebhookConfig { name, host, port, path, ca, secret_file } = config.clone();
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let (variable, credential) =
        (format!("CAPLINE_WEBHOOK_{upper}_SECRET"), format!("webhook-{name}"));
    let secret = Secret::find(&variable, secret_file.as_deref(), &credential)?;
    let secret = secret.with_context(|| {
        format!(
            "webhook {name} has no secret; set {variable}, name a secret_file, or give the credential {credential}"
        )
    })?;
    let key = Key::new(&secret).with_context(|| format!("webhook {name}"))?;
    Ok(Hook { name, target: Target { host, port, path, ca }, key })
}

impl PostOffice {
    pub(super) fn new(
        hooks: Vec<Hook>,
        tries: Tries,
        (pen, tally): (Pen, Tally),
        (site, simulated): (String, bool),
    ) -> PostOffice {
        let told = Told { pen, tally };
        let courier = |hook: Hook| {
            let told = told.clone();
            Courier::start(hook, tries, Arc::new(move |delivery| told.note(delivery)))
        };
        PostOffice { couriers: hooks.into_iter().map(courier).collect(), told, site, simulated }
    }

    /// Tells all webhooks of a turn of an alert, once `entry` is durable.
    pub(super) fn send(self: &Arc<Self>, stored: StoredAlert, turn: Turn, entry: Entry) {
        let (office, durable) = (self.clone(), self.told.pen.write(entry));
        tokio::spawn(async move {
            // Too late, or no journal: who has to come should hear of it nevertheless.
            let _ = tokio::time::timeout(DURABLE_WITHIN, durable).await;
            for hook in &stored.hooks {
                office.post(&stored, turn, hook, 0, WORTH_US);
            }
        });
    }

    /// Takes up what an earlier run did not tell to the end.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(super) fn take_up(
        &self,
        historian: &Historian,
        alerts: &[StoredAlert],
        now_us: i64,
    ) -> anyhow::Result<()> {
        let mut log = Vec::new();
        for stored in alerts {
            log.extend(historian.deliveries_of(stored.number)?);
        }
        for (i, turn, hook, tried) in untold(alerts, &log, now_us - WORTH_US) {
            let at_us = alerts[i].at_us(turn).unwrap_or(now_us);
            self.post(&alerts[i], turn, &hook, tried, WORTH_US - (now_us - at_us).max(0));
        }
        Ok(())
    }

    fn post(&self, stored: &StoredAlert, turn: Turn, hook: &Arc<str>, tried: u32, left_us: i64) {
        let Some(courier) = self.couriers.iter().find(|courier| courier.name() == &**hook) else {
            self.told.note(Delivery {
                alert: stored.number,
                turn,
                hook: hook.clone(),
                attempt: tried + 1,
                at_us: Clock::real().now().utc_us,
                ending: Ending::GivenUp,
                status: None,
                error: "there is no such webhook any more".to_owned(),
            });
            return;
        };
        courier.send(Message {
            id: format!("alert_{}_{}", stored.id, turn.word()).into(),
            alert: stored.number,
            turn,
            body: self.body(stored, turn).into(),
            tried,
            left: Duration::from_micros(left_us.max(0) as u64),
        });
    }

    /// The same text at every attempt, also after a restart.
    fn body(&self, stored: &StoredAlert, turn: Turn) -> String {
        let alert = &stored.alert;
        let body = json!({
            "type": format!("alert.{}", turn.word()),
            "timestamp": iso(stored.at_us(turn).unwrap_or(alert.opened_us)),
            "data": {
                "alert": stored.number,
                "rule": &*alert.rule,
                "subject": &*alert.subject,
                "site": self.site,
                "line": alert.line.as_ref().map(|line| line.as_str()),
                "since": iso(alert.since_us),
                "detail": &*alert.detail,
                "simulated": self.simulated,
            },
        });
        body.to_string()
    }
}

/// RFC 3339 in UTC.
fn iso(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).unwrap_or_default().to_string()
}

/// Says in the log what a person should hear of: the first failure of a message, and its end.
fn say(delivery: &Delivery) {
    let Delivery { alert, turn, hook, attempt, ending, error, .. } = delivery;
    let turn = turn.word();
    match ending {
        Ending::Delivered if *attempt > 1 => {
            info!(%hook, alert, turn, attempt, "the webhook was told in the end");
        }
        Ending::Failed if *attempt == 1 => {
            warn!(%hook, alert, turn, %error, "the webhook was not told; it is tried again for a day");
        }
        Ending::GivenUp => {
            warn!(%hook, alert, turn, attempt, %error, "the webhook was not told and will not be");
        }
        Ending::Delivered | Ending::Failed => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::alert::Alert;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    fn stored() -> StoredAlert {
        StoredAlert {
            number: 7,
            id: "d0c5".into(),
            alert: Alert {
                rule: "disk".into(),
                subject: "store".into(),
                line: None,
                since_us: 1_795_489_200_000_000,
                opened_us: 1_795_489_260_500_000,
                detail: "the journal refuses to store".into(),
            },
            hooks: vec!["maintenance".into(), "gone".into()],
            closed_us: None,
        }
    }

    /// An office with one webhook on this machine.
    async fn office(pen: Pen) -> (Arc<PostOffice>, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Target { host: "127.0.0.1".into(), port, path: "/".into(), ca: None };
        let key = Key::new(&Secret::new("a secret of 24 bytes or more")).unwrap();
        let hook = Hook { name: "maintenance".into(), target, key };
        let place = ("Plant 1".to_owned(), true);
        (
            Arc::new(PostOffice::new(vec![hook], Tries::default(), (pen, Tally::new(&[])), place)),
            listener,
        )
    }

    /// What comes first over the line: head and body of a request.
    async fn first(listener: &TcpListener) -> String {
        let come = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            while !text.ends_with(b"\"alert.opened\"}") {
                assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "it broke off");
            }
            String::from_utf8(text).unwrap()
        };
        tokio::time::timeout(Duration::from_secs(60), come).await.expect("a message comes")
    }

    #[tokio::test]
    async fn an_alert_goes_out_although_the_journal_cannot_take_it() {
        let (pen, mut unwritten) = Pen::deaf();
        let (office, listener) = office(pen).await;
        office.send(stored(), Turn::Opened, Entry::Opened(stored()));
        let request = first(&listener).await;
        assert!(request.contains("webhook-id: alert_d0c5_opened"), "{request}");
        let body = request.split_once("\r\n\r\n").unwrap().1;
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let expected = json!({
            "type": "alert.opened",
            "timestamp": "2026-11-24T03:01:00.5Z",
            "data": {
                "alert": 7, "rule": "disk", "subject": "store", "site": "Plant 1", "line": null,
                "since": "2026-11-24T03:00:00Z", "detail": "the journal refuses to store",
                "simulated": true,
            },
        });
        assert_eq!(body, expected);
        let (entry, _never) = unwritten.recv().await.unwrap();
        assert!(matches!(entry, Entry::Opened(stored) if stored.number == 7));
        // The webhook that is not configured any more is written off, in words.
        let (entry, _never) = unwritten.recv().await.unwrap();
        let Entry::Told(told) = entry else { panic!("{entry:?}") };
        assert_eq!((&*told.hook, told.ending), ("gone", Ending::GivenUp));
    }
}
