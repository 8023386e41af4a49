// The wall: the state of a line, read from five metres. Nothing to press and nothing to scroll.

import { between, doubt, fixed, h, hm, hms, num, pieces, put, s, setOffset, show, signedPieces, t, title, word } from './format.mjs';
import { icon } from './chart.mjs';
import { limitsTag } from './control.mjs';
import { hourBar } from './hours.mjs';
import { join } from './shell.mjs';
import { held, output, showBalance, showState } from './state.mjs';
import { drawTrend } from './trend.mjs';

/** A picture that never moves burns into a screen: everything wanders by so much, so often. */
const DRIFT_PX = 2;
const DRIFT_MS = 60000;
const DRIFT_STEPS = 6;

/** Shifts whose middle lies between these hours of the plant are nights. */
const NIGHT = [20, 6];
/** A page is not loaded again before it is so old: whatever a clock does, a wall does not flicker. */
const LEAST_AGE_MS = 60000;

const $ = (id) => document.getElementById(id);
/** Whether nobody chose the colours of this wall. */
const auto = document.documentElement.dataset.theme === 'auto';
/** Start of the shift in which this page was loaded. */
let began = null;
let beginning = false;

let view = null;
let charts = null;
let lost = false;

/** A band or a call takes room from the rest. */
function makeRoom() {
  const isThere = (id) => $(id)?.hidden === false;
  document.body.classList.toggle('told', ['band-plc', 'band-lost', 'wall-calls'].some(isThere));
}
new MutationObserver(makeRoom).observe(document.body, { subtree: true, attributeFilter: ['hidden'] });
makeRoom();

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = held(view) ? 'current' : 'held';
    followShift();
    showState(view, lost);
    showFigures();
    showBalance(view);
    showHours();
    showStations();
    showCalls();
  },
  // Between two views: the output alone, as soon as a stroke of the machine has moved it.
  now: ({ good }) => view && !lost && figure('good', good ? pieces(good.best) : '–', good?.best),
  charts: (next) => {
    charts = next;
    draw();
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    showState(view, lost);
    if (view) showStations();
    if (view) showHours();
    showCalls();
    draw();
  },
});

showState(view, lost);
live.run();
setInterval(() => !document.hidden && draw(), 1000);
setInterval(drift, DRIFT_MS);
// A band or a call takes room from the hours.
new ResizeObserver(fitHours).observe($('hours').closest('.card'));

/** Colours of the night in a night shift, and a fresh page for each shift: what runs for months begins anew now and then. */
function followShift() {
  const { shift } = view;
  if (!shift) return;
  const hour = Number(hm((shift.start_ms + shift.end_ms) / 2).slice(0, 2));
  if (auto) document.documentElement.dataset.theme = hour >= NIGHT[0] || hour < NIGHT[1] ? 'dark' : 'light';
  began ??= shift.start_ms;
  if (shift.start_ms !== began && performance.now() > LEAST_AGE_MS) begin();
}

/** Loads the page anew if it is there: nobody at a wall can press anything on an error of the browser. */
function begin() {
  if (beginning) return;
  beginning = true;
  const there = fetch(location.href, { method: 'HEAD', cache: 'no-store' });
  there.then((answer) => answer.ok && location.reload(), () => {}).finally(() => { beginning = false; });
}

function showFigures() {
  const { shift, reject } = view;
  const good = output(view);
  figure('good', good ? pieces(good.best) : '–', good?.best);
  put('good-note', [good ? doubt(good, pieces) : view.feed === 'waiting' ? '' : t('not_read'), shift ? t('plan', { n: pieces(shift.plan) }) : ''].filter(Boolean).join(' · '));
  const gap = shift?.difference ?? null;
  figure('gap', gap ? signedPieces(gap.best) : '–', gap?.best);
  put('gap-mark', shift?.behind ? ' ▽' : '');
  put('gap-note', shift ? [gap ? doubt(gap, signedPieces) : '', t('difference_note', { n: pieces(shift.target_now) })].filter(Boolean).join(' · ') : '');
  $('gap').closest('.tile').classList.toggle('behind', Boolean(shift?.behind));
  const speed = view.speeds.find((speed) => speed.window === '1m');
  const rate = speed?.per_minute ?? null;
  figure('speed', rate === null ? '–' : num(rate), rate);
  put('speed-note', `${t('window.1m')} · ${t('per_minute')} · ${t('target', { n: num(view.target_per_minute) })}`);
  const oee = shift?.oee ?? null;
  figure('oee', oee ? `${between(oee)} %` : '–', oee?.percent);
  put('oee-note', oee ? t('oee_coverage', { n: fixed(oee.coverage_percent, 1) }) : '');
  figure('reject', reject.percent === null ? '–' : `${fixed(reject.percent)} %`, reject.percent);
  const tag = reject.limits ? limitsTag(reject) : '';
  const rule = reject.recent?.rules[0];
  put('reject-note', [rule ? `■ ${word('rule', rule)}` : '', tag, reject.total && reject.with_startup ? t('with_startup') : ''].filter(Boolean).join(' · '));
}

/** A number with its raw value for programs; its length, as a number shrinks rather than leaves its tile. */
function figure(id, text, raw) {
  const element = put(id, text);
  element.dataset.value = raw ?? '';
  element.parentElement.style.setProperty('--n', text.length + 1);
}

/** The last eight hours, and of them the newest for which there is room: older ones are on the overview. */
function showHours() {
  const rows = view.hours.slice(-8);
  // A verdict on the hour that is no longer read is none.
  const isRead = !lost && held(view);
  const behind = (hour, i) => hour.behind && (isRead || i < rows.length - 1);
  show($('hours').tBodies[0], [rows, isRead], () => rows.map((hour, i) => h('tr', { class: [i === rows.length - 1 ? 'open' : '', behind(hour, i) ? 'behind' : ''].join(' ').trim() },
    h('th', { scope: 'row' }, hm(hour.start_ms)),
    h('td', { class: 'bar-col' }, hourBar(hour, view.target_per_hour)),
    h('td', {}, h('b', { class: 'num' }, hour.good ? `${signedPieces(hour.difference.best)}${behind(hour, i) ? ' ▽' : ''}` : '–')),
  )));
  fitHours();
}

/** Leaves out the oldest hours until the rest has room. */
function fitHours() {
  const card = $('hours').closest('.card');
  const rows = [...$('hours').tBodies[0].rows];
  for (const row of rows) row.hidden = false;
  for (const row of rows.slice(0, -1)) {
    if (card.scrollHeight <= card.clientHeight) return;
    row.hidden = true;
  }
}

function showStations() {
  show($('stations'), [view.stations.map(({ id, title, up, state }) => [id, title, up, state.word, state.class]), lost], () => view.stations.map((station) => {
    const known = station.up && !lost;
    const state = known ? station.state.word : 'unknown';
    return h('li', { class: station.up ? '' : 'down', 'data-state': state },
      icon(known ? station.state.class : 'unknown'),
      h('span', {}, h('b', {}, station.id), ` ${title(station.title)}`),
      h('b', {}, station.up || lost ? word('state', state) : t('plc_offline')));
  }));
}

/** Open calls, large. Which are open is not known of old data. */
function showCalls() {
  const calls = lost || !view || view.feed === 'stalled' ? [] : view.calls;
  $('wall-calls').hidden = calls.length === 0;
  show($('wall-calls'), calls.map(({ number, taken }) => [number, taken]), () => calls.map((call) => h('li', { class: call.taken ? 'taken' : 'waits' },
    h('b', {}, `${call.taken ? '●' : '▲'} ${word('need', call.need)}`),
    h('span', {}, call.station ?? t('whole_line')),
    h('span', {}, call.taken ? t('call_taken', { by: call.taken.by }) : t('call_untaken')),
    h('b', { class: 'num', id: `call-for-${call.number}` }, hms(call.lasted_ms)))));
  for (const call of calls) put(`call-for-${call.number}`, hms(call.lasted_ms));
}

/** A drawing made for a small screen and enlarged: its letters grow with the wall. */
function draw() {
  const box = $('trend');
  if (!charts || box.clientHeight < 50) return;
  const scale = Math.max(1, Math.min(innerHeight / 720, innerWidth / 1000));
  const [width, height] = [box.clientWidth / scale, box.clientHeight / scale];
  const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  const { summary } = drawTrend(svg, width, height, charts, { view, lost, now: live.now() });
  if (box.getAttribute('aria-label') !== summary) box.setAttribute('aria-label', summary);
  box.replaceChildren(svg);
}

function drift() {
  const step = Math.floor(performance.now() / DRIFT_MS) % (2 * DRIFT_STEPS);
  const by = (step < DRIFT_STEPS ? step : 2 * DRIFT_STEPS - step) * DRIFT_PX;
  $('main').style.transform = `translate(${by / 2}px, ${by / 2}px)`;
}
