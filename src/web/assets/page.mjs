// What the pages behind the overview share: the span, the asking, files to take away.

import { age, day, h, hm, put, REPLAY, t, title, words } from './format.mjs';

const $ = (id) => document.getElementById(id);
const ANSWER_WITHIN_MS = 8000;

/** A refusal of the service. */
export class Refusal extends Error {
  /** @param {{message: string, message_zh?: string, hint?: string, hint_zh?: string}} body  what it answered */
  constructor(body) {
    const zh = [body.message_zh, body.hint_zh].filter(Boolean).join('；');
    const said = { en: [body.message, body.hint].filter(Boolean).join('; '), zh: zh || body.message };
    super(title(said));
    this.words = said;
  }
}

/** What browsers say of a request that got no answer, in English alone. */
const NO_ANSWER = /fetch|network|load failed/i;

/** Why something failed: what the service refused it for, or that it gave no answer. A mistake of these scripts is said as it is. @param {Error} error */
export function why(error) {
  if (error.words) return error.words;
  if (error.name !== 'ReferenceError' && (error.name !== 'TypeError' || NO_ANSWER.test(error.message))) return words('no_answer');
  console.error(error);
  return { en: String(error), zh: String(error) };
}

/** The same of something that was to be kept, and may have been. @param {Error} error */
export function notSaved(error) {
  return error.words ? error.message : t('not_saved');
}

/** Gives what the service answers, or throws its refusal. @param {Response} answer */
async function told(answer) {
  const text = await answer.text();
  const body = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Refusal(body ?? { message: String(answer.status) });
  return body;
}

/** Asks for something once. @param {string} path @param {number} [within]  for how long an answer is waited for, milliseconds */
export async function get(path, within = ANSWER_WITHIN_MS) {
  return told(await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(within) }));
}

/**
 * Sends what a person wants done, and gives what the service answers to it.
 * @param {string} path
 * @param {object} what
 * @param {number} [within]  for how long an answer is waited for, milliseconds
 */
export async function send(path, what, within = ANSWER_WITHIN_MS) {
  return told(await fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(what), signal: AbortSignal.timeout(within),
  }));
}

const AUTHOR = 'capline-author';

/** The name on records of who is signed in; where nobody is, the one typed last on this screen. */
export function author() {
  if (document.body.dataset.user !== undefined) return document.body.dataset.user;
  try {
    return localStorage.getItem(AUTHOR) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} by */
export function keepAuthor(by) {
  if (document.body.dataset.user !== undefined) return;
  try {
    localStorage.setItem(AUTHOR, by);
  } catch {
    // A browser that keeps nothing asks again.
  }
}

/** The span chosen on this page; kept in the address, so that a link and a reload show the same. */
export function chosen() {
  return document.querySelector('#window [aria-pressed="true"]')?.dataset.window ?? ($('batches')?.value || 'shift');
}

/** The same as part of a question to the service. */
export const asSpan = () => `window=${encodeURIComponent(chosen())}`;

/** @param {() => void} changed */
export function windows(changed) {
  const [box, batches] = [$('window'), $('batches')];
  const isOffered = (word) => [...box.children].some((button) => button.dataset.window === word);
  const choose = (word) => {
    for (const button of box.children) button.setAttribute('aria-pressed', String(button.dataset.window === word));
    batches.value = isOffered(word) ? '' : word;
  };
  const take = (word) => {
    choose(word);
    remember('window', word);
    changed();
  };
  const asked = new URLSearchParams(location.search).get('window') ?? '';
  if (asked.startsWith('batch:')) {
    // One that is not among the newest is asked for all the same: the service has it, or says that there is none.
    if (![...batches.options].some(({ value }) => value === asked)) batches.append(h('option', { value: asked }, asked.slice('batch:'.length)));
    batches.closest('label').hidden = false;
    choose(asked);
  } else {
    choose(isOffered(asked) ? asked : 'shift');
  }
  box.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) take(button.dataset.window);
  });
  batches.addEventListener('change', () => take(batches.value || 'shift'));
}

/** The past moment of the page as part of a question to the service; empty for now. */
export const AS_OF = REPLAY ? `&at=${document.body.dataset.replay}` : '';

/**
 * Lets links to files ask for what is shown: each table of a page by the name that the service has for it.
 * @param {string} path  the question that the page asked
 * @param {Record<string, string>} tables  names by the ids of the page
 */
export function files(path, tables) {
  for (const [id, table] of Object.entries(tables)) {
    const link = document.querySelector(`a[data-csv="${id}"]`);
    if (!link) continue;
    link.setAttribute('href', `${path}${path.includes('?') ? '&' : '?'}format=csv&table=${table}`);
    link.hidden = false;
  }
}

/** The address of the page with another value of a choice, or without it. @param {string} name @param {string|null} value */
function addressWith(name, value) {
  const address = new URL(location.href);
  if (value === null) address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  // Commas and colons may stand in an address as they are, and people read them there.
  address.search = address.search.replaceAll('%2C', ',').replaceAll('%3A', ':');
  return address;
}

/** Writes a choice into the address; null takes it out. @param {string} name @param {string|null} value */
export function remember(name, value) {
  history.replaceState(null, '', addressWith(name, value));
}

/** A link that changes one choice takes the others as they are when it is pressed: the page was made before they changed. */
function takeChoices({ target }) {
  const link = target.closest?.('a[data-changes]');
  if (!link) return;
  const { changes } = link.dataset;
  link.href = addressWith(changes, new URL(link.href).searchParams.get(changes)).search || '?';
}

for (const kind of ['click', 'auxclick', 'contextmenu']) document.addEventListener(kind, takeChoices, { capture: true });

/**
 * Asks for figures now and then, and says so when a newer answer does not come: what is shown stays, with its time.
 * @param {() => string} path
 * @param {number} every
 * @param {(data: any) => void} take
 * @param {string} [trouble] the element that says so
 * @param {() => boolean} [wanted] whether anybody looks at them
 */
export function ask(path, every, take, trouble = 'trouble', wanted = () => true) {
  let asking = null;
  let heard = performance.now();
  /** A new question, which takes the place of one that waits. */
  const load = async () => {
    if (document.hidden || !wanted()) return;
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    const timer = setTimeout(() => mine.abort(), ANSWER_WITHIN_MS);
    try {
      const answer = await fetch(path(), { signal: mine.signal, cache: 'no-store' });
      const body = await answer.json();
      if (!answer.ok) throw new Refusal(body);
      if (asking !== mine) return;
      heard = performance.now();
      $(trouble).hidden = true;
      take(body);
    } catch (error) {
      if (asking === mine) put(trouble, t('trouble', { time: age(performance.now() - heard), why: why(error) })).hidden = false;
    } finally {
      clearTimeout(timer);
      if (asking === mine) asking = null;
    }
  };
  // The past does not change.
  if (REPLAY) return load;
  // A question that waits is not asked again before its time is over: asked anew it would never be found unanswered.
  setInterval(() => asking || load(), every);
  document.addEventListener('visibilitychange', () => !document.hidden && load());
  return load;
}

/** `shift A 11-24 08:00 – 14:03` @param {{name: string, batch: boolean, from_ms: number, to_ms: number}} span */
export function spanText(span) {
  const same = day(span.from_ms) === day(span.to_ms - 1);
  return t('span_text', {
    name: span.name ? t(span.batch ? 'span_batch' : 'span_shift', { name: span.name }) : '',
    from: `${day(span.from_ms)} ${hm(span.from_ms)}`,
    to: same ? hm(span.to_ms) : `${day(span.to_ms)} ${hm(span.to_ms)}`,
  }).trim();
}

/**
 * Where the points of a control chart are asked for, from its first one to its last.
 * @param {{characteristic: string, subgroup_minutes: number, points: {t: number}[]}} chart
 */
export function chartPath(chart) {
  const to = chart.points.at(-1).t + chart.subgroup_minutes * 60000;
  return `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/charts/${encodeURIComponent(chart.characteristic)}?from=${chart.points[0].t}&to=${to}${AS_OF}`;
}
