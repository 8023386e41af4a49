// The overview: one line at a glance. Draws what the views bring.

import { age, badTag, between, doubt, fixed, h, hm, hms, num, pieces, put, REPLAY, s, setOffset, show, signedPieces, t, title, word, write } from './format.mjs';
import { analog, around, icon, MINUTE_MS, Plot } from './chart.mjs';
import { controlRows, drawControl, legend, limitsTag } from './control.mjs';
import { hourBar, notes } from './hours.mjs';
import { showCalls } from './calls.mjs';
import { showEvents } from './events.mjs';
import { explained } from './explain.mjs';
import { curveRows, drawCurve } from './curve.mjs';
import { AS_OF, ask, chartPath, files, remember } from './page.mjs';
import { join } from './shell.mjs';
import { held, output, showBalance, showState } from './state.mjs';
import { reasonOf } from './timeline.mjs';
import { drawTrend, trendRows } from './trend.mjs';

const CLASSES = ['run', 'internal', 'external', 'planned', 'idle', 'unknown'];
/** Reasons of rejects beside the charts. */
const MOST_REASONS = 8;
/** What a card leaves free below. */
const CARD_PX = 6;
const STOPS_EVERY_MS = 5000;
/** The curve has a point a minute. */
const CURVE_EVERY_MS = 10000;
const TOP_STOPS = 3;
const $ = (id) => document.getElementById(id);

/** The latest view and charts, and whether the view still holds. */
let view = null;
let charts = null;
let lost = false;

/** What the chart of the output shows: `hour` or `shift`; and the curve of the shift, once it was asked for. */
let of = 'hour';
let curve = null;

/** The curve is drawn with the present of the line too: its gap grows while nothing arrives. */
const trend = new Plot('trend', {
  draw: (svg, width, height, data) => (data.at_ms ? drawCurve : drawTrend)(svg, width, height, data, { view, lost, now: live.now() }),
  rows: (data) => (data.at_ms ? curveRows : trendRows)(data),
});
const pchart = new Plot('pchart', { draw: drawControl, rows: controlRows });

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = held(view) ? 'current' : 'held';
    showState(view, lost);
    showCalls(view, lost);
    showFiles();
    showOutput();
    showBalance(view);
    showSpeed();
    showReject();
    showTime();
    showOee();
    showSignals();
    showHours();
    showRejects();
    showStations();
    showEvents(view.events);
  },
  // Between two views: the counts alone, as soon as a stroke of a machine has moved them.
  now: ({ good, shift, flows }) => {
    // Where a shift begins or ends in between, the next view tells it.
    if (!view || lost || Boolean(view.shift) !== Boolean(shift)) return;
    if (shift) Object.assign(view.shift, shift, { good });
    else if (good) view.total = good;
    showCounts();
    flows.forEach(showFlow);
  },
  charts: (next) => {
    charts = next;
    drawCharts();
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    showState(view, lost);
    showCalls(view, lost);
    if (view) showStations();
    drawCharts();
  },
});

showState(view, lost);
live.run();

// Charts run with the line's clock: the hatch of a gap grows while nothing arrives.
setInterval(() => !document.hidden && drawOutput(), 1000);

ask(() => `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/losses?window=shift${AS_OF}`, STOPS_EVERY_MS, showTopStops, 'top-trouble')();

const loadCurve = ask(() => `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/curve?window=shift${AS_OF}`, CURVE_EVERY_MS, (next) => {
  curve = next;
  drawOutput();
}, 'trend-trouble', () => of === 'shift');

function drawOutput() {
  const data = of === 'shift' ? curve : charts;
  if (data) trend.set(data);
}

/** @param {string} span  `hour` or `shift` */
function choose(span) {
  of = span;
  for (const button of $('trend-of').children) button.setAttribute('aria-pressed', String(button.dataset.span === of));
  for (const name of $('trend-title').querySelectorAll('[data-of]')) name.hidden = name.dataset.of !== of;
  // A point of one is none of the other.
  trend.move(null);
  if (of === 'hour') $('trend-trouble').hidden = true;
  if (view) showFiles();
  drawOutput();
  loadCurve();
}

$('trend-of').addEventListener('click', (event) => {
  const span = event.target.closest('button')?.dataset.span;
  if (!span) return;
  remember('trend', span);
  choose(span);
});
if (new URLSearchParams(location.search).get('trend') === 'shift') choose('shift');

function drawCharts() {
  drawOutput();
  if (!charts) return;
  const chart = charts.reject_fraction;
  put('pchart-limits', limitsTag(chart));
  if (chart) legend(chart);
  if (chart?.points.length) files(chartPath(chart), { pchart: 'chart' });
  pchart.set(chart ?? { points: [], limits: null });
}

// Figures -------------------------------------------------------------------------------------------------------

/** Short statements side by side; lines break between them, not within. */
function facts(id, parts) {
  const shown = parts.filter((part) => part !== '' && part !== null);
  show($(id), shown, () => shown.flatMap((part) => [h('span', { class: 'fact' }, part), ' ']));
}

/** A number with its raw value for programs; its length, as a number shrinks rather than leaves its tile. */
function figure(id, text, raw) {
  const element = put(id, text);
  element.dataset.value = raw ?? '';
  element.style.setProperty('--n', text.length);
}

/** Output, target and what lies between them: of one moment, whoever brings them. */
function showCounts() {
  const shift = view.shift;
  // Of the past, the sum since the journal began is not told.
  const untold = REPLAY && !shift;
  const good = untold ? null : output(view);
  figure('good', good ? pieces(good.best) : '–', good?.best);
  put('good-doubt', untold ? '' : good ? doubt(good, pieces) : t('not_read'));
  facts('good-note', shift ? [t('plan', { n: pieces(shift.plan) }), shift.plan_percent === null ? '' : t('progress', { n: fixed(shift.plan_percent, 1) })] : []);
  const off = shift?.difference ?? null;
  figure('gap', off ? signedPieces(off.best) : '–', off?.best);
  put('gap-doubt', off ? doubt(off, signedPieces) : shift ? t('not_read') : '');
  facts('gap-note', shift ? [sideOf(shift), targetUntilNow(shift)] : []);
  $('gap').closest('.tile').classList.toggle('behind', Boolean(shift?.behind));
  return { good, off };
}

function showOutput() {
  const shift = view.shift;
  const { good, off } = showCounts();
  analog($('good-bar'), {
    max: Math.max(shift?.plan ?? 1, good?.best ?? 0, 1) * 1.02, value: good?.best ?? null, filled: true, target: shift?.target_now,
  });
  const forecast = shift?.forecast ?? null;
  figure('plan', forecast === null ? '–' : pieces(forecast), forecast);
  put('plan-note', !shift ? '' : forecast === null ? t('no_forecast') : t('forecast_note', { time: hm(shift.end_ms) }));
  analog($('plan-bar'), {
    max: Math.max(shift?.plan ?? 1, forecast ?? 0, 1) * 1.1, value: forecast, filled: true, target: shift?.plan,
  });
  // Five percent of the plan to each side: what a shift can be off and still be made good.
  around($('gap-bar'), off ? off.best : null, Math.max(1, (shift?.plan ?? 0) / 20));
}

/** What the tables of this page are of: the shift, and the last hour. */
function showFiles() {
  const line = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}`;
  const to = view.minute_ms === null ? view.at_ms : view.minute_ms + MINUTE_MS;
  const from = of === 'shift' && view.shift ? Math.min(view.shift.start_ms, to - MINUTE_MS) : to - 60 * MINUTE_MS;
  files(`${line}/series?from=${from}&to=${to}&step=60`, { trend: 'series' });
  files(`${line}/rejects?window=shift${AS_OF}`, { rejects: 'rejects' });
  if (view.shift) files(`${line}/hours?from=${view.shift.start_ms}&to=${view.at_ms}`, { hours: 'hours' });
}

/** What the difference is to: the whole shift so far, or the part of it that was watched. */
function targetUntilNow(shift) {
  const n = pieces(shift.target_now);
  const whole = shift.unwatched_ms < MINUTE_MS;
  return whole ? t('difference_note', { n }) : t('difference_since', { n, time: hm(shift.watched_from_ms) });
}

/** On which side of the target the shift lies, as the service judges it. */
function sideOf({ side }) {
  const words = { ahead: () => `△ ${t('ahead')}`, behind: () => `▽ ${t('behind')}`, level: () => '±0', undecided: () => t('undecided') };
  return words[side]?.() ?? '';
}

function showSpeed() {
  const of = (window) => view.speeds.find((speed) => speed.window === window);
  const speed = of('1m');
  const rate = speed?.per_minute ?? null;
  figure('speed', rate === null ? '–' : num(rate), rate);
  put('speed-unit', `${t('window.1m')}: ${rate === null ? t('not_known') : `±${num(speed.plus_minus)} ${t('per_minute')}`}`);
  const others = ['10s', '15m', 'shift'].map((window) => {
    const other = of(window);
    return other ? `${t(`window.${window}`)} ${other.per_minute === null ? '–' : num(other.per_minute)}` : '';
  });
  if (view.plc_speed !== null) others.push(t('plc_says', { n: num(Math.round(view.plc_speed)) }));
  facts('speed-note', [t('target', { n: num(view.target_per_minute) }), ...others]);
  analog($('speed-bar'), {
    max: view.target_per_minute * 1.25, value: rate, spread: speed?.plus_minus ?? 0, target: view.target_per_minute,
  });
}

function showReject() {
  const { reject } = view;
  figure('reject', reject.percent === null ? '–' : fixed(reject.percent), reject.percent);
  // The reasons below are those of all stations, this number is of what those reject that count the output.
  const counting = view.stations.filter((one) => one.counts).map((one) => one.id);
  put('reject-unit', `% ${counting.length > 2 ? `${counting[0]} +${counting.length - 1}` : counting.join(' + ')}`.trimEnd());
  const { recent, limits } = reject;
  const out = recent !== null && recent.rules.length > 0;
  facts('reject-note', [
    reject.total && reject.total.best > 0 ? t('reject_note', { n: num(reject.rejected.best), total: num(reject.total.best) }) : '',
    reject.total && reject.with_startup ? t('with_startup') : '',
    reject.total || view.feed === 'waiting' || !view.shift ? '' : t('not_read'),
    // What the triangle of the bar is: not the number beside it.
    recent ? `▼ ${t('subgroup_of', { n: reject.subgroup_minutes })} ${hm(recent.t)}:\u00a0${fixed(recent.p)}\u00a0%` : '',
    limits ? limitsTag(reject) : '',
    out ? `■ ${word('rule', recent.rules[0])}` : '',
  ]);
  // The bar is that of the chart: its point against the limits that judged it.
  const top = Math.max(recent?.ucl ?? 0, recent?.p ?? 0, recent ? 0 : reject.percent ?? 0, 0.01) * 1.5;
  analog($('reject-bar'), {
    max: top, value: recent ? recent.p : reject.percent, alarm: out, target: recent?.cl,
    normal: recent && recent.ucl !== null && recent.lcl !== null ? [recent.lcl, recent.ucl] : null,
  });
}

/** OEE with what it can be: unknown time as stopped, and as run. */
function showOee() {
  const oee = view.shift?.oee ?? null;
  figure('oee', between(oee), oee?.percent);
  put('oee-unit', oee ? '%' : '');
  facts('oee-note', oee ? [t('oee_coverage', { n: fixed(oee.coverage_percent, 1) })] : !view.shift ? [] : view.shift.good === null ? [t('not_read')] : view.shift.setup_known ? [] : [t('setup_unknown')]);
  analog($('oee-bar'), {
    max: 100, value: oee ? oee.percent : null, range: oee ? [oee.low, oee.high] : null,
  });
}

/** Open incidents of all control charts: those with a point outside the limits, and the others. */
function showSignals() {
  const { incidents } = view;
  show($('signals'), incidents, () => (incidents === null ? ['–'] : incidents.beyond + incidents.others === 0 ? [t('no_incidents')] : [
    ...(incidents.beyond > 0 ? [h('b', { class: 'num' }, icon('N1'), ` ${num(incidents.beyond)} `)] : []),
    ...(incidents.others > 0 ? [h('b', { class: 'num' }, icon('N2'), ` ${num(incidents.others)} `)] : []),
    t('open_incidents'),
  ]));
}

/** What cost the shift most of its time. */
function showTopStops({ losses }) {
  const rows = losses.slice(0, TOP_STOPS);
  show($('top-stops'), rows, () => (rows.length === 0 ? [h('li', {}, t('no_stops'))] : rows.map((loss) => h('li', {},
    h('b', { class: 'num' }, hms(loss.ms)), ' ', h('span', {}, reasonOf(loss) || word('cause', loss.cause)), h('span', { class: 'dim' }, ` ×${num(loss.n)}`)))));
}

function showTime() {
  const shift = view.shift;
  figure('known', shift && shift.known_percent !== null ? fixed(shift.known_percent, 1) : '–', shift?.known_percent);
  put('known-unit', shift && shift.known_percent !== null ? '%' : '');
  put('known-since', shift ? t('known_since', { time: hm(shift.watched_from_ms) }) : '');
  const parts = CLASSES.map((kind, i) => ({ kind, value: shift?.time_ms[i] ?? 0 })).filter((part) => part.value > 0);
  const unwatched = shift ? shift.unwatched_ms : 0;
  const before = unwatched > 0 ? [{ kind: 'unknown', value: unwatched }] : [];
  analog($('known-bar'), { max: shift ? shift.end_ms - shift.start_ms : 1, parts: before.concat(parts) });
  show($('known-note'), parts, () => parts.flatMap(({ kind, value }) => [
    h('span', { class: 'fact' }, icon(kind), ` ${t(`class.${kind}`)}\u00a0${brief(value)}`), ' ',
  ]));
}

/** `05:31:20`, or `12 s` below a minute: hours and minutes alone would read as minutes and seconds. */
function brief(ms) {
  return ms < MINUTE_MS ? age(Math.max(ms, 10000)).replace(/^10 s$/, `${Math.floor(ms / 1000)} s`) : hms(ms);
}

// Hour board, rejects, stations ---------------------------------------------------------------------------

function showHours() {
  const rows = view.hours;
  // Low rows leave no room for a number each that can be pressed: the hour that goes on has it.
  const low = matchMedia('(min-width: 1200px) and (max-width: 1799px)').matches && (rows.length > 10 || document.body.dataset.lang === 'both');
  show($('hours').tBodies[0], rows, () => rows.map((hour, i) => {
    const open = i === rows.length - 1;
    const [target, actual, difference] = hour.good
      ? [pieces(hour.target), pieces(hour.good.best), `${signedPieces(hour.difference.best)}${hour.behind ? ' ▽' : ''}`] : ['–', '–', '–'];
    const of = (what, text) => (hour.good && (open || !low) ? explained(what, { 'data-query': `kind=hour&start=${hour.start_ms}` }, text) : text);
    return h('tr', { class: [open ? 'open' : '', hour.behind ? 'behind' : ''].join(' ').trim() },
      h('th', { scope: 'row' }, hm(hour.start_ms)),
      h('td', { class: 'bar-col' }, hourBar(hour, view.target_per_hour)),
      h('td', { class: 'notes' }, ...notes(hour)),
      h('td', { class: 'dim' }, target),
      h('td', { class: 'num' }, of('good', actual)),
      h('td', {}, h('b', { class: 'num' }, of('difference', difference))),
    );
  }));
}

/** Leaves out the rows of a list that find no room where the page does not scroll: they are in the data. */
function fit(table) {
  const rows = [...table.tBodies[0].rows];
  for (const row of rows) row.hidden = false;
  if (getComputedStyle(document.body).overflowY !== 'hidden' || matchMedia('(max-width: 1599px)').matches) return;
  const bottom = table.parentElement.getBoundingClientRect().bottom - CARD_PX;
  const lowest = rows.map((row) => row.getBoundingClientRect().bottom);
  rows.forEach((row, i) => { row.hidden = i > 0 && lowest[i] > bottom; });
}

function showRejects() {
  const rows = view.rejects.filter((reject) => reject.rejected.best > 0).slice(0, MOST_REASONS);
  const max = Math.max(...rows.map((reject) => reject.wilson?.[1] ?? reject.percent ?? 0), 0.001);
  const none = view.feed === 'waiting' ? '' : view.shift && view.shift.good === null ? t('not_read') : t('no_rejects');
  show($('rejects').tBodies[0], [rows, none], () => (rows.length === 0 ? [h('tr', {}, h('th', {}, none))] : rows.map((reject) => {
    const x = (percent) => percent / max * 118;
    const bar = s('svg', { class: 'hour-bar', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      s('rect', { y: 3, width: x(reject.percent ?? 0), height: 10, class: 'filled' }));
    if (reject.wilson) bar.append(s('path', { class: 'whisker', d: `M${x(reject.wilson[0])} 8H${x(reject.wilson[1])}M${x(reject.wilson[0])} 4v8M${x(reject.wilson[1])} 4v8` }));
    const fraction = reject.percent === null ? '–' : `${fixed(reject.percent, 3)} %`;
    const of = `station=${encodeURIComponent(reject.station)}&reason=${encodeURIComponent(reject.reason)}`;
    return h('tr', {},
      h('th', { scope: 'row' }, `${word('reason', reject.reason)} `, h('span', { class: 'dim' }, reject.station)),
      h('td', { class: 'bar-col' }, bar),
      h('td', { class: 'num' }, view.shift ? explained('rejected', { 'data-query': of }, num(reject.rejected.best)) : num(reject.rejected.best)),
      h('td', { class: 'num' }, view.shift && fraction !== '–' ? explained('reject_fraction', { 'data-query': of }, fraction) : fraction),
      h('td', { class: 'dim', ...(reject.sigma_z ? { title: t('interval_sigma_z', { a: fixed(reject.sigma_z, 2) }) } : {}) }, reject.wilson ? `${fixed(reject.wilson[0], 3)}–${fixed(reject.wilson[1], 3)}` : ''),
    );
  })));
  fit($('rejects'));
}

function showStations() {
  if (!REPLAY) put('polls', t('polls', { n: num(view.polls), missed: num(view.missed_polls) }));
  show($('stations'), [view.stations, lost], () => view.stations.map((station) => {
    const known = station.up && !lost;
    const kind = known ? station.state.class : 'unknown';
    const state = known ? station.state.word : 'unknown';
    const flow = [];
    for (const [name, count, what] of [['in', station.infeed, 'infeed'], ['out', station.good, 'good'], ['rejected', station.rejected, 'rejected']]) {
      const number = (text) => (view.shift ? explained(what, { 'data-query': `station=${encodeURIComponent(station.id)}` }, text) : text);
      if (count) flow.push(h('span', {}, h('span', { class: 'dim' }, t(name)), ' ', h('b', { class: 'num', 'data-flow': what }, number(pieces(count.best)))));
    }
    if (flow.length === 0) flow.push(h('span', { class: 'fault' }, t('not_read')));
    const classes = [station.up ? '' : 'down', (station.bad_tags?.length ?? 0) > 0 ? 'bad' : ''].join(' ').trim();
    const bad = station.bad_tags ?? [];
    return h('li', { class: classes, 'data-station': station.id, 'data-state': state },
      h('div', {},
        h('p', { class: 'station-name' }, icon(kind), ' ', h('b', {}, station.id), ` ${title(station.title)}`),
        h('p', {}, h('b', { class: 'station-state' }, station.up || lost ? word('state', state) : t('plc_offline')), lost ? '' : ` ${hms(station.state.for_ms)}`),
        h('p', { class: station.up ? 'dim' : 'fault' }, [station.counts ? t('counts') : '', lost || REPLAY ? '' : heard(station)].filter(Boolean).join(' · ')),
        ...(bad.length > 0 ? [h('p', { class: 'fault' }, `◆ ${t('bad_data')} ${badTag(bad[0], lost)}${bad.length > 1 ? ` +${bad.length - 1}` : ''}`)] : [])),
      h('p', { class: 'flow' }, ...flow),
      ...measures(station),
    );
  }));
}

/** What flows through a station, written into its row as it stands. */
function showFlow(flow) {
  const row = $('stations').querySelector(`[data-station="${CSS.escape(flow.station)}"]`);
  for (const cell of row?.querySelectorAll('[data-flow]') ?? []) {
    const count = flow[cell.dataset.flow];
    const number = cell.firstElementChild ?? cell;
    if (count) write(number, pieces(count.best));
  }
}

function heard(station) {
  if (station.heard_ago_ms === null) return t('never_heard');
  return station.up ? t('heard', { age: age(station.heard_ago_ms) }) : `${word('miss', station.reason)} · ${t('heard', { age: age(station.heard_ago_ms) })}`;
}

function measures(station) {
  const shown = station.measures.slice(0, 3);
  if (shown.length === 0) return [];
  return [h('p', { class: 'measures' }, ...shown.flatMap(({ tag, value, word: name, unit }) => [h('span', { class: 'fact' },
    h('span', { class: 'dim' }, tag.replace(/^.*\./, '')), ' ', h('span', { class: 'num' }, value === null ? '◆' : name ?? num(value)), ' ', h('span', { class: 'dim' }, unit)), ' ']))];
}
