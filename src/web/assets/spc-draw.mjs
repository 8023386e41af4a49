// The drawings of the workbench. Every number and limit comes computed; what is more than the pixels is drawn as they are.

import { day, fixed, hm, num, s, t, word } from './format.mjs';
import { shape, ticks } from './chart.mjs';
import { unitOf } from './spc-panel.mjs';

const MINUTE_MS = 60000;

/** The shown part of a chart: columns from `a` up to `b`. */
export function cut(full, a, b) {
  if (a === 0 && b === full.t.length) return full;
  const columns = (of, names) => Object.fromEntries(names.map((name) => [name, of[name].slice(a, b)]));
  const sig = (all) => all.filter(([i]) => i >= a && i < b).map(([i, rule]) => [i - a, rule]);
  const { companion, plain, within } = full;
  const side = (of) => of && { ...of, ...columns(of, ['y', 'lcl', 'ucl']), down: of.down.slice(a, b), sig: sig(of.sig) };
  const from = full.t[a] ?? 0;
  const to = b < full.t.length ? full.t[b] : Infinity;
  return {
    ...full,
    ...columns(full, ['t', 'n', 'x', 'doubt', 'p', 'cl', 'lcl', 'ucl', 'z', 'fitness', 'follows', 'coverage', 'version']),
    sig: sig(full.sig),
    companion: side(companion),
    within: side(within),
    plain: plain && { ...plain, ...columns(plain, ['lcl', 'ucl']) },
    marks: full.marks.filter((mark) => mark.t >= from && mark.t < to),
    filling: b === full.t.length ? full.filling : null,
  };
}

/** Rules by point. */
export function byPoint(sig) {
  const found = new Map();
  for (const [i, rule] of sig) found.set(i, [...(found.get(i) ?? []), rule]);
  return found;
}

/** Shapes by what a rule looks at: one point, one side, a trend, a pattern. */
export function mark(rule) {
  return {
    N1: 'N1', WE1: 'N1', N2: 'N2', WE4: 'N2', AIAG2: 'N2', LIMIT: 'N2', UPPER: 'N2', LOWER: 'N2', N3: 'N3', N5: 'N3', N6: 'N3', WE2: 'N3', WE3: 'N3',
  }[rule] ?? 'N4';
}

/** Where time and values lie in a drawing. */
export function scale(data, width, height, values, floor, top = 12) {
  const box = { left: 72, right: width - 84, top, bottom: height - 26 };
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  // Numbers of a low chart would touch.
  const n = box.bottom - box.top < 70 ? 2 : 4;
  const marks = ticks(floor === null ? low - room : Math.max(floor, low - room), high + room, n);
  const step = data.subgroup_minutes * MINUTE_MS;
  const last = Math.max(data.t.at(-1) ?? 0, data.filling?.t ?? 0);
  const from = data.t.length ? Math.min(data.t[0], last - 19 * step) : 0;
  const span = data.t.length ? last + step - from : 1;
  return {
    data, box, marks, step, from, span,
    x: (ms) => box.left + (ms - from) / span * (box.right - box.left),
    y: (v) => box.bottom - (v - marks[0]) / (marks.at(-1) - marks[0]) * (box.bottom - box.top),
  };
}

function frame(svg, a, height) {
  const { data } = a;
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
  hatch(svg, a);
  data.version.forEach((version, i) => {
    if (i === 0 || version === data.version[i - 1] || version === 0) return;
    svg.append(s('path', { class: 'version', d: `M${a.x(data.t[i])} ${a.box.top}V${a.box.bottom}` }));
    svg.append(s('text', { class: 'axis', x: a.x(data.t[i]) + 4, y: a.box.top + 12 }, `v${version}`));
  });
}

/** What is not known or not judged is hatched, a stop is left blank: neither is joined by a line. */
function hatch(svg, a) {
  const { data } = a;
  let from = null;
  let end = null;
  const close = () => {
    if (from !== null) svg.append(s('rect', { class: 'unjudged', x: a.x(from), y: a.box.top, width: Math.max(1, a.x(end) - a.x(from)), height: a.box.bottom - a.box.top }));
    from = null;
  };
  data.fitness.forEach((fitness, i) => {
    if (fitness !== 'incomplete' || (from !== null && end !== data.t[i])) close();
    if (fitness !== 'incomplete') return;
    if (from === null) from = data.t[i];
    end = data.t[i] + a.step;
  });
  close();
}

/** Batches and shifts that begin stand above the chart; a name is left out where the one before leaves no room. */
function marks(svg, a) {
  let until = -Infinity;
  for (const one of a.data.marks) {
    const x = a.x(one.t);
    if (x < a.box.left || x > a.box.right) continue;
    // Below a name it stays inside the chart, and does not strike the name through.
    const above = x < until ? 0 : one.kind === 'batch' ? 18 : 10;
    svg.append(s('path', { class: `axis-mark ${one.kind}`, d: `M${x} ${a.box.top + 6}V${a.box.top - above}` }));
    const text = one.kind === 'batch' ? one.text : `${word('mark', 'shift')} ${one.text}`;
    if (x < until || x > a.box.right - 60) continue;
    svg.append(s('text', { class: `axis mark-text ${one.kind}`, x: x + 4, y: a.box.top - 6 }, text));
    until = x + 12 + text.length * 8;
  }
}

const CLIPPED = { 'clip-path': 'url(#control-box)' };

function clip(svg, { box }) {
  svg.append(s('clipPath', { id: 'control-box' }, s('rect', { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top + 1 })));
}

const px = (n) => Math.round(n * 10) / 10;

/** A stepped line: limits belong to the whole of a subgroup. Steps of one height are one stroke. */
export function steps(a, values) {
  const { t: at } = a.data;
  let path = '';
  let end = null;
  let height = null;
  values.forEach((value, i) => {
    if (value === null || value === undefined) {
      if (end !== null) path += `H${px(a.x(end))}`;
      end = null;
      return;
    }
    const y = px(a.y(value));
    if (end !== at[i]) {
      if (end !== null) path += `H${px(a.x(end))}`;
      path += `M${px(a.x(at[i]))} ${y}`;
    } else if (y !== height) path += `H${px(a.x(end))}V${y}`;
    end = at[i] + a.step;
    height = y;
  });
  return end === null ? path : `${path}H${px(a.x(end))}`;
}

/**
 * A line through judged points; a break, a hole or an unjudged point ends it. With more points than pixels a column of
 * pixels is drawn from its first point over the lowest and the highest to its last.
 */
export function trace(a, values) {
  const { data } = a;
  const dense = values.length > 2 * (a.box.right - a.box.left);
  let path = '';
  let end = null;
  let column = null;
  const flush = () => {
    if (column && column.n > 1) path += `V${px(column.low)}V${px(column.high)}V${px(column.last)}`;
    column = null;
  };
  values.forEach((value, i) => {
    if (value === null || data.fitness[i] !== 'whole') {
      flush();
      end = null;
      return;
    }
    const on = end === data.t[i] && data.follows[i] === 'on';
    const [x, y] = [a.x(data.t[i] + a.step / 2), a.y(value)];
    end = data.t[i] + a.step;
    if (dense && on && column && Math.floor(x) === column.x) {
      column.n += 1;
      column.low = Math.min(column.low, y);
      column.high = Math.max(column.high, y);
      column.last = y;
      return;
    }
    flush();
    path += `${on ? 'L' : 'M'}${px(x)} ${px(y)}`;
    column = { x: Math.floor(x), n: 1, low: y, high: y, last: y };
  });
  flush();
  return path;
}

function points(svg, a, values, sig, text) {
  const { data } = a;
  const rules = byPoint(sig);
  const few = values.length <= 400;
  return values.map((value, i) => {
    const x = a.x(data.t[i] + a.step / 2);
    const y = value === null ? null : a.y(value);
    if (y !== null) {
      const at = { transform: `translate(${px(x)} ${px(y)})` };
      if (rules.has(i)) svg.append(shape(mark(rules.get(i)[0]), at));
      else if (few && data.fitness[i] !== 'whole') svg.append(s('circle', { class: 'hollow', r: 4, ...at }));
      else if (few) svg.append(s('circle', { class: 'point', r: values.length > 120 ? 1.5 : 2.5, ...at }));
    }
    // Words are made for the point under the cursor, not for all of them.
    return { x, y, get text() { return text(i); } };
  });
}

/** The subgroup that fills: hollow, joined with nothing, with the limits of its present size. */
function filling(svg, a) {
  const { filling: open } = a.data;
  if (!open || open.p === null) return [];
  const [x, y] = [a.x(open.t + a.step / 2), Math.max(a.box.top, Math.min(a.box.bottom, a.y(open.p)))];
  svg.append(s('circle', { class: 'provisional-point', r: 5, transform: `translate(${px(x)} ${px(y)})` }));
  return [{ x, y, text: t('spc_filling', { time: hm(open.t), p: fixed(open.p, places(a.data)), of: of(a.data, open.x, open.n) }) }];
}

/** The chart itself. */
export function drawMain(svg, width, height, data) {
  if (data.t.length === 0) return { stops: [], summary: t('chart_no_data') };
  const floor = measured(data) ? null : 0;
  // A short subgroup has limits far away: they may leave the drawing, a point may not.
  const near = [data.lcl, data.ucl].map((limits) => limits.filter((limit) => limit !== null).sort((a, b) => a - b));
  const a = scale(data, width, height, [...data.p, data.filling?.p ?? null, ...near.map((limits) => limits[Math.floor(limits.length / 2)] ?? null)], floor, 26);
  frame(svg, a, height);
  clip(svg, a);
  marks(svg, a);
  if (data.plain) for (const limit of [data.plain.lcl, data.plain.ucl]) svg.append(s('path', { class: 'plain', d: steps(a, limit), ...CLIPPED }));
  for (const [name, limit] of [['limit', data.ucl], ['limit', data.lcl], ['center', data.cl]]) svg.append(s('path', { class: name, d: steps(a, limit), ...CLIPPED }));
  svg.append(s('path', { class: 'trace', d: trace(a, data.p) }));
  const rules = byPoint(data.sig);
  const stops = points(svg, a, data.p, data.sig, (i) => mainText(data, rules, i));
  stops.push(...filling(svg, a));
  for (const [name, column] of [['UCL', data.ucl], ['CL', data.cl], ['LCL', data.lcl]]) {
    const last = column.findLast((value) => value !== null);
    if (last !== undefined) svg.append(s('text', { class: 'axis', x: a.box.right + 6, y: a.y(last) + 5 }, `${name} ${fixed(last, last < 10 ? 3 : 0)}`));
  }
  return { stops, summary: summary(data) };
}

/** A chart beside that there is not. */
export const NOTHING = { name: 's', y: [], down: [], lcl: [], ucl: [], cl: null, sig: [] };

/** Draws the chart beside the main one that `which` names: EWMA, CUSUM to both sides, moving range, or spread within. */
export function drawSide(which) {
  return (svg, width, height, data) => drawOne(svg, width, height, data, data[which] ?? NOTHING);
}

function drawOne(svg, width, height, data, { y, down, lcl, ucl, cl, sig, name }) {
  if (y.every((value) => value === null)) return { stops: [], summary: t('chart_no_data') };
  const a = scale(data, width, height, [...y, ...down, ...lcl, ...ucl], ['mr', 's'].includes(name) ? 0 : null);
  frame(svg, a, height);
  svg.append(s('path', { class: 'limit', d: steps(a, ucl) }), s('path', { class: 'limit', d: steps(a, lcl) }));
  if (cl !== null) svg.append(s('path', { class: 'center', d: `M${a.box.left} ${a.y(cl)}H${a.box.right}` }));
  if (down.length) {
    svg.append(s('path', { class: 'trace down', d: trace(a, down) }));
    const lower = sig.filter(([, rule]) => rule === 'LOWER');
    points(svg, a, down, lower, () => '');
  }
  svg.append(s('path', { class: 'trace', d: trace(a, y) }));
  const rules = byPoint(sig);
  const text = (i) => [
    `${time(data, i)} · ${word('companion', name)} ${fixed(y[i], 3)}${down.length ? ` / ${fixed(down[i], 3)}` : ''}`,
    ...(rules.get(i) ?? []).map((rule) => word('rule', rule)),
  ].join(' · ');
  const stops = points(svg, a, y, down.length ? sig.filter(([, rule]) => rule !== 'LOWER') : sig, text);
  // As many places as the chart above has, so that one cursor stands in both.
  const open = data.filling && data.filling.p !== null ? [{ x: a.x(data.filling.t + a.step / 2), y: null, text: '' }] : [];
  return { stops: [...stops, ...open], summary: `${word('companion', name)}: ${t('spc_summary_signals', { n: sig.length })}` };
}

export const time = (data, i) => `${day(data.t[i])} ${hm(data.t[i])}`;

/** Whether it charts measurements: these have no rejects, and their axis need not begin at 0. */
const measured = (data) => !['%', '‰'].includes(data.characteristic.unit);

/** Decimals of a value: a rate needs four, a weight two, a speed one. */
export const places = (data) => (data.characteristic.unit === 'mg' ? 2 : measured(data) ? 1 : 4);

/** What a point rests on: rejects of capsules, or weights. */
const of = (data, x, n) => (measured(data) ? `n ${num(n)}` : `${num(x)} / ${num(n)}`);

function mainText(data, rules, i) {
  const parts = [time(data, i), data.p[i] === null ? t('spc_no_value') : `${fixed(data.p[i], places(data))} ${unitOf(data)}`];
  if (data.characteristic.unit === 'mg' || !measured(data)) parts.push(of(data, data.x[i], data.n[i]));
  if (data.z[i] !== null) parts.push(`z ${fixed(data.z[i])}`);
  if (data.doubt[i]) parts.push(`[${num(data.doubt[i][0])}, ${num(data.doubt[i][1])}]`);
  if (data.fitness[i] !== 'whole') parts.push(word('fitness', data.fitness[i]));
  if (data.coverage[i] < 100) parts.push(t('spc_coverage', { n: data.coverage[i] }));
  if (data.follows[i] !== 'on') parts.push(word('follows', data.follows[i]));
  for (const rule of rules.get(i) ?? []) parts.push(`${rule} ${word('rule', rule)}`);
  return parts.join(' · ');
}

function summary(data) {
  const last = data.p.findLastIndex((value) => value !== null);
  return t('spc_summary', {
    chart: word('chart', data.characteristic.chart), n: data.t.length, minutes: data.subgroup_minutes,
    last: last < 0 ? '–' : `${fixed(data.p[last], places(data))} ${unitOf(data)}`, signals: data.sig.length,
  });
}
