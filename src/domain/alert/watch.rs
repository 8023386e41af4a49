//! The state machine of alerts, one for each rule and subject.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Alert, Change, Fact, Facts, Rule, Turn};
use crate::units::{LineId, Moment};

/// Watches facts. Durations are those of the boot clock, so that a wall clock that steps opens and closes nothing.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    rules: Vec<Rule>,
    /// By rule and subject.
    spells: BTreeMap<(usize, Arc<str>), Spell>,
}

/// A fact from when it was first seen until it has been away long enough.
#[derive(Clone, Debug)]
struct Spell {
    line: Option<LineId>,
    /// When the fact began.
    since: Moment,
    /// The alert, once it lasted long enough.
    open: Option<Alert>,
    /// Since when it has been away, boot clock.
    away_us: Option<i64>,
    /// Whether it was there at the last look.
    seen: bool,
}

impl Watch {
    /// Goes on with alerts that were open. Those of a rule that is no more are given back: nobody will close them.
    pub fn new(rules: Vec<Rule>, open: Vec<Alert>) -> (Watch, Vec<Alert>) {
        let mut watch = Watch { rules, spells: BTreeMap::new() };
        let mut orphans = Vec::new();
        for alert in open {
            let of = |rule: &Rule| {
                rule.name == alert.rule && rule.covers(rule.condition, alert.line.as_ref())
            };
            match watch.rules.iter().position(of) {
                Some(rule) => {
                    let key = (rule, alert.subject.clone());
                    watch.spells.insert(key, Spell::of(alert));
                }
                None => orphans.push(alert),
            }
        }
        (watch, orphans)
    }

    /// The rules that are watched.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Takes what is known now; what opened and closed by it. At most one change for each rule and subject.
    pub fn look(&mut self, now: Moment, facts: &Facts) -> Vec<Change> {
        let mut changes = Vec::new();
        for (i, rule) in self.rules.iter().enumerate() {
            for fact in facts.held.iter().filter(|f| rule.covers(f.condition, f.line.as_ref())) {
                let key = (i, fact.subject.clone());
                let spell = self.spells.entry(key).or_insert_with(|| Spell::begin(fact, now));
                changes.extend(spell.seen(rule, fact, now));
            }
        }
        let rules = &self.rules;
        self.spells.retain(|(i, _), spell| {
            if std::mem::take(&mut spell.seen) {
                return true;
            }
            let rule = &rules[*i];
            let blind = facts
                .blind
                .iter()
                .any(|(condition, line)| *condition == rule.condition && *line == spell.line);
            match blind {
                true => {
                    spell.away_us = None;
                    true
                }
                false => spell.missed(rule, now, &mut changes),
            }
        });
        changes
    }
}

impl Spell {
    fn begin(fact: &Fact, now: Moment) -> Spell {
        Spell { line: fact.line.clone(), since: now, open: None, away_us: None, seen: false }
    }

    /// An alert of an earlier run. How long it has been open matters no more.
    fn of(alert: Alert) -> Spell {
        Spell {
            line: alert.line.clone(),
            since: Moment { utc_us: alert.since_us, mono_us: 0 },
            open: Some(alert),
            away_us: None,
            seen: false,
        }
    }

    fn seen(&mut self, rule: &Rule, fact: &Fact, now: Moment) -> Option<Change> {
        (self.seen, self.away_us) = (true, None);
        if self.open.is_some() {
            return None;
        }
        let held_us = fact.held_us.max(0);
        if now.mono_us - held_us < self.since.mono_us {
            self.since = Moment { utc_us: now.utc_us - held_us, mono_us: now.mono_us - held_us };
        }
        if now.mono_us - self.since.mono_us < rule.longer_us {
            return None;
        }
        let alert = Alert {
            rule: rule.name.clone(),
            subject: fact.subject.clone(),
            line: fact.line.clone(),
            since_us: self.since.utc_us,
            opened_us: now.utc_us,
            detail: fact.detail.clone(),
        };
        self.open = Some(alert.clone());
        Some(Change { turn: Turn::Opened, at_us: now.utc_us, alert })
    }

    /// The fact is away. Whether it is still waited for.
    fn missed(&mut self, rule: &Rule, now: Moment, changes: &mut Vec<Change>) -> bool {
        let Some(alert) = &self.open else { return false };
        let away_us = *self.away_us.get_or_insert(now.mono_us);
        if now.mono_us - away_us < rule.calm_us {
            return true;
        }
        let alert = alert.clone();
        changes.push(Change { turn: Turn::Closed, at_us: now.utc_us, alert });
        false
    }
}
