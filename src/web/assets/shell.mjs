// The frame of every page: link, clock, bands, theme.

import { age, clock, hms, num, put, REPLAY, setOffset, t, title, word, write } from './format.mjs';
import { acknowledge, changed } from './display.mjs';
import './explain.mjs';
import './keys.mjs';
import './lines.mjs';
import './session.mjs';
import { Live } from './live.mjs';
import { remember } from './page.mjs';

const body = document.body;
const THEMES = ['auto', 'light', 'dark'];
const RESTORED_SHOWN_MS = 30000;
/** A line that only just began is no line that has to be helped. */
const WAITING_MS = 8000;

/**
 * Joins a page with the stream of its line; `run()` of what is returned lets it begin.
 * @param {{view: (view: any) => void, charts?: (charts: any) => void, now?: (now: any) => void, link?: (link: any, live: Live) => void,
 *          missed?: (missed: any) => void, step?: () => number}} page
 * @returns {Live}
 */
export function join(page) {
  const live = new Live(body.dataset.line, {
    view: (view) => {
      // Before the clock is shown: without it the first quarter of a second is in UTC.
      setOffset(view.offset_s);
      if (!REPLAY) tick(live);
      faults(view);
      page.view(view);
    },
    charts: (charts) => page.charts?.(charts),
    link: (link) => {
      if (!REPLAY) showLink(link, live);
      page.link?.(link, live);
    },
    restored,
    missed: (missed) => {
      // Where the return was noticed by polling, the stream tells of it afterwards.
      if (!document.getElementById('band-restored').hidden) restored(gapTold, missed);
      page.missed?.(missed);
    },
    step: page.step,
    now: page.now && ((now) => {
      page.now(now);
      changed();
    }),
  });
  themes();
  tenThousands();
  acknowledge(live);
  // The past stands still: nothing of it may look as if it went on.
  setInterval(() => (REPLAY ? changed() : tick(live)), 250);
  return live;
}

/** The clock and the turning mark move by this page's own timer: they show that the browser is alive. */
function tick(live) {
  const now = live.now();
  if (now !== null) put('clock', clock(now));
  if (now !== null) rewind(now);
  const angle = Math.floor(performance.now() / 250) % 8 * 45;
  document.getElementById('beat')?.setAttribute('transform', `rotate(${angle})`);
  changed();
}

/** The way to the minute before, wherever the line's clock is by then. */
function rewind(now) {
  const link = document.getElementById('rewind');
  const at = Math.floor(now / 60000 - 1) * 60000;
  if (!link || link.dataset.at === String(at)) return;
  link.dataset.at = String(at);
  const address = new URL(location.href);
  address.searchParams.set('at', String(at));
  link.href = address.search;
}

function showLink(link, live) {
  if (body.dataset.link !== link.word) body.dataset.link = link.word;
  const first = !link.heard && link.word === 'late';
  put('link-word', t(first ? 'connecting' : link.word));
  put('link-age', age(link.age));
  const lost = link.word === 'lost';
  document.getElementById('band-lost').hidden = !lost;
  if (lost) {
    const at = live.time && live.now() - link.age * live.speed;
    put('lost-age', t('last_data', { time: at ? clock(at) : '--:--:--', age: age(link.age) }));
    put('lost-why', link.stalled ? `· ${t('stalled')}` : '');
    document.getElementById('band-restored').hidden = true;
  }
  document.getElementById('band-polling').hidden = link.word !== 'polling';
  document.getElementById('band-skew').hidden = link.skew === null;
  if (link.skew !== null) put('skew-what', t('clock_skew_note', { by: `${(link.skew / 1000).toFixed(1)} s` }));
}

let away;
/** The gap that was told last. */
let gapTold = 0;

/** @param {number} gap @param {any} missed  what the service told of it; nothing where it was only polled */
function restored(gap, missed) {
  gapTold = gap;
  const told = missed && t(missed.whole ? 'restored_told' : 'restored_part', { stops: num(missed.stops.length), events: num(missed.n_events) });
  const band = put('band-restored', [t('restored', { gap: hms(gap) }), told].filter(Boolean).join(' · '));
  band.hidden = false;
  clearTimeout(away);
  away = setTimeout(() => { band.hidden = true; }, RESTORED_SHOWN_MS);
}

/** What is wrong between edge and devices, and what to do where nothing was ever heard. */
function faults(view) {
  const offline = view.faults.filter((fault) => fault.kind === 'plc_offline');
  const bad = view.faults.filter((fault) => fault.kind === 'bad_data');
  const unreached = offline.filter((fault) => !fault.heard);
  const plc = offline.map((fault) => t('plc_offline_note', {
    station: `${fault.station} ${title(fault.title)}`, reason: word('miss', fault.reason), time: clock(fault.since_ms),
  }));
  if (offline.some((fault) => fault.counts)) plc.push(t('plc_offline_counting'));
  document.getElementById('band-plc').hidden = offline.length === 0;
  document.getElementById('band-plc').classList.toggle('thin', !offline.some((fault) => fault.counts));
  put('plc-what', plc.join(' · '));
  document.getElementById('band-bad').hidden = bad.length === 0;
  put('bad-what', bad.map((fault) => t('bad_data_note', {
    station: fault.station, tags: badSince(fault),
  })).join(' · '));
  help(view, unreached[0]);
}

/** Tags that are bad, by the moment since when: an age in here would be read out again and again. */
function badSince({ station, tags }) {
  const since = new Map();
  for (const { tag, since_ms: ms } of tags.slice(0, 5)) since.set(clock(ms), [...since.get(clock(ms)) ?? [], tag.replace(`${station}.`, '')]);
  return [...since].map(([time, names]) => `${names.join(', ')} ${t('since', { time })}`).join(' · ') + (tags.length > 5 ? ` +${tags.length - 5}` : '');
}

function help(view, unreached) {
  let text = '';
  if (unreached) {
    text = t('help_unreachable', {
      station: `${unreached.station} ${title(unreached.title)}`, address: unreached.address,
      reason: word('miss', unreached.reason),
    });
  } else if (view.feed === 'waiting') {
    text = t('help_waiting');
  }
  put('band-help', text).hidden = text === '';
  firstRun(view, unreached);
}

/** The commands that help, while a device was never heard or nothing came at all for some seconds. */
function firstRun(view, unreached) {
  const box = document.getElementById('first-run');
  if (!box) return;
  box.hidden = !unreached && !(view.feed === 'waiting' && performance.now() > WAITING_MS);
  if (box.hidden) return;
  for (const item of box.querySelectorAll('[data-station]')) {
    const fault = view.faults.find((one) => one.station === item.dataset.station && one.kind === 'plc_offline' && !one.heard);
    const told = item.querySelector('.told');
    const heard = view.stations.some((station) => station.id === item.dataset.station && station.up);
    const text = fault ? told.dataset.down.replaceAll('{reason}', word('miss', fault.reason)) : heard ? told.dataset.up : '';
    write(told, text);
    told.className = fault ? 'told fault' : 'told';
  }
}

/** Readers of Chinese may have large counts in ten thousands. */
function tenThousands() {
  const button = document.getElementById('wan');
  button?.addEventListener('click', () => {
    const on = button.getAttribute('aria-pressed') !== 'true';
    document.cookie = `unit=${on ? 'wan' : ''}; Path=/; Max-Age=31536000; SameSite=Lax`;
    location.reload();
  });
}

function themes() {
  const button = document.getElementById('theme');
  // A wall has none.
  if (!button) return;
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(button.dataset.theme) + 1) % THEMES.length];
    button.dataset.theme = next;
    document.documentElement.dataset.theme = next;
    put('theme-word', t(`theme.${next}`));
    document.cookie = `theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax`;
    // An address that asks for colours would bring the old ones back.
    if (new URLSearchParams(location.search).has('theme')) remember('theme', next);
  });
}
