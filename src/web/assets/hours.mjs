// Rows of the hour board.

import { h, num, offBy, s, t, unknownShare } from './format.mjs';

/**
 * What an hour brought against its target, what is not known of it hatched.
 * @param {any} hour
 * @param {number} full  what the target rate asks for in an hour
 */
export function hourBar(hour, full) {
  const [unknown, counted] = [hour.unknown ?? 0, hour.counted ?? hour.good?.best ?? 0];
  const bar = s('svg', { class: 'hour-bar', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const x = (n) => Math.min(1, n / (full * 1.1)) * 120;
  bar.append(s('rect', { width: 120, height: 16, class: 'track' }));
  if (!hour.good) {
    bar.append(s('rect', { width: x(full), height: 16, class: 'hatched' }));
    return bar;
  }
  // Behind what was counted: what the target rate could have made in the time that is not known.
  if (unknown > 0) bar.append(s('rect', { x: x(hour.good.best), width: x(unknown), height: 16, class: 'hatched' }));
  bar.append(s('rect', { y: 3, width: x(counted), height: 10, class: 'filled' }));
  if (hour.gap) bar.append(s('rect', { x: x(counted), y: 2, width: Math.max(3, x(hour.gap.best)), height: 12, class: 'part unknown' }));
  bar.append(s('path', { d: `M${x(hour.target)} 0V16`, class: 'target-mark' }));
  return bar;
}

/** What a number of the hour board needs said beside it. */
export function notes(hour) {
  if (!hour.good) return [h('span', { class: 'fault off' }, t(hour.watched ? 'not_read' : 'not_watched'))];
  const words = [];
  if (offBy(hour.good)) words.push(h('span', { class: 'dim off' }, offBy(hour.good)));
  if (hour.gap?.best > 0) words.push(h('span', { class: 'fault off' }, t('unwatched_short', { n: num(hour.gap.best) })));
  else if (hour.known_percent < 100) words.push(h('span', { class: 'fault off' }, t('hour_unknown', { n: unknownShare(hour.known_percent) })));
  return words;
}
