// How the numbers of the panels are made: capability and false alarms. Every number comes computed.

import { day, fixed, h, hm, num, t, word } from './format.mjs';
import { heading, made, part, tells } from './explain.mjs';
import { unitOf } from './spc-panel.mjs';

/** Indices by their names: where their value stands, which spread they are made with, and what their interval is. */
const INDICES = {
  Cp: { at: 'cp', spread: 'within', interval: 'capability_chi' },
  Cpk: { at: 'cpk', spread: 'within', interval: 'capability_bissell' },
  Pp: { at: 'pp', spread: 'all', interval: 'capability_chi' },
  Ppk: { at: 'ppk', spread: 'all', interval: 'capability_bissell' },
};
const SPREADS = { within: ['σw', 'sigma_within', 'capability_within'], all: ['σ', 'sigma', 'capability_all'] };

const code = (text) => h('p', { class: 'formula' }, h('code', {}, text));
const time = (ms) => `${day(ms)} ${hm(ms)}`;

/** The span, and what is not in it. */
function spanOf(data, left) {
  return [
    heading('explain_window'),
    h('p', { class: 'num' }, t('capability_window', { from: time(data.from_ms), to: time(data.to_ms), n: num(data.fitted.n_used), minutes: data.subgroup_minutes })),
    heading('explain_left_out'),
    h('p', {}, t(left, { n: num(data.fitted.n_left_out) })),
  ];
}

/** @param {() => any} chart  the chart as it came last */
export function explainPanels(chart) {
  tells('capability', (query) => {
    const data = chart();
    const told = INDICES[query] ? index(query, data) : fraction(data);
    // It may be told no longer by the time that it is asked for.
    return data.gate.open && told ? told : [h('p', {}, t('spc_gate_closed'))];
  });
  tells('budget', () => budget(chart()));
}

function index(name, data) {
  const { at, spread, interval } = INDICES[name];
  const found = data.indices;
  if (!found?.[at]) return null;
  const [sign, column, text] = SPREADS[spread];
  const mg = (value) => (value === null ? '–' : `${fixed(value, 3)} ${unitOf(data)}`);
  const [low, high, sigma] = [found.lower_spec, found.upper_spec, found[column]];
  const [value, from, to] = found[at];
  const wide = at === 'cp' || at === 'pp';
  // Of one limit there is one distance.
  const of = (both, lower, upper) => {
    if (wide) return `(${both})`;
    const sides = [high === null ? '' : upper, low === null ? '' : lower].filter(Boolean);
    return `${sides.length > 1 ? 'min' : ''}(${sides.join(', ')})`;
  };
  const times = wide ? 6 : 3;
  return [
    h('p', { class: 'result num' }, `${name} ${fixed(value, 2)} [${fixed(from, 2)}, ${fixed(to, 2)}]`),
    code(`${name} = ${of('USL − LSL', 'x̄ − LSL', 'USL − x̄')} / ${times}${sign}`),
    h('p', { class: 'num worked' }, `${of(`${fixed(high, 3)} − ${fixed(low, 3)}`, `${fixed(found.mean, 3)} − ${fixed(low, 3)}`, `${fixed(high, 3)} − ${fixed(found.mean, 3)}`)} / (${times} · ${fixed(sigma, 3)}) = ${fixed(value, 2)}`),
    ...made(part('USL', t('histogram_upper'), mg(high)), part('LSL', t('histogram_lower'), mg(low)), part('x̄', t('capability_mean'), mg(found.mean)),
      part(sign, t(text), mg(sigma)), part('n', t('capability_weights'), num(found.n)), part('95 %', t(interval), `${fixed(from, 3)}–${fixed(to, 3)}`)),
    ...spanOf(data, 'capability_left_out'),
    h('p', {}, t('capability_stable')),
    h('p', {}, t('capability_normal')),
  ];
}

function fraction(data) {
  const c = data.capability;
  if (!c || data.indices) return null;
  const ppm = (value) => num(Math.round(value));
  return [
    h('p', { class: 'result num' }, `${ppm(c.ppm)} ppm [${ppm(c.ppm_interval[0])}, ${ppm(c.ppm_interval[1])}]`),
    code('x / n · 10⁶'),
    code('Z = Φ⁻¹(1 − x / n)'),
    h('p', { class: 'num worked' }, `${num(c.rejected)} / ${num(c.inspected)} · 10⁶ = ${ppm(c.ppm)}; Z = ${fixed(c.process_z, 3)}`),
    ...made(part('x', word('input', 'rejected'), num(c.rejected)), part('n', t('capability_judged'), num(c.inspected)),
      part('95 %', t('capability_exact'), `${c.ppm_interval.map(ppm).join('–')} ppm`), part('Z', t('capability_z'), fixed(c.process_z, 3))),
    ...spanOf(data, 'capability_left_out'),
    h('p', {}, t('capability_stable')),
  ];
}

function budget(data) {
  const b = data.budget;
  const arl = (value) => (value === null ? '–' : fixed(value, 1));
  const known = [b.arl_rules, b.arl_ewma].filter((value) => value !== null);
  const rules = data.rules.map(({ id }) => `${id} ${word('rule', id)}`);
  return [
    h('p', { class: 'result num' }, t('budget_result', { expected: fixed(b.expected, 2), observed: num(b.observed) })),
    code('E = N / ARL₁ + N / ARL₂'),
    ...(b.expected === null ? [] : [h('p', { class: 'num worked' }, `${known.map((value) => `${num(b.n_judged)} / ${fixed(value, 1)}`).join(' + ')} = ${fixed(b.expected, 2)}`)]),
    ...made(part('N', t('budget_judged'), num(b.n_judged)), part('ARL₁', t('budget_arl_rules'), arl(b.arl_rules)), part('ARL₂', t('budget_arl_ewma'), arl(b.arl_ewma)),
      part('E', t('budget_expected'), fixed(b.expected, 2)), part('n', t('budget_observed'), num(b.observed)), part('B', t('budget_week'), String(b.per_week))),
    ...spanOf(data, 'budget_left_out'),
    h('p', {}, t('budget_bound')),
    heading('spc_rules'),
    h('p', {}, rules.join(' · ') || t('spc_none')),
  ];
}
