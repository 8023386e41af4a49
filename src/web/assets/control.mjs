// The chart of the reject fraction under its limits in force: geometry and words; limits and signals come judged.

import { fixed, h, hm, num, s, show, t, word, words } from './format.mjs';
import { axis, icon, MINUTE_MS, shape, ticks } from './chart.mjs';

/** How many times as high as the limit a fraction may lie and still be drawn to scale. */
const ROOF = 4;

export function drawControl(svg, width, height, chart) {
  const points = chart.points;
  if (!points.some((point) => point.p !== null)) {
    return { stops: [], summary: t('chart_no_data') };
  }
  const step = chart.subgroup_minutes * MINUTE_MS;
  const box = { left: 66, right: width - 116, top: 12, bottom: height - 26 };
  // A short subgroup has a limit far away: it may leave the drawing, a fraction may not.
  const last = points.findLast((point) => point.ucl !== null);
  const shown = points.flatMap((point) => [point.p, Math.max(point.lcl ?? 0, 0)]).filter((p) => p !== null);
  // One handful of capsules of which all were rejected must not flatten the rest: it stands at the edge, with its number.
  const roof = last ? last.ucl * ROOF : Infinity;
  const [low, high] = [Math.min(...shown), Math.max(...shown.filter((p) => p <= roof), (last?.ucl ?? 0) * 1.1, 0.001)];
  const marks = ticks(Math.max(0, low - (high - low) * 0.05), Math.min(100, high + (high - low) * 0.05), 3);
  const [min, max] = [marks[0], marks.at(-1)];
  // The newest stands at the right, as in the trend; a young chart has its room to the left.
  const until = points.at(-1).t + step;
  const span = Math.max(until - points[0].t, step * 20);
  const from = until - span;
  const x = (ms) => box.left + (ms - from) / span * (box.right - box.left);
  const y = (p) => box.bottom - (p - min) / (max - min) * (box.bottom - box.top);
  axis(svg, box, marks, y, (mark) => `${fixed(mark, decimals(marks))} %`);
  timeLabels(svg, box, from, from + span, x, height);
  svg.append(s('clipPath', { id: 'pchart-box' }, s('rect', { x: box.left, y: box.top - 2, width: box.right - box.left, height: box.bottom - box.top + 4 })));
  for (const [name, pick] of [['plain', (p) => p.ucl_p], ['limit', (p) => p.ucl], ['limit', (p) => p.lcl], ['center', (p) => p.cl]]) {
    svg.append(s('path', { class: name, d: steps(points, step, pick, x, y), 'clip-path': 'url(#pchart-box)' }));
  }
  svg.append(s('path', { class: 'trace', d: trace(points, step, x, y), 'clip-path': 'url(#pchart-box)' }));
  const stops = points.map((point) => {
    const [cx, cy] = [x(point.t + step / 2), point.p === null ? null : y(point.p)];
    if (cy !== null && point.p <= max) svg.append(marker(point, cx, cy, points.length));
    else if (cy !== null) {
      // Where the limits have their names there is no room for another.
      const [at, anchor] = cx + 80 > box.right ? [cx - 10, 'end'] : [cx + 10, 'start'];
      svg.append(marker(point, cx, box.top + 6, points.length), s('text', { class: 'axis', x: at, y: box.top + 11, 'text-anchor': anchor }, `↑ ${fixed(point.p, 1)} %`));
      return { x: cx, y: box.top + 6, text: pointText(point) };
    }
    return { x: cx, y: cy, text: pointText(point) };
  });
  limitLabels(svg, chart, box, y);
  return { stops, summary: controlSummary(chart) };
}

/** As many as the marks of an axis need. */
function decimals([first, second]) {
  const whole = (n) => Math.abs((second - first) * 10 ** n - Math.round((second - first) * 10 ** n)) < 1e-6;
  return [0, 1, 2].find(whole) ?? 3;
}

function marker(point, x, y, n) {
  const at = `translate(${x} ${y})`;
  if (!point.complete) return s('circle', { class: 'hollow', r: 4, transform: at });
  if (point.rules.length === 0) return s('circle', { class: 'point', r: n > 60 ? 2 : 3, transform: at });
  return shape(point.rules[0], { transform: at });
}

function steps(points, step, pick, x, y) {
  let path = '';
  let last = null;
  for (const point of points) {
    const limit = pick(point);
    if (limit !== null && limit !== undefined) path += `${last === point.t ? 'L' : 'M'}${x(point.t)} ${y(limit)}H${x(point.t + step)}`;
    last = limit === null || limit === undefined ? null : point.t + step;
  }
  return path;
}

/** Joins neighbours only: a gap stays a gap. */
function trace(points, step, x, y) {
  let path = '';
  let last = null;
  for (const point of points) {
    if (point.p === null || !point.complete) {
      last = null;
      continue;
    }
    path += `${last === point.t ? 'L' : 'M'}${x(point.t + step / 2)} ${y(point.p)}`;
    last = point.t + step;
  }
  return path;
}

function limitLabels(svg, chart, box, y) {
  const last = chart.points.findLast((point) => point.ucl !== null);
  if (!last) return;
  const labels = [['UCL', last.ucl], ['CL', last.cl], ['LCL', last.lcl]].filter(([, value]) => value !== null)
    .map(([name, value]) => ({ name, value, at: y(value) + 5 }));
  for (let i = 1; i < labels.length; i += 1) labels[i].at = Math.max(labels[i].at, labels[i - 1].at + 17);
  const over = Math.max(0, (labels.at(-1)?.at ?? 0) - box.bottom);
  for (const { name, value, at } of labels) {
    svg.append(s('text', { class: 'axis', x: box.right + 6, y: at - over }, `${name} ${fixed(value, 3)} %`));
  }
}

function timeLabels(svg, box, from, to, x, height) {
  const spans = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((n) => n * MINUTE_MS);
  const step = spans.find((span) => (to - from) / span * 70 < box.right - box.left) ?? 1440 * MINUTE_MS;
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    svg.append(s('path', { class: 'tick', d: `M${x(at)} ${box.bottom}v4` }));
    if (x(at) > box.left + 16 && x(at) < box.right - 16) svg.append(s('text', { class: 'axis', x: x(at), y: height - 8, 'text-anchor': 'middle' }, hm(at)));
  }
}

/** Which limits judge: `limits v3 approved`, `limits v1 provisional`, or that there are none. */
export function limitsTag(chart) {
  if (!chart) return '';
  return chart.limits ? t('limits_tag', { version: `v${chart.limits.version}`, state: words(`limits.${chart.limits.state}`) }) : t('limits_none');
}

/** Beside the title: signals with their shapes and words, and what the limits rest on. */
export function legend(chart) {
  show(document.getElementById('pchart-legend'), chart, () => {
    const parts = chart.by_rule.map(([rule, n]) => h('span', { class: 'signal' }, icon(rule), ` ${word('rule', rule)} ×${n}`));
    const { limits } = chart;
    if (!limits) parts.push(h('span', {}, t('chart_no_limits', { n: chart.n_whole })));
    else {
      if (parts.length === 0) parts.push(h('span', {}, t(chart.n_judged > 0 ? 'no_signals' : 'spc_nothing_judged')));
      parts.push(h('span', {}, t('limits_rest', { n: limits.subgroups })));
      // In two languages the line has no room for it; the workbench says it.
      if (document.body.dataset.lang !== 'both') parts.push(h('span', {}, t('sigma_z', { a: fixed(limits.sigma_z) })));
      parts.push(h('span', {}, t('plain_signals', { n: chart.plain_signals, of: chart.n_judged, hours: fixed(chart.span_hours, chart.span_hours % 1 ? 1 : 0) })));
    }
    if (!chart.startup_discards) parts.push(h('span', {}, t('without_startup')));
    return parts.flatMap((part, i) => (i > 0 ? [' · ', part] : [part]));
  });
}

function pointText(point) {
  const parts = [t('point_text', {
    time: hm(point.t), p: fixed(point.p, 3), n: num(point.x), total: num(point.n), lcl: fixed(point.lcl, 3), ucl: fixed(point.ucl, 3),
  })];
  if (!point.complete) parts.push(t('incomplete'));
  for (const rule of point.rules) parts.push(`■ ${word('rule', rule)}`);
  return parts.join(' · ');
}

function controlSummary(chart) {
  return t('chart_summary', {
    n: chart.points.length, minutes: chart.subgroup_minutes, cl: fixed(chart.limits?.center ?? null, 3), last: fixed(chart.points.at(-1).p, 3), signals: chart.signals,
  });
}

export function controlRows(chart) {
  return {
    head: [t('time'), t('rejected'), 'n', '%', 'LCL', 'UCL', ''],
    body: chart.points.map((point) => [
      hm(point.t), num(point.x), num(point.n), fixed(point.p, 3), fixed(point.lcl, 3), fixed(point.ucl, 3),
      [point.complete ? '' : t('incomplete'), ...point.rules.map((rule) => word('rule', rule))].filter(Boolean).join(' · '),
    ]).reverse(),
  };
}
