// The overview: one line at a glance. Draws what the views bring.

import {
  age, clock, doubt, fixed, h, hm, hms, LANG, num, offBy, put, s, setOffset, show, signed, t, title, word,
} from './format.mjs';
import { analog, around, axis, icon, MINUTE_MS, Plot, shape, ticks } from './chart.mjs';
import { controlRows, drawControl, legend } from './control.mjs';
import { join } from './shell.mjs';

const CLASSES = ['run', 'internal', 'external', 'planned', 'idle', 'unknown'];
const HOUR_MS = 3600000;
/** Height of a row of the lists beside the charts. */
const ROW_PX = 24;
const $ = (id) => document.getElementById(id);

/** The latest view and charts, and whether the view still holds. */
let view = null;
let charts = null;
let lost = false;
let minutes = 15;

const trend = new Plot('trend', { draw: drawTrend, rows: trendRows });
const pchart = new Plot('pchart', { draw: drawControl, rows: controlRows });

const live = join({
  view: (next) => {
    view = next;
    setOffset(view.offset_s);
    document.body.dataset.feed = held() ? 'current' : 'held';
    showState();
    showOutput();
    showSpeed();
    showReject();
    showTime();
    showHours();
    showRejects();
    showStations();
    showEvents();
  },
  charts: (next) => {
    charts = next;
    drawCharts();
  },
  link: (link) => {
    if (lost === (link.word === 'lost')) return;
    lost = link.word === 'lost';
    showState();
    if (view) showStations();
    drawCharts();
  },
});

showState();
live.run();

// Charts run with the line's clock: the hatch of a gap grows while nothing arrives.
setInterval(() => charts && !document.hidden && trend.set(charts), 1000);

$('subgroup').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  minutes = Number(button.dataset.minutes);
  for (const other of $('subgroup').children) other.setAttribute('aria-pressed', String(other === button));
  drawCharts();
});

/** Whether the counting station is read at the moment. */
function held() {
  return view.feed === 'current' && view.state.word !== 'unknown';
}

function drawCharts() {
  if (!charts) return;
  trend.set(charts);
  const chart = charts.reject_fraction.find((chart) => chart.subgroup_minutes === minutes)
    ?? { points: [], status: 'no_data', subgroup_minutes: minutes };
  legend(chart);
  pchart.set(chart);
}

// State ---------------------------------------------------------------------------------------------------------

function showState() {
  const element = $('state');
  const unknown = lost || !view || view.state.word === 'unknown';
  const state = view?.state;
  const name = unknown ? 'unknown' : state.word;
  const kind = unknown ? 'unknown' : state.class;
  element.dataset.state = name;
  element.dataset.class = kind;
  show($('state-shape'), kind, () => [shape(kind)].concat(kind === 'unknown'
    ? [s('text', { y: 4.5, 'text-anchor': 'middle', class: 'mark' }, '?')] : []));
  put('state-word', word('state', name));
  put('state-for', !state || state.since_ms === null || lost ? '' : hms(state.for_ms));
  put('state-why', why(unknown, state));
  put('batch', view?.batch ?? t('no_batch'));
  const shift = view?.shift;
  put('shift', shift ? `${shift.name} ${hm(shift.start_ms)}–${hm(shift.end_ms)}` : t('no_shift'));
}

/** Under the state: the last one while it is unknown, else why it stands. */
function why(unknown, state) {
  if (!state || state.since_ms === null) return '';
  if (unknown) {
    const last = lost && state.word !== 'unknown' ? state.word : state.last;
    if (last === 'unknown') return '';
    const until = lost && state.word !== 'unknown' ? view.at_ms : state.since_ms;
    return `${t('last_state', { state: word('state', last) })} ${clock(until)}`;
  }
  const parts = [];
  if (state.stop_title) parts.push(title(state.stop_title));
  else if (state.stop_reason) parts.push(t('code', { n: state.stop_reason }));
  if (state.word === 'unknown_code') parts.push(t('code', { n: state.raw ?? '–' }));
  parts.push(t('since', { time: clock(state.since_ms) }));
  return parts.join(' · ');
}

// Figures -------------------------------------------------------------------------------------------------------

/** Short statements side by side; lines break between them, not within. */
function facts(id, parts) {
  const shown = parts.filter((part) => part !== '' && part !== null);
  show($(id), shown, () => shown.flatMap((part) => [h('span', { class: 'fact' }, part), ' ']));
}

/** A number with its raw value for programs. */
function figure(id, text, raw) {
  put(id, text).dataset.value = raw ?? '';
}

function showOutput() {
  const shift = view.shift;
  const waiting = view.feed === 'waiting';
  const good = shift?.good ?? view.total;
  figure('good', waiting ? '–' : num(good.best), waiting ? '' : good.best);
  put('good-doubt', doubt(good));
  facts('good-note', shift ? [t('plan', { n: num(shift.plan) }), t('progress', { n: fixed(shift.plan_percent, 1) })] : []);
  analog($('good-bar'), {
    max: Math.max(shift?.plan ?? 1, good.best, 1) * 1.02, value: waiting ? null : good.best, filled: true, target: shift?.target_now,
  });
  if (!waiting) explain('good', good);
  figure('gap', shift ? signed(shift.difference.best) : '–', shift?.difference.best);
  put('gap-doubt', shift ? doubt(shift.difference, signed) : '');
  facts('gap-note', shift ? [difference(shift), targetUntilNow(shift)] : []);
  $('gap').closest('.tile').classList.toggle('behind', Boolean(shift?.behind));
  if (shift) explain('gap', shift.difference, signed);
  const forecast = shift?.forecast ?? null;
  figure('plan', forecast === null ? '–' : num(forecast), forecast);
  put('plan-note', !shift ? '' : forecast === null ? t('no_forecast') : t('forecast_note', { time: hm(shift.end_ms) }));
  put('plan-why', shift ? t('plan', { n: num(shift.plan) }) : '');
  analog($('plan-bar'), {
    max: Math.max(shift?.plan ?? 1, forecast ?? 0, 1) * 1.1, value: forecast, filled: true, target: shift?.plan,
  });
  // Five percent of the plan to each side: what a shift can be off and still be made good.
  around($('gap-bar'), shift ? shift.difference.best : null, Math.max(1, (shift?.plan ?? 0) / 20));
}

/** What the difference is to: the whole shift so far, or the part of it that was watched. */
function targetUntilNow(shift) {
  const n = num(shift.target_now);
  const whole = shift.watched_from_ms - shift.start_ms < MINUTE_MS;
  return whole ? t('difference_note', { n }) : t('difference_since', { n, time: hm(shift.watched_from_ms) });
}

function difference(shift) {
  if (shift.difference.best === 0) return '±0';
  return shift.difference.best > 0 ? `△ ${t('ahead')}` : `▽ ${t('behind')}`;
}

/** Where the doubt of a number comes from, for who opens it. */
function explain(id, count, form = num) {
  const lines = [count.low === count.high ? t('exact_count') : t('between', { low: form(count.low), high: form(count.high) })];
  const gap = view.shift?.gap;
  if (gap && gap.high > 0) lines.push(t('unwatched', { n: `${num(gap.best)} ${doubt(gap)}`.trim() }));
  const doubts = view.events.filter((event) => event.kind === 'count').slice(0, 3);
  if (count.low !== count.high && doubts.length > 0) {
    lines.push(t('why_doubt'));
    for (const event of doubts) lines.push(`${hm(event.at_ms)} ${event.station ?? ''} ${word('word', event.word)} · ${event.detail}`);
  }
  put(`${id}-why`, lines.join('\n'));
}

function showSpeed() {
  const of = (window) => view.speeds.find((speed) => speed.window === window);
  const speed = of('1m');
  const rate = speed?.per_minute ?? null;
  figure('speed', rate === null ? '–' : num(rate), rate);
  put('speed-unit', rate === null ? t('not_known') : `±${num(speed.plus_minus)} ${t('per_minute')}`);
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
  put('reject-unit', '%');
  const recent = reject.recent;
  const out = recent !== null && recent.rules.length > 0;
  facts('reject-note', reject.total.high === 0 ? [] : [
    t('reject_note', { n: num(reject.rejected.best), total: num(reject.total.best) }),
    recent ? `${t('subgroup.15')} ${hm(recent.t)}: ${fixed(recent.p)} %` : '',
    out ? `■ ${word('rule', recent.rules[0])}` : '',
  ]);
  const top = Math.max(recent?.ucl ?? 0, recent?.p ?? 0, reject.percent ?? 0, 0.1) * 1.5;
  analog($('reject-bar'), {
    max: top, value: recent?.p ?? reject.percent, alarm: out, target: reject.center,
    normal: recent && recent.ucl !== null && recent.lcl !== null ? [recent.lcl, recent.ucl] : null,
  });
}

function showTime() {
  const shift = view.shift;
  figure('known', shift && shift.known_percent !== null ? fixed(shift.known_percent, 1) : '–', shift?.known_percent);
  put('known-unit', shift ? `% ${t('known_since', { time: hm(shift.watched_from_ms) })}` : '');
  const parts = CLASSES.map((kind, i) => ({ kind, value: shift?.time_ms[i] ?? 0 })).filter((part) => part.value > 0);
  const unwatched = shift ? shift.watched_from_ms - shift.start_ms : 0;
  const before = unwatched > 0 ? [{ kind: 'unknown', value: unwatched }] : [];
  analog($('known-bar'), { max: shift ? shift.end_ms - shift.start_ms : 1, parts: before.concat(parts) });
  show($('known-note'), parts, () => parts.flatMap(({ kind, value }) => [
    h('span', { class: 'fact' }, icon(kind), ` ${t(`class.${kind}`)} ${brief(value)}`), ' ',
  ]));
}

/** `05:31` for hours and minutes, `12 s` below a minute. */
function brief(ms) {
  return ms < MINUTE_MS ? age(Math.max(ms, 10000)).replace(/^10 s$/, `${Math.floor(ms / 1000)} s`) : hms(ms).slice(0, -3);
}

// Hour board, rejects, stations, events ---------------------------------------------------------------------------

function showHours() {
  const rows = view.hours;
  show($('hours').tBodies[0], rows, () => rows.map((hour, i) => {
    const open = i === rows.length - 1;
    const [target, actual, difference] = hour.watched
      ? [num(hour.target), num(hour.good.best), `${signed(hour.difference.best)}${hour.behind ? ' ■' : ''}`] : ['–', '–', '–'];
    return h('tr', { class: [open ? 'open' : '', hour.behind ? 'behind' : ''].join(' ').trim() },
      h('th', { scope: 'row' }, hm(hour.start_ms)),
      h('td', { class: 'bar-col' }, hourBar(hour)),
      h('td', { class: 'notes' }, ...notes(hour)),
      h('td', { class: 'dim' }, target),
      h('td', { class: 'num' }, actual),
      h('td', {}, h('b', { class: 'num' }, difference)),
    );
  }));
}

function hourBar(hour) {
  const full = view.target_per_minute * 60;
  const bar = s('svg', { class: 'hour-bar', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const x = (n) => Math.min(1, n / (full * 1.1)) * 120;
  bar.append(s('rect', { width: 120, height: 16, class: 'track' }));
  if (!hour.watched) {
    bar.append(s('rect', { width: x(full), height: 16, class: 'hatched' }));
    return bar;
  }
  const unwatched = hour.gap?.best ?? 0;
  // Behind what was counted: what the target rate could have made in the time that is not known.
  const passed = Math.min(1, (view.at_ms - hour.start_ms) / HOUR_MS) * full;
  const unknown = passed * (1 - hour.known_percent / 100);
  if (unknown > 0) bar.append(s('rect', { x: x(hour.good.best), width: x(unknown), height: 16, class: 'hatched' }));
  bar.append(s('rect', { y: 3, width: x(hour.good.best - unwatched), height: 10, class: 'filled' }));
  if (unwatched > 0) bar.append(s('rect', { x: x(hour.good.best - unwatched), y: 2, width: Math.max(3, x(unwatched)), height: 12, class: 'part unknown' }));
  bar.append(s('path', { d: `M${x(hour.target)} 0V16`, class: 'target-mark' }));
  return bar;
}

/** What a number of the hour board needs said beside it. */
function notes(hour) {
  if (!hour.watched) return [h('span', { class: 'fault off' }, t('not_watched'))];
  const words = [];
  if (offBy(hour.good)) words.push(h('span', { class: 'dim off' }, offBy(hour.good)));
  if (hour.gap) words.push(h('span', { class: 'fault off' }, t('unwatched_short', { n: num(hour.gap.best) })));
  else if (hour.known_percent < 100) words.push(h('span', { class: 'fault off' }, t('hour_known', { n: num(Math.floor(hour.known_percent)) })));
  return words;
}

/** How many whole rows a list has room for where the page does not scroll: the rest is in the data. */
function room(table) {
  if (getComputedStyle(document.body).overflowY !== 'hidden') return 8;
  const top = table.offsetTop - table.parentElement.offsetTop;
  return Math.max(3, Math.min(8, Math.floor((table.parentElement.clientHeight - top - 6) / ROW_PX)));
}

function showRejects() {
  const rows = view.rejects.filter((reject) => reject.rejected.high > 0).slice(0, room($('rejects')));
  const max = Math.max(...rows.map((reject) => reject.wilson?.[1] ?? reject.percent ?? 0), 0.001);
  const none = view.feed === 'waiting' ? '' : t('no_rejects');
  show($('rejects').tBodies[0], [rows, none], () => (rows.length === 0 ? [h('tr', {}, h('th', {}, none))] : rows.map((reject) => {
    const x = (percent) => percent / max * 118;
    const bar = s('svg', { class: 'hour-bar', viewBox: '0 0 120 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      s('rect', { y: 3, width: x(reject.percent ?? 0), height: 10, class: 'filled' }));
    if (reject.wilson) bar.append(s('path', { class: 'whisker', d: `M${x(reject.wilson[0])} 8H${x(reject.wilson[1])}M${x(reject.wilson[0])} 4v8M${x(reject.wilson[1])} 4v8` }));
    return h('tr', {},
      h('th', { scope: 'row' }, `${word('reason', reject.reason)} `, h('span', { class: 'dim' }, reject.station)),
      h('td', { class: 'bar-col' }, bar),
      h('td', { class: 'num' }, num(reject.rejected.best)),
      h('td', { class: 'num' }, `${fixed(reject.percent, 3)} %`),
      h('td', { class: 'dim' }, reject.wilson ? `${fixed(reject.wilson[0], 3)}–${fixed(reject.wilson[1], 3)}` : ''),
    );
  })));
}

function showStations() {
  put('polls', t('polls', { n: num(view.polls), missed: num(view.missed_polls) }));
  show($('stations'), [view.stations, lost], () => view.stations.map((station) => {
    const known = station.up && !lost;
    const kind = known ? station.state.class : 'unknown';
    const state = known ? station.state.word : 'unknown';
    const flow = [];
    for (const [name, count] of [['in', station.infeed], ['out', station.good], ['rejected', station.rejected]]) {
      if (count) flow.push(h('span', {}, h('span', { class: 'dim' }, t(name)), ' ', h('b', { class: 'num' }, num(count.best))));
    }
    const classes = [station.up ? '' : 'down', (station.bad_tags?.length ?? 0) > 0 ? 'bad' : ''].join(' ').trim();
    const bad = station.bad_tags ?? [];
    return h('li', { class: classes, 'data-station': station.id, 'data-state': state },
      h('div', {},
        h('p', { class: 'station-name' }, icon(kind), ' ', h('b', {}, station.id), ` ${title(station.title)}`),
        h('p', {}, h('b', { class: 'station-state' }, station.up || lost ? word('state', state) : t('plc_offline')), lost ? '' : ` ${hms(station.state.for_ms)}`),
        h('p', { class: station.up ? 'dim' : 'fault' }, [station.counts ? t('counts') : '', lost ? '' : heard(station)].filter(Boolean).join(' · ')),
        ...(bad.length > 0 ? [h('p', { class: 'fault' }, `◆ ${t('bad_data')} ${bad[0]}${bad.length > 1 ? ` +${bad.length - 1}` : ''}`)] : [])),
      h('p', { class: 'flow' }, ...flow),
      ...measures(station),
    );
  }));
}

function heard(station) {
  if (station.heard_ago_ms === null) return t('never_heard');
  return station.up ? t('heard', { age: age(station.heard_ago_ms) }) : `${word('miss', station.reason)} · ${t('heard', { age: age(station.heard_ago_ms) })}`;
}

function measures(station) {
  const shown = station.measures.slice(0, 3);
  if (shown.length === 0) return [];
  return [h('p', { class: 'measures' }, ...shown.flatMap(({ tag, value, unit }) => [h('span', { class: 'fact' },
    h('span', { class: 'dim' }, tag.replace(/^.*\./, '')), ' ', h('span', { class: 'num' }, value === null ? '◆' : num(value)), ' ', h('span', { class: 'dim' }, unit)), ' ']))];
}

function showEvents() {
  show($('events'), view.events, () => (view.events.length === 0 ? [h('li', {}, t('no_events'))] : view.events.map((event) => {
    const what = word({ state: 'state', stop: 'class' }[event.kind] ?? 'word', event.word);
    const number = event.count ? ` ${num(event.count.best)} ${doubt(event.count)}`.trimEnd() : '';
    return h('li', {}, h('details', {}, h('summary', {},
      h('span', { class: 'num' }, clock(event.at_ms)), mark(event),
      h('span', {}, h('span', { class: 'dim' }, `${word('kind', event.kind)} `), h('b', {}, `${event.station ?? ''} ${what}${number}`.trim()),
        ...(event.from_ms ? [` ${hms(event.at_ms - event.from_ms)}`] : []), h('span', { class: 'dim detail', lang: 'en' }, ` ${event.detail}`)),
    ), h('p', { class: 'dim', lang: 'en' }, [event.tag, event.detail].filter(Boolean).join(' · ') || '–')));
  })));
}

/** What stands before an event: the shape of a stop, the diamond of data that are missing or in doubt. */
function mark(event) {
  if (event.kind === 'stop') return icon(event.word);
  if (event.kind === 'alarm') return icon('internal');
  const doubtful = event.kind === 'count' || (event.kind === 'link' && event.word === 'down');
  return doubtful ? icon('unknown') : h('span', { class: 'icon' });
}

// Trend ---------------------------------------------------------------------------------------------------------

function drawTrend(svg, width, height, data) {
  const { trend: points } = data;
  const now = live.now() ?? (points.start_ms.at(-1) ?? 0) + MINUTE_MS;
  const box = { left: 58, right: width - (LANG === 'both' ? 150 : 96), top: 12, bottom: height - 26 };
  const target = view?.target_per_minute ?? 0;
  const marks = ticks(0, Math.max(target * 1.05, ...points.high.map((n) => n ?? 0)), 3);
  const max = marks.at(-1);
  const x = (ms) => box.left + (ms - (now - HOUR_MS)) / HOUR_MS * (box.right - box.left);
  const y = (n) => box.bottom - n / max * (box.bottom - box.top);
  const inside = (ms) => Math.max(box.left, Math.min(box.right, x(ms)));
  axis(svg, box, marks, y, num);
  for (let at = Math.ceil((now - HOUR_MS) / 600000) * 600000; at < now; at += 600000) {
    if (x(at) < box.left + 4) continue;
    svg.append(s('path', { class: 'tick', d: `M${x(at)} ${box.bottom}v4` }));
    if (x(at) < box.right - 22 && x(at) > box.left + 16) svg.append(s('text', { class: 'axis', x: x(at), y: height - 8, 'text-anchor': 'middle' }, hm(at)));
  }
  const hatch = (from, to) => {
    if (inside(to) > inside(from)) svg.append(s('rect', { class: 'hatched', x: inside(from), y: box.top, width: inside(to) - inside(from), height: box.bottom - box.top }));
  };
  let path = '';
  let pen = false;
  const stops = [];
  points.start_ms.forEach((start, i) => {
    const n = points.best[i];
    if (start + MINUTE_MS <= now - HOUR_MS) return;
    if (n === null || points.known_percent[i] < 100) hatch(start, start + MINUTE_MS);
    const middle = inside(start + MINUTE_MS / 2);
    if (n === null) {
      pen = false;
      stops.push({ x: middle, y: null, text: `${hm(start)} · ${t('not_known')}` });
      return;
    }
    path += `${pen ? 'L' : 'M'}${inside(start)} ${y(n)}H${inside(start + MINUTE_MS)}`;
    pen = true;
    if (points.low[i] !== points.high[i]) svg.append(s('path', { class: 'whisker', d: `M${middle} ${y(points.low[i])}V${y(points.high[i])}` }));
    const range = doubt({ best: n, low: points.low[i], high: points.high[i] });
    stops.push({ x: middle, y: y(n), text: t('trend_point', { time: hm(start), n: `${num(n)} ${range}`.trim(), coverage: points.known_percent[i] }) });
  });
  // From what is known to now: nothing while live, a growing gap while nobody can tell.
  const first = points.start_ms[0];
  const until = (points.start_ms.at(-1) ?? now - MINUTE_MS) + MINUTE_MS;
  hatch(now - HOUR_MS, first ?? now);
  if (lost && view) hatch(Math.max(until, view.at_ms), now);
  else if (view?.state.word === 'unknown' && view.state.since_ms !== null) hatch(Math.max(until, view.state.since_ms), now);
  svg.append(s('path', { class: 'target', d: `M${box.left} ${y(target)}H${box.right}` }));
  svg.append(s('text', { class: 'axis', x: box.right + 6, y: y(target) + 5 }, t('target', { n: num(target) })));
  svg.append(s('path', { class: 'trace', d: path }));
  stopBars(svg, data, now, box, inside);
  return { stops, summary: trendSummary(points) };
}

function stopBars(svg, data, now, box, inside) {
  const spans = data.stops.slice();
  const open = view && view.state.since_ms !== null && !lost && !['run', 'unknown'].includes(view.state.class);
  if (open) spans.push({ from_ms: view.state.since_ms, to_ms: now, class: view.state.class });
  for (const { from_ms: from, to_ms: to, class: kind } of spans) {
    const width = inside(to) - inside(from);
    if (width <= 0) continue;
    svg.append(s('rect', { class: `stop ${kind}`, x: inside(from), y: box.bottom - 5, width: Math.max(2, width), height: 5 }));
    // The shape says which stop it is where there is room for it; the colour alone never does.
    if (width > 12) svg.append(shape(kind, { transform: `translate(${inside(from) + width / 2} ${box.bottom - 14}) scale(0.7)` }));
  }
}

function trendSummary(points) {
  const known = points.best.filter((n) => n !== null);
  if (known.length === 0) return `${t('trend')}: ${t('not_known')}`;
  return t('trend_summary', {
    n: points.best.length, min: num(Math.min(...known)), max: num(Math.max(...known)),
    last: points.best.at(-1) === null ? t('not_known') : num(points.best.at(-1)),
    target: num(view?.target_per_minute ?? 0), unknown: points.best.length - known.length,
  });
}

function trendRows({ trend: points }) {
  return {
    head: [t('time'), t('actual'), '[ ]', t('coverage')],
    body: points.start_ms.map((start, i) => [
      hm(start), points.best[i] === null ? t('not_known') : num(points.best[i]),
      points.best[i] === null ? '' : doubt({ best: 0, low: points.low[i], high: points.high[i] }), `${points.known_percent[i]} %`,
    ]).reverse(),
  };
}
