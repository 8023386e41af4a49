// The trend of the output: minutes, target, stops and what is not known.

import { doubt, hm, LANG, num, s, t } from './format.mjs';
import { axis, MINUTE_MS, shape, ticks } from './chart.mjs';

const HOUR_MS = 3600000;

/**
 * @typedef {{trend: any, stops: any[]}} Charts
 * @typedef {{view: any, lost: boolean, now: number|null}} Present  the line as last heard of
 */

/** Since when nobody can tell of the line: since its state is not known, or since it was heard last. Null where it is told of. */
export function heldSince({ view, lost }) {
  if (!view) return null;
  if (view.state.word === 'unknown' && view.state.since_ms !== null) return view.state.since_ms;
  return lost ? view.at_ms : null;
}

/** Where the last hour lies in a drawing. */
export function hour(width, height, now) {
  const box = { left: 58, right: width - (LANG === 'both' ? 150 : 96), top: 12, bottom: height - 26 };
  const x = (ms) => box.left + (ms - (now - HOUR_MS)) / HOUR_MS * (box.right - box.left);
  return { box, x, inside: (ms) => Math.max(box.left, Math.min(box.right, x(ms))), from: now - HOUR_MS };
}

/** Every ten minutes of the last hour. */
export function times(svg, box, x, height, now) {
  for (let at = Math.ceil((now - HOUR_MS) / 600000) * 600000; at < now; at += 600000) {
    if (x(at) < box.left + 4) continue;
    svg.append(s('path', { class: 'tick', d: `M${x(at)} ${box.bottom}v4` }));
    if (x(at) < box.right - 22 && x(at) > box.left + 16) svg.append(s('text', { class: 'axis', x: x(at), y: height - 8, 'text-anchor': 'middle' }, hm(at)));
  }
}

/**
 * The trend, up to the line's present: the hatch of a gap grows while nothing arrives.
 * @param {SVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {Charts} data
 * @param {Present} present
 */
export function drawTrend(svg, width, height, data, { view, lost, now: present }) {
  const { trend: points } = data;
  const now = present ?? (points.start_ms.at(-1) ?? 0) + MINUTE_MS;
  const { box, x, inside } = hour(width, height, now);
  const target = view?.target_per_minute ?? 0;
  const marks = ticks(0, Math.max(target * 1.05, ...points.high.map((n) => n ?? 0)), 3);
  const max = marks.at(-1);
  const y = (n) => box.bottom - n / max * (box.bottom - box.top);
  axis(svg, box, marks, y, num);
  times(svg, box, x, height, now);
  const hatch = (from, to) => {
    if (inside(to) > inside(from)) svg.append(s('rect', { class: 'hatched', x: inside(from), y: box.top, width: inside(to) - inside(from), height: box.bottom - box.top }));
  };
  let path = '';
  let pen = false;
  const stops = [];
  points.start_ms.forEach((start, i) => {
    const n = points.best[i];
    if (start + MINUTE_MS <= now - HOUR_MS) return;
    if (n === null || points.known_percent[i] < 100) hatch(start, start + MINUTE_MS);
    const middle = inside(start + MINUTE_MS / 2);
    if (n === null) {
      pen = false;
      stops.push({ x: middle, y: null, text: `${hm(start)} · ${t('not_known')}` });
      return;
    }
    path += `${pen ? 'L' : 'M'}${inside(start)} ${y(n)}H${inside(start + MINUTE_MS)}`;
    pen = true;
    if (points.low[i] !== points.high[i]) svg.append(s('path', { class: 'whisker', d: `M${middle} ${y(points.low[i])}V${y(points.high[i])}` }));
    const range = doubt({ best: n, low: points.low[i], high: points.high[i] });
    stops.push({ x: middle, y: y(n), text: t('trend_point', { time: hm(start), n: `${num(n)} ${range}`.trim(), coverage: points.known_percent[i] }) });
  });
  // From what is known to now: nothing while live, a growing gap while nobody can tell.
  const first = points.start_ms[0];
  const until = (points.start_ms.at(-1) ?? now - MINUTE_MS) + MINUTE_MS;
  hatch(now - HOUR_MS, first ?? now);
  const held = heldSince({ view, lost });
  if (held !== null) hatch(Math.max(until, held), now);
  svg.append(s('path', { class: 'target', d: `M${box.left} ${y(target)}H${box.right}` }));
  svg.append(s('text', { class: 'axis', x: box.right + 6, y: y(target) + 5 }, t('target', { n: num(target) })));
  svg.append(s('path', { class: 'trace', d: path }));
  stopBars(svg, data, { view, lost, now }, box, inside);
  return { stops, summary: trendSummary(points, view) };
}

function stopBars(svg, data, { view, lost, now }, box, inside) {
  const spans = data.stops.slice();
  const open = view && view.state.since_ms !== null && !lost && !['run', 'unknown'].includes(view.state.class);
  if (open) spans.push({ from_ms: view.state.since_ms, to_ms: now, class: view.state.class });
  for (const { from_ms: from, to_ms: to, class: kind } of spans) {
    const width = inside(to) - inside(from);
    if (width <= 0) continue;
    svg.append(s('rect', { class: `stop ${kind}`, x: inside(from), y: box.bottom - 5, width: Math.max(2, width), height: 5 }));
    // The shape says which stop it is where there is room for it; the colour alone never does.
    if (width > 12) svg.append(shape(kind, { transform: `translate(${inside(from) + width / 2} ${box.bottom - 14}) scale(0.7)` }));
  }
}

function trendSummary(points, view) {
  const known = points.best.filter((n) => n !== null);
  if (known.length === 0) return `${t('trend')}: ${t('not_known')}`;
  return t('trend_summary', {
    n: points.best.length, min: num(Math.min(...known)), max: num(Math.max(...known)),
    last: points.best.at(-1) === null ? t('not_known') : num(points.best.at(-1)),
    target: num(view?.target_per_minute ?? 0), unknown: points.best.length - known.length,
  });
}

export function trendRows({ trend: points }) {
  return {
    head: [t('time'), t('actual'), '[ ]', t('coverage')],
    body: points.start_ms.map((start, i) => [
      hm(start), points.best[i] === null ? t('not_known') : num(points.best[i]),
      points.best[i] === null ? '' : doubt({ best: 0, low: points.low[i], high: points.high[i] }), `${points.known_percent[i]} %`,
    ]).reverse(),
  };
}
