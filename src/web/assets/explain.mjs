// How a number is made: key E, Enter, a click or a tap on a number opens a dialog with what the service says of it.

import { clock, day, detail, fixed, h, happened, hms, num, REPLAY, setOffset, signed, t, title, word, write } from './format.mjs';
import { chosen, Refusal, why } from './page.mjs';

const ANSWER_WITHIN_MS = 8000;
const LONG_PRESS_MS = 600;

/** The dialog, made when it is first asked for. */
let dialog = null;
/** What was asked for last: an answer to an older question is not shown. */
let asking = 0;
/** The value that is asked about. */
let asker = null;

/** Numbers whose page has all that is to be said of them: what is asked, and who tells it. */
const tellers = new Map();

/**
 * @param {string} what
 * @param {(query: string) => Node[]} tell  what is said of the number that is asked about
 */
export function tells(what, tell) {
  tellers.set(what, tell);
}

document.addEventListener('click', (event) => {
  const value = event.target.closest?.('[data-explain]');
  if (value) explain(value);
});

// A long press asks too: gloves rest on a screen longer than a tap allows, and a browser takes that for no click.
let pressed = null;

document.addEventListener('pointerdown', (event) => {
  clearTimeout(pressed);
  const value = event.pointerType === 'touch' ? event.target.closest?.('[data-explain]') : null;
  if (value && !value.disabled) pressed = setTimeout(() => explain(value), LONG_PRESS_MS);
});
for (const end of ['pointerup', 'pointercancel', 'pointermove']) {
  document.addEventListener(end, (event) => {
    if (end !== 'pointermove' || Math.hypot(event.movementX, event.movementY) > 4) clearTimeout(pressed);
  });
}
document.addEventListener('contextmenu', (event) => event.target.closest?.('[data-explain]') && event.preventDefault());

document.addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() !== 'e' || event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
  const value = document.activeElement?.closest('[data-explain]');
  if (!value) return;
  event.preventDefault();
  explain(value);
});

/** A line of what a number is made of. @param {string} symbol @param {string} text @param {...(string|Node)} value */
export function part(symbol, text, ...value) {
  return h('tr', {}, h('td', {}, h('code', {}, symbol)), h('th', { scope: 'row' }, text), h('td', { class: 'num' }, ...value));
}

/** What a number is made of, under its heading. @param {...Node} parts lines of [`part`] */
export const made = (...parts) => [heading('explain_inputs'), h('table', {}, h('tbody', {}, ...parts))];

/** A number that can be explained, as a button. @param {string} what @param {Record<string, string>} attributes */
export function explained(what, attributes, ...children) {
  return h('button', { type: 'button', class: 'explains', 'data-explain': what, 'aria-describedby': 'explain-hint', ...attributes }, ...children);
}

/** @param {HTMLElement} value */
async function explain(value) {
  const mine = ++asking;
  const { explain: what, query } = value.dataset;
  const tell = tellers.get(what);
  if (tell) {
    open(what, value);
    dialog.dataset.state = 'shown';
    dialog.querySelector('.told').replaceChildren(...tell(query ?? ''));
    return;
  }
  const asked = new URLSearchParams(query ?? value.closest('[data-query]')?.dataset.query ?? '');
  if (document.getElementById('window') && !asked.has('kind')) asked.set('window', chosen());
  const micro = document.getElementById('micro')?.value;
  if (micro) asked.set('micro_s', micro);
  if (REPLAY) asked.set('at', document.body.dataset.replay);
  open(what, value);
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), ANSWER_WITHIN_MS);
  try {
    const address = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/explain/${what}?${asked}`;
    const answer = await fetch(address, { signal: giveUp.signal, cache: 'no-store' });
    const body = await answer.json();
    if (!answer.ok) throw new Refusal(body);
    if (mine !== asking) return;
    setOffset(body.offset_s);
    dialog.dataset.state = 'shown';
    dialog.querySelector('.told').replaceChildren(...told(body));
  } catch (error) {
    if (mine !== asking) return;
    dialog.dataset.state = 'failed';
    dialog.querySelector('.told').replaceChildren(h('p', { role: 'alert' }, t('explain_trouble', { why: why(error) })));
  } finally {
    clearTimeout(timer);
  }
}

/** Closes the dialog. The focus is back before the next key: the value may have been drawn anew meanwhile, so that the
 * browser itself would not find it, and of the close it tells only later. */
function shut() {
  dialog.close();
  back();
}

/** Gives the focus back to the value that was asked about. */
function back() {
  // By the time a browser tells of a close the next number may have been asked for.
  if (dialog.open || !asker) return;
  const { explain: name, query = '' } = asker.dataset;
  const same = [...document.querySelectorAll(`[data-explain="${name}"]`)].filter((one) => (one.dataset.query ?? '') === query);
  (same.includes(asker) ? asker : same[0])?.focus();
}

/** Opens the dialog. The value that was left may be drawn anew meanwhile: it is found again by what it stands for. */
function open(what, value) {
  if (!dialog) {
    dialog = h('dialog', { id: 'explanation', class: 'explain-box', 'aria-labelledby': 'explanation-title' },
      h('header', {}, h('h2', { id: 'explanation-title' }), h('button', { type: 'button', class: 'shut', id: 'explanation-close' }, t('close'))),
      h('div', { class: 'told' }));
    dialog.querySelector('#explanation-close').addEventListener('click', shut);
    dialog.addEventListener('click', (event) => event.target === dialog && shut());
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      shut();
    });
    document.body.append(dialog);
  }
  asker = value;
  dialog.onclose = back;
  write(dialog.querySelector('#explanation-title'), word('explained', what));
  dialog.querySelector('.told').replaceChildren(h('p', { class: 'dim' }, t('explain_asking')));
  dialog.dataset.state = 'asking';
  if (!dialog.open) dialog.showModal();
  dialog.querySelector('#explanation-close').focus();
}

/** `83.95 %`, `812,460`, `01:23:45`. */
function figure(unit, n) {
  if (n === null) return '∞';
  if (unit === 'percent') return `${fixed(n, 3)} %`;
  if (unit === 'us') return hms(n / 1000);
  if (unit === 'per_minute') return `${num(Math.round(n))} ${t('per_minute')}`;
  return num(n);
}

function interval(unit, { best, low, high }, form = figure) {
  return low === high ? form(unit, best) : `${form(unit, best)} [${form(unit, low)}, ${form(unit, high)}]`;
}

const moment = (ms) => `${day(ms)} ${clock(ms)}`;

function told(body) {
  const { result, unit } = body;
  const form = body.value === 'difference' ? (_, n) => signed(n) : figure;
  const name = body.kind === 'shift' ? t('span_shift', { name: body.name }) : body.name;
  const parts = [
    h('p', { class: 'result num' }, result ? interval(unit, result, form) : t('not_known')),
    h('p', { class: 'formula' }, h('code', {}, body.formula), body.iso ? ` ISO 22400-2: ${body.iso}` : ''),
    h('p', { class: 'num worked' }, body.worked),
  ];
  parts.push(heading('explain_inputs'), inputs(body));
  parts.push(heading('explain_window'), h('p', { class: 'num' },
    [body.station, name, `${moment(body.from_ms)} – ${moment(body.to_ms)}`, body.open ? t('going') : '',
      body.coverage_percent === null ? '' : t('spc_coverage', { n: fixed(body.coverage_percent, 1) })].filter(Boolean).join(' · ')));
  if (body.left_out.length > 0) parts.push(heading('explain_left_out'), h('ul', {}, ...body.left_out.map(({ id, us }) => h('li', {}, word('left_out', id), us === null ? '' : ` ${hms(us / 1000)}`))));
  parts.push(heading('explain_doubt'), ...doubts(body));
  if (body.tags.length > 0) parts.push(heading('explain_tags'), tags(body.tags));
  parts.push(heading('explain_rows'), h('p', {},
    h('a', { href: body.rows.href, download: '', class: 'rows-link' }, body.rows.file),
    h('span', { class: 'num' }, ` ${moment(body.rows.from_ms)} – ${moment(body.rows.to_ms)} · ${t(`rows_${body.rows.sum}`)}`)));
  return parts;
}

export const heading = (key) => h('h3', {}, t(key));

function inputs(body) {
  const row = (input) => h('tr', { class: input.of ? 'part' : '' },
    h('td', {}, h('code', {}, input.symbol)),
    h('th', { scope: 'row' }, input.title ? title(input.title) : word('input', input.id)),
    h('td', { class: 'num' }, interval(input.unit, input)),
    h('td', { class: 'dim' }, input.in_rows ? 'CSV' : ''));
  const direct = body.inputs.filter((input) => !input.of);
  const rows = direct.flatMap((input) => [input, ...body.inputs.filter((part) => part.of && part.of === input.symbol)]);
  return h('table', {}, h('tbody', {}, ...rows.map(row)));
}

function doubts(body) {
  const { result, causes } = body;
  if (!result || (result.low === result.high && causes.length === 0)) return [h('p', {}, t(result ? 'exact_count' : 'not_known'))];
  const lines = causes.map((event) => h('li', {},
    `${moment(event.at_ms)} ${event.tag ?? event.station ?? ''} ${happened(event)}${event.count ? ` ${interval('capsules', event.count)}` : ''} · ${detail(event)}`));
  const between = result.low === result.high ? t('exact_count') : t('between', { low: figure(body.unit, result.low), high: figure(body.unit, result.high) });
  return [h('p', { class: 'num' }, between), h('ul', {}, ...lines),
    ...(body.n_causes > causes.length ? [h('p', { class: 'dim' }, t('more_rows', { n: body.n_causes - causes.length }))] : [])];
}

function tags(all) {
  return h('table', {}, h('tbody', {}, ...all.map((tag) => h('tr', {},
    h('th', { scope: 'row' }, tag.tag),
    h('td', {}, tag.reason ? `${word('role', tag.role)}: ${word('reason', tag.reason)}` : word('role', tag.role)),
    h('td', {}, tag.address),
    h('td', {}, `${tag.file.replace(/^.*\//, '')}:${tag.line}`)))));
}
