// The time line of a span: when the line stood and why, and its short stops hour by hour.

import { clock, day, fixed, hm, hms, num, s, t, title, unknownShare, word } from './format.mjs';
import { shape } from './chart.mjs';

/** Shapes of causes: the classes of time that they make. */
export const SHAPES = { internal: 'internal', starved: 'external', blocked: 'external', external: 'external', planned: 'planned', unknown: 'idle', no_signal: 'unknown', micro: 'idle' };

/** The reason of a stop, in the words of the plant where it is a known one. */
export const reasonOf = ({ reason, title: known }) => (known ? title(known) : reason);

/** A time of the day, with the day where a span has several. */
export const when = (ms, span) => (span.to_ms - span.from_ms > 86400000 ? `${day(ms)} ${clock(ms)}` : clock(ms));

/** So far apart are shapes that do not lie on each other, in pixels. */
const APART_PX = 14;

/**
 * Stops at the foot of another drawing: bars, and the shapes of the time line where there is room for them.
 * @param {SVGElement} svg
 * @param {{id: string, from_ms: number, to_ms: number|null, cause: string}[]} stops  oldest first
 * @param {{from: number, until: number, bottom: number}} box  what is drawn, and until when a stop that goes on is known to
 * @param {(ms: number) => number} x
 */
export function stopTicks(svg, stops, { from, until, bottom }, x) {
  let last = -Infinity;
  for (const { id, from_ms: begun, to_ms: ended, cause } of stops) {
    const end = ended ?? until;
    // What nobody saw is no stop, and is hatched.
    if (cause === 'no_signal' || end <= from || end <= begun) continue;
    const [left, right] = [x(begun), x(end)];
    svg.append(s('rect', { class: `stop ${SHAPES[cause]}`, 'data-tick': id, x: left, y: bottom - 5, width: Math.max(2, right - left), height: 5 }));
    const middle = (left + right) / 2;
    if (middle - last < APART_PX) continue;
    last = middle;
    svg.append(shape(SHAPES[cause], { transform: `translate(${middle} ${bottom - 13}) scale(0.7)` }));
  }
}

/** @param {number} offset seconds of the plant's time before UTC */
export function drawTimeline(svg, width, height, { window: span, stops, n_stops: n, recorded_from_ms: recorded }, offset) {
  const box = { left: 12, right: width - 12, top: 8, bottom: height - 24 };
  const x = (ms) => box.left + (Math.max(span.from_ms, Math.min(span.to_ms, ms)) - span.from_ms) / (span.to_ms - span.from_ms) * (box.right - box.left);
  svg.append(s('rect', { class: 'part run', x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top }));
  if (recorded > span.from_ms) svg.append(s('rect', { class: 'ground', x: box.left, y: box.top, width: x(recorded) - box.left, height: box.bottom - box.top }),
    s('rect', { class: 'part unknown', x: box.left, y: box.top, width: x(recorded) - box.left, height: box.bottom - box.top }));
  const steps = [15, 30, 60, 120, 240, 480, 1440].map((n) => n * 60000);
  const step = steps.find((n) => (span.to_ms - span.from_ms) / n * 64 < width) ?? steps.at(-1);
  const first = Math.ceil((span.from_ms + offset * 1000) / step) * step - offset * 1000;
  for (let at = first; at < span.to_ms; at += step) {
    svg.append(s('path', { class: 'tick', d: `M${x(at)} ${box.bottom}v5` }));
    if (x(at) > 20 && x(at) < width - 20) svg.append(s('text', { class: 'axis', x: x(at), y: height - 5, 'text-anchor': 'middle' }, hm(at) === '00:00' ? day(at) : hm(at)));
  }
  const places = [...stops].reverse().map((stop) => {
    const [from, to] = [x(stop.from_ms), x(stop.to_ms ?? span.to_ms)];
    const kind = SHAPES[stop.cause];
    svg.append(s('rect', { class: `ground`, x: from, y: box.top, width: Math.max(1.5, to - from), height: box.bottom - box.top }));
    svg.append(s('rect', { class: kind === 'unknown' ? 'part unknown' : `stop ${kind}`, x: from, y: box.top + 16, width: Math.max(1.5, to - from), height: box.bottom - box.top - 16 }));
    // The shape says which stop it is where there is room for it; the colour alone never does.
    if (to - from > 14) svg.append(shape(kind, { transform: `translate(${(from + to) / 2} ${box.top + 8}) scale(0.7)` }));
    return { x: (from + to) / 2, y: box.top + 16, id: stop.id, from, to, text: [when(stop.from_ms, span), word('cause', stop.cause), reasonOf(stop), stop.stations.join(' / '), hms(stop.lasted_ms)].filter(Boolean).join(' · ') };
  });
  return { stops: places, summary: t('timeline_summary', { n, time: hms(span.to_ms - span.from_ms) }) };
}

export function timelineRows({ stops, window: span }) {
  return {
    head: [t('time'), t('cause_word'), t('station'), t('reason_word'), t('lasted')],
    body: stops.map((stop) => [when(stop.from_ms, span), word('cause', stop.cause), stop.stations.join(' / '), reasonOf(stop), hms(stop.lasted_ms)]),
  };
}

/** What is said of an hour: its short stops, and how much of it nobody saw. */
const hourText = (hour, span) => [
  t('micro_hour', { hour: span.to_ms - span.from_ms > 86400000 ? `${day(hour.hour_ms)} ${hm(hour.hour_ms)}` : hm(hour.hour_ms), n: num(hour.n), time: hms(hour.ms) }),
  hour.known_percent < 100 ? t('hour_unknown', { n: unknownShare(hour.known_percent) }) : '',
].filter(Boolean).join(' · ');

/** Short stops by hour: a bar for how many, and hatched from above what of the hour is not known. */
export function drawMicro(svg, width, height, { micro_hours: hours, n_micro: n, micro_ms: ms, window: span }) {
  const box = { left: 12, right: width - 12, top: 18, bottom: height - 22 };
  const step = (box.right - box.left) / Math.max(1, hours.length);
  const most = Math.max(1, ...hours.map((hour) => hour.n));
  const every = Math.ceil(52 / step);
  svg.append(s('path', { class: 'tick', d: `M${box.left} ${box.bottom}H${box.right}` }));
  const stops = hours.map((hour, i) => {
    const left = box.left + i * step;
    const top = box.bottom - hour.n / most * (box.bottom - box.top);
    const bar = { x: left + Math.min(2, step / 6), width: Math.max(1.5, step - Math.min(4, step / 3)) };
    if (hour.known_percent < 100) svg.append(s('rect', { class: 'part unknown', ...bar, y: box.top, height: Math.max(4, (100 - hour.known_percent) / 100 * (box.bottom - box.top)) }));
    if (hour.n > 0) svg.append(s('rect', { class: 'stop idle', ...bar, y: top, height: box.bottom - top }));
    if (hour.n > 0 && step >= 22) svg.append(s('text', { class: 'axis num', x: left + step / 2, y: top - 4, 'text-anchor': 'middle' }, num(hour.n)));
    if (i % every === 0 && left + step / 2 > 20 && left + step / 2 < width - 20) {
      svg.append(s('text', { class: 'axis', x: left + step / 2, y: height - 5, 'text-anchor': 'middle' }, span.to_ms - span.from_ms > 86400000 && hm(hour.hour_ms) === '00:00' ? day(hour.hour_ms) : hm(hour.hour_ms)));
    }
    return { x: left + step / 2, y: top, text: hourText(hour, span) };
  });
  return { stops, summary: t('micro_hours_summary', { n: num(n), hours: num(hours.length), time: hms(ms) }) };
}

export function microRows({ micro_hours: hours }) {
  return {
    head: [t('time'), t('micro_stops'), t('lasted'), t('coverage')],
    body: hours.map((hour) => [`${day(hour.hour_ms)} ${hm(hour.hour_ms)}`, num(hour.n), hms(hour.ms), `${fixed(hour.known_percent, 1)} %`]),
  };
}
