// Rejects: a Pareto with intervals, a comparison with the span before, and hours by reasons.

import { doubt, fixed, h, hm, num, put, s, setOffset, show, signed, t, unknownShare, word } from './format.mjs';
import { boreRows, drawBores } from './bores.mjs';
import { icon, Plot } from './chart.mjs';
import { explained, heading, made, part, tells } from './explain.mjs';
import { AS_OF, ask, asSpan, files, remember, spanText, windows } from './page.mjs';
import { join } from './shell.mjs';

const EVERY_MS = 5000;
/** Shades of the heat map. */
const SHADES = 5;
const $ = (id) => document.getElementById(id);
const line = encodeURIComponent(document.body.dataset.line);

let data = null;
let offset = 0;

const live = join({
  view: (view) => {
    offset = view.offset_s;
    setOffset(offset);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
    if (!data) {
      load();
      loadBores();
    }
  },
});
const path = () => `/api/v1/lines/${line}/rejects?${asSpan()}${station()}${AS_OF}`;
const load = ask(path, EVERY_MS, (next) => {
  data = next;
  files(path(), { pareto: 'rejects', heat: 'hours' });
  showAll();
});
const boreMap = new Plot('bores', { draw: drawBores, rows: boreRows });
const boresPath = () => `/api/v1/lines/${line}/bores?${asSpan()}${AS_OF}`;
const loadBores = ask(boresPath, EVERY_MS, showBores);
windows(() => {
  load();
  loadBores();
});
live.run();

$('station').addEventListener('change', () => {
  remember('station', $('station').value);
  load();
});
$('print').addEventListener('click', () => window.print());

/** The station that is chosen, as part of a question; empty for all. */
function station() {
  const named = $('station').value || new URLSearchParams(location.search).get('station');
  return named ? `&station=${encodeURIComponent(named)}` : '';
}

/** The stations that reject, to choose from. */
function stations() {
  const kept = $('station').value || (data ? new URLSearchParams(location.search).get('station') : null) || '';
  show($('station'), data.stations, () => [h('option', { value: '' }, t('all_stations')), ...data.stations.map((one) => h('option', { value: one }, one))]);
  $('station').value = data.stations.includes(kept) ? kept : '';
}

/** What a row is explained by. */
const of = (row) => `station=${encodeURIComponent(row.station)}${row.reason ? `&reason=${encodeURIComponent(row.reason)}` : ''}`;
const nameOf = (row) => (row.reason ? word('reason', row.reason) : t('reject_fraction'));
const ppm = (n) => (n === null ? '–' : num(Math.round(n)));
const small = (p) => (p < 0.0001 ? '< 0.0001' : fixed(p, p < 0.01 ? 4 : 2));
const KINDS = { more: 'internal', less: 'run' };

function showAll() {
  const { total } = data;
  stations();
  document.querySelector('[data-explain="reject_fraction"]').dataset.query = $('station').value ? of(total) : '';
  put('span', `${spanText(data.window)} ⇄ ${spanText(data.before)}`);
  put('fraction', data.fraction_percent === null ? '–' : `${fixed(data.fraction_percent, 3)} %`);
  const interval = data.fraction_wilson_percent?.map((percent) => fixed(percent, 3)).join('–');
  // The table below is of all stations, the number of those that count: what the others reject is in no part of it.
  const elsewhere = data.elsewhere.map(({ station: where, rejected }) => t('reject_elsewhere', { station: where, n: num(rejected.best) }));
  put('fraction-note', [`${total.station} ${num(total.rejected.best)} / ${total.total ? num(total.total.best) : '–'}`, doubt(total.rejected), ...elsewhere, interval ? `[${interval}] % ${total.dispersion > 1 ? t('interval_wide', { n: fixed(total.dispersion, 1) }) : ''}`.trimEnd() : ''].filter(Boolean).join(' · '));
  put('change', total.difference_ppm === null ? '–' : `${signed(Math.round(total.difference_ppm))} ppm`);
  put('change-note', [word('verdict', total.verdict), total.p_value === null ? '' : t('verdict_p', { p: small(total.p_value) }), total.dispersion > 1 ? t('dispersion', { n: fixed(total.dispersion, 1) }) : ''].filter(Boolean).join(' · '));
  put('coverage', `${fixed(data.coverage_percent, 1)} %`);
  put('coverage-note', [t('coverage_note'), data.whole_hours && data.window.batch ? t('heat_whole_hours') : ''].filter(Boolean).join(' · '));
  showPareto();
  showHeat();
}

function showPareto() {
  const rows = data.rows.filter((row) => row.rejected.high > 0 || row.before.high > 0);
  const max = Math.max(...rows.map((row) => row.share_percent ?? 0), 1);
  // Nothing to compare with is said once, above: eight rows of it would press the bars out.
  $('pareto').classList.toggle('alone', rows.every((row) => row.verdict === 'none'));
  show($('pareto').tBodies[0], rows, () => (rows.length === 0 ? [h('tr', {}, h('td', { colspan: 9 }, t('no_rejects_span')))] : rows.map((row) => h('tr', {},
    h('th', { scope: 'row', class: 'wide' }, named(row), ' ', h('span', { class: 'dim' }, row.station)),
    h('td', { class: 'bar-cell' }, s('svg', { class: 'bar-svg', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      s('rect', { y: 2, width: (row.share_percent ?? 0) / max * 120, height: 12, class: 'filled' })), h('span', { class: 'num' }, `${fixed(row.share_percent, 1)} %`)),
    h('td', { class: 'num' }, explained('rejected', { 'data-query': of(row) }, num(row.rejected.best)), ` ${doubt(row.rejected)}`.trimEnd()),
    h('td', { class: 'num' }, explained('reject_fraction', { 'data-query': of(row) }, ppm(row.ppm))),
    h('td', { class: 'num dim interval' }, row.wilson ? `${ppm(row.wilson[0])}–${ppm(row.wilson[1])}` : '–'),
    h('td', { class: 'num' }, `${fixed(row.cumulative_percent, 1)} %`),
    h('td', { class: 'num' }, ppm(row.before_ppm)),
    h('td', { class: 'num' }, row.difference_ppm === null ? '–' : explained('chance', { 'data-query': of(row) }, signed(Math.round(row.difference_ppm)))),
    h('td', { class: `nowrap verdict ${row.verdict}` }, ...(['more', 'less'].includes(row.verdict) ? [icon(KINDS[row.verdict]), ' '] : []),
      word('verdict', row.verdict), h('span', { class: 'dim' }, row.p_value === null ? '' : ` ${t('verdict_p', { p: small(row.p_value) })}`))))));
}

/** Whether a fraction differs from the one before: both, and the test. */
tells('chance', (query) => {
  const row = data.rows.find((one) => of(one) === query) ?? data.total;
  const count = (value) => (value ? `${num(value.best)} ${doubt(value)}`.trim() : '–');
  const plain = row.dispersion_df === null;
  const change = row.difference_ppm === null ? '–' : `${signed(Math.round(row.difference_ppm))} ppm`;
  return [
    h('p', { class: 'result num' }, `${change} · ${word('verdict', row.verdict)}`),
    ...['x₂ / n₂ − x₁ / n₁', 'z = (x₂ / n₂ − x₁ / n₁) / √(φ · p · (1 − p) · (1 / n₁ + 1 / n₂))', 'p = (x₁ + x₂) / (n₁ + n₂)'].map((line) => h('p', { class: 'formula' }, h('code', {}, line))),
    h('p', { class: 'dim' }, 'NIST/SEMATECH e-Handbook 7.3.3 · McCullagh & Nelder 1989, 4.5 · Holm 1979'),
    h('p', { class: 'num worked' }, `${ppm(row.ppm)} − ${ppm(row.before_ppm)} = ${change}`),
    ...made(
      part('x₂', t('chance_rejects'), count(row.rejected)), part('n₂', t('chance_total'), count(row.total)),
      part('x₁', t('chance_rejects_before'), count(row.before)), part('n₁', t('chance_total_before'), count(row.before_total)),
      part('φ', t('chance_dispersion'), `${fixed(row.dispersion, 2)}${plain ? '' : ` · df ${row.dispersion_df}`}`),
      part('z', t(plain ? 'chance_normal' : 'chance_student'), row.z === null ? '–' : fixed(row.z, 3)),
      part('p', t('chance_p'), row.p_value === null ? '–' : small(row.p_value)),
      part('95 %', t('chance_interval'), row.wilson ? `${row.wilson.map(ppm).join('–')} ppm` : '–')),
    heading('explain_window'),
    h('p', { class: 'num' }, `${spanText(data.window)} ⇄ ${spanText(data.before)}`),
    heading('explain_left_out'),
    h('p', {}, t('chance_left_out')),
    h('p', {}, t('coverage_of', { n: fixed(data.coverage_percent, 1) })),
  ];
});

/** The reason of a row, which leads to its control chart where it has one. */
function named(row) {
  const chart = data.charts.find((one) => one.station === row.station && one.reason === row.reason);
  if (!chart) return nameOf(row);
  return h('a', { class: 'to-chart', href: `/spc/${encodeURIComponent(chart.characteristic)}?line=${line}${AS_OF}`, title: t('to_chart') }, nameOf(row));
}

/** Bores of the first station that tells them; a sentence where none does, or where nothing was weighed. */
function showBores({ told, stations }) {
  const station = stations.find(({ bores }) => bores.length > 0);
  put('bores-note', station ? `${station.station} · ${t('bore_note', { n: num(station.n), sd: fixed(station.sd_mg, 2) })}` : '');
  put('bores-none', station ? t('bore_rejects') : t(told ? 'bore_no_sample' : 'bore_untold'));
  $('bores').hidden = !station || document.querySelector('#bores-card .toggle').getAttribute('aria-pressed') === 'true';
  document.querySelector('#bores-card .toggle').hidden = !station;
  if (station) boreMap.set(station);
  if (station) files(boresPath(), { bores: 'bores' });
}

/** Hours side by side begin at the newest; where some are outside, an edge at that side says so. */
const hours = $('heat').closest('.scroll');
let atEnd = true;

function edges() {
  const left = hours.scrollLeft > 1;
  const right = hours.scrollLeft + hours.clientWidth < hours.scrollWidth - 1;
  hours.dataset.more = [left ? 'before' : '', right ? 'after' : ''].filter(Boolean).join(' ');
}

function newest() {
  if (atEnd) hours.scrollLeft = hours.scrollWidth;
  edges();
}

hours.addEventListener('scroll', () => {
  atEnd = hours.scrollLeft + hours.clientWidth >= hours.scrollWidth - 2;
  edges();
});
new ResizeObserver(newest).observe(hours);

/** Hours by reasons: each cell holds its number, and the shade says how it lies among the others of its row. */
function showHeat() {
  const rows = data.rows.filter((row) => row.rejected.high > 0);
  const untold = [...new Set(rows.filter((row) => !row.total).map((row) => row.station))];
  put('heat-note', untold.length > 0 ? t('reject_no_flow', { stations: untold.join(', ') }) : '');
  show($('heat').tHead, [data.hours, data.known_percent], () => [h('tr', {}, h('th', { scope: 'col' }, t('reason_word')), ...data.hours.map((hour, i) => h('th', { scope: 'col', class: 'num' },
    hm(hour).slice(0, data.hours.length > 14 ? 2 : 5), ...(data.known_percent[i] < 100 ? [h('span', { class: 'fault' }, ` ${t('hour_unknown', { n: unknownShare(data.known_percent[i]) })}`)] : []))))]);
  show($('heat').tBodies[0], rows, () => (rows.length === 0 ? [h('tr', {}, h('td', {}, t('no_rejects_span')))] : rows.map((row) => {
    // Of nothing that is known no fraction is told: capsules then.
    const cells = row.total ? row.heat_ppm : row.heat;
    const max = Math.max(...cells.map((n) => n ?? 0), 1);
    return h('tr', {}, h('th', { scope: 'row', class: 'wide' }, `${nameOf(row)} `, h('span', { class: 'dim' }, row.station)),
      ...cells.map((n) => h('td', { class: `num heat${n === null ? '' : Math.ceil(n / max * SHADES)}` }, n === null ? '' : ppm(n))));
  })));
  newest();
}
