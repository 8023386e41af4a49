// Stops and losses: a list, a time line, a Pareto of the lost time, and the place where people give reasons.

import { clock, day, fixed, h, hms, num, put, REPLAY, s, setOffset, show, t, title, word } from './format.mjs';
import { icon, Plot } from './chart.mjs';
import { explained, heading, made, part, tells } from './explain.mjs';
import { showCalls } from './calls.mjs';
import { AS_OF, ask, asSpan, author, files, keepAuthor, notSaved, remember, send, spanText, windows } from './page.mjs';
import { join } from './shell.mjs';
import { drawMicro, drawTimeline, microRows, reasonOf, SHAPES, timelineRows, when } from './timeline.mjs';
import { drawWaterfall, waterfallNote, waterfallRows } from './waterfall.mjs';

const EVERY_MS = 5000;
const $ = (id) => document.getElementById(id);
const line = encodeURIComponent(document.body.dataset.line);
const writes = $('tools').dataset.writes === 'true';

const CAUSES = ['internal', 'starved', 'blocked', 'external', 'planned', 'unknown'];

let data = null;
/** The latest view, and whether it no longer holds. */
let present = null;
let lost = false;
let offset = 0;
/** Until when a stop that goes on is known to have gone on. */
let heard = null;
/** The stop whose reason is asked for. */
let asked = null;

const timeline = new Plot('timeline', {
  draw: (svg, width, height, shown) => drawTimeline(svg, width, height, shown, offset), rows: timelineRows, open: openOf,
});
const microHours = new Plot('micro-hours', { draw: drawMicro, rows: microRows });
const waterfall = new Plot('waterfall', { draw: drawWaterfall, rows: waterfallRows });
const live = join({
  view: (view) => {
    offset = view.offset_s;
    setOffset(offset);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
    present = view;
    showCalls(present, lost);
    if (data) showStops();
    else load();
  },
  missed: (missed) => {
    if (missed.stops.length > 0 || !missed.whole) load();
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    showCalls(present, lost);
    if (data) showStops();
  },
});
const path = () => `/api/v1/lines/${line}/losses?${asSpan()}&micro_s=${$('micro').value}&by=${by()}${AS_OF}`;
const load = ask(path, EVERY_MS, (next) => {
  data = next;
  files(path(), { timeline: 'stops', stops: 'stops', losses: 'losses', waterfall: 'waterfall', 'micro-hours': 'micro_stops' });
  files(`/api/v1/lines/${line}/calls?from=${data.window.from_ms}&to=${data.window.to_ms}`, { calls: 'calls' });
  if (!held()) heard = next.window.to_ms;
  showAll();
  openAsked();
});
windows(load);
const asks = new URLSearchParams(location.search);
const rank = (button) => [...$('rank').children].forEach((one) => one.setAttribute('aria-pressed', String(one === button)));
const ranked = [...$('rank').children].find((button) => button.dataset.by === asks.get('by'));
if (ranked) rank(ranked);
$('rank').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  rank(button);
  remember('by', button.dataset.by);
  load();
});
/** Whether only stops are listed that lack cause and reason. */
const onlyOwed = () => $('owed').getAttribute('aria-pressed') === 'true';
$('owed').setAttribute('aria-pressed', String(asks.get('owed') === '1'));
$('owed').addEventListener('click', () => {
  const on = !onlyOwed();
  $('owed').setAttribute('aria-pressed', String(on));
  remember('owed', on ? '1' : null);
  if (data) showStops();
});
const micro = asks.get('micro');
if ([...$('micro').options].some((option) => option.value === micro)) $('micro').value = micro;
$('micro').addEventListener('change', () => {
  remember('micro', $('micro').value);
  load();
});
live.run();

/** What losses are ranked by. */
function by() {
  return document.querySelector('#rank [aria-pressed="true"]').dataset.by;
}

/** Whether what is shown is no longer told by the line. */
function held() {
  return !REPLAY && (lost || (present !== null && present.feed !== 'current'));
}

function showAll() {
  put('span', spanText(data.window));
  const minutes = (seconds) => (seconds === null ? '–' : hms(seconds * 1000));
  put('lost-time', hms(data.lost_ms));
  put('lost-time-note', [
    t('lost_of', { time: hms(data.recorded_ms) }), t('lost_unplanned', { time: hms(data.unplanned_ms) }),
    t('lost_planned', { time: hms(data.planned_ms) }), t('lost_stops', { n: data.n_stops }),
    data.unseen.n > 0 ? t('lost_unseen', { time: hms(data.unseen.ms) }) : '',
  ].filter(Boolean).join(' · '));
  put('unassigned', String(data.n_unassigned));
  put('unassigned-note', t('unassigned_note', { time: hms(data.unassigned_ms) }));
  put('micro-sum', hms(data.micro_ms));
  put('micro-sum-note', t('micro_note', { n: data.n_micro, s: data.micro_s }));
  put('mtbf', minutes(data.mtbf_s));
  put('mtbf-note', data.setup_known ? t('failures_between', { n: data.failures, time: hms(data.between_failures_ms) }) : t('setup_unknown'));
  put('mttr', minutes(data.mttr_s));
  put('mttr-note', t('failures_repair', { n: data.failures, time: hms(data.repair_ms) }));
  timeline.set(data);
  microHours.set(data);
  waterfall.set(data.waterfall);
  put('waterfall-note', waterfallNote(data.waterfall));
  showStops();
  showLosses();
}

// List and Pareto -----------------------------------------------------------------------------------------------


function showStops() {
  const rows = onlyOwed() ? data.stops.filter(isOwed) : data.stops;
  put('stops-note', onlyOwed() ? t('owed_shown', { n: num(rows.length), all: num(data.n_stops) }) : '');
  show($('stops').tBodies[0], [rows, onlyOwed(), data.window.window, held() ? heard : null], () => (rows.length === 0 ? [h('tr', {}, h('td', { colspan: 6, class: 'wide' }, t(onlyOwed() ? 'no_owed' : 'no_stops')))] : rows.map((stop) => {
    const does = t(stop.said.length > 0 || stop.reason ? 'assign_change' : isOwed(stop) ? 'assign_new' : 'assign_add');
    const button = h('button', { class: 'act', type: 'button', 'data-stop': stop.id, 'aria-label': `${does} ${when(stop.from_ms, data.window)}` }, does);
    return h('tr', { class: stop.micro && !isOwed(stop) ? 'micro' : '' },
      h('td', { class: 'num' }, `${stop.cut_before ? '◁ ' : ''}${when(stop.from_ms, data.window)}`),
      h('td', { class: 'nowrap' }, icon(SHAPES[stop.cause]), ` ${word('cause', stop.cause)}`),
      h('td', {}, stop.stations.join(' / ')),
      h('td', { class: 'wide' }, reasonOf(stop), ...(stop.said.length > 0 ? [h('span', { class: 'dim' }, ` · ${stop.said.at(-1).by} · ${t('as_recorded', { cause: recorded(stop) })}`)] : [])),
      h('td', { class: 'num' }, `${lasted(stop)}${stop.cut_after && stop.to_ms !== null ? ' ▷' : ''}`),
      h('td', {}, button));
  })));
}

/** Whether a stop is one of those that the tile counts as unassigned: the others can be given a reason, and need none. */
const isOwed = (stop) => stop.cause === 'unknown' && !stop.reason;

/** How long a stop lasted. One after which nobody saw the line, or that goes on while nobody is heard, lasted at least so long. */
function lasted(stop) {
  const since = stop.to_ms ?? (held() ? heard ?? data.window.to_ms : null);
  const unseen = stop.to_ms === null ? held() : data.stops.some((one) => one.cause === 'no_signal' && one.from_ms === stop.to_ms);
  if (unseen && stop.cause !== 'no_signal') {
    const time = stop.to_ms === null ? Math.min(stop.lasted_ms, Math.max(0, since - stop.from_ms)) : stop.lasted_ms;
    return t('at_least', { time: hms(time), since: when(since, data.window) });
  }
  return `${hms(stop.lasted_ms)}${stop.to_ms === null ? ` ${t('going')}` : ''}`;
}

const recorded = (stop) => [word('cause', stop.recorded_cause), stop.recorded_title ? title(stop.recorded_title) : ''].filter(Boolean).join(' · ');

/** A machine, or what time was lost for. */
const nameOf = (loss) => (loss.cause === '' ? loss.station || t('no_machine') : reasonOf(loss) || word('cause', loss.cause));

/** A row of the Pareto: the stops that it is the sum of. */
tells('loss', (query) => {
  const loss = data.losses[Number(query)];
  const stops = data.stops.filter((stop) => loss.stops.includes(stop.id));
  return [
    h('p', { class: 'result num' }, `${hms(loss.ms)} · ${nameOf(loss)}`),
    h('p', { class: 'formula' }, h('code', {}, 'T = Σ Δt; T / L')),
    h('p', { class: 'num worked' }, `${hms(loss.ms)} / ${hms(data.lost_ms)}${by() === 'count' ? '' : ` = ${fixed(loss.share_percent, 1)} %`}`),
    ...made(part('L', t('lost_time'), hms(data.lost_ms)), part('T', nameOf(loss), hms(loss.ms)),
      ...stops.map((stop) => part('Δt', when(stop.from_ms, data.window), `${hms(stop.inside_ms)}${stop.cut_before || stop.cut_after ? ` ${t('loss_cut')}` : ''}`))),
    heading('explain_window'),
    h('p', { class: 'num' }, spanText(data.window)),
    heading('explain_left_out'),
    h('p', {}, t('loss_left_out', { time: hms(data.unseen.ms) })),
    h('p', {}, t('loss_source')),
  ];
});

function showLosses() {
  const rows = data.losses;
  const ranked = by() === 'count' ? (loss) => loss.n : (loss) => loss.ms;
  const max = Math.max(...rows.map(ranked), 1);
  const ofMachines = rows.some((loss) => loss.cause === '');
  put('losses-title', t(ofMachines ? 'loss_by_station' : 'loss_pareto'));
  const kind = (loss) => SHAPES[loss.cause] ?? 'idle';
  show($('losses').tBodies[0], [rows, by()], () => (rows.length === 0 ? [h('tr', {}, h('td', { colspan: 5 }, t('no_stops')))] : rows.map((loss, i) => h('tr', {},
    h('th', { scope: 'row', class: 'wide' }, ...(ofMachines ? [] : [icon(kind(loss)), ' ']), nameOf(loss), h('span', { class: 'dim' }, reasonOf(loss) ? ` ${word('cause', loss.cause)}` : '')),
    h('td', { class: 'bar-cell' }, s('svg', { class: 'bar-svg', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      s('rect', { y: 2, width: ranked(loss) / max * 120, height: 12, class: `stop ${kind(loss)}` })), h('span', { class: 'num' }, `${fixed(loss.share_percent, 1)} %`)),
    h('td', { class: 'num' }, String(loss.n)),
    h('td', { class: 'num' }, explained('loss', { 'data-query': String(i) }, hms(loss.ms))),
    h('td', { class: 'num' }, `${fixed(loss.cumulative_percent, 1)} %`)))));
}

// Reasons -------------------------------------------------------------------------------------------------------

$('stops').addEventListener('click', (event) => openOf(event.target.closest('button')?.dataset.stop));

function openOf(id) {
  const stop = data?.stops.find((one) => one.id === id);
  if (stop && !$('entry').open) open(stop);
}

/** The stop that the address asks for, once: a page that is loaded again asks nobody anew. */
function openAsked() {
  const address = new URL(location.href);
  const id = address.searchParams.get('stop');
  if (id === null) return;
  address.searchParams.delete('stop');
  history.replaceState(null, '', address);
  openOf(id);
}

$('reasons').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) give(button.dataset.cause, button.dataset.reason, t('why_default'));
});

$('undo').addEventListener('click', () => say({ act: 'undo', part: asked.id, why: t('why_undo') }));

$('own-save').addEventListener('click', () => give($('own-cause').value, $('own-reason').value, $('own-why').value || t('why_default')));

function open(stop) {
  asked = stop;
  put('entry-stop', [when(stop.from_ms, data.window), hms(stop.lasted_ms), stop.stations.join(' / '), recorded(stop)].filter(Boolean).join(' · '));
  put('entry-trouble', writes ? '' : t('read_only_here')).hidden = writes;
  $('author').value = author();
  $('reasons').replaceChildren(...data.choices.map((choice) => h('button', {
    class: 'act reason', type: 'button', 'data-cause': choice.cause, 'data-reason': choice.reason, disabled: !writes,
  }, icon(SHAPES[choice.cause]), h('span', {}, title(choice.title)))));
  $('own-cause').replaceChildren(...CAUSES.map((cause) => h('option', { value: cause, selected: cause === stop.cause }, word('cause', cause))));
  $('own-save').disabled = !writes;
  // What nobody has said cannot be taken back.
  $('undo').disabled = !writes || stop.said.findLast((one) => ['assign', 'undo'].includes(one.act))?.act !== 'assign';
  const { before, after } = neighbours(stop);
  $('split-at').value = clock((stop.from_ms + (stop.to_ms ?? stop.from_ms)) / 2);
  $('cut-why').value = '';
  $('split').disabled = !writes || stop.to_ms === null || stop.lasted_ms < 2000;
  $('merge-before').disabled = !writes || !before;
  $('merge-after').disabled = !writes || !after;
  const said = stop.said.map((one) => h('li', {}, t({ split: 'said_split', merge: 'said_merge', undo: 'said_undo' }[one.act] ?? 'said_line', {
    parts: one.parts.join(' + '), after: hms(one.after_ms ?? 0), time: `${day(one.at_ms)} ${clock(one.at_ms)}`, by: one.by, why: one.why, cause: one.cause ? word('cause', one.cause) : '', reason: one.title ? title(one.title) : one.reason,
  })));
  $('said').replaceChildren(h('li', {}, stop.said.length === 0 ? t('said_nothing', { cause: recorded(stop) }) : t('as_recorded', { cause: recorded(stop) })), ...said);
  $('entry').showModal();
  if (writes && !$('author').value) $('author').focus();
}

/** The stop that ends where another begins, and the one that begins where it ends: only these can be joined. */
function neighbours(stop) {
  return { before: data.stops.find((one) => one.to_ms === stop.from_ms), after: data.stops.find((one) => one.from_ms === stop.to_ms) };
}

/** How long after its begin a stop reaches a time of the plant's day; none where that is no time or lies outside. */
function reached(stop, time) {
  const parts = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(time.trim());
  if (!parts) return null;
  const [hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  const local = stop.from_ms + offset * 1000;
  const at = Math.floor(local / 86400000) * 86400000 + ((hours * 60 + minutes) * 60 + seconds) * 1000;
  const after = (at <= local ? at + 86400000 : at) - local;
  return after < stop.lasted_ms ? after : null;
}

const cutWhy = (text) => $('cut-why').value.trim() || t(text);

$('split').addEventListener('click', () => {
  const after = reached(asked, $('split-at').value);
  if (after !== null) {
    say({ act: 'split', part: asked.id, after_ms: after, why: cutWhy('why_split') });
    return;
  }
  put('entry-trouble', t('split_inside', { from: clock(asked.from_ms), to: clock(asked.to_ms) })).hidden = false;
  $('split-at').focus();
});
$('merge-before').addEventListener('click', () => {
  const { before } = neighbours(asked);
  if (before) say({ act: 'merge', part: before.id, with: asked.id, why: cutWhy('why_merge') }, before.id);
});
$('merge-after').addEventListener('click', () => {
  const { after } = neighbours(asked);
  if (after) say({ act: 'merge', part: asked.id, with: after.id, why: cutWhy('why_merge') });
});

const give = (cause, reason, why) => say({ act: 'assign', part: asked.id, cause, reason, why });

/** Sends what a person says of a stop. `stays` is the part that is there afterwards. */
async function say(what, stays = asked.id) {
  const by = $('author').value.trim();
  if (!by) {
    put('entry-trouble', t('name_first')).hidden = false;
    $('author').focus();
    return;
  }
  keepAuthor(by);
  const seen = Math.max(0, ...data.stops.map((stop) => stop.revision));
  try {
    await send(`/api/v1/lines/${line}/stops/revisions`, { ...what, seen, by });
    $('entry').close();
    await load();
    // Of those without a reason it is none any more.
    (document.querySelector(`#stops [data-stop="${CSS.escape(stays)}"]`) ?? $('owed')).focus();
  } catch (error) {
    put('entry-trouble', notSaved(error)).hidden = false;
  }
}

$('print').addEventListener('click', () => window.print());
