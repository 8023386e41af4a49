// One line in detail: machines with links, counters and measured values, and where each number is read.

import { age, clock, doubt, h, hms, num, put, setOffset, show, t, title, word } from './format.mjs';
import { icon } from './chart.mjs';
import { ask } from './page.mjs';
import { showBatch } from './batch.mjs';
import { showCalls } from './calls.mjs';
import { join } from './shell.mjs';
import { held, showState } from './state.mjs';

const EVERY_MS = 2000;
const $ = (id) => document.getElementById(id);

let data = null;
let view = null;
let lost = false;
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
    if (!data) load();
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    showState(view, lost);
    showCalls(view, lost, chosen);
    if (view) showMachines();
  },
});
const load = ask(() => `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/data`, EVERY_MS, (next) => {
  data = next;
  showTags();
});
showState(view, lost);
live.run();

function showMachines() {
  show($('machines'), [view.stations, lost, chosen], () => view.stations.map((station) => {
    const known = station.up && !lost;
    const state = known ? station.state.word : 'unknown';
    const focused = document.activeElement?.dataset?.station === station.id;
    const flow = [['in', station.infeed], ['out', station.good], ['rejected', station.rejected]].filter(([, count]) => count)
      .map(([name, count]) => h('p', {}, h('span', { class: 'dim' }, t(name)), h('b', { class: 'num' }, num(count.best)), h('span', { class: 'dim' }, doubt(count))));
    const values = station.measures.map(({ tag, value, word: name, unit }) => h('p', {}, h('span', { class: 'dim' }, tag.replace(/^.*?\./, '')),
      h('b', { class: 'num' }, value === null ? '◆' : name ?? num(value)), h('span', { class: 'dim' }, unit)));
    const heard = station.heard_ago_ms === null ? t('never_heard') : t('heard', { age: age(station.heard_ago_ms) });
    const button = h('button', { type: 'button', class: 'act', 'data-station': station.id, 'aria-pressed': String(chosen === station.id) }, t('show_tags'));
    if (focused) queueMicrotask(() => button.focus());
    return h('section', { class: `card machine${station.up ? '' : ' down'}`, 'aria-label': station.id },
      h('header', {}, h('h2', {}, icon(known ? station.state.class : 'unknown'), ` ${station.id} `, title(station.title)), button),
      h('p', { class: 'machine-state' }, h('b', {}, station.up || lost ? word('state', state) : t('plc_offline')), ` ${lost ? '' : hms(station.state.for_ms)}`),
      h('p', { class: station.up ? 'dim' : 'fault' }, [station.protocol === 'opcua' ? 'OPC UA' : 'Modbus', station.counts ? t('counts') : '', station.up ? '' : word('miss', station.reason), lost ? '' : heard].filter(Boolean).join(' · ')),
      ...((station.bad_tags?.length ?? 0) > 0 ? [h('p', { class: 'fault' }, `◆ ${t('bad_data')} ${station.bad_tags.join(', ')}`)] : []),
      h('div', { class: 'columns' }, h('div', { class: 'values' }, ...flow), h('div', { class: 'values' }, ...values)));
  }));
}

$('machines').addEventListener('click', (event) => {
  const station = event.target.closest('button')?.dataset.station;
  if (!station) return;
  chosen = chosen === station ? null : station;
  showMachines();
  showCalls(view, lost, chosen);
  showTags();
});

function showTags() {
  if (!data || !view) return;
  const values = new Map(view.stations.flatMap((station) => station.measures.map((measure) => [measure.tag, measure])));
  const rows = data.tags.filter((tag) => chosen === null || tag.station === chosen);
  put('tags-note', chosen ?? '');
  // The age moves by itself; the table is drawn when a figure changes.
  show($('tags').tBodies[0], [rows, [...values]], () => rows.map((tag) => {
    const measure = values.get(tag.tag);
    const { counter } = tag;
    const value = measure ? (measure.value === null ? '◆' : measure.word ? `${measure.word} (${num(measure.value)})` : num(measure.value)) : counter ? num(counter.raw) : '';
    return h('tr', {},
      h('th', { scope: 'row' }, tag.tag),
      h('td', { class: 'wide' }, tag.reason ? `${word('role', tag.role)}: ${word('reason', tag.reason)}` : word('role', tag.role)),
      h('td', { class: 'num' }, value === '' ? '' : `${value} ${tag.unit}`.trim()),
      h('td', { class: 'num' }, counter ? `${num(counter.total.best)} ${doubt(counter.total)}`.trim() : ''),
      h('td', { class: 'num' }, counter ? `${counter.segment}${counter.held ? ` ${t('waiting')}` : ''}` : ''),
      h('td', { class: 'num' }, counter ? clock(counter.at_ms) : ''),
      h('td', { class: 'wide' }, tag.group),
      h('td', { class: 'wide' }, tag.address),
      h('td', { class: 'wide dim nowrap' }, tag.map.replace(/^.*\//, '')));
  }));
}
