// The simulated plant: faults on demand, the truth, and what the service made of both.

import { age, clock, doubt, h, length, num, parted, put, setOffset, show, t, title, word, write } from './format.mjs';
import { icon, MINUTE_MS, Plot } from './chart.mjs';
import { limitsTag } from './control.mjs';
import { chartPath, files, Refusal, send, why } from './page.mjs';
import { drawLane, drawRejects, laneRows, rejectRows, signText, verdict } from './sim-draw.mjs';
import { join } from './shell.mjs';
import { drawTrend, trendRows } from './trend.mjs';

/** Time between two answers; a slow one is waited for. */
const EVERY_MS = 500;
const ANSWER_WITHIN_MS = 8000;
const $ = (id) => document.getElementById(id);
const writes = $('sim-faults').dataset.writes === 'true';

let view = null;
let charts = null;
let lost = false;
let sim = null;
let resetting = false;
/** Whether a speed stands beside the button: a new run has that of this one until somebody says otherwise. */
let preset = false;

const trend = new Plot('trend', {
  draw: (svg, width, height, data) => drawTrend(svg, width, height, data, { view, lost, now: live.now() }),
  rows: trendRows,
});
const rejects = new Plot('rejects', { draw: drawRejects, rows: rejectRows });
const lane = new Plot('lane', { draw: drawLane, rows: laneRows });

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
  },
  charts: (next) => {
    charts = next;
    draw();
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    draw();
  },
});
live.run();
look();
setInterval(() => !document.hidden && draw(), EVERY_MS);

/** Asks again half a second after each answer, so that a slow service is not asked twice at once. */
async function look() {
  const asked = performance.now();
  if (!document.hidden) {
    try {
      const answer = await fetch('/api/v1/sim', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), cache: 'no-store' });
      const body = await answer.json();
      if (!answer.ok) throw new Refusal(body);
      if (resetting && sim && body.since_ms !== sim.since_ms) {
        // Another run: its history is another one too.
        location.reload();
        return;
      }
      sim = body;
      $('trouble').hidden = true;
      showAll();
    } catch (error) {
      if (!resetting) put('trouble', t('trouble', { time: age(performance.now() - asked), why: why(error) })).hidden = false;
    }
  }
  setTimeout(look, Math.max(50, EVERY_MS - (performance.now() - asked)));
}

function draw() {
  const now = live.now();
  if (!charts || now === null) return;
  trend.set(charts);
  put('rejects-note', limitsTag(charts.reject_fraction));
  showFiles();
  rejects.set({ trend: charts.trend, chart: charts.reject_fraction, now });
  if (sim) lane.set({ sim, now, age });
}

/** What the tables are of: the run, and the last hour. */
function showFiles() {
  const { trend: { start_ms: starts }, reject_fraction: chart } = charts;
  if (starts.length > 0) files(`/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/series?from=${starts[0]}&to=${starts.at(-1) + MINUTE_MS}&step=60`, { trend: 'series' });
  if (chart?.points.length) files(chartPath(chart), { rejects: 'chart' });
  if (sim) files('/api/v1/sim', { lane: 'injections', injections: 'injections', signs: 'signs', truth: 'truth', false_alarms: 'false_alarms' });
}

function showAll() {
  if (!preset) press('reset-speed', $('reset-speed').querySelector(`[data-speed="${sim.speed}"]`));
  preset = true;
  put('seed', String(sim.seed));
  put('speed', `×${sim.speed}`);
  put('clock-word', resetting ? t('sim_resetting') : t(sim.held ? 'sim_held' : 'sim_goes'));
  $('sim-clock').classList.toggle('held', sim.held);
  put('hold', t(sim.held ? 'sim_resume' : 'sim_hold')).setAttribute('aria-pressed', String(sim.held));
  $('hold').disabled = !writes || resetting;
  $('reset').disabled = !writes || resetting || sim.no_reset !== null;
  put('reset-note', sim.no_reset === null ? t('sim_reset_note') : title({ en: sim.no_reset, zh: sim.no_reset_zh }));
  showFaults();
  showTruth();
  showSigns();
  showInjections();
  draw();
}

/** A sentence that the service words in one language only is shown as it is. */
const both = (text) => ({ en: text, zh: text });
const nameOf = (id) => title(sim.faults.find((fault) => fault.id === id)?.title ?? both(id));

function showFaults() {
  const offered = sim.faults.filter((fault) => !fault.by_clock);
  const on = new Map(sim.injections.filter((one) => one.lasts).map((one) => [one.fault, one.to_ms]));
  // Made once: a button that is pressed by key keeps the focus.
  show($('faults'), offered, () => offered.map((fault) => h('button', {
    class: 'act', type: 'button', 'data-fault': fault.id, 'aria-describedby': 'fault-about', disabled: !writes,
  }, h('span', {}, title(fault.title)), h('span', { class: 'dim' }))));
  const now = live.now();
  offered.forEach((fault, i) => {
    const button = $('faults').children[i];
    const to = on.get(fault.id);
    const text = !on.has(fault.id) ? usual(fault) : to === null || now === null ? t('sim_on') : `${t('sim_on')} ${age(Math.max(0, to - now))}`;
    write(button.lastChild, text);
    if (button.getAttribute('aria-pressed') !== String(on.has(fault.id))) button.setAttribute('aria-pressed', String(on.has(fault.id)));
  });
  $('clear').disabled = !writes || on.size === 0;
}

/** For how long a fault is put in unless somebody says otherwise. */
function usual(fault) {
  return fault.lasts_ms === null ? t('sim_once') : length(fault.lasts_ms);
}

function showTruth() {
  show($('truth').tBodies[0], sim.truth, () => sim.truth.map((one) => h('tr', { 'data-tag': one.tag },
    h('th', { scope: 'row', class: 'wide' }, parted(one.tag.replace('Admin.Prod', '').replace('Statistic.', '').replace('[0]', ''))),
    h('td', { class: 'num' }, one.least === null ? t('sim_too_old') : one.least === one.most ? num(one.least) : `${num(one.least)} – ${num(one.most)}`),
    h('td', { class: 'num' }, one.counted === null ? '–' : `${num(one.counted.best)} ${doubt(one.counted)}`.trim()),
    h('td', { class: one.agrees === false ? 'outside' : '' }, ...(one.agrees === null ? ['–'] : [...(one.agrees ? [] : [icon('internal'), ' ']), word('sim_agrees', String(one.agrees))])),
    h('td', { class: 'num nowrap' }, one.at_ms === null ? '–' : clock(one.at_ms)))));
}

function showSigns() {
  const delay = (ms) => (ms === null ? '–' : age(ms));
  show($('signs').tBodies[0], sim.signs, () => sim.signs.map((sign) => h('tr', {},
    h('th', { scope: 'row', class: 'wide' }, signText(sign)),
    h('td', { class: 'num' }, num(sign.injected)),
    h('td', { class: 'num' }, num(sign.noticed)),
    h('td', { class: sign.missed > 0 ? 'num missed-word' : 'num' }, sign.missed > 0 ? `✕ ${num(sign.missed)}` : '0'),
    h('td', { class: 'num nowrap' }, delay(sign.median_ms)),
    h('td', { class: 'num nowrap' }, delay(sign.longest_ms)),
    h('td', { class: sign.false_alarms > 0 ? 'num false-word' : 'num', title: sign.false_alarms === null ? t('sim_false_unknown') : false }, sign.false_alarms === null ? '–' : sign.false_alarms > 0 ? `◇ ${num(sign.false_alarms)}` : '0'))));
}

function showInjections() {
  const rows = sim.injections.slice(-60).reverse();
  show($('injections').tBodies[0], rows, () => (rows.length === 0 ? [h('tr', {}, h('td', { colspan: 5 }, t('sim_no_injections')))] : rows.map((one) => h('tr', { 'data-number': one.number },
    h('td', { class: 'num nowrap' }, clock(one.from_ms)),
    h('td', { class: 'wide' }, nameOf(one.fault)),
    h('td', { class: 'num nowrap' }, one.to_ms === null ? '–' : clock(one.to_ms)),
    h('td', { class: one.verdict === 'missed' ? 'missed-word' : '' }, ...(one.verdict === 'missed' ? ['✕ '] : one.verdict === 'noticed' ? ['▲ '] : []), word('sim_verdict', one.verdict)),
    h('td', { class: 'num nowrap' }, one.delay_ms === null ? '–' : age(one.delay_ms))))));
}

// Orders -----------------------------------------------------------------------------------------------------------

/** Chooses one of some; what is none of them changes nothing. */
function press(box, button) {
  if (button) for (const other of $(box).children) other.setAttribute('aria-pressed', String(other === button));
}

function choose(box, name) {
  $(box).addEventListener('click', (event) => {
    const button = event.target.closest('button');
    press(box, button);
  });
  return () => Number($(box).querySelector('[aria-pressed="true"]').dataset[name]);
}

const seconds = choose('length', 'seconds');
const speed = choose('reset-speed', 'speed');

async function order(path, what) {
  try {
    await send(`/api/v1/sim/${path}`, what);
    $('fault-trouble').hidden = true;
    return true;
  } catch (error) {
    const text = error.words ? error.message : t('sim_not_sent');
    put('fault-trouble', text).hidden = false;
    return false;
  }
}

/** What a fault does, of the one that the finger, the pointer or the focus is on. */
function about(event) {
  const id = event.target.closest('button')?.dataset.fault;
  const fault = sim?.faults.find((one) => one.id === id);
  const figure = fault && fault.figure !== null ? ` ${fault.figure} ${fault.unit}` : '';
  if (fault) put('fault-about', `${title(fault.title)}: ${title(fault.about)}${figure}`);
}

$('faults').addEventListener('focusin', about);
$('faults').addEventListener('pointerover', about);
$('faults').addEventListener('click', async (event) => {
  const id = event.target.closest('button')?.dataset.fault;
  const fault = sim?.faults.find((one) => one.id === id);
  if (!fault) return;
  if (await order('inject', fault.lasts_ms === null || seconds() === 0 ? { fault: id } : { fault: id, seconds: seconds() })) put('fault-news', t('sim_put', { fault: fault.title }));
});
$('clear').addEventListener('click', () => order('clear', {}));
$('hold').addEventListener('click', () => sim && order('hold', { held: !sim.held }));
$('reset-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!await order('reset', { seed: Number($('reset-seed').value), speed: speed() })) return;
  resetting = true;
  put('clock-word', t('sim_resetting'));
  $('reset').disabled = true;
  $('hold').disabled = true;
});
