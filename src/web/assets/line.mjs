// One line in detail: machines with links, counters and measured values, and where each number is read.

import { age, badTag, clock, doubt, h, hms, num, parted, place, put, REPLAY, setOffset, show, t, title, word, write } from './format.mjs';
import { icon, Plot } from './chart.mjs';
import { AS_OF, ask, files } from './page.mjs';
import { showBatch } from './batch.mjs';
import { showCalls } from './calls.mjs';
import { explained } from './explain.mjs';
import { Seconds } from './seconds.mjs';
import { join } from './shell.mjs';
import { held, showState } from './state.mjs';
import { drawTimeline, timelineRows } from './timeline.mjs';
import { Trends } from './trends.mjs';

const EVERY_MS = 2000;
const STOPS_EVERY_MS = 5000;
const TICKS_EVERY_MS = 10000;
const AGES_EVERY_MS = 1000;
const base = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}`;
/** What flows through a machine: its text, where the view has it, and the word under which it is explained. */
const FLOWS = [['in', 'infeed', 'infeed'], ['out', 'good', 'good'], ['rejected', 'rejected', 'rejected']];
const $ = (id) => document.getElementById(id);

let data = null;
let view = null;
let lost = false;
/** When the tags came, on the line's clock: their ages go on from there. */
let told = null;
/** The machine whose tags are shown; all without one. */
let chosen = null;

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = held(view) ? 'current' : 'held';
    showState(view, lost);
    showCalls(view, lost, chosen);
    showBatch(view);
    showMachines();
    showTags();
    if (!data) {
      load();
      loadStops();
      loadTicks();
      seconds.load();
    }
  },
  // What happened while this screen heard nothing: what was hatched is drawn before the present comes.
  missed: (missed) => {
    seconds.fill(missed);
    if (missed.stops.length === 0 && missed.whole) return;
    loadStops();
    loadTicks();
  },
  step: () => seconds.span.step / 1000,
  // Between two views: the counts alone.
  now: ({ flows }) => view && !lost && flows.forEach((flow, i) => showFlow($('machines').children[i], flow)),
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    showState(view, lost);
    showCalls(view, lost, chosen);
    if (!view) return;
    showMachines();
    showTags();
  },
});
// Of a past moment there is what was read last before it, not what was counted since.
const tagsPath = REPLAY ? `${base}/tags?${AS_OF.slice(1)}` : `${base}/data`;
const load = ask(() => tagsPath, EVERY_MS, (next) => {
  data = next;
  told = live.now();
  files(tagsPath, { tags: 'tags' });
  trends.offer(data.tags);
  showTags();
  showRead();
});
const timeline = new Plot('timeline', {
  draw: (svg, width, height, losses) => drawTimeline(svg, width, height, losses, view?.offset_s ?? 0), rows: timelineRows,
  // Where its reason is given.
  open: (id) => location.assign(`/stops?line=${encodeURIComponent(document.body.dataset.line)}&stop=${encodeURIComponent(id)}${AS_OF}`),
});
const stopsPath = `${base}/losses?window=shift${AS_OF}`;
const loadStops = ask(() => stopsPath, STOPS_EVERY_MS, (losses) => {
  files(stopsPath, { timeline: 'stops' });
  timeline.set(losses);
});
const now = () => (REPLAY ? Number(document.body.dataset.replay) : live.now());
/** Stops of the time that is drawn, and until when one that goes on is known to. */
let stops = [];
const ticks = () => ({ stops, until: lost && view ? view.at_ms : now() ?? 0 });
const seconds = new Seconds(now, () => view, ticks);
const trends = new Trends(now, ticks);
const loadTicks = ask(() => `${base}/stops?from=${Math.floor(now() - Math.max(seconds.span.ms, trends.span.ms))}&to=${Math.ceil(now())}`, TICKS_EVERY_MS, (next) => {
  stops = next.stops;
}, 'trouble', () => now() !== null);
for (const id of ['seconds-span', 'trend-span']) $(id).addEventListener('click', () => loadTicks());
showState(view, lost);
live.run();
// What is no longer read grows old by itself, while nothing arrives too.
setInterval(() => {
  if (!view || REPLAY || document.hidden) return;
  if (lost) showMachines();
  showAges();
}, AGES_EVERY_MS);

/** The cards are made once and their numbers written in place: what is drawn anew loses the press and the focus on it. */
function showMachines() {
  const frame = view.stations.map((station) => [station.id, station.title, station.protocol, station.counts,
    FLOWS.filter(([, member]) => station[member]).map(([name]) => name), station.measures.map(({ tag, unit }) => [tag, unit])]);
  show($('machines'), frame, () => view.stations.map(machine));
  view.stations.forEach((station, i) => showMachine($('machines').children[i], station));
}

function machine(station) {
  const flow = FLOWS.filter(([, member]) => station[member]).map(([name, member, what]) => h('p', {}, h('span', { class: 'dim' }, t(name)),
    explained(what, { 'data-query': `station=${encodeURIComponent(station.id)}`, 'aria-label': '', 'data-flow': member }, h('b', { class: 'num' })), h('span', { class: 'dim doubted' })));
  if (flow.length === 0) flow.push(h('p', { class: 'fault' }, t('not_read')));
  const values = station.measures.map(({ tag, unit }) => h('p', { 'data-tag': tag }, h('span', { class: 'dim' }, tag.replace(/^.*?\./, '')),
    h('b', { class: 'num' }), h('span', { class: 'dim' }, unit)));
  return h('section', { class: 'card machine', 'aria-label': station.id },
    h('header', {}, h('h2', {}, h('span', { class: 'class' }), ` ${station.id} `, title(station.title)),
      h('button', { type: 'button', class: 'act', 'data-station': station.id, 'aria-pressed': 'false' }, t('show_tags'))),
    h('p', { class: 'machine-state' }, h('b'), h('span')),
    h('p', { class: 'heard' }),
    h('p', { class: 'fault bad', hidden: true }),
    h('p', { class: 'machine-note dim', hidden: true }, t('replay_machine')),
    h('div', { class: 'columns' }, h('div', { class: 'values' }, ...flow), h('div', { class: 'values' }, ...values)));
}

/** What flows through a machine; a card without that machine's counters is left as it is. */
function showFlow(card, station) {
  for (const button of card?.querySelectorAll('[data-flow]') ?? []) {
    const count = station[button.dataset.flow];
    if (!count) continue;
    write(button.firstChild, num(count.best));
    button.setAttribute('aria-label', `${button.previousSibling.textContent} ${num(count.best)}`);
    write(button.nextSibling, doubt(count));
  }
}

function showMachine(card, station) {
  const known = station.up && !lost;
  const find = (selector) => card.querySelector(selector);
  card.classList.toggle('down', !station.up);
  card.classList.toggle('unread', !known);
  show(find('.class'), known ? station.state.class : 'unknown', () => [icon(known ? station.state.class : 'unknown')]);
  find('[data-station]').setAttribute('aria-pressed', String(chosen === station.id));
  write(find('.machine-state b'), station.up || lost ? word('state', known ? station.state.word : 'unknown') : t('plc_offline'));
  write(find('.machine-state span'), lost ? '' : ` ${hms(station.state.for_ms)}`);
  find('.machine-note').hidden = !REPLAY;
  const since = station.heard_ago_ms === null ? null : station.heard_ago_ms + (lost ? passed(view.at_ms) : 0);
  const heard = since === null ? t('never_heard') : t('heard', { age: age(since) });
  find('.heard').className = known ? 'heard dim' : 'heard fault';
  const how = [station.protocol === 'opcua' ? 'OPC UA' : 'Modbus', station.counts ? t('counts') : '', known || lost || REPLAY ? '' : word('miss', station.reason), REPLAY ? '' : heard];
  write(find('.heard'), `${known ? '' : '◆ '}${how.filter(Boolean).join(' · ')}`);
  const bad = station.bad_tags ?? [];
  find('.bad').hidden = bad.length === 0;
  write(find('.bad'), `◆ ${t('bad_data')} ${bad.map((one) => badTag(one, lost)).join(', ')}`);
  showFlow(card, station);
  for (const { tag, value, word: name } of station.measures) {
    write(find(`[data-tag="${CSS.escape(tag)}"] b`), value === null ? '◆' : name ?? num(value));
  }
}

/** How long a moment of the line's clock is ago. */
function passed(at) {
  const now = live.now();
  return at === null || now === null ? 0 : Math.max(0, now - at);
}

$('machines').addEventListener('click', (event) => {
  const station = event.target.closest('button.act')?.dataset.station;
  if (!station) return;
  chosen = chosen === station ? null : station;
  showMachines();
  showCalls(view, lost, chosen);
  showTags();
});

/** Says how far readings of a past moment are kept. */
function showRead() {
  if (!REPLAY) return;
  put('tags-note', data.kept ? t('replay_tags', { s: data.back_s }) : t('replay_no_tags'));
}

/** The value of a tag: as the line tells it, else as it was read last, before the moment of the page where that is past. */
function valueOf(tag, measure) {
  if (REPLAY) return tag.read_ms === null ? '' : readOf(tag);
  if (measure && measure.value !== null) return measure.word ? `${measure.word} (${num(measure.value)})` : num(measure.value);
  if (measure) return '◆';
  if (tag.counter) return num(tag.counter.raw);
  return ofStation(tag) || (tag.read ? readOf(tag.read) : '–');
}

/** A reading in words and digits, a bad one as a diamond. */
function readOf({ quality, text, value }) {
  if (quality === 'bad') return '◆';
  const number = value === null ? '' : num(Math.round(value * 1e4) / 1e4);
  return text && number && !REPLAY ? `${text} (${number})` : text ?? number;
}

/** Whether a machine is read at the moment. */
const isRead = (id) => !lost && Boolean(view.stations.find((one) => one.id === id)?.up);

/** What a station tells beside its counters and measured values; of what is not live nothing. */
function ofStation({ tag, station: id, role }) {
  const station = lost ? null : view.stations.find((one) => one.id === id);
  if (!station?.up) return '';
  if (station.bad_tags?.some((bad) => bad.tag === tag)) return '◆';
  const { state, speed } = station;
  const told = { state: [state.raw, word('state', state.word)], stop_reason: [state.stop_reason], speed: [speed] }[role] ?? [];
  const [value, name] = told;
  if (value === undefined || value === null) return '';
  return name ? `${name} (${num(value)})` : num(value);
}

function showTags() {
  if (!data || !view) return;
  const values = new Map(view.stations.flatMap((station) => station.measures.map((measure) => [measure.tag, measure])));
  const rows = data.tags.filter((tag) => chosen === null || tag.station === chosen);
  if (!REPLAY) put('tags-note', chosen ?? '');
  // The age moves by itself; the table is drawn when a figure changes.
  const states = view.stations.map(({ up, state, speed, bad_tags: bad }) => [up, state.word, state.raw, state.stop_reason, speed, bad?.map(({ tag }) => tag)]);
  show($('tags').tBodies[0], [rows, [...values], states, lost], () => rows.map((tag) => {
    const measure = values.get(tag.tag);
    const { counter } = tag;
    const value = valueOf(tag, measure);
    const read = REPLAY || isRead(tag.station);
    const shown = value === '' ? '' : `${value} ${tag.unit}`.trim();
    return h('tr', { class: read ? '' : 'unread', 'data-of': tag.tag },
      h('th', { scope: 'row' }, parted(tag.tag)),
      h('td', { class: 'wide' }, tag.reason ? `${word('role', tag.role)}: ${word('reason', tag.reason)}` : word('role', tag.role)),
      h('td', { class: 'num value' }, read ? '' : h('span', { class: 'fault', title: t('plc_offline') }, '◆ '), h('span', { class: 'figure' }, shown)),
      h('td', { class: 'num' }, counter ? `${num(counter.total.best)} ${doubt(counter.total)}`.trim() : ''),
      h('td', { class: 'num' }, counter ? `${counter.segment}${counter.held ? ` ${t('waiting')}` : ''}` : ''),
      h('td', { class: 'num nowrap age' }, REPLAY && tag.read_ms ? clock(tag.read_ms) : ''),
      h('td', { class: 'wide' }, word('group', tag.group, tag.group)),
      h('td', { class: 'wide' }, place(tag.address)),
      h('td', { class: 'wide dim map' }, tag.map.replace(/^.*\//, '')));
  }));
  showAges();
}

/** How old each value of the table is: written in place, as it moves while the value stands. */
function showAges() {
  if (!data || !view || REPLAY) return;
  const ages = new Map(data.tags.map(({ tag, read }) => [tag, read?.age_ms]));
  for (const row of $('tags').tBodies[0].rows) {
    const since = ages.get(row.dataset.of);
    write(row.querySelector('.age'), since === undefined ? '–' : age(since + passed(told)));
  }
}
