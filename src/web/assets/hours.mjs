// Rows of the hour board.

import { h, num, offBy, s, t } from './format.mjs';

const HOUR_MS = 3600000;

/**
 * What an hour brought against its target, what is not known of it hatched.
 * @param {any} hour
 * @param {any} view
 */
export function hourBar(hour, view) {
  const full = view.target_per_minute * 60;
  const bar = s('svg', { class: 'hour-bar', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const x = (n) => Math.min(1, n / (full * 1.1)) * 120;
  bar.append(s('rect', { width: 120, height: 16, class: 'track' }));
  if (!hour.good) {
    bar.append(s('rect', { width: x(full), height: 16, class: 'hatched' }));
    return bar;
  }
  const unwatched = hour.gap?.best ?? 0;
  // Behind what was counted: what the target rate could have made in the time that is not known.
  const passed = Math.min(1, (view.at_ms - hour.start_ms) / HOUR_MS) * full;
  const unknown = passed * (1 - hour.known_percent / 100);
  if (unknown > 0) bar.append(s('rect', { x: x(hour.good.best), width: x(unknown), height: 16, class: 'hatched' }));
  bar.append(s('rect', { y: 3, width: x(hour.good.best - unwatched), height: 10, class: 'filled' }));
  if (unwatched > 0) bar.append(s('rect', { x: x(hour.good.best - unwatched), y: 2, width: Math.max(3, x(unwatched)), height: 12, class: 'part unknown' }));
  bar.append(s('path', { d: `M${x(hour.target)} 0V16`, class: 'target-mark' }));
  return bar;
}

/** What a number of the hour board needs said beside it. */
export function notes(hour) {
  if (!hour.good) return [h('span', { class: 'fault off' }, t(hour.watched ? 'not_read' : 'not_watched'))];
  const words = [];
  if (offBy(hour.good)) words.push(h('span', { class: 'dim off' }, offBy(hour.good)));
  if (hour.gap) words.push(h('span', { class: 'fault off' }, t('unwatched_short', { n: num(hour.gap.best) })));
  else if (hour.known_percent < 100) words.push(h('span', { class: 'fault off' }, t('hour_known', { n: num(Math.floor(hour.known_percent)) })));
  return words;
}
