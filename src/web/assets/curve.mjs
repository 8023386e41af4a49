// The curve of the shift: what was made until each minute, against what the target asks for until then.

import { doubt, hm, hms, LANG, pieces, s, t } from './format.mjs';
import { axis, ticks } from './chart.mjs';
import { heldSince } from './trend.mjs';

const HOUR_MS = 3600000;

/**
 * @param {SVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {any} curve  as the service tells it
 * @param {{view: any, lost: boolean, now: number|null}} present  the line as last heard of
 */
export function drawCurve(svg, width, height, curve, present) {
  const { window: span, at_ms: times, best, low, high, target } = curve;
  const box = { left: 84, right: width - (LANG === 'both' ? 150 : 96), top: 12, bottom: height - 26 };
  const [from, end] = [span.from_ms, curve.end_ms];
  const x = (ms) => box.left + Math.max(0, Math.min(1, (ms - from) / (end - from))) * (box.right - box.left);
  const marks = ticks(0, Math.max(curve.target_end, ...high, 1), 3);
  const y = (n) => box.bottom - n / marks.at(-1) * (box.bottom - box.top);
  axis(svg, box, marks, y, pieces);
  // Whole hours, so many that their times do not stand on each other.
  const step = Math.ceil((end - from) / HOUR_MS / Math.max(1, (box.right - box.left) / 60)) * HOUR_MS;
  for (let at = Math.ceil(from / HOUR_MS) * HOUR_MS; at <= end; at += step) {
    svg.append(s('path', { class: 'tick', d: `M${x(at)} ${box.bottom}v4` }));
    if (x(at) < box.right - 22 && x(at) > box.left + 16) svg.append(s('text', { class: 'axis', x: x(at), y: height - 8, 'text-anchor': 'middle' }, hm(at)));
  }
  const hatch = (a, b) => {
    if (x(b) > x(a)) svg.append(s('rect', { class: 'hatched', x: x(a), y: box.top, width: x(b) - x(a), height: box.bottom - box.top }));
  };
  for (const [a, b] of curve.unknown_ms) hatch(a, b);
  // From what is known to now: a gap that grows while nobody can tell.
  const held = heldSince(present);
  if (held !== null && present.now !== null) hatch(Math.max(held, times.at(-1)), Math.min(present.now, end));
  const line = (values) => values.map((n, i) => `${i === 0 ? 'M' : 'L'}${x(times[i])} ${y(n)}`).join('');
  if (low.some((n, i) => n !== high[i])) {
    const back = low.map((n, i) => `L${x(times[i])} ${y(n)}`).reverse().join('');
    svg.append(s('path', { class: 'envelope', d: `${line(high)}${back}Z` }));
  }
  if (curve.watched_from_ms !== null) {
    const begun = Math.max(from, curve.watched_from_ms);
    svg.append(s('path', { class: 'target', d: `M${x(begun)} ${y(0)}L${x(end)} ${y(curve.target_end)}` }));
    svg.append(s('text', { class: 'axis', x: box.right + 6, y: Math.max(box.top + 5, y(curve.target_end) + 5) }, t('target_word')));
  }
  svg.append(s('path', { class: 'trace', d: line(best) }));
  const stops = times.map((at, i) => ({ x: x(at), y: y(best[i]), text: pointText(curve, i) }));
  return { stops, summary: summaryOf(curve) };
}

const countOf = ({ best, low, high }, i) => `${pieces(best[i])} ${doubt({ best: best[i], low: low[i], high: high[i] }, pieces)}`.trim();

function pointText(curve, i) {
  return t('curve_point', { time: hm(curve.at_ms[i]), n: countOf(curve, i), target: pieces(curve.target[i]) });
}

function summaryOf(curve) {
  if (curve.watched_from_ms === null) return t('shift_curve_none');
  const last = curve.at_ms.length - 1;
  const unknown = curve.unknown_ms.reduce((sum, [a, b]) => sum + b - a, 0);
  return t('shift_curve_summary', {
    from: hm(curve.window.from_ms), n: countOf(curve, last), time: hm(curve.at_ms[last]), target: pieces(curve.target[last]), unknown: hms(unknown),
  });
}

/** The same points as a table, newest first; a minute of which something is not known says so. */
export function curveRows(curve) {
  const isHatched = (at) => curve.unknown_ms.some(([a, b]) => at > a && at <= b);
  return {
    head: [t('time'), t('actual'), '[ ]', t('target_word'), ''],
    body: curve.at_ms.map((at, i) => [
      hm(at), pieces(curve.best[i]), doubt({ best: curve.best[i], low: curve.low[i], high: curve.high[i] }, pieces), pieces(curve.target[i]),
      isHatched(at) ? `▨ ${t('not_known')}` : '',
    ]).reverse(),
  };
}
