// The workbench: asks for a chart, draws it with its companion. Every number and limit comes computed.

import { clock, day, fixed, h, hm, num, put, s, setOffset, show, t, word } from './format.mjs';
import { icon, Plot, shape, ticks } from './chart.mjs';
import { panels, unitOf } from './spc-panel.mjs';
import { join } from './shell.mjs';

const MINUTE_MS = 60000;
const $ = (id) => document.getElementById(id);
const tools = $('tools');
const id = tools.dataset.characteristic;
const base = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}`;
const address = `${base}/charts/${encodeURIComponent(id)}`;

/** The chart as it came, and the minute and the view it came with. */
let data = null;

/** A chart beside that there is not. */
const NOTHING = { name: 's', y: [], lcl: [], ucl: [], cl: null, sig: [] };
let view = null;
let minute = null;
let lost = false;
let asked = 0;

const main = new Plot('control', { draw: drawMain, rows: mainRows });
const beside = new Plot('beside', { draw: drawSide(() => data.companion), rows: sideRows(() => data.companion) });
// Only a three-way chart has it.
const within = $('within') && new Plot('within', { draw: drawSide(() => data.within), rows: sideRows(() => data.within) });
const plots = [main, beside, within].filter(Boolean);
for (const plot of plots) for (const other of plots) if (plot !== other) link(plot, other);
for (const plot of plots) plot.box.addEventListener('keydown', (event) => jump(event, plot));

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
    if (view.minute_ms !== minute) {
      const first = minute === null;
      minute = view.minute_ms;
      // The record is written a little after the minute; the charts task looks every two seconds.
      setTimeout(load, first ? 0 : 3000);
    }
  },
  link: (state) => {
    if (lost === (state.word === 'lost')) return;
    lost = state.word === 'lost';
    if (!lost) load();
  },
});
load();
live.run();

for (const name of ['minutes', 'hours', 'which']) $(name).addEventListener('change', load);
$('characteristic').addEventListener('change', (event) => {
  location.assign(`/spc/${encodeURIComponent(event.target.value)}?line=${encodeURIComponent(document.body.dataset.line)}`);
});
tools.addEventListener('submit', (event) => event.preventDefault());
$('csv').addEventListener('click', () => save(`${name()}.csv`, 'text/csv;charset=utf-8', csv()));
$('svg').addEventListener('click', () => save(`${name()}.svg`, 'image/svg+xml', picture()));
$('print').addEventListener('click', () => window.print());

/** Asks for the chart again; the answer to an older question is not drawn. */
async function load() {
  if (document.hidden && data) return;
  asked += 1;
  const mine = asked;
  const to = view ? view.at_ms : Date.now();
  const from = to - Number($('hours').value) * 3600000;
  const query = new URLSearchParams({ from, to, subgroup: $('minutes').value, limits: $('which').value });
  try {
    const answer = await fetch(`${address}?${query}`);
    const body = await answer.json();
    if (mine !== asked) return;
    if (!answer.ok) throw new Error(`${body.message}; ${body.hint}`);
    data = body;
    $('trouble').hidden = true;
    showAll();
  } catch (error) {
    put('trouble', t('spc_trouble', { why: error.message })).hidden = false;
  }
}

function showAll() {
  choices();
  put('control-title', `${word('chart', data.characteristic.chart)} · ${data.subgroup_minutes} min · ${unitOf(data)}`);
  put('beside-title', word('companion', data.companion.name));
  put('state', stateWords());
  legend('control-legend', data.sig, data.rules);
  legend('beside-legend', data.companion.sig, data.rules);
  if (within) legend('within-legend', data.within?.sig ?? [], data.rules);
  main.set(data);
  beside.set(data);
  if (within) within.set(data);
  panels(data, { address, base, reload: load, writes: tools.dataset.writes === 'true' });
}

/** Versions of limits join the two fixed choices. */
function choices() {
  const select = $('which');
  const fitting = data.judged_live ? data.versions : [];
  const words = fitting.map((limits) => [String(limits.version), `v${limits.version} ${word('limits', limits.state)}`]);
  const kept = select.value;
  show(select, words, () => [['in_force', t('spc_in_force')], ['trial', t('spc_trial')], ...words]
    .map(([value, text]) => h('option', { value }, text)));
  select.value = [...select.options].some((option) => option.value === kept) ? kept : 'in_force';
}

function stateWords() {
  const limits = data.limits;
  if (!limits) return t('spc_forming', { n: data.fitted.n_used });
  const which = data.by === 'trial' ? t('spc_trial_of', { n: limits.n_used }) : t('spc_version', {
    version: limits.version, state: word('limits', limits.state), n: limits.n_used, author: limits.decided_by ?? limits.author,
  });
  return `${which} · ${t(limits.may_page ? 'spc_pages' : 'spc_no_page')}`;
}

function legend(element, sig, rules) {
  const found = new Map();
  for (const [, rule] of sig) found.set(rule, (found.get(rule) ?? 0) + 1);
  show($(element), [...found], () => (found.size === 0 ? [document.createTextNode(t('no_signals'))]
    : [...found].flatMap(([rule, n]) => [h('span', { class: 'signal' }, icon(mark(rule)), ` ${rule} ${word('rule', rule)} ×${n} `)])));
}

// Drawing -------------------------------------------------------------------------------------------------------

/** Shapes by what a rule looks at: one point, one side, a trend, a pattern. */
function mark(rule) {
  return { N1: 'N1', WE1: 'N1', N2: 'N2', WE4: 'N2', AIAG2: 'N2', LIMIT: 'N2', N3: 'N3', N5: 'N3', N6: 'N3', WE2: 'N3', WE3: 'N3' }[rule] ?? 'N4';
}

function scale(width, height, values, floor) {
  const box = { left: 72, right: width - 84, top: 12, bottom: height - 26 };
  const shown = values.filter((value) => value !== null);
  const [low, high] = shown.length ? [Math.min(...shown), Math.max(...shown)] : [0, 1];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  const marks = ticks(floor === null ? low - room : Math.max(floor, low - room), high + room, 4);
  const step = data.subgroup_minutes * MINUTE_MS;
  const from = data.t.length ? Math.min(data.t[0], data.t.at(-1) - 19 * step) : 0;
  const span = data.t.length ? data.t.at(-1) + step - from : 1;
  return {
    box, marks, step, from, span,
    x: (ms) => box.left + (ms - from) / span * (box.right - box.left),
    y: (v) => box.bottom - (v - marks[0]) / (marks.at(-1) - marks[0]) * (box.bottom - box.top),
  };
}

function frame(svg, a, height) {
  const places = Math.max(0, Math.min(4, Math.ceil(-Math.log10((a.marks[1] ?? 1) - a.marks[0])) + 1));
  for (const at of a.marks) {
    svg.append(s('path', { class: 'grid', d: `M${a.box.left} ${a.y(at)}H${a.box.right}` }));
    svg.append(s('text', { class: 'axis', x: a.box.left - 6, y: a.y(at) + 5, 'text-anchor': 'end' }, fixed(at, places)));
  }
  const spans = [5, 15, 30, 60, 120, 180, 360, 720, 1440, 4320, 10080].map((n) => n * MINUTE_MS);
  const step = spans.find((span) => a.span / span * 96 < a.box.right - a.box.left) ?? spans.at(-1);
  for (let at = Math.ceil(a.from / step) * step; at < a.from + a.span; at += step) {
    svg.append(s('path', { class: 'tick', d: `M${a.x(at)} ${a.box.bottom}v4` }));
    const text = step >= 1440 * MINUTE_MS || hm(at) === '00:00' ? day(at) : hm(at);
    svg.append(s('text', { class: 'axis', x: a.x(at), y: height - 8, 'text-anchor': 'middle' }, text));
  }
  // What is not known or not judged is hatched, a stop is left blank: neither is joined by a line.
  data.fitness.forEach((fitness, i) => {
    if (fitness !== 'incomplete') return;
    svg.append(s('rect', { class: 'unjudged', x: a.x(data.t[i]), y: a.box.top, width: Math.max(1, a.x(data.t[i] + a.step) - a.x(data.t[i])), height: a.box.bottom - a.box.top }));
  });
  data.version.forEach((version, i) => {
    if (i === 0 || version === data.version[i - 1] || version === 0) return;
    svg.append(s('path', { class: 'version', d: `M${a.x(data.t[i])} ${a.box.top}V${a.box.bottom}` }));
    svg.append(s('text', { class: 'axis', x: a.x(data.t[i]) + 4, y: a.box.top + 12 }, `v${version}`));
  });
}

const CLIPPED = { 'clip-path': 'url(#control-box)' };

function clip(svg, { box }) {
  svg.append(s('clipPath', { id: 'control-box' }, s('rect', { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top + 1 })));
}

/** A stepped line: limits belong to the whole of a subgroup. */
function steps(a, values) {
  let path = '';
  let end = null;
  values.forEach((value, i) => {
    if (value !== null && value !== undefined) {
      path += `${end === data.t[i] ? 'L' : 'M'}${a.x(data.t[i])} ${a.y(value)}H${a.x(data.t[i] + a.step)}`;
      end = data.t[i] + a.step;
    } else end = null;
  });
  return path;
}

/** A line through judged points; a break, a hole or an unjudged point ends it. */
function trace(a, values) {
  let path = '';
  let end = null;
  values.forEach((value, i) => {
    if (value === null || data.fitness[i] !== 'whole') { end = null; return; }
    const on = end === data.t[i] && data.follows[i] === 'on';
    path += `${on ? 'L' : 'M'}${a.x(data.t[i] + a.step / 2)} ${a.y(value)}`;
    end = data.t[i] + a.step;
  });
  return path;
}

function points(svg, a, values, sig, text) {
  const rules = new Map();
  for (const [i, rule] of sig) if (!rules.has(i)) rules.set(i, rule);
  return values.map((value, i) => {
    const cx = a.x(data.t[i] + a.step / 2);
    const cy = value === null ? null : a.y(value);
    if (cy !== null) {
      const at = { transform: `translate(${cx} ${cy})` };
      if (rules.has(i)) svg.append(shape(mark(rules.get(i)), at));
      else if (data.fitness[i] !== 'whole') svg.append(s('circle', { class: 'hollow', r: 4, ...at }));
      else if (values.length <= 400) svg.append(s('circle', { class: 'point', r: values.length > 120 ? 1.5 : 2.5, ...at }));
    }
    return { x: cx, y: cy, text: text(i) };
  });
}

function drawMain(svg, width, height) {
  if (data.t.length === 0) return { stops: [], summary: t('chart_no_data') };
  const floor = measured() ? null : 0;
  // A short subgroup has limits far away: they may leave the drawing, a point may not.
  const near = [data.lcl, data.ucl].map((limits) => limits.filter((limit) => limit !== null).sort((a, b) => a - b));
  const a = scale(width, height, [...data.p, ...near.map((limits) => limits[Math.floor(limits.length / 2)] ?? null)], floor);
  frame(svg, a, height);
  clip(svg, a);
  if (data.plain) for (const limit of [data.plain.lcl, data.plain.ucl]) svg.append(s('path', { class: 'plain', d: steps(a, limit), ...CLIPPED }));
  for (const [name, limit] of [['limit', data.ucl], ['limit', data.lcl], ['center', data.cl]]) svg.append(s('path', { class: name, d: steps(a, limit), ...CLIPPED }));
  svg.append(s('path', { class: 'trace', d: trace(a, data.p) }));
  const stops = points(svg, a, data.p, data.sig, mainText);
  for (const [name, column] of [['UCL', data.ucl], ['CL', data.cl], ['LCL', data.lcl]]) {
    const last = column.findLast((value) => value !== null);
    if (last !== undefined) svg.append(s('text', { class: 'axis', x: a.box.right + 6, y: a.y(last) + 5 }, `${name} ${fixed(last, last < 10 ? 3 : 0)}`));
  }
  return { stops, summary: summary() };
}

/** Draws the chart beside the main one that `of` gives. */
function drawSide(of) {
  return (svg, width, height) => drawOne(of() ?? NOTHING, svg, width, height);
}

function drawOne({ name, y, lcl, ucl, cl, sig }, svg, width, height) {
  if (y.every((value) => value === null)) return { stops: [], summary: t('chart_no_data') };
  const a = scale(width, height, [...y, ...lcl, ...ucl], name === 'ewma' ? null : 0);
  frame(svg, a, height);
  svg.append(s('path', { class: 'limit', d: steps(a, ucl) }), s('path', { class: 'limit', d: steps(a, lcl) }));
  if (cl !== null) svg.append(s('path', { class: 'center', d: `M${a.box.left} ${a.y(cl)}H${a.box.right}` }));
  svg.append(s('path', { class: 'trace', d: trace(a, y) }));
  const stops = points(svg, a, y, sig, (i) => `${time(i)} · ${word('companion', name)} ${fixed(y[i], 3)} ${sideRulesAt(sig, i)}`);
  return { stops, summary: `${word('companion', name)}: ${t('spc_summary_signals', { n: sig.length })}` };
}

const time = (i) => `${day(data.t[i])} ${hm(data.t[i])}`;
const rulesAt = (sig, i) => sig.filter(([at]) => at === i).map(([, rule]) => rule);
const sideRulesAt = (sig, i) => rulesAt(sig, i).map((rule) => word('rule', rule)).join(', ');

/** Decimals of a value: a rate needs four, a speed one. */
const value = () => (data.characteristic.unit === 'mg' ? 2 : measured() ? 1 : 4);

/** Whether it charts measurements: these have no rejects, and their axis need not begin at 0. */
const measured = () => !['%', '‰'].includes(data.characteristic.unit);

function mainText(i) {
  const parts = [time(i), data.p[i] === null ? t('spc_no_value') : `${fixed(data.p[i], value())} ${unitOf(data)}`];
  if (data.characteristic.unit === 'mg') parts.push(`n ${num(data.n[i])}`);
  else if (!measured()) parts.push(`${num(data.x[i])} / ${num(data.n[i])}`);
  if (data.z[i] !== null) parts.push(`z ${fixed(data.z[i])}`);
  if (data.doubt[i]) parts.push(`[${num(data.doubt[i][0])}, ${num(data.doubt[i][1])}]`);
  if (data.fitness[i] !== 'whole') parts.push(word('fitness', data.fitness[i]));
  if (data.coverage[i] < 100) parts.push(t('spc_coverage', { n: data.coverage[i] }));
  if (data.follows[i] !== 'on') parts.push(word('follows', data.follows[i]));
  for (const rule of rulesAt(data.sig, i)) parts.push(`${rule} ${word('rule', rule)}`);
  return parts.join(' · ');
}

function summary() {
  const last = data.p.findLastIndex((value) => value !== null);
  return t('spc_summary', {
    chart: word('chart', data.characteristic.chart), n: data.t.length, minutes: data.subgroup_minutes,
    last: last < 0 ? '–' : `${fixed(data.p[last], value())} ${unitOf(data)}`, signals: data.sig.length,
  });
}

// Tables, keys, files -------------------------------------------------------------------------------------------

function mainRows() {
  const head = [t('spc_time'), 'n', 'x', unitOf(data), 'LCL', 'CL', 'UCL', 'z', t('spc_rules')];
  const body = data.t.map((_, i) => [time(i), num(data.n[i]), num(data.x[i]), fixed(data.p[i], value()), fixed(data.lcl[i], value()), fixed(data.cl[i], value()),
    fixed(data.ucl[i], value()), fixed(data.z[i], 2), [...rulesAt(data.sig, i), data.fitness[i] === 'whole' ? '' : word('fitness', data.fitness[i])].join(' ')]);
  return { head, body: body.reverse() };
}

function sideRows(of) {
  return () => rowsOf(of() ?? NOTHING);
}

function rowsOf({ name, y, lcl, ucl, sig }) {
  const body = data.t.map((_, i) => [time(i), fixed(y[i], 4), fixed(lcl[i], 4), fixed(ucl[i], 4), rulesAt(sig, i).join(' ')]);
  return { head: [t('spc_time'), word('companion', name), 'LCL', 'UCL', t('spc_rules')], body: body.reverse() };
}

/** The cursor of one chart stands in the other too. */
function link(plot, other) {
  const own = plot.move.bind(plot);
  plot.move = (at) => {
    own(at);
    if (other.at !== at) { other.at = at; other.mark(); }
  };
}

/** N and P jump to the next and the previous signal, round the ends. They act in a focused chart only. */
function jump(event, plot) {
  const key = event.key.toLowerCase();
  if (!data || event.ctrlKey || event.altKey || event.metaKey || !['n', 'p'].includes(key)) return;
  const last = data.t.length - 1;
  const all = [...new Set([...data.sig, ...data.companion.sig, ...(data.within?.sig ?? [])].map(([i]) => i))].sort((a, b) => a - b);
  if (all.length === 0) return;
  event.preventDefault();
  const now = plot.at === null ? (key === 'n' ? -1 : last + 1) : last - plot.at;
  const to = key === 'n' ? all.find((i) => i > now) ?? all[0] : all.findLast((i) => i < now) ?? all.at(-1);
  plot.move(last - to);
}

const name = () => {
  const sim = document.querySelector('.sim') ? '_SIM' : '';
  const at = data?.t.length ? new Date(data.t[0] + (view?.offset_s ?? 0) * 1000).toISOString().replace(/[-:]/g, '').slice(0, 13) : 'empty';
  return `${document.body.dataset.line}_${id.replaceAll('.', '-')}_${at}${sim}`;
};

/** ISO time with the plant's offset. */
function iso(ms) {
  const offset = view?.offset_s ?? 0;
  const two = (n) => String(Math.floor(n)).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 3600)}:${two(Math.abs(offset) % 3600 / 60)}`;
  return new Date(ms + offset * 1000).toISOString().slice(0, 19) + zone;
}

function csv() {
  const unit = { '%': 'percent', '‰': 'per_thousand', mg: 'mg' }[data.characteristic.unit] ?? 'per_minute';
  // A three-way chart has a third column; others keep the columns they always had.
  const third = data.within ? [data.within] : [];
  const head = ['start', 'subgroup_minutes', 'total', 'rejected', `value_${unit}`, 'lcl', 'cl', 'ucl', 'z', data.companion.name, ...third.map((side) => side.name), 'limits_version', 'rules', 'companion_rules', ...third.map((side) => `${side.name}_rules`), 'quality', 'follows', 'coverage_percent'];
  const cell = (value) => (value === null || value === undefined ? '' : String(value));
  const rows = data.t.map((ms, i) => [iso(ms), data.subgroup_minutes, data.n[i], data.x[i], data.p[i], data.lcl[i], data.cl[i], data.ucl[i], data.z[i],
    data.companion.y[i], ...third.map((side) => side.y[i]), data.version[i], rulesAt(data.sig, i).join(' '), rulesAt(data.companion.sig, i).join(' '), ...third.map((side) => rulesAt(side.sig, i).join(' ')), data.fitness[i], data.follows[i], data.coverage[i]].map(cell));
  // With a byte order mark, or a Chinese Excel takes it for GBK.
  return `\uFEFF${[head, ...rows].map((row) => row.join(',')).join('\r\n')}\r\n`;
}

/** The drawing with the colours of the page written into it, so that it stands alone. */
function picture() {
  const drawn = main.box.querySelector('svg');
  const copy = drawn.cloneNode(true);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const from = drawn.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, i) => {
    const style = getComputedStyle(from[i]);
    for (const key of ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-family', 'font-size']) {
      const value = style.getPropertyValue(key);
      // The hatch is drawn by the page; alone, what is not known is grey.
      element.setAttribute(key, value.includes('url(') ? '#888888' : value);
    }
    element.removeAttribute('class');
  });
  const title = s('title', {}, `${name()} ${clock(data.to_ms)}`);
  copy.prepend(title, s('rect', { width: '100%', height: '100%', fill: getComputedStyle($('control-card')).backgroundColor }));
  copy.querySelector('.cursor')?.remove();
  return new XMLSerializer().serializeToString(copy);
}

function save(file, type, text) {
  if (!data) return;
  const a = h('a', { href: URL.createObjectURL(new Blob([text], { type })), download: file });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}
