// Data quality: links, polls, doubts, balance, store.

import { age, ahead, clock, detail, doubt, fixed, h, happened, hm, hms, kindBefore, num, parted, put, setOffset, show, signed, size, t, title, word, write } from './format.mjs';
import { loadAlerts } from './alerts.mjs';
import { icon } from './chart.mjs';
import { Diagnosis } from './diagnosis.mjs';
import { acknowledged, displayName, nameDisplay, SCREEN } from './display.mjs';
import { explained, heading, made, part, tells } from './explain.mjs';
import { Grid } from './grid.mjs';
import { ask, files } from './page.mjs';
import { offerReload } from './reload.mjs';
import { join } from './shell.mjs';

/** What is read from the journal: the ledger of a whole day among it. */
const EVERY_MS = 2000;
/** What the service has at hand. */
const DISPLAYS_EVERY_MS = 1000;
const AGES_EVERY_MS = 1000;
const $ = (id) => document.getElementById(id);

let data = null;
let view = null;
let lost = false;
/** When the view and the tags came, on this page's own clock: their ages go on from there. */
let seen = 0;
let read = 0;
/** Whether this screen has its stream, and so counts itself. */
let streams = false;

const live = join({
  view: (next) => {
    view = next;
    seen = performance.now();
    told.view = view;
    setOffset(view.offset_s);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
    showLinks();
    // What was loaded before this screen had its stream says one screen too few.
    const first = !streams && live.seq !== null;
    if (first) streams = true;
    if (!data || first) load();
    if (!data) {
      loadAlerts();
      loadPlant();
    }
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    if (view) showLinks();
  },
});
const dataPath = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/data`;
const grid = new Grid();
/** What a diagnosis is made of, as it was told last. */
const told = { live: null, data: null, view: null, displays: [], plant: null };
const load = ask(() => dataPath, EVERY_MS, (next) => {
  data = next;
  read = performance.now();
  told.data = data;
  files(dataPath, { grid: 'tags', polls: 'polls', ledger: 'ledger', balance: 'balance', clocks: 'clocks' });
  files('/api/v1/displays', { displays: 'displays' });
  showAll();
});
const loadPlant = ask(() => '/api/v1/forward', EVERY_MS, showPlant);
const loadDisplays = ask(() => '/api/v1/displays', DISPLAYS_EVERY_MS, showDisplays);
told.live = live;
live.run();
offerReload();
const diagnosis = new Diagnosis(told);
// This screen is in the list once it has said that it paints; until then the list tells of the page before.
acknowledged.then(loadDisplays);

$('display-name').value = displayName();
$('display-name').addEventListener('change', () => {
  nameDisplay($('display-name').value);
  $('display-name').value = displayName();
  setTimeout(loadDisplays, 300);
});

// What is no longer read grows old by itself, while nothing arrives too.
setInterval(() => {
  if (!view || document.hidden) return;
  if (lost) showLinks();
  if (data) grid.grow(performance.now() - read);
}, AGES_EVERY_MS);

/** When a station was heard, in words. */
function heardOf({ id, heard_ago_ms: ago }, since) {
  return `${id} ${ago === null ? t('never_heard') : age(ago + since)}`.replaceAll(' ', '\u00a0');
}

/** From the live view: links and the known part of the shift. Of a lost screen only how old it is goes on. */
function showLinks() {
  const down = view.stations.filter((station) => !station.up);
  put('links', `${view.links.up} / ${view.links.of}`);
  $('links').closest('.tile').classList.toggle('broken', down.length > 0);
  const heard = view.stations.map((station) => heardOf(station, lost ? performance.now() - seen : 0)).join(' · ');
  put('links-note', lost ? `◆ ${heard}` : down.length === 0 ? heard
    : down.map((station) => `◆ ${station.id} ${word('miss', station.reason)} ${hms(station.state.for_ms)}`).join(' · '));
  const shift = view.shift;
  put('known', shift && shift.known_percent !== null ? `${fixed(shift.known_percent, 1)} %` : '–');
  put('known-note', shift ? t('known_since', { time: hm(shift.watched_from_ms) }) : t('no_shift'));
}

function showAll() {
  const { done, missed, dropped } = data.polled;
  put('done', num(done));
  put('done-note', `${t('polls_missed')} ${num(missed)} · ${t('dropped', { n: num(dropped) })}`);
  put('doubts', num(data.n_entries));
  put('doubts-note', t('doubts_note'));
  const { store } = data;
  put('store', size(store.total_bytes));
  put('store-note', store.failing ? t('store_failing') : store.shedding ? t('store_shedding', { free: size(store.free_bytes) }) : t('store_note', { p50: fixed(store.commit_ms[0], 1), p99: fixed(store.commit_ms[1], 1), queued: num(store.queued) }));
  $('store').closest('.tile').classList.toggle('broken', store.failing || store.shedding);
  put('screens', num(data.screens));
  put('screens-note', data.resident_bytes === null ? '' : t('memory', { n: size(data.resident_bytes) }));
  showPolls();
  grid.set(data.tags);
  showClocks();
  showLedger();
  showBalance();
  diagnosis.offer();
}

/** The clocks of the devices beside that of the service, and the clock of this screen. */
function showClocks() {
  const own = live.ahead();
  const screen = live.speed !== 1 ? 'fast' : own === null ? 'unheard' : live.skew() === null ? 'close' : 'off';
  const rows = data.clocks.map((clock) => [clock.station, ahead(clock.ahead_ms), word('device_clock', clock.verdict), ['ahead', 'behind'].includes(clock.verdict)]);
  rows.push([t('clock_screen'), ahead(own), word('clock_screen', screen), screen === 'off']);
  show($('clocks').tBodies[0], rows, () => rows.map(([name, difference, meaning, off]) => h('tr', {},
    h('th', { scope: 'row' }, name),
    h('td', { class: off ? 'num fault' : 'num' }, difference),
    h('td', { class: off ? 'wide fault' : 'wide dim' }, ...(off ? [icon('unknown'), ' '] : []), meaning))));
}

/** The plant's database: what forwarding is at, what waits and how late it is. */
function showPlant({ database, total }) {
  told.plant = { database, total };
  put('plant', database ? word('forward', database.state) : '–');
  put('plant-note', !database ? t('no_plant_database') : database.trouble ? `◆ ${title({ en: database.trouble, zh: database.trouble_zh })}` : t('plant_note', {
    waiting: num(total.waiting), lag: age(total.lag_ms), dead: num(total.dead_letters),
  }));
  $('plant').closest('.tile').classList.toggle('broken', Boolean(database && (database.trouble || total.dead_letters > 0)));
}

/** Which policy the poll thread really runs under, and whether another one was wanted. */
function showScheduling() {
  const { scheduling } = data;
  if (!scheduling) return put('polls-note', '');
  const { realtime_priority: priority, wanted } = scheduling;
  const runs = priority === null ? t('scheduled_plainly') : t('scheduled_first', { n: num(priority) });
  return put('polls-note', wanted === priority ? runs : `◆ ${runs} · ${t('scheduling_refused', { n: num(wanted) })}`);
}

function showPolls() {
  showScheduling();
  show($('polls').tBodies[0], data.polls, () => data.polls.map((poll) => h('tr', {},
    h('th', { scope: 'row' }, poll.station), h('td', { class: 'wide' }, word('group', poll.group, poll.group)),
    h('td', { class: 'num' }, num(poll.planned)), h('td', { class: 'num' }, num(poll.done)),
    h('td', { class: poll.n_missed > 0 ? 'num fault' : 'num' }, poll.n_missed > 0 ? `◆ ${num(poll.n_missed)}` : '0'),
    h('td', { class: 'wide' }, poll.missed.map(({ reason, n }) => `${word('miss', reason)} ${num(n)}`).join(' · ')),
    h('td', { class: 'num' }, poll.late_ms.some((ms) => ms > 0) ? poll.late_ms.map((ms) => fixed(ms, 2)).join(' / ') : '–'),
    h('td', { class: 'num' }, poll.round_trip_ms > 0 ? `${fixed(poll.round_trip_ms, 1)} ms` : '–'))));
}

function showLedger() {
  show($('ledger').tBodies[0], data.entries, () => (data.entries.length === 0 ? [h('tr', {}, h('td', { colspan: 5 }, t('no_doubts')))] : data.entries.map((event) => h('tr', {},
    h('td', { class: 'num nowrap' }, event.from_ms ? `${clock(event.from_ms)}–${clock(event.at_ms)}` : clock(event.at_ms)),
    h('td', { class: 'wide' }, ...(event.kind === 'alarm' ? [icon('internal'), ' '] : event.word === 'down' || event.word === 'gap' ? [icon('unknown'), ' '] : []), h('span', { class: 'dim' }, kindBefore(event.kind, happened(event))), happened(event)),
    h('td', { class: 'wide' }, parted(event.tag ?? event.station ?? '')),
    h('td', { class: 'num nowrap' }, event.count ? `${num(event.count.best)} ${doubt(event.count)}`.trim() : ''),
    h('td', { class: 'wide dim' }, detail(event))))));
}

/** How a section of the balance is made: each counter that it rests on, and what is judged. */
tells('section', (query) => {
  const section = data.balance.sections[Number(query)];
  return [
    h('p', { class: 'result num' }, counted(section.grown, signed)),
    h('p', { class: 'formula' }, h('code', {}, 'D = I − ΣO')),
    h('p', { class: 'num worked' }, `${num(section.went_in.best)} − ${num(section.came_out.best)} = ${signed(section.grown.best)}`),
    ...made(part('I', section.inlets.join(' + '), counted(section.went_in, num)), ...section.outlets.map((tag, i) => part('O', tag, counted(section.outlet_counts[i], num)))),
    heading('explain_window'),
    h('p', { class: 'num' }, `${section.stations.join(' → ')} · ${t('span_shift', { name: data.balance.name })} ${hm(data.balance.start_ms)}`),
    heading('judged'),
    h('p', {}, `${word('section', section.verdict)}: ${t('section_judged', { n: num(section.capacity) })}`),
  ];
});

function showBalance() {
  const sections = data.balance?.sections ?? [];
  put('balance-note', data.balance ? `${t('span_shift', { name: data.balance.name })} ${hm(data.balance.start_ms)}` : '');
  show($('balance').tBodies[0], sections, () => (sections.length === 0 ? [h('tr', {}, h('td', { colspan: 7 }, t('no_balance')))] : sections.map((section, i) => h('tr', {},
    h('th', { scope: 'row', class: 'wide' }, section.stations.join(' → ')),
    h('td', { class: 'num' }, counted(section.went_in, num)),
    h('td', { class: 'num' }, counted(section.came_out, num)),
    h('td', { class: 'num' }, section.grown ? explained('section', { 'data-query': String(i) }, counted(section.grown, signed)) : counted(null, signed)),
    h('td', { class: 'num' }, ...(section.inside ? [`${num(section.inside.low)} – ${num(section.inside.high)}`, h('span', { class: 'dim' }, ` ${t('since', { time: hm(section.inside.since_ms) })}`)] : ['–'])),
    h('td', { class: 'num' }, num(section.capacity)),
    h('td', { class: section.verdict === 'miscount' ? 'verdict more' : 'verdict' }, ...({ miscount: [icon('internal'), ' '], unread: [icon('unknown'), ' '] }[section.verdict] ?? []), word('section', section.verdict))))));
}

/** A count with its doubt; what was not read has none. */
function counted(count, form) {
  return count ? `${form(count.best)} ${doubt(count, form)}`.trim() : t('not_read');
}

function showDisplays(displays) {
  told.displays = displays;
  // An age that moves by itself is written in place; the table is drawn when something else changes.
  const known = displays.map(({ painted_ago_ms: painted, heard_ago_ms: heard, seq, ...rest }) => rest);
  show($('displays').tBodies[0], known, () => (displays.length === 0 ? [h('tr', {}, h('td', { colspan: 4 }, t('no_displays')))] : displays.map((display) => h('tr', { 'data-screen': display.screen, 'data-state': display.state },
    h('th', { scope: 'row', class: 'wide' }, display.name || h('span', { class: 'dim' }, t('display_unnamed')), ...(display.screen === SCREEN ? [h('span', { class: 'dim' }, ` (${t('display_this')})`)] : [])),
    h('td', { class: 'wide' }, display.page.endsWith(`/${display.line}`) ? display.page : `${display.page} ${display.line}`),
    h('td', { class: display.state === 'frozen' || display.old_build ? 'fault' : '' }, ...(display.state === 'frozen' || display.old_build ? [icon('unknown'), ' '] : []),
      [word('display', display.state), display.old_build ? t('display_build_old') : ''].filter(Boolean).join(' · ')),
    h('td', { class: 'num nowrap' }, h('span', { class: 'painted' }))))));
  document.querySelectorAll('#displays .painted').forEach((cell, i) => {
    write(cell, t('display_ago', { age: age(displays[i].painted_ago_ms) }));
  });
}
