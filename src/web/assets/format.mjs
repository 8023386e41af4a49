// Texts, numbers and times as people read them. Nothing is computed here but where a digit goes.

import './shim.mjs';

/** @typedef {{en: string, zh: string}} Words  the same in each language */

/** In `both` a text is its words, with `both` where the two share their blanks. @type {Record<string, string | Words & {both?: string}>} */
const TEXTS = JSON.parse(document.getElementById('texts').textContent);

/** Language of the page: `en`, `zh` or `both`. */
export const LANG = document.body.dataset.lang;

/** Whether the page shows a past moment. */
export const REPLAY = document.body.dataset.replay !== undefined;

/** Offset of the plant's time from UTC, in milliseconds. Views bring it; browsers need not know the zone. */
let offset = 0;

/** @param {number} seconds */
export function setOffset(seconds) {
  offset = seconds * 1000;
}

/** @param {string} text @param {Record<string, string|number|Words>} blanks @param {string} lang */
function filled(text, blanks, lang) {
  return text.replace(/\{(\w+)\}/g, (blank, name) => {
    const value = blanks[name] ?? blank;
    return String(typeof value === 'object' ? title(value, lang) : value);
  });
}

/**
 * A text, with its blanks filled in. Words in a blank are said in the language of the sentence around them.
 * @param {string} key
 * @param {Record<string, string|number|Words>} [blanks]
 */
export function t(key, blanks = {}) {
  const text = TEXTS[key] ?? key;
  if (text.both) return filled(text.both, blanks, LANG);
  return typeof text === 'string' ? filled(text, blanks, LANG) : title(words(key, blanks));
}

/**
 * A text in each language, for a blank of another one.
 * @param {string} key
 * @param {Record<string, string|number|Words>} [blanks]
 * @returns {Words}
 */
export function words(key, blanks = {}) {
  const text = TEXTS[key] ?? key;
  const { en, zh } = typeof text === 'string' ? { en: text, zh: text } : text;
  return { en: filled(en, blanks, LANG === 'both' ? 'en' : LANG), zh: filled(zh, blanks, LANG === 'both' ? 'zh' : LANG) };
}

/**
 * A word of the data: `state` and `held` give the text of `state.held`, or the word itself if it has none.
 * @param {string} kind
 * @param {string} word
 * @param {string} [otherwise]  what is said of a word without a text
 */
export function word(kind, word, otherwise = word.replaceAll('_', ' ')) {
  const key = `${kind}.${word}`;
  return key in TEXTS ? t(key) : otherwise;
}

/** @param {Words} title @param {string} [lang] */
export function title(title, lang = LANG) {
  // Two figures beside each other would read as one.
  if (lang === 'both' && title.en !== title.zh) return `${title.zh}${/\d$/.test(title.zh) && /^\d/.test(title.en) ? ' / ' : ' '}${title.en}`;
  return lang === 'en' ? title.en : title.zh;
}

/** The sentence of an event @param {{kind: string, detail: string, detail_zh: string}} event */
export function detail(event) {
  const text = title({ en: event.detail, zh: event.detail_zh ?? event.detail });
  // Where counts are told of, long numbers are counts.
  return event.kind === 'count' ? text.replace(/(^|[^\w.,])(\d{5,})(?![\w,]|\.\d)/g, (_, before, n) => before + num(Number(n))) : text;
}

/** The kind of an event with a space, before what happened; empty where that names it: `counter reset` is of the count. @param {string} kind @param {string} said */
export function kindBefore(kind, said) {
  const name = word('kind', kind);
  return said.toLowerCase().includes(name.split(' ')[0].toLowerCase()) ? '' : `${name} `;
}

/** What of its kind happened @param {{kind: string, word: string}} event */
export function happened(event) {
  return word({ state: 'state', stop: 'class', clock: 'clock' }[event.kind] ?? 'word', event.word);
}

/** `812,460` @param {number} n */
export function num(n) {
  return Math.abs(n).toString().replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','))
    .replace(/^/, n < 0 ? '−' : '');
}

/** Whether large counts are shown in ten thousands: a choice of readers of Chinese. */
const WAN = document.body.dataset.unit === 'wan';

/** A count of capsules: `812,460`, or `81.246 万`, which is as exact. @param {number} n */
export function pieces(n) {
  const digits = Math.abs(n).toString();
  if (!WAN || digits.length < 5) return num(n);
  const rest = digits.slice(-4).replace(/0+$/, '');
  return `${n < 0 ? '−' : ''}${num(Number(digits.slice(0, -4)))}${rest ? `.${rest}` : ''} 万`;
}

/** The same with its sign. */
export function signedPieces(n) {
  return n > 0 ? `+${pieces(n)}` : pieces(n);
}

/** `+340`, `−16,540` @param {number} n */
export function signed(n) {
  return n > 0 ? `+${num(n)}` : num(n);
}

/** `+0.42 s`, how far a clock is ahead @param {number|null} ms */
export function ahead(ms) {
  return ms === null ? '–' : `${ms > 0 ? '+' : ''}${fixed(ms / 1000)} s`;
}

/** `0.42`, `−0.03` with so many decimals @param {number|null} x @param {number} [decimals] */
export function fixed(x, decimals = 2) {
  // What rounds to nothing has no sign.
  return x === null || x === undefined ? '–' : x.toFixed(decimals).replace(/^-(?=[0.]*$)/, '').replace('-', '−');
}

/** `61.2`, or `58.0–63.5` where it is not known more closely. @param {{percent: number, low: number, high: number}|null} oee */
export function between(oee) {
  if (!oee) return '–';
  return oee.low === oee.high ? fixed(oee.percent, 1) : `${fixed(oee.low, 1)}–${fixed(oee.high, 1)}`;
}

/**
 * Empty for an exact count, else `[812,400, 812,900]`.
 * @param {{best: number, low: number, high: number}} count
 * @param {(n: number) => string} [form]
 */
export function doubt(count, form = num) {
  return count.low === count.high ? '' : `[${form(count.low)}, ${form(count.high)}]`;
}

/** Empty for an exact count, else how far the truth can lie below and above: `−60 +440`. */
export function offBy(count) {
  return count.low === count.high ? '' : `${num(count.low - count.best)} +${num(count.high - count.best)}`;
}

const two = (n) => String(n).padStart(2, '0');

/** `14:03:27` in the plant's time @param {number} ms */
export function clock(ms) {
  const date = new Date(ms + offset);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** `11-24` in the plant's time @param {number} ms */
export function day(ms) {
  return new Date(ms + offset).toISOString().slice(5, 10);
}

/** `14:03` in the plant's time @param {number} ms */
export function hm(ms) {
  return clock(ms).slice(0, 5);
}

/** `02:14:33`, and days in front where there are any @param {number} ms */
export function hms(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86400);
  const time = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days} ${t('days_unit')} ${time}` : time;
}

/** `0.1 s`, `42 s`, `00:03:10` @param {number} ms */
export function age(ms) {
  if (ms < 10000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  return ms < 60000 ? `${Math.floor(ms / 1000)} s` : hms(ms);
}

/** `10 s`, `5 min`, `2 h`: a length that is a whole number of a unit. @param {number} ms */
export function length(ms) {
  if (ms < 60000) return `${ms / 1000} ${t('seconds_unit')}`;
  return ms < 3600000 ? `${ms / 60000} ${t('minutes_unit')}` : `${ms / 3600000} ${t('hours_unit')}`;
}

/** `812.4 MB`, `1.20 GB` @param {number} bytes */
export function size(bytes) {
  return bytes < 1e9 ? `${fixed(bytes / 1e6, 1)}\u00a0MB` : `${fixed(bytes / 1e9, 2)}\u00a0GB`;
}

/** A tag without a good reading and for how long; of what is not live its name alone. */
export function badTag({ tag, for_ms: ms }, lost) {
  const name = tag.replace(/^.*?\./, '');
  return lost ? name : `${name} ${age(ms)}`;
}

/** Where a value is: `holding 12`, the table of a register in words; a node stays as it is. @param {string} address */
export function place(address) {
  return address.replace(/^(holding|input|coil|discrete)(?= \d+$)/, (table) => word('table', table));
}

/** A name of parts, as that of a tag: a line may end after a dot and before a bracket, not within a word. @param {string} name */
export function parted(name) {
  const parts = name.match(/\[?[^.[]*\.?/g).filter(Boolean);
  return h('span', { translate: 'no' }, ...parts.flatMap((part, i) => (i > 0 ? [document.createElement('wbr'), part] : [part])));
}

/** The percentage that is not known where so much is: never rounded to nothing. `12`, `<1` @param {number} known */
export function unknownShare(known) {
  const unknown = 100 - known;
  return unknown < 1 ? '<1' : num(Math.floor(unknown));
}

/** English beside Chinese: from a Latin letter to the next sign of Chinese. */
const LATIN = /([A-Za-z][^\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]*)/;
const HAN = /[\u3400-\u9fff]/;
/** Two small letters make a word: `CF01` and `OEE` are said alike in both. */
const ENGLISH = /[a-z]{2}/;
/** These hold text alone. */
const BARE = ['OPTION', 'TITLE', 'TEXTAREA'];

/** A text in two languages says which of it is English, so that a voice reads it as that. Else the text as it is. */
function spoken(element, text) {
  if (LANG !== 'both' || typeof text !== 'string' || !HAN.test(text) || !ENGLISH.test(text)) return text;
  if (!(element instanceof HTMLElement) || BARE.includes(element.tagName)) return text;
  const whole = document.createElement('bdi');
  for (const [i, part] of text.split(LATIN).entries()) {
    const english = i % 2 === 1 && ENGLISH.test(part) ? document.createElement('bdi') : null;
    english?.setAttribute('lang', 'en');
    english?.append(part);
    whole.append(english ?? part);
  }
  return whole;
}

/** Writes a text only where it differs: screen readers and the selection of a reader are left alone. */
export function write(element, text) {
  if (element && element.textContent !== text) element.replaceChildren(spoken(element, text));
}

/** The same for an element of that id. The element. */
export function put(id, text) {
  const element = document.getElementById(id);
  write(element, text);
  return element;
}

/**
 * An element with attributes and children.
 * @param {string} tag
 * @param {Record<string, string|number|boolean>} [attributes]
 * @param {...(Node|string)} children
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.map((child) => spoken(element, child)));
  return element;
}

const drawn = new WeakMap();

/**
 * Replaces the children of an element when what they show has changed.
 * @param {Element|null} element
 * @param {unknown} shown
 * @param {() => Node[]} make
 */
export function show(element, shown, make) {
  const key = JSON.stringify(shown);
  if (!element || drawn.get(element) === key) return;
  // What is being pressed would be gone before it is let go: it is drawn anew the next time.
  if (drawn.has(element) && element.matches(':active')) return;
  drawn.set(element, key);
  const active = document.activeElement;
  const held = active !== element && element.contains(active) && Object.keys(active.dataset).length > 0;
  element.replaceChildren(...make().map((child) => spoken(element, child)));
  if (held) twin(element, active)?.focus({ preventScroll: true });
}

/** What stands for the same as an element that was drawn anew. */
function twin(inside, { tagName, dataset }) {
  const data = JSON.stringify(dataset);
  return [...inside.querySelectorAll(tagName)].find((one) => JSON.stringify(one.dataset) === data);
}
