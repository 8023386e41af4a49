// Calls for help: one tap calls, and everybody sees who takes it and for how long it has been open.

import { h, hms, put, show, t, word } from './format.mjs';
import { author, keepAuthor, send as post } from './page.mjs';

/** A call that did not arrive must be known soon: somebody is waiting for help. */
const ANSWER_WITHIN_MS = 5000;
/** The tone is said again while nobody takes a call. */
const AGAIN_MS = 15000;
const TONE = 'capline-tone';
const $ = (id) => document.getElementById(id);
const strip = $('calls');
const writes = strip.dataset.calls === 'true';
const address = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/calls`;

/** What is shown, and whether it still holds. */
let calls = [];
let lost = false;
/** The machine that a tap is about, and one that was chosen on the page. */
let station = null;
/** Calls that were there at the last view; none before the first one. */
let known = null;
let sounded = 0;

$('caller').value = author();
$('caller').addEventListener('change', () => keepAuthor($('caller').value.trim()));

/**
 * @param {any} view
 * @param {boolean} isLost
 * @param {string|null} [chosen] the machine chosen on this page
 */
export function showCalls(view, isLost, chosen = null) {
  lost = isLost || !view || view.feed === 'stalled';
  calls = view?.calls ?? [];
  station = chosen ?? (view ? stopping(view) : null);
  put('call-place', station ? t('call_at', { station }) : t('call_at_line'));
  // What was called when the screen was last told is not known to be so still.
  $('open-calls').hidden = calls.length === 0 && !lost;
  strip.classList.toggle('called', !lost && calls.some((call) => !call.taken));
  if (lost) show($('open-calls'), 'lost', () => [h('li', { class: 'fault' }, `◆ ${t('calls_unknown')}`)]);
  else show($('open-calls'), calls.map(({ number, taken }) => [number, taken]), () => calls.map(row));
  // For readers who hear: what changed, without the running times.
  put('call-news', lost ? '' : calls.map((call) => `${word('need', call.need)} ${call.station ?? t('whole_line')}: ${call.taken ? t('call_taken', { by: call.taken.by }) : t('call_untaken')}`).join('; '));
  if (!lost) for (const call of calls) put(`call-for-${call.number}`, hms(call.lasted_ms));
  ring();
}

/** The machine that stops the line; none while it runs or where that is not known. */
function stopping(view) {
  if (view.state.class === 'run' || view.state.word === 'unknown') return null;
  return view.stations.find((one) => one.up && one.state.class === 'internal')?.id ?? null;
}

function row(call) {
  const act = (name, text) => h('button', { class: 'call-act', type: 'button', 'data-call': call.number, 'data-act': name, disabled: !writes }, text);
  const by = call.opened.by ? t('called_by', { by: call.opened.by }) : '';
  return h('li', { class: call.taken ? 'taken' : 'waits', 'data-number': call.number },
    h('b', {}, `${call.taken ? '●' : '▲'} ${word('need', call.need)}`),
    h('span', {}, [call.station ?? t('whole_line'), by].filter(Boolean).join(' · ')),
    h('span', { class: 'num', id: `call-for-${call.number}` }, hms(call.lasted_ms)),
    h('span', { class: call.taken ? '' : 'untaken' }, call.taken ? t('call_taken', { by: call.taken.by }) : t('call_untaken')),
    ...(call.taken ? [] : [act('take', t('call_take'))]), act('close', t('call_done')));
}

$('needs').addEventListener('click', (event) => {
  const need = event.target.closest('button')?.dataset.need;
  if (need) send(event.target.closest('button'), '', { need, station, by: $('caller').value.trim() });
});

$('open-calls').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const by = $('caller').value.trim();
  if (!by) {
    complain(t('call_name_first'));
    $('caller').focus();
    return;
  }
  keepAuthor(by);
  send(button, `/${button.dataset.call}/${button.dataset.act}`, { by });
});

async function send(button, path, what) {
  button.disabled = true;
  try {
    await post(address + path, what, ANSWER_WITHIN_MS);
    $('call-trouble').hidden = true;
  } catch (error) {
    complain(error.words ? error.message : t('call_not_sent'));
  } finally {
    button.disabled = false;
  }
}

function complain(text) {
  put('call-trouble', text).hidden = false;
}

// The tone: off until somebody on this screen wants it.

let sound = null;

function wanted() {
  try {
    return localStorage.getItem(TONE) === 'on';
  } catch {
    return false;
  }
}

function showTone() {
  $('tone').setAttribute('aria-pressed', String(wanted()));
}

$('tone').addEventListener('click', () => {
  try {
    localStorage.setItem(TONE, wanted() ? 'off' : 'on');
  } catch {
    // A browser that keeps nothing has no tone.
  }
  showTone();
  if (wanted()) beep();
});
// A browser lets a page sound only after somebody has touched it.
document.addEventListener('pointerdown', () => wanted() && ready(), { once: true });
showTone();

function ring() {
  if (lost) return;
  const open = calls.filter((call) => !call.taken).map((call) => call.number);
  const fresh = known !== null && open.some((number) => !known.includes(number));
  const due = open.length > 0 && performance.now() - sounded > AGAIN_MS;
  known = open;
  if (wanted() && (fresh || due)) beep();
}

function ready() {
  sound ??= new AudioContext();
  if (sound.state === 'suspended') sound.resume();
  return sound;
}

/** Two short tones. */
function beep() {
  sounded = performance.now();
  const context = ready();
  for (const [at, pitch] of [[0, 880], [0.25, 660]]) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.2, context.currentTime + at);
    loudness.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.22);
    tone.connect(loudness).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.25);
  }
}
