// The workbench: asks for a chart, draws it with its companion. Every number and limit comes computed.

import { day, fixed, h, hm, num, put, REPLAY, setOffset, show, t, word, words } from './format.mjs';
import { icon, Plot } from './chart.mjs';
import { explained, heading, made, part, tells } from './explain.mjs';
import { cut, drawMain, drawSide, mark } from './spc-draw.mjs';
import { fileName, mainRows, picture, save, sideRows } from './spc-files.mjs';
import { drawHistogram, histogramRows, histogramWords } from './spc-histogram.mjs';
import { chosenRules, keep, recall, toChart, versionChosen } from './spc-choices.mjs';
import { explainPanels } from './spc-explain.mjs';
import { OpenSignals } from './spc-open.mjs';
import { panels, unitOf } from './spc-panel.mjs';
import { Strip } from './spc-strip.mjs';
import { AS_OF, files, Refusal, why } from './page.mjs';
import { join } from './shell.mjs';

/** Tables of this page by the names that the service has for them. */
const FILES = { control: 'chart', histogram: 'weights', signals: 'incidents', why: 'lengths', limits: 'limits' };
const $ = (id) => document.getElementById(id);
const tools = $('tools');
const id = tools.dataset.characteristic;
const base = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}`;
const address = `${base}/charts/${encodeURIComponent(id)}`;

/** The chart as it came, its shown part, and the minute and the view it came with. */
let full = null;
let data = null;
let view = null;
let minute = null;
let lost = false;
let asked = 0;

recall();

const main = new Plot('control', { draw: drawMain, rows: mainRows });
const beside = new Plot('beside', { draw: drawSide('companion'), rows: sideRows('companion') });
// Only a three-way chart has it.
const within = $('within') && new Plot('within', { draw: drawSide('within'), rows: sideRows('within') });
// Only weights have it; its cursor stands on a weight, not on a moment.
const histogram = $('histogram') && new Plot('histogram', { draw: drawHistogram, rows: histogramRows });
const plots = [main, beside, within].filter(Boolean);
const strip = new Strip($('strip'), showPart);
for (const plot of plots) for (const other of plots) if (plot !== other) link(plot, other);
for (const plot of plots) plot.box.addEventListener('keydown', (event) => jump(event, plot));
const open = new OpenSignals(base);
explainPanels(() => full);
/** How many signals are open, as the line last told it: when that changes, it is asked which. */
let counted = null;
/** Start of the subgroup that the cursor stood on last: on the way to a button it leaves the chart. */
let pointed = null;

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
    const told = JSON.stringify(view.incidents);
    if (counted !== null && told !== counted) open.load();
    counted = told;
    if (view.minute_ms !== minute) {
      const first = minute === null;
      minute = view.minute_ms;
      // The record is written a little after the minute; the charts task looks every two seconds.
      setTimeout(first ? load : reload, first ? 0 : 3000);
    }
  },
  link: (state) => {
    if (lost === (state.word === 'lost')) return;
    lost = state.word === 'lost';
    open.link(lost);
    if (!lost) reload();
  },
});
reload();
live.run();

for (const name of ['minutes', 'hours', 'which', 'companion', 'rules']) {
  $(name)?.addEventListener('change', () => {
    keep();
    open.draw();
    load();
  });
}
for (const name of ['minutes', 'hours']) $(name).addEventListener('change', () => { strip.chosen = null; });
document.addEventListener('pointerdown', (event) => { if (!$('rules').contains(event.target)) $('rules').open = false; });
$('rules').addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  $('rules').open = false;
  $('rules').querySelector('summary').focus();
});
$('characteristic').addEventListener('change', (event) => {
  location.assign(toChart(event.target.value));
});
tools.addEventListener('submit', (event) => event.preventDefault());
$('svg').addEventListener('click', () => {
  const drawn = main.box.querySelector('svg');
  if (!drawn) return;
  const name = fileName(data, id, offset());
  save(`${name}.svg`, 'image/svg+xml', picture(drawn, getComputedStyle($('control-card')).backgroundColor, name, data.to_ms));
});
$('print').addEventListener('click', () => window.print());

/** Asks for all that this page shows. */
function reload() {
  load();
  open.load();
}

/** Asks for the chart again; the answer to an older question is not drawn. */
async function load() {
  if (document.hidden && full) return;
  asked += 1;
  const mine = asked;
  const to = REPLAY ? Number(document.body.dataset.replay) : view ? view.at_ms : Date.now();
  // Up to now, whenever that is when it is answered: limits that were approved a moment ago judge. A minute less, so
  // that the longest span stays one.
  const from = to - Number($('hours').value) * 3600000 + 60000;
  const query = new URLSearchParams({ from, subgroup: $('minutes').value, limits: $('which').value });
  if ($('companion')) query.set('companion', $('companion').value);
  const rules = chosenRules();
  if (rules !== null) query.set('rules', rules.join(','));
  try {
    const answer = await fetch(`${address}?${query}${AS_OF}`);
    const body = await answer.json();
    if (mine !== asked) return;
    if (answer.status === 400 && versionChosen()) {
      // There is no such version, or it is of subgroups of another length: those in force judge instead.
      $('which').value = 'in_force';
      keep();
      load();
      return;
    }
    if (!answer.ok) throw new Refusal(body);
    full = body;
    // The file is of what is shown, not of what is new when it is taken.
    query.set('to', full.to_ms);
    files(`${address}?${query}${AS_OF}`, FILES);
    $('trouble').hidden = true;
    showAll();
  } catch (error) {
    put('trouble', t('spc_trouble', { why: why(error) })).hidden = false;
  }
}

/** Seconds of the plant's time before UTC. */
const offset = () => view?.offset_s ?? 0;

function showAll() {
  choices();
  put('control-title', `${word('chart', full.characteristic.chart)} · ${full.subgroup_minutes} ${t('minutes_unit')} · ${unitOf(full)}`);
  put('beside-title', word('companion', full.companion.name));
  showState();
  put('rules-chosen', full.rules.filter((rule) => rule.id !== 'LIMIT').map((rule) => rule.id).join(' '));
  strip.set(full);
  showPart();
  if (histogram) {
    // Of the whole span, as capability is, whatever part the strip shows.
    histogram.set(full.histogram);
    histogramWords(full);
    $('histogram-card').classList.toggle('empty', full.histogram === null);
  }
  panels(full, { address, base, reload, writes: tools.dataset.writes === 'true', signs: tools.dataset.signs === 'true', cursor });
}

/** Which limits judge, and those of the newest judged subgroup, which say how they are made. */
function showState() {
  const at = full.ucl.findLastIndex((ucl) => ucl !== null);
  const lines = at < 0 || !full.limits ? '' : [['LCL', full.lcl[at]], ['CL', full.cl[at]], ['UCL', full.ucl[at]]].filter(([, line]) => line !== null).map(([name, line]) => `${name} ${fixed(line, 4)}`).join(' · ');
  show($('state'), [stateWords(), lines], () => [`${stateWords()} `, ...(lines ? [explained('limits', {}, `${lines} ${unitOf(full)}`)] : [])]);
}

tells('limits', () => {
  const at = full.ucl.findLastIndex((ucl) => ucl !== null);
  const { limits } = full;
  if (at < 0 || !limits) return [h('p', {}, t('point_none'))];
  const unit = unitOf(full);
  const spread = limits.sigma_z === null ? part('σ', t('limits_sigma'), `${fixed(limits.sigma, 4)} ${unit}`) : part('σz', t('limits_sigma_z'), fixed(limits.sigma_z, 4));
  return [
    h('p', { class: 'result num' }, `${full.lcl[at] === null ? '–' : fixed(full.lcl[at], 4)} / ${fixed(full.cl[at], 4)} / ${fixed(full.ucl[at], 4)} ${unit}`),
    h('p', { class: 'formula' }, h('code', {}, `${limits.center_formula}; ${limits.limits_formula}`)),
    h('p', { class: 'num worked' }, t('limits_subgroup', { time: `${day(full.t[at])} ${hm(full.t[at])}`, n: num(full.n[at]) })),
    ...made(part('CL', t('cl'), `${fixed(limits.center, 4)} ${unit}`), part('k', t('limits_distance'), fixed(limits.k, 4)), spread, part('n', sizeWords(), num(full.n[at]))),
    ...(limits.sigma_df === null ? [] : [h('p', {}, t('spc_wide', { df: fixed(limits.sigma_df, 0) }))]),
    heading('explain_window'),
    h('p', { class: 'num' }, t('spc_baseline', { from: `${day(limits.from_ms)} ${hm(limits.from_ms)}`, to: `${day(limits.to_ms)} ${hm(limits.to_ms)}`, n: limits.n_used })),
    ...(limits.excluded.length > 0 ? [heading('explain_left_out'), h('ul', {}, ...limits.excluded.map(([start, reason]) => h('li', {}, `${day(start)} ${hm(start)} ${reason}`)))] : []),
    heading('spc_limits'),
    h('p', {}, stateWords()),
    h('p', {}, t('spc_made', { author: limits.author, at: `${day(limits.made_ms)} ${hm(limits.made_ms)}`, reason: { en: limits.reason, zh: limits.reason_zh } })),
    h('p', {}, limits.rules.map((rule) => `${rule} ${word('rule', rule)}`).join(' · ')),
    h('p', {}, 'SHA-256 ', h('code', { class: 'hash' }, limits.sha256)),
  ];
});

/** What a subgroup is a number of: capsules, or what its counters count. */
const sizeWords = () => (full.characteristic.counted_in ? t('limits_size_in', { unit: word('unit', full.characteristic.counted_in) }) : t('limits_size'));

tells('point', () => {
  const found = full.t.indexOf(pointed);
  const at = found < 0 ? full.p.findLastIndex((value) => value !== null) : found;
  if (at < 0) return [h('p', {}, t('point_none'))];
  const unit = unitOf(full);
  const value = (number) => (number === null ? '–' : `${fixed(number, 4)} ${unit}`);
  const [line, n, x] = [full.versions.find(({ version }) => version === full.version[at]), full.n[at], full.x[at]];
  const counted = full.characteristic.measure.startsWith('reject');
  const rules = full.sig.filter(([i]) => i === at).map(([, rule]) => `${rule} ${word('rule', rule)}`);
  const beside = full.companion.sig.filter(([i]) => i === at).map(([, rule]) => `${word('companion', full.companion.name)}: ${rule} ${word('rule', rule)}`);
  const judged = full.fitness[at] === 'whole';
  return [
    h('p', { class: 'result num' }, value(full.p[at])),
    ...(counted ? [h('p', { class: 'formula' }, h('code', {}, 'x / n')), h('p', { class: 'num worked' }, `${num(x)} / ${num(n)} = ${value(full.p[at])}`)] : []),
    ...(line ? [h('p', { class: 'formula' }, h('code', {}, line.limits_formula))] : []),
    ...made(
      ...(counted ? [part('x', word('input', 'rejected'), `${num(x)}${full.doubt[at] ? ` [${full.doubt[at].map(num).join(', ')}]` : ''}`)] : []),
      part('n', sizeWords(), num(n)),
      part('LCL', t('lcl'), value(full.lcl[at])), part('CL', t('cl'), value(full.cl[at])), part('UCL', t('ucl'), value(full.ucl[at])),
      part('z', t('point_z'), fixed(full.z[at], 3)),
      part(word('companion', full.companion.name), t('point_beside'), fixed(full.companion.y[at], 4)),
    ),
    heading('explain_window'),
    h('p', { class: 'num' }, t('point_window', { time: `${day(full.t[at])} ${hm(full.t[at])}`, minutes: full.subgroup_minutes, known: fixed(full.coverage[at], 1) })),
    ...(judged ? [] : [heading('explain_left_out'), h('p', {}, word('fitness', full.fitness[at]))]),
    heading('spc_rules'),
    h('p', {}, [...rules, ...beside].join(' · ') || t(judged ? 'no_signals' : 'point_unjudged')),
    heading('spc_limits'),
    h('p', {}, stateWords()),
    h('p', {}, h('a', { href: '#', id: 'point-rows', class: 'rows-link' }, t('point_rows'))),
  ];
});
document.addEventListener('click', (event) => {
  if (event.target.id !== 'point-rows') return;
  event.preventDefault();
  $('csv').click();
});

/** Draws the part that the strip shows. */
function showPart() {
  data = cut(full, ...strip.window());
  legend('control-legend', data.sig, data.z);
  legend('beside-legend', data.companion.sig, data.companion.ucl);
  if (within) legend('within-legend', data.within?.sig ?? [], data.within?.ucl ?? []);
  for (const plot of plots) plot.set(data);
}

/** Start of the subgroup under the cursor, or that it stood on before it left the chart for a button; null without one. */
function cursor() {
  if (main.at === null) return data.t.includes(pointed) ? pointed : null;
  return data.t[main.stops.length - 1 - main.at] ?? null;
}

/** Versions of limits join the two fixed choices. */
function choices() {
  const select = $('which');
  const fitting = full.judged_live ? full.versions : [];
  const words = fitting.map((limits) => [String(limits.version), `v${limits.version} ${word('limits', limits.state)}`]);
  const kept = select.value;
  show(select, words, () => [['in_force', t('spc_in_force')], ['trial', t('spc_trial')], ...words]
    .map(([value, text]) => h('option', { value }, text)));
  select.value = [...select.options].some((option) => option.value === kept) ? kept : 'in_force';
}

function stateWords() {
  const limits = full.limits;
  if (!limits) {
    const { n_used: n, n_left_out: out, provisional_from: from, may_propose: enough } = full.fitted;
    return enough ? t('spc_no_law', { n, out }) : t('spc_forming', { n, from });
  }
  const which = full.by === 'trial' ? t('spc_trial_of', { n: limits.n_used }) : t('spc_version', {
    version: limits.version, state: words(`limits.${limits.state}`), n: limits.n_used, author: limits.decided_by ?? limits.author,
  });
  const look = full.rules_chosen ? ` · ${t('spc_rules_look')}` : '';
  const then = REPLAY ? ` · ${t('replay_spc')}` : '';
  return `${which} · ${t(limits.may_page ? 'spc_pages' : 'spc_no_page')}${look}${then}`;
}

/** Signals of the drawn part, which may be less than the span that the panels tell of. Where nothing is judged there is no word
 * of signals. */
function legend(element, sig, judged) {
  const found = new Map();
  for (const [, rule] of sig) found.set(rule, (found.get(rule) ?? 0) + 1);
  const part = data.t.length < full.t.length ? t('spc_drawn') : '';
  const none = judged.some((value) => value !== null) ? 'no_signals' : 'spc_nothing_judged';
  show($(element), [part, none, ...found], () => (found.size === 0 ? [document.createTextNode(`${part}${t(none)}`)]
    : [document.createTextNode(part), ...[...found].flatMap(([rule, n]) => [h('span', { class: 'signal' }, icon(mark(rule)), ` ${rule} ${word('rule', rule)} ×${n} `)])]));
}

// Keys -----------------------------------------------------------------------------------------------------------

/** The cursor of one chart stands in the other too. */
function link(plot, other) {
  const own = plot.move.bind(plot);
  plot.move = (at) => {
    own(at);
    if (at !== null) pointed = data.t[plot.stops.length - 1 - at] ?? null;
    if (other.at !== at) { other.at = at; other.mark(); }
  };
}

/** N and P jump to the next and the previous signal, round the ends, E explains the point under the cursor. They act in a
 * focused chart only. */
function jump(event, plot) {
  const key = event.key.toLowerCase();
  if (data && key === 'e' && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    event.stopPropagation();
    $('explain-point').click();
    return;
  }
  if (!data || event.ctrlKey || event.altKey || event.metaKey || !['n', 'p'].includes(key)) return;
  const last = plot.stops.length - 1;
  const all = [...new Set([...data.sig, ...data.companion.sig, ...(data.within?.sig ?? [])].map(([i]) => i))].sort((a, b) => a - b);
  event.preventDefault();
  if (all.length === 0) {
    // A key that leads nowhere says so.
    plot.readout.setAttribute('aria-live', 'polite');
    plot.readout.textContent = t('spc_no_signal_here');
    return;
  }
  const now = plot.at === null ? (key === 'n' ? -1 : last + 1) : last - plot.at;
  const to = key === 'n' ? all.find((i) => i > now) ?? all[0] : all.findLast((i) => i < now) ?? all.at(-1);
  plot.move(last - to);
}
