// What stands beside the charts: signals and the work on them, why this chart, budget, capability, limits.

import { day, fixed, h, hm, num, REPLAY, show, t, title, word } from './format.mjs';
import { icon } from './chart.mjs';
import { explained } from './explain.mjs';
import { get, notSaved, send, why as cause } from './page.mjs';
import { folded } from './spc-open.mjs';

const $ = (id) => document.getElementById(id);
/** Incidents that are shown before the rest is folded, and those under the limits shown. */
const [INCIDENTS, SHOWN] = [12, 8];
const WORK = ['acknowledge', 'cause', 'action', 'owner', 'note'];

/** The name a person gave, for this page only. */
let author = document.body.dataset.user ?? '';
/** Whether the name is that of who is signed in, so that none is asked for. */
const known = document.body.dataset.user !== undefined;

/**
 * @param {any} data  the chart as it came
 * @param {{address: string, base: string, reload: () => void, writes: boolean}} page
 */
export function panels(data, page) {
  signals(data, page);
  why(data);
  budget(data);
  capability(data);
  limits(data, page);
}

/** The unit of a chart in the language of the page. */
export function unitOf(data) {
  const unit = data.characteristic.unit;
  return unit === 'capsules/min' ? t('per_minute') : unit;
}

const p = (...children) => h('p', {}, ...children);
const time = (ms) => `${day(ms)} ${hm(ms)}`;

function table(head, rows) {
  return h('table', {}, h('thead', {}, h('tr', {}, ...head.map((cell) => (cell === '' ? h('td', {}) : h('th', { scope: 'col' }, cell))))),
    h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell) => h('td', {}, cell))))));
}

/** Keeps an open form open while the chart is refreshed beneath it. */
function busy(element) {
  const active = document.activeElement;
  return element.contains(active) && ['INPUT', 'TEXTAREA', 'SELECT'].includes(active.tagName);
}

/** Fields that are written in, the name of the writer aside. */
const texts = (element) => [...element.querySelectorAll('input:not([autocomplete])')];

/** Draws a panel anew, and what somebody had opened in it stays open. */
function redraw(box, shown, make) {
  const open = new Set([...box.querySelectorAll('details[open]')].map((details) => details.dataset.of));
  show(box, shown, make);
  for (const details of box.querySelectorAll('details')) details.open ||= open.has(details.dataset.of);
}

// Signals -------------------------------------------------------------------------------------------------------

function signals(data, page) {
  const box = $('signals');
  if (busy(box)) return;
  redraw(box, [data.incidents, data.shown_incidents, data.by], () => {
    const nodes = [];
    if (data.incidents.length === 0) nodes.push(p(t('spc_no_incident')));
    // What goes on is work to do, however long ago it began.
    const all = [...data.incidents.filter(({ over }) => !over), ...data.incidents.filter(({ over }) => over)];
    nodes.push(...some(all.map((incident) => one(incident, page)), INCIDENTS, 'recorded'));
    if (data.by !== 'in_force' || data.incidents.length === 0) {
      nodes.push(p(h('b', {}, t('spc_shown', { n: data.shown_incidents.length }))));
      nodes.push(...some([...data.shown_incidents].reverse().map((incident) => p(icon(incident.beyond ? 'N1' : 'N2'), ` ${time(incident.opened_ms)} · ${words(incident.rules)} · ×${incident.points}`)), SHOWN, 'shown'));
    }
    return nodes;
  });
}

/** The first of them, and the rest folded. */
const some = (nodes, n, name) => (nodes.length > n ? [...nodes.slice(0, n), folded(name, nodes.length - n, nodes.slice(n))] : nodes);

const words = (rules) => [...new Set(rules)].map((rule) => `${rule} ${word('rule', rule)}`).join(', ');

function one(incident, page) {
  const level = h('span', { class: `level-${incident.level}` }, word('level', incident.level));
  const state = incident.over ? t('spc_over') : t('spc_open');
  const done = incident.acknowledged ? `✔ ${t('spc_acknowledged')}` : t('spc_unacknowledged');
  const work = incident.work.map((work) => p(`${time(work.at_ms)} ${work.author} · ${word('work', work.kind)} ${work.text}`));
  const content = [p(words(incident.rules)), p(t('spc_judged_by', { version: incident.version, points: incident.points })), ...work];
  if (page.writes) content.push(workForm(incident, page));
  return h('details', { 'data-of': incident.id }, h('summary', {}, icon(incident.beyond ? 'N1' : 'N2'), level,
    `${time(incident.opened_ms)} · ${incident.rules.join(' ')} · ${state} · ${done}${incident.owner ? ` · ${incident.owner}` : ''}`), ...content);
}

function workForm(incident, page) {
  const kind = h('select', {}, ...WORK.map((kind) => h('option', { value: kind }, word('work', kind))));
  const text = h('input', { maxlength: 1000 });
  const who = person();
  return form([[t('spc_what'), kind], [t('spc_words'), text], [t('spc_name'), who]], t('spc_save'), (element) => post(
    element, `${page.base}/incidents/${incident.id}/work`, { author: who.value, kind: kind.value, text: text.value }, page));
}

function person() {
  const input = h('input', { maxlength: 80, autocomplete: 'name', type: known ? 'hidden' : 'text' });
  input.value = author;
  input.addEventListener('input', () => { author = input.value; });
  return input;
}

function form(fields, label, submit) {
  const answer = h('p', { role: 'status' });
  // A field that is not asked for is hidden, its label with it.
  const element = h('form', {}, ...fields.map(([label, field]) => (field.type === 'hidden' ? field : h('label', {}, label, field))), h('button', { type: 'submit' }, label), answer);
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    answer.textContent = await submit(element);
  });
  return element;
}

/** Limits are made of a month of subgroups, which takes a while. */
const LONG_MS = 20000;

/** Sends what a person decided; what the service answers is shown in its own words. */
async function post(element, address, body, page, told = () => t('spc_saved')) {
  try {
    const json = await send(address, body, LONG_MS);
    // What was written has been sent: nothing keeps the panel from being drawn anew.
    for (const input of texts(element.closest('details'))) input.value = '';
    document.activeElement?.blur();
    page.reload();
    return told(json);
  } catch (error) {
    return notSaved(error);
  }
}

// Why, budget, capability ---------------------------------------------------------------------------------------

function why(data) {
  show($('why'), [data.fitted, data.plain, data.lengths, data.budget.n_judged, data.to_ms - data.from_ms], () => {
    const evidence = data.fitted.evidence;
    // Of measurements only the drift is judged; how counts scatter has no meaning for them.
    const told = data.plain || evidence.advice === 'lengthen_subgroup';
    const nodes = told ? [p(h('b', {}, word('advice', evidence.advice)))] : [];
    if (data.plain) {
      nodes.push(table(['', word('chart', data.plain.chart), word('chart', data.characteristic.chart)],
        [[t('spc_beyond', { n: num(data.budget.n_judged), hours: num(Math.round((data.to_ms - data.from_ms) / 3600000)) }), num(data.plain.signals), num(data.plain.ours)]]));
      nodes.push(p(t('spc_sigma', { mr: fixed(evidence.sigma_z_mr), sd: fixed(evidence.sigma_z_sd), r: fixed(evidence.lag1) })));
      if (evidence.chi2_ratio !== null) nodes.push(p(t('spc_chi2', { ratio: fixed(evidence.chi2_ratio), p: evidence.chi2_p < 0.0001 ? '< 0.0001' : fixed(evidence.chi2_p, 4) })));
      nodes.push(p(t('spc_stepped')));
    } else {
      nodes.push(p(t('spc_sigma_value', { sd: fixed(evidence.sigma_z_sd), r: fixed(evidence.lag1) })));
    }
    if (data.lengths.length) {
      nodes.push(table([t('spc_length'), 'n', 'σz MR', 'σz SD', 'ρ₁', 'p', 'p′'], data.lengths.map((row) => [`${row.shown ? '▸ ' : ''}${row.minutes} ${t('minutes_unit')}`, num(row.n),
        fixed(row.sigma_z_mr), fixed(row.sigma_z_sd), fixed(row.lag1), num(row.n1_plain), num(row.n1_prime)])), p(t('spc_length_note')));
    }
    return nodes;
  });
}

function budget(data) {
  show($('budget'), data.budget, () => {
    const b = data.budget;
    return [
      p(explained('budget', {}, t('spc_expected', { expected: fixed(b.expected, 1), observed: b.observed, n: num(b.n_judged) }))),
      p(t('spc_arl', { rules: b.arl_rules === null ? '–' : fixed(b.arl_rules, 0), ewma: b.arl_ewma === null ? '–' : fixed(b.arl_ewma, 0), week: b.per_week })),
    ];
  });
}

function capability(data) {
  show($('capability'), [data.gate, data.capability, data.indices], () => {
    const gate = data.gate;
    // What was not tested is neither passed nor failed.
    const check = (ok, text) => p(`${ok === null ? '○' : ok ? '✔' : '✘'} ${text}`);
    const nodes = [
      check(gate.enough, t('spc_gate_n', { n: gate.n, least: gate.n_least })),
      gate.n_signals === null ? check(null, t('spc_gate_no_signals')) : check(gate.n_signals === 0, t('spc_gate_signals', { n: gate.n_signals, of: gate.n_recent })),
      gate.drifts === null ? check(null, t('spc_gate_no_drift')) : check(!gate.drifts, t(gate.drifts ? 'spc_gate_drifts' : 'spc_gate_drift')),
    ];
    if (!gate.open) return [h('p', { class: 'gate' }, t('spc_gate_closed')), ...nodes];
    if (data.indices) return [...nodes, ...indices(data.indices)];
    if (!data.capability) return [...nodes, p(t('spc_no_capability'))];
    const c = data.capability;
    return [...nodes, h('p', { class: 'gate' }, explained('capability', { 'data-query': 'fraction' },
      t('spc_ppm', { ppm: num(Math.round(c.ppm)), low: num(Math.round(c.ppm_interval[0])), high: num(Math.round(c.ppm_interval[1])), z: fixed(c.process_z) }))),
      p(t('spc_ppm_note', { rejected: num(c.rejected), inspected: num(c.inspected) }))];
  });
}

/** Cp, Cpk, Pp and Ppk of weights with their intervals. */
export function indices(found) {
  const row = (name, index) => index && h('p', { class: 'gate' }, explained('capability', { 'data-query': name }, t('spc_indices', {
    name, value: fixed(index[0], 2), low: fixed(index[1], 2), high: fixed(index[2], 2),
  })));
  return [row('Cp', found.cp), row('Cpk', found.cpk), row('Pp', found.pp), row('Ppk', found.ppk), p(t('spc_tolerance', {
    low: found.lower_spec ?? '–', high: found.upper_spec ?? '–', n: num(found.n), ppm: found.ppm === null ? '–' : num(Math.round(found.ppm)),
  }))].filter(Boolean);
}

/** Version whose decision comes next: it opens by itself. */
let next = null;

/** Whoever opens a form is about to write: the field that must be filled takes the keys. */
function ready(details) {
  const write = () => details.open && details.querySelector('form input[data-name="reason"]')?.focus();
  // Not when it opens again because the panel was drawn anew.
  details.querySelector('summary').addEventListener('click', () => setTimeout(write));
  if (details.open) setTimeout(write);
  return details;
}

// Limits --------------------------------------------------------------------------------------------------------

function limits(data, page) {
  const box = $('limits');
  // A proposal is written over some minutes, and what is written must not go with the next point.
  if (busy(box) || texts(box).some((input) => input.value !== '')) return;
  redraw(box, [data.versions, data.fitted.n_used, data.judged_live, data.from_ms], () => {
    const nodes = [...data.versions].reverse().map((limits) => version(limits, data, page));
    if (nodes.length === 0) nodes.push(p(t('spc_no_limits')));
    if (data.judged_live && data.fitted.may_propose && page.writes) nodes.push(proposal(data, page));
    if (data.fitted.missing_to_freeze > 0) nodes.push(p(t('spc_missing', { n: data.fitted.missing_to_freeze })));
    if (!page.writes) nodes.push(p(t(REPLAY ? 'replay_only' : 'spc_read_only')));
    return nodes;
  });
}

function version(limits, data, page) {
  const unit = unitOf(data);
  const spread = limits.sigma_z === null ? `σ ${fixed(limits.sigma, 2)}${limits.sigma_within === null ? '' : ` · σw ${fixed(limits.sigma_within, 2)}`}` : `σz ${fixed(limits.sigma_z)}`;
  const rows = [
    p(`CL ${fixed(limits.center, 4)} ${unit} · ${spread} · EWMA L ${fixed(limits.ewma_l)} · ${limits.rules.join(' ')}`),
    p(t('spc_baseline', { from: time(limits.from_ms), to: time(limits.to_ms), n: limits.n_used })),
    ...(limits.sigma_df === null ? [] : [p(t('spc_wide', { df: fixed(limits.sigma_df, 0) }))]),
    ...limits.excluded.map(([at, reason]) => p(`✘ ${time(at)} ${reason}`)),
    p(t('spc_made', { author: limits.author, at: time(limits.made_ms), reason: { en: limits.reason, zh: limits.reason_zh } })),
  ];
  if (limits.decided_by) rows.push(p(`${word('limits', limits.state)}: ${limits.decided_by}, ${time(limits.decided_ms)} · ${title({ en: limits.decided_reason, zh: limits.decided_reason_zh })}`));
  const { signature } = limits;
  if (signature) rows.push(p(`✍ ${signature.name} (${signature.account}), ${word('meaning', signature.meaning)}, ${time(signature.at_ms)} · ${signature.record_sha256.slice(0, 16)}`));
  rows.push(p(h('code', {}, limits.sha256.slice(0, 16))));
  if (limits.state === 'proposed') {
    rows.push(replayButton(limits, page, data.to_ms));
    if (page.writes) rows.push(decision(limits, page));
  }
  const open = limits.version === next ? { open: '' } : {};
  if (limits.version === next) next = null;
  return ready(h('details', { 'data-of': `v${limits.version}`, 'data-state': limits.state, ...open }, h('summary', {}, h('b', {}, `v${limits.version}`), `${word('limits', limits.state)} · ${word('maturity', limits.maturity)} · n ${limits.n_used}`), ...rows));
}

function replayButton(limits, page, to) {
  const out = h('div', { role: 'status' });
  const button = h('button', { type: 'button' }, t('spc_replay'));
  button.addEventListener('click', async () => {
    try {
      out.replaceChildren(...replayed(await get(`${page.address}/limits/${limits.version}/replay?from=${to - 30 * 3600000}&to=${to}`, LONG_MS)));
    } catch (error) {
      out.replaceChildren(p(title(cause(error))));
    }
  });
  return h('div', {}, button, out);
}

function replayed(replay) {
  const list = (label, points) => points.slice(0, 20).map(([at, rules]) => p(`${label} ${time(at)} ${rules.join(' ')}`));
  return [p(t('spc_replayed', { appear: replay.appear.length, vanish: replay.vanish.length, stay: replay.stay, n: replay.judged })),
    ...list('+', replay.appear), ...list('−', replay.vanish)];
}

function decision(limits, page) {
  const verdict = h('select', {}, ...['approved', 'rejected'].map((word_) => h('option', { value: word_ }, word('limits', word_))));
  const reason = h('input', { maxlength: 1000, 'data-name': 'reason' });
  const who = person();
  // Where there are users the decision is signed: with the password, again.
  const password = h('input', { type: 'password', autocomplete: 'current-password', maxlength: 1024 });
  const fields = [[t('spc_verdict'), verdict], [t('spc_reason'), reason], [t('spc_second'), who]];
  if (page.signs) fields.push([t('sign_password'), password]);
  return form(fields, t('spc_decide'), (element) => post(element, `${page.address}/limits/${limits.version}/decision`, {
    verdict: verdict.value, by: who.value, reason: reason.value, ...(page.signs ? { password: password.value } : {}),
  }, page));
}

/** Subgroups that a person leaves out of the next proposal: start and cause. Kept while the chart is refreshed. */
const leftOut = new Map();

function proposal(data, page) {
  const signals = new Set(data.sig.map(([i]) => i));
  const candidates = data.t.filter((_, i) => data.fitness[i] === 'whole' && signals.has(i)).reverse().slice(0, 200);
  const under = h('option', { value: 'cursor' }, t('spc_at_cursor'));
  const which = h('select', { 'data-name': 'exclude' }, ...candidates.map((at) => h('option', { value: String(at) }, time(at))), under);
  const cause = h('input', { maxlength: 1000, 'data-name': 'cause' });
  const reason = h('input', { maxlength: 1000, 'data-name': 'reason' });
  const who = person();
  const list = h('ul', { class: 'left-out' });
  const fill = () => list.replaceChildren(...[...leftOut].sort(([a], [b]) => a - b).map(([at, why]) => {
    const back = h('button', { type: 'button', 'aria-label': t('spc_take_back', { at: time(at) }) }, '✕');
    back.addEventListener('click', () => { leftOut.delete(at); fill(); });
    return h('li', {}, `${time(at)} ${why} `, back);
  }));
  const add = h('button', { type: 'button', 'data-name': 'add' }, t('spc_add'));
  add.addEventListener('click', () => {
    const at = which.value === 'cursor' ? page.cursor() : Number(which.value);
    // No cause, no exclusion; and only what is a whole subgroup estimates.
    if (at === null || !cause.value.trim() || data.fitness[data.t.indexOf(at)] !== 'whole') {
      (at === null ? which : cause).focus();
      return;
    }
    leftOut.set(at, cause.value.trim());
    cause.value = '';
    fill();
  });
  fill();
  const fields = [[t('spc_exclude'), which], [t('spc_cause'), cause]];
  const out = h('fieldset', {}, h('legend', {}, t('spc_left_out')), ...fields.map(([label, field]) => h('label', {}, label, field)), add, list);
  const send = form([[t('spc_reason'), reason], [t('spc_name'), who]], t('spc_propose_button'), (element) => post(element, `${page.address}/limits`, {
    author: who.value, reason: reason.value, from: String(data.from_ms), to: String(data.to_ms),
    exclude: [...leftOut].map(([at, why]) => ({ t: at, reason: why })),
  }, page, (made) => {
    leftOut.clear();
    next = made.limits.version;
    return t('spc_replayed', { appear: made.replay.appear.length, vanish: made.replay.vanish.length, stay: made.replay.stay, n: made.replay.judged });
  }));
  return ready(h('details', { id: 'propose', 'data-of': 'propose' }, h('summary', {}, t('spc_propose', { n: data.fitted.n_used })), out, send));
}
