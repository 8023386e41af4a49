// The link to the edge. A timer in this page, not an error of the socket, decides that data are late or lost: a
// hung service, a pulled cable and a frozen switch raise no error for minutes.

import { check } from './session.mjs';
import { REPLAY } from './format.mjs';

/** Nothing heard for so long: late. */
export const LATE_MS = 1500;
/** Nothing heard for so long: lost. With the check below and a busy browser that is said within four seconds. */
const LOST_MS = 3500;
const CHECK_MS = 100;
const POLL_MS = 2000;
const POLL_WITHIN_MS = 1800;
/** A silent stream is opened anew after this: the other end may be gone without a word. */
const REOPEN_MS = 6000;
const FAILURES_BEFORE_POLLING = 3;
const SKEW_MS = 1000;
const SKEW_SAMPLES = 5;

/**
 * @typedef {'live'|'late'|'lost'|'polling'} LinkWord
 * @typedef {{word: LinkWord, age: number, heard: boolean, skew: number|null, stalled: boolean}} LinkState
 */

export class Live {
  /**
   * @param {string} line
   * @param {{view: (view: any) => void, charts: (charts: any) => void, link: (link: LinkState) => void,
   *          restored: (gap: number, missed: any) => void, missed: (missed: any) => void, step?: () => number,
   *          now?: (now: any) => void}} on  with `now` counts come as soon as they move, up to ten times a second; `step`: seconds of a point of what was missed
   */
  constructor(line, on) {
    this.line = line;
    this.on = on;
    this.source = null;
    this.failures = 0;
    this.polling = false;
    this.asking = false;
    this.opened = 0;
    this.polled = 0;
    this.start = performance.now();
    /** When the present was last heard of, on this browser's own clock. */
    this.heard = null;
    this.lost = false;
    this.hidden = false;
    this.stalled = false;
    this.minute = undefined;
    /** @type {number[]} */
    this.skews = [];
    /** The line's clock: `at` when `when`, running `speed` times as fast as ours. */
    this.time = null;
    this.speed = 1;
    /** Number of the last view of the stream. */
    this.seq = null;
    /** Id of the last event heard: a stream that is opened anew goes on after it. */
    this.last = null;
    /** What was missed, until the return is told. */
    this.away = null;
  }

  run() {
    if (REPLAY) {
      this.show();
      return;
    }
    document.addEventListener('visibilitychange', () => this.turn());
    window.addEventListener('pagehide', () => this.close());
    window.addEventListener('pageshow', (event) => event.persisted && this.turn());
    setInterval(() => this.check(), CHECK_MS);
    this.first();
    this.open();
  }

  /** A past moment: what came with the page is all there is. */
  show() {
    const { view, charts } = JSON.parse(document.getElementById('first').textContent);
    this.on.view(view);
    this.on.charts(charts);
  }

  /** The figures that came with the page. They aged on the way; those of a page from a cache are of any age. */
  first() {
    const [page] = performance.getEntriesByType('navigation');
    if (!page || page.transferSize === 0) return;
    const { speed, view, charts } = JSON.parse(document.getElementById('first').textContent);
    this.speed = speed;
    this.take(view, page.responseStart);
    this.on.charts(charts);
  }

  /** Now, on the line's clock; none before the first view. */
  now() {
    return this.time && this.time.at + (performance.now() - this.time.when) * this.speed;
  }

  open() {
    this.close();
    this.opened = performance.now();
    const query = new URLSearchParams({ line: this.line });
    if (this.on.now) query.set('hz', '10');
    if (this.on.step) query.set('step', String(this.on.step()));
    // A browser gives the id back only where it opens the stream again by itself.
    if (this.last !== null) query.set('after', this.last);
    const source = new EventSource(`/events?${query}`);
    this.source = source;
    const hear = (take) => (event) => {
      if (this.source !== source) return;
      this.last = event.lastEventId;
      this.failures = 0;
      this.polling = false;
      take(JSON.parse(event.data));
    };
    source.addEventListener('missed', hear((missed) => this.meanwhile(missed)));
    source.addEventListener('hb', hear((beat) => this.beat(beat)));
    source.addEventListener('view', (event) => {
      if (this.source === source) this.seq = Number.parseInt(event.lastEventId, 10);
    });
    source.addEventListener('view', hear((view) => this.take(view)));
    source.addEventListener('now', hear((now) => this.on.now?.(now)));
    source.addEventListener('charts', hear((charts) => this.on.charts(charts)));
    source.addEventListener('error', () => {
      if (this.source === source) this.fail();
    });
  }

  close() {
    if (this.source) this.source.close();
    this.source = null;
  }

  /** A stream failed; the next attempt comes with the check. Our own pace, because browsers differ. */
  fail() {
    this.close();
    check();
    this.failures += 1;
  }

  /** Hidden pages give their connection back: a browser has only six for one address. */
  turn() {
    this.hidden = document.hidden;
    if (document.hidden) {
      this.close();
    } else {
      // What is on the screen is as old as it is; the check says so until the stream is back.
      this.quiet = true;
      this.failures = 0;
      this.open();
      this.check();
    }
  }

  /** @param {{t: number, speed: number, build: string}} beat */
  beat(beat) {
    this.speed = beat.speed;
    this.skews.push(Date.now() - beat.t);
    if (this.skews.length > SKEW_SAMPLES) this.skews.shift();
    if (beat.build !== document.body.dataset.build && isCalm()) this.renew(beat.build);
  }

  /** Loads the pages of the new service, once for each build: a proxy that still gives the old ones must not make us spin. */
  renew(build) {
    if (sessionStorage.getItem('renewed') === build) return;
    sessionStorage.setItem('renewed', build);
    location.reload();
  }

  /** What happened while nothing was heard; it comes before the present. */
  meanwhile(missed) {
    this.away = missed;
    this.on.missed(missed);
  }

  take(view, when = performance.now()) {
    // A status that was old when it was sent is as old here.
    const heard = when - view.age_ms;
    this.stalled = view.feed === 'stalled';
    if (this.lost && performance.now() - heard <= LOST_MS) {
      this.lost = false;
      if (!this.quiet && this.heard !== null) this.on.restored(heard - this.heard, this.away);
    }
    this.quiet = false;
    this.away = null;
    this.heard = Math.max(this.heard ?? heard, heard);
    if (!this.stalled) this.time = { at: view.at_ms + view.age_ms * this.speed, when };
    this.on.view(view);
    if (this.polling && view.minute_ms !== this.minute) this.askCharts();
    this.minute = view.minute_ms;
    this.check();
  }

  check() {
    if (this.hidden) return;
    const now = performance.now();
    const age = now - (this.heard ?? this.start);
    if (age > LOST_MS) this.lost = true;
    const healthy = this.polling ? 'polling' : age > LATE_MS || this.heard === null ? 'late' : 'live';
    this.on.link({
      word: age > LOST_MS ? 'lost' : healthy,
      age,
      heard: this.heard !== null,
      skew: this.skew(),
      stalled: this.stalled,
    });
    this.mend(now, age);
  }

  /** Opens what has to be opened again. */
  mend(now, age) {
    const wait = this.source ? Math.max(REOPEN_MS, LOST_MS) : Math.min(500 * 2 ** this.failures, 5000);
    if ((!this.source || (age > LOST_MS && !this.stalled)) && now - this.opened > wait) {
      if (this.source) this.failures += 1;
      this.open();
    }
    if (this.failures >= FAILURES_BEFORE_POLLING && now - this.polled > POLL_MS) {
      this.polled = now;
      this.ask();
    }
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    const view = await get(`/api/v1/lines/${encodeURIComponent(this.line)}/snapshot`);
    this.asking = false;
    if (view && this.failures >= FAILURES_BEFORE_POLLING) {
      this.polling = true;
      this.take(view);
    }
  }

  async askCharts() {
    const charts = await get(`/api/v1/lines/${encodeURIComponent(this.line)}/charts`);
    if (charts) this.on.charts(charts);
  }

  /** How far our clock is ahead of the edge's, if by more than a second. Delays only add, so the least counts. */
  skew() {
    const ahead = this.ahead();
    return ahead !== null && Math.abs(ahead) > SKEW_MS ? ahead : null;
  }

  /** How far our clock is ahead of the edge's; none before that is known, and of a plant that is faster than real. */
  ahead() {
    return this.speed !== 1 || this.skews.length < SKEW_SAMPLES ? null : Math.min(...this.skews);
  }
}

/** Nothing is being typed or read in a dialog, that a reload would take away. The next beat asks again. */
function isCalm() {
  return !document.querySelector('dialog[open]') && !document.activeElement?.matches('input, textarea, select');
}

async function get(path) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), POLL_WITHIN_MS);
  try {
    const answer = await fetch(path, { signal: giveUp.signal, cache: 'no-store' });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
