// The state of the line in one tile: unknown beats every other state.

import { clock, hm, hms, put, s, show, t, title, word } from './format.mjs';
import { shape } from './chart.mjs';

const $ = (id) => document.getElementById(id);

/**
 * The output of the line: of the shift, between shifts since the journal began. Nothing where nothing of it was read, and
 * none of the time before is shown in its place.
 * @param {any} view
 */
export function output(view) {
  if (view.feed === 'waiting') return null;
  return view.shift ? view.shift.good : view.total.high > 0 ? view.total : null;
}

/**
 * The state of the line with its shape, its duration, its reason, batch and shift.
 * @param {any} view
 * @param {boolean} lost
 */
export function showState(view, lost) {
  const element = $('state');
  const unknown = lost || !view || view.state.word === 'unknown';
  const state = view?.state;
  const name = unknown ? 'unknown' : state.word;
  const kind = unknown ? 'unknown' : state.class;
  element.dataset.state = name;
  element.dataset.class = kind;
  show($('state-shape'), kind, () => [shape(kind)].concat(kind === 'unknown'
    ? [s('text', { y: 4.5, 'text-anchor': 'middle', class: 'mark' }, '?')] : []));
  put('state-word', word('state', name));
  put('state-for', !state || state.since_ms === null || lost ? '' : hms(state.for_ms));
  put('state-why', why(unknown, view, lost));
  put('batch', view?.batch ?? t('no_batch'));
  const shift = view?.shift;
  put('shift', shift ? `${shift.name} ${hm(shift.start_ms)}–${hm(shift.end_ms)}` : t('no_shift'));
}

/** Under the state: the last one while it is unknown, else why it stands. */
function why(unknown, view, lost) {
  const state = view?.state;
  if (!state || state.since_ms === null) return '';
  if (unknown) {
    const last = lost && state.word !== 'unknown' ? state.word : state.last;
    if (last === 'unknown') return '';
    const until = lost && state.word !== 'unknown' ? view.at_ms : state.since_ms;
    return `${t('last_state', { state: word('state', last) })} ${clock(until)}`;
  }
  const parts = [];
  if (state.stop_title) parts.push(title(state.stop_title));
  else if (state.stop_reason) parts.push(t('code', { n: state.stop_reason }));
  if (state.word === 'unknown_code') parts.push(t('code', { n: state.raw ?? '–' }));
  parts.push(t('since', { time: clock(state.since_ms) }));
  return parts.join(' · ');
}

/** Whether the counting station is read at the moment. */
export function held(view) {
  return view.feed === 'current' && view.state.word !== 'unknown';
}

/**
 * The mark of figures that cannot all be right: the counts of the shift contradict each other.
 * @param {any} view
 */
export function showBalance(view) {
  const places = (view.shift?.unbalanced ?? []).map((stations) => stations.join(' → ')).join(', ');
  const text = places === '' ? '' : t('unbalanced', { places });
  for (const mark of document.querySelectorAll('.unbalanced')) {
    mark.hidden = text === '';
    if (mark.title === text) continue;
    mark.title = text;
    mark.querySelector('.away').textContent = text;
  }
}
