// The latest events: what happened, when, and how long it lasted.

import { clock, detail, doubt, h, happened, hms, num, show, t, word } from './format.mjs';
import { icon } from './chart.mjs';

/** @param {any[]} events  newest first */
export function showEvents(events) {
  show(document.getElementById('events'), events, () => (events.length === 0 ? [h('li', {}, t('no_events'))] : events.map((event) => {
    const what = happened(event);
    const number = event.count ? ` ${num(event.count.best)} ${doubt(event.count)}`.trimEnd() : '';
    // What happened comes first: what is cut where the list is narrow is in the line that opens below.
    const happening = `${event.station ?? ''} ${what}${number}`.trim();
    const kind = word('kind', event.kind);
    return h('li', {}, h('details', {}, h('summary', { title: [clock(event.at_ms), kind, happening, detail(event)].filter(Boolean).join(' · ') },
      h('span', { class: 'num' }, clock(event.at_ms)), mark(event),
      h('span', {}, h('b', {}, happening), ...(event.lasted_ms === undefined ? [] : [` ${hms(event.lasted_ms)}`]),
        h('span', { class: 'dim detail' }, ` ${detail(event) || kind}`)),
    ), h('p', { class: 'dim' }, [kind, event.tag, detail(event)].filter(Boolean).join(' · '))));
  })));
}

/** What stands before an event: the shape of a stop, the diamond of data that are missing or in doubt. */
function mark(event) {
  if (event.kind === 'stop') return icon(event.word);
  if (event.kind === 'alarm') return icon('internal');
  const doubtful = event.kind === 'count' || (event.kind === 'link' && event.word === 'down');
  return doubtful ? icon('unknown') : h('span', { class: 'icon' });
}
