// Drawings of the simulator's page: rejects of each minute, and under them what was really wrong with the plant.

import { clock, fixed, hm, kindBefore, num, s, t, title, word } from './format.mjs';
import { axis, MINUTE_MS, shape, ticks } from './chart.mjs';
import { hour, times } from './trend.mjs';

/** A row of the lane takes no more than this. */
const ROW_PX = 24;
/** The reject chart goes up to so many times its centre. */
const MOST_CENTERS = 10;
/** Room for the name of a fault at the right end of its row. */
const NAME_PX = 12;

/**
 * Reject fraction minute by minute over the last hour, and over it the subgroups that are judged, with their limits.
 * @param {SVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {{trend: any, chart: any, now: number}} data
 */
export function drawRejects(svg, width, height, { trend, chart, now }) {
  const { box, x, inside, from } = hour(width, height, now);
  const minutes = trend.start_ms.map((at, i) => ({ t: at, p: trend.reject_percent[i] })).filter((minute) => minute.t + MINUTE_MS > from);
  const step = (chart?.subgroup_minutes ?? 1) * MINUTE_MS;
  const shown = (chart?.points ?? []).filter((point) => point.t + step > from);
  const center = chart?.limits?.center ?? null;
  const most = Math.max(0.01, ...minutes.map((minute) => minute.p ?? 0), ...shown.map((point) => Math.max(point.p ?? 0, point.ucl ?? 0)));
  // A minute of a few capsules after a start would press all others to the ground; what is higher is cut at the top.
  const marks = ticks(0, center ? Math.min(most, center * MOST_CENTERS) : most, 3);
  const y = (p) => Math.max(box.top, box.bottom - p / marks.at(-1) * (box.bottom - box.top));
  axis(svg, box, marks, y, (mark) => fixed(mark, marks[1] < 0.1 ? 2 : 1));
  svg.append(s('text', { class: 'axis', x: box.right + 6, y: box.top + 10 }, '%'));
  times(svg, box, x, height, now);
  let trace = '';
  let pen = false;
  for (const minute of minutes) {
    if (minute.p !== null) trace += `${pen ? 'L' : 'M'}${inside(minute.t)} ${y(minute.p)}H${inside(minute.t + MINUTE_MS)}`;
    pen = minute.p !== null;
  }
  let limit = '';
  const stops = minutes.map((minute) => {
    const point = shown.findLast((one) => one.t <= minute.t && minute.t < one.t + step);
    return { x: inside(minute.t + MINUTE_MS / 2), y: minute.p === null ? null : y(minute.p), text: t('sim_reject_point', { time: hm(minute.t), p: fixed(minute.p, 3), ucl: fixed(point?.ucl ?? null, 3) }) };
  });
  for (const point of shown) {
    const [left, right] = [inside(point.t), inside(point.t + step)];
    if (point.ucl !== null) limit += `M${left} ${y(point.ucl)}H${right}`;
    if (point.p === null || !point.complete) continue;
    const at = `translate(${(left + right) / 2} ${y(point.p)})`;
    svg.append(point.rules.length > 0 ? shape(point.rules[0], { transform: at }) : s('circle', { class: 'point', r: 4, transform: at }));
  }
  svg.append(s('path', { class: 'limit', d: limit }), s('path', { class: 'trace', d: trace }));
  const last = minutes.findLast((minute) => minute.p !== null);
  const signals = shown.filter((point) => point.rules.length > 0).length;
  return { stops, summary: t('sim_reject_summary', { n: minutes.length, last: fixed(last?.p ?? null, 3), signals }) };
}

export function rejectRows({ chart }) {
  return {
    head: [t('time'), '%', 'UCL', 'x / n'],
    body: (chart?.points ?? []).slice(-60).reverse().map((point) => [hm(point.t), fixed(point.p, 3), fixed(point.ucl, 3), `${num(point.x)} / ${num(point.n)}`]),
  };
}

/** What came of a fault, in words. */
export function verdict(injection, age) {
  const said = word('sim_verdict', injection.verdict);
  return injection.delay_ms === null ? said : `${said} ${age(injection.delay_ms)}`;
}

/**
 * Faults of the last hour in rows of their kinds: when they were there, when they were noticed, what was missed; and in a
 * row of its own what was said of nothing.
 * @param {SVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {{sim: any, now: number, age: (ms: number) => string}} data
 */
export function drawLane(svg, width, height, { sim, now, age }) {
  const { box, x, inside, from } = hour(width, height, now);
  const shown = sim.injections.filter((one) => (one.to_ms ?? now) >= from || (one.noticed_ms ?? 0) >= from);
  const wrong = sim.false_alarms.filter((one) => one.at_ms >= from);
  const kinds = [...new Set(shown.map((one) => one.fault))];
  const rows = kinds.length + (wrong.length > 0 ? 1 : 0);
  const step = Math.min(ROW_PX, (box.bottom - box.top) / Math.max(1, rows));
  times(svg, box, x, height, now);
  svg.append(s('path', { class: 'grid', d: `M${box.left} ${box.bottom}H${box.right}` }));
  const middle = (row) => box.top + step * (row + 0.5);
  for (let row = 0; row < rows; row += 1) svg.append(s('path', { class: 'grid', d: `M${box.left} ${middle(row)}H${box.right}` }));
  const nameOf = (id) => title(sim.faults.find((fault) => fault.id === id)?.title ?? { en: id, zh: id });
  const stops = [];
  for (const one of shown) {
    const row = kinds.indexOf(one.fault);
    const [left, right] = [inside(one.from_ms), inside(Math.min(one.to_ms ?? now, now))];
    const half = Math.max(2, step / 2 - 3);
    const wide = Math.max(4, right - left);
    svg.append(s('rect', { class: one.lasts ? 'truth open' : 'truth', x: left, y: middle(row) - half, width: wide, height: 2 * half }));
    if (one.noticed_ms !== null && one.noticed_ms >= from) {
      svg.append(s('path', { class: 'noticed', d: `M${inside(one.noticed_ms)} ${middle(row) - half}l5 ${2 * half}h-10z` }));
    }
    if (one.verdict === 'missed') {
      const at = left + wide + 9;
      svg.append(s('path', { class: 'missed', d: `M${at - 5} ${middle(row) - 5}l10 10m0 -10l-10 10` }));
    }
    stops.push({ x: left, y: middle(row), text: t('sim_lane_point', { time: clock(one.from_ms), fault: nameOf(one.fault), verdict: verdict(one, age) }) });
  }
  // Names go last, over the bars, at the end of the row that has room.
  kinds.forEach((kind, row) => label(svg, box, middle(row), step, nameOf(kind), Math.max(...shown.filter((one) => one.fault === kind).map((one) => inside(Math.min(one.to_ms ?? now, now))))));
  wrong.forEach((one) => {
    const at = inside(one.at_ms);
    svg.append(s('path', { class: 'false-alarm', d: `M${at} ${middle(kinds.length) - 6}l6 6l-6 6l-6 -6z` }));
    stops.push({ x: at, y: middle(kinds.length), text: t('sim_lane_point', { time: clock(one.at_ms), fault: signText(one), verdict: word('sim_verdict', 'false') }) });
  });
  if (wrong.length > 0) label(svg, box, middle(kinds.length), step, word('sim_verdict', 'false'), Math.max(...wrong.map((one) => inside(one.at_ms))));
  if (rows === 0) svg.append(s('text', { class: 'axis', x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, 'text-anchor': 'middle' }, t('sim_lane_none')));
  stops.sort((a, b) => a.x - b.x);
  const of = (what) => shown.filter((one) => one.verdict === what).length;
  return { stops, summary: t('sim_lane_summary', { n: shown.length, noticed: of('noticed'), missed: of('missed'), false: wrong.length }) };
}

/** The name of a row: behind its last bar where it fits there, else before its first. */
function label(svg, box, y, step, text, end) {
  if (step < NAME_PX) return;
  const width = [...text].reduce((all, c) => all + (c.charCodeAt(0) > 255 ? 15 : 8), 0);
  const behind = end + 20 + width < box.right + 80;
  svg.append(s('text', { class: 'axis', x: behind ? end + 20 : box.left + 4, y: y + 5, 'text-anchor': 'start' }, text));
}

/** What the service says of a fault, in words. */
export function signText(sign) {
  const kind = { state: 'state', stop: 'class', clock: 'clock' }[sign.kind] ?? 'word';
  const said = sign.kind === 'incident' ? t(sign.word) : word(kind, sign.word);
  return `${kindBefore(sign.kind, said)}${said}${sign.station ? ` · ${sign.station}` : ''}`;
}

export function laneRows({ sim, age }) {
  const nameOf = (id) => title(sim.faults.find((fault) => fault.id === id)?.title ?? { en: id, zh: id });
  return {
    head: [t('time'), t('sim_end'), t('sim_fault'), t('sim_notice')],
    body: sim.injections.slice().reverse().map((one) => [clock(one.from_ms), one.to_ms === null ? '–' : clock(one.to_ms), nameOf(one.fault), verdict(one, age)]),
  };
}
