// Alerts and what was told of them: what is open, what was, and the log of the webhooks.

import { clock, day, detail, h, hms, put, show, t, title, word } from './format.mjs';
import { icon } from './chart.mjs';
import { ask, files } from './page.mjs';

const EVERY_MS = 5000;
const $ = (id) => document.getElementById(id);
const when = (ms) => `${day(ms)} ${clock(ms)}`;

/** Asks for alerts and shows them; the offset of the plant's time must be known. */
export const loadAlerts = ask(() => '/api/v1/alerts', EVERY_MS, ({ rules, open, closed, deliveries }) => {
  files('/api/v1/alerts', { alerts: 'alerts', deliveries: 'deliveries' });
  put('alerts-note', rules.length === 0 ? t('no_rules') : rules.map((rule) => t('rule_note', { name: named(rule.name), time: hms(rule.longer_ms), hooks: rule.send.join(', ') || t('no_hook') })).join(' · '));
  const alerts = [...open, ...closed];
  show($('alerts').tBodies[0], alerts, () => (alerts.length === 0 ? empty(5, t('no_alerts')) : alerts.map((alert) => h('tr', { class: alert.closed_ms === null ? 'open' : '' },
    h('td', { class: 'num nowrap' }, when(alert.opened_ms)),
    h('td', { class: 'wide nowrap' }, ...(alert.closed_ms === null ? [icon('internal'), ' '] : []), alert.closed_ms === null ? t('alert_open') : t('alert_closed', { time: hms(alert.lasted_ms) })),
    h('td', { class: 'wide' }, named(alert.rule)),
    h('td', { class: 'wide' }, alert.subject),
    h('td', { class: 'wide dim' }, detail(alert))))));
  show($('deliveries').tBodies[0], deliveries, () => (deliveries.length === 0 ? empty(6, t('no_deliveries')) : deliveries.map((told) => h('tr', {},
    h('td', { class: 'num nowrap' }, when(told.at_ms)),
    h('td', { class: 'wide' }, told.hook),
    h('td', { class: 'wide nowrap' }, `${told.alert} ${word('turn', told.turn)}`),
    h('td', { class: 'num' }, String(told.attempt)),
    h('td', { class: 'wide nowrap' }, ...(told.ending === 'delivered' ? [] : [icon('unknown'), ' ']), [word('ending', told.ending), told.status ?? ''].join(' ').trim()),
    h('td', { class: 'wide dim' }, title({ en: told.error, zh: told.error_zh }))))));
}, 'alerts-trouble');

/** A rule that bears the name of what it waits for; a plant's own name is its own. */
function named(rule) {
  return word('alert_rule', rule, rule);
}

function empty(columns, text) {
  return [h('tr', {}, h('td', { colspan: columns, class: 'wide' }, text))];
}
