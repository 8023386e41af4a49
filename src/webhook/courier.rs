//! The task of one webhook: what it has to be told, in which order, and when it is tried again.

use std::sync::Arc;
use std::time::Duration;

use domain::alert::{Delivery, Ending, Turn};
use domain::units::SECOND_US;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Hook;
use crate::clock::Clock;

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, the same for every attempt.
    pub id: Arc<str>,
    /// Number of the alert. That it closed is told only after that it opened.
    pub alert: i64,
    /// Of what it tells.
    pub turn: Turn,
    /// JSON.
    pub body: Arc<str>,
    /// How often it was tried by an earlier run.
    pub tried: u32,
    /// How long it is worth trying still.
    pub left: Duration,
}

/// Hears of every attempt. It must not wait.
pub type Tell = Arc<dyn Fn(Delivery) + Send + Sync>;

/// How long to wait between two attempts.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// After the first; it doubles.
    pub first: Duration,
    /// Up to this.
    pub longest: Duration,
}

impl Default for Tries {
    fn default() -> Tries {
        Tries { first: Duration::from_secs(5), longest: Duration::from_secs(600) }
    }
}

impl Tries {
    /// The wait after so many attempts.
    fn after(self, attempts: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(20));
        doubled.min(self.longest)
    }
}

/// The near end of the task. It ends with this value; what was not taken then is told by the next run.
pub struct Courier {
    name: Arc<str>,
    queue: mpsc::UnboundedSender<Message>,
    task: JoinHandle<()>,
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Courier {
    /// Starts the task of a webhook. `tell` hears of every attempt.
    pub fn start(hook: Hook, tries: Tries, tell: Tell) -> Courier {
        let (queue, messages) = mpsc::unbounded_channel();
        let name = hook.name.clone();
        let round = Round { hook, tries, tell, messages, waiting: Vec::new() };
        Courier { name, queue, task: tokio::spawn(round.run()) }
    }

    /// The name of its webhook.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a message. Alerts are few, so that the queue is never long.
    pub fn send(&self, message: Message) {
        // The task ends with this value only.
        let _ = self.queue.send(message);
    }
}

/// The far end.
struct Round {
    hook: Hook,
    tries: Tries,
    tell: Tell,
    messages: mpsc::UnboundedReceiver<Message>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    message: Message,
    due: Instant,
    until: Instant,
}

impl Round {
    async fn run(mut self) {
        loop {
            let next = self.next();
            let due = next.map_or_else(Instant::now, |next| self.waiting[next].due);
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(message) => self.take(message),
                    None => return,
                },
                () = sleep_until(due), if next.is_some() => {
                    if let Some(next) = next {
                        self.attempt(next).await;
                    }
                }
            }
        }
    }

    fn take(&mut self, message: Message) {
        let now = Instant::now();
        let until = now + message.left;
        self.waiting.push(Waiting { message, due: now, until });
    }

    /// The message that is due first. One that an alert closed waits for the one that it opened.
    fn next(&self) -> Option<usize> {
        let must_wait = |waiting: &Waiting| {
            waiting.message.turn == Turn::Closed
                && self.waiting.iter().any(|other| {
                    (other.message.alert, other.message.turn)
                        == (waiting.message.alert, Turn::Opened)
                })
        };
        let may_go = self.waiting.iter().enumerate().filter(|(_, waiting)| !must_wait(waiting));
        may_go.min_by_key(|(_, waiting)| waiting.due).map(|(i, _)| i)
    }

    async fn attempt(&mut self, next: usize) {
        let Waiting { message, .. } = &self.waiting[next];
        let (id, body) = (message.id.clone(), message.body.clone());
        let sent_s = Clock::real().now().utc_us / SECOND_US;
        let headers = [
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", sent_s.to_string()),
            ("webhook-signature", self.hook.key.sign(&id, sent_s, &body)),
        ];
        let answer = self.hook.target.post(&headers, &body).await;
        let waiting = &mut self.waiting[next];
        waiting.message.tried += 1;
        waiting.due = Instant::now() + self.tries.after(waiting.message.tried);
        let ending = match answer.error.is_empty() {
            true => Ending::Delivered,
            false if waiting.due > waiting.until => Ending::GivenUp,
            false => Ending::Failed,
        };
        (self.tell)(Delivery {
            alert: waiting.message.alert,
            turn: waiting.message.turn,
            hook: self.hook.name.clone(),
            attempt: waiting.message.tried,
            at_us: Clock::real().now().utc_us,
            ending,
            status: answer.status,
            error: answer.error,
        });
        if ending != Ending::Failed {
            self.waiting.swap_remove(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 7, 8, 9, 40].map(|n| Tries::default().after(n).as_secs());
        assert_eq!(waits, [5, 10, 20, 320, 600, 600, 600]);
    }
}
