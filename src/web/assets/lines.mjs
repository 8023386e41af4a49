// The lines of the plant in the bar, with their states and calls for help: what happens on one is seen on the pages of all.

import { REPLAY, show, t, word, write } from './format.mjs';
import { icon } from './chart.mjs';

const EVERY_MS = 1000;
const CHECK_MS = 250;
const ANSWER_WITHIN_MS = 1800;
/** An answer that was asked for so long ago no longer describes a line. */
const LOST_MS = 3500;
const links = [...document.querySelectorAll('.bar .lines a')];

let asking = false;
/** When the last answer was asked for; until the first one, when this page began. */
let heard = performance.now();
let lines = null;

async function ask() {
  if (asking || document.hidden) return;
  asking = true;
  const asked = performance.now();
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ANSWER_WITHIN_MS);
  try {
    const answer = await fetch('/api/v1/lines', { signal: giveUp.signal, cache: 'no-store' });
    if (!answer.ok) return;
    lines = await answer.json();
    heard = asked;
    draw();
  } catch {
    // What is shown grows old, and says so in a moment.
  } finally {
    clearTimeout(timer);
    asking = false;
  }
}

function draw() {
  const lost = performance.now() - heard > LOST_MS;
  // Before the first answer nothing is said at all.
  if (!lines && !lost) return;
  for (const link of links) {
    const known = lost ? undefined : lines.find(({ id }) => id === link.dataset.of);
    mark(link, known);
  }
}

/** Of a line that is not told of nothing is shown but that it is not known. */
function mark(link, line) {
  const [state, kind] = line ? [line.state, line.class] : ['unknown', 'unknown'];
  const [untaken, taken] = line ? [line.untaken_calls, line.taken_calls] : [0, 0];
  link.dataset.state = state;
  link.dataset.class = kind;
  link.dataset.told = String(Boolean(line));
  show(link.querySelector('.line-shape'), kind, () => [icon(kind)]);
  write(link.querySelector('.line-word'), word('state', state));
  write(link.querySelector('.line-calls'), untaken > 0 ? `▲ ${untaken}` : taken > 0 ? `● ${taken}` : '');
  const said = [`${link.dataset.of} ${word('state', state)}`, line ? '' : t('no_answer'),
    untaken > 0 ? t('line_calls_untaken', { n: untaken }) : '', taken > 0 ? t('line_calls_taken', { n: taken }) : ''];
  const text = said.filter(Boolean).join(', ');
  if (link.title === text) return;
  link.title = text;
  link.setAttribute('aria-label', text);
}

// The present of other lines has no place on a page of the past.
if (links.length > 0 && !REPLAY) {
  ask();
  setInterval(ask, EVERY_MS);
  setInterval(draw, CHECK_MS);
  document.addEventListener('visibilitychange', () => {
    draw();
    ask();
  });
}
