// What this page has painted, said to the service every few seconds. It says so only after a frame was drawn: a page whose
// renderer hangs falls silent, and the list of displays calls it frozen.

const EVERY_MS = 5000;
const ANSWER_WITHIN_MS = 4000;
const NAME = 'capline-display-name';
const NAME_LENGTH = 40;

/** Eight bytes as hexadecimal. Outside of a secure context a browser has no random UUID. */
function random() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A word that a store of the browser keeps; a browser that keeps nothing is another screen each time. */
function kept(store, key) {
  try {
    const known = store().getItem(key);
    if (known) return known;
    const made = random();
    store().setItem(key, made);
    return made;
  } catch {
    return random();
  }
}

/** This browser and its tab. */
export const SCREEN = `${kept(() => localStorage, 'capline-screen')}-${kept(() => sessionStorage, 'capline-tab')}`;

export function displayName() {
  try {
    return localStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** Names this display; all tabs of a browser share the name. @param {string} name */
export function nameDisplay(name) {
  try {
    localStorage.setItem(NAME, name.trim().slice(0, NAME_LENGTH));
  } catch {
    // A browser that keeps nothing stays without a name.
  }
  send('visible');
}

// A wall has nothing to type into: it is named by its address.
const asked = new URLSearchParams(location.search).get('name');
const load = random();
let n = 0;
let left = false;
let live = null;
/** When a frame was last drawn after a change of the page, on this page's own clock, and the last event in it. */
let painted = null;
let seq = null;
let wished = false;
let said = () => {};

/** Kept once the service has heard of this page for the first time, or could not be reached. */
export const acknowledged = new Promise((kept) => { said = kept; });

/** The page has changed: once that is drawn, it counts as painted. */
export function changed() {
  // A hidden page draws nothing: one wish is enough until it is seen again.
  if (wished) return;
  wished = true;
  requestAnimationFrame(() => {
    wished = false;
    painted = performance.now();
    seq = live?.seq ?? null;
    if (n === 0) send('visible');
  });
}

/** @param {import('./live.mjs').Live} stream */
export function acknowledge(stream) {
  live = stream;
  if (asked !== null) nameDisplay(asked);
  setInterval(() => !document.hidden && !left && send('visible'), EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    // Some browsers hide a page after it was left: it stays left.
    if (document.hidden && !left) send('hidden');
    if (!document.hidden && !left) changed();
    if (!document.hidden && !left) send('visible');
  });
  window.addEventListener('pagehide', () => {
    left = true;
    send('left');
  });
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    left = false;
    send('visible');
  });
}

/** @param {'visible'|'hidden'|'left'} shown */
function send(shown) {
  // Nothing was drawn yet: there is nothing to acknowledge.
  if (painted === null) return;
  n += 1;
  const body = JSON.stringify({
    screen: SCREEN, load, n, name: displayName(), page: location.pathname.slice(0, 120), line: document.body.dataset.line,
    seq, painted_ago_ms: Math.max(0, Math.round(performance.now() - painted)), build: document.body.dataset.build, shown,
  });
  if (shown !== 'visible') {
    navigator.sendBeacon('/api/v1/ack/paint', new Blob([body], { type: 'application/json' }));
    return;
  }
  // One that hangs must not keep a connection from the stream.
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ANSWER_WITHIN_MS);
  fetch('/api/v1/ack/paint', { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: giveUp.signal })
    .catch(() => {}).finally(() => {
      clearTimeout(timer);
      said();
    });
}
