// The courses of up to three tags, one drawing below the other over one axis of time. Each has a scale of its own: lines of
// different units in one drawing would seem to say something where they cross. All numbers are those of the service.

import { clock, day, fixed, h, hm, hms, num, put, REPLAY, s, show, t, title, word } from './format.mjs';
import { axis, Plot, ticks } from './chart.mjs';
import { files, Refusal, remember, why } from './page.mjs';
import { stopTicks } from './timeline.mjs';

/** Spans, the length of a point, how often its newest part is asked for, and where times stand, in milliseconds. */
const SPANS = {
  '1m': { ms: 60000, step: 1000, every: 2000, mark: 10000 },
  '15m': { ms: 900000, step: 10000, every: 5000, mark: 120000 },
  '8h': { ms: 28800000, step: 60000, every: 30000, mark: 3600000 },
};
const MOST = 3;
/** A long span is asked for piece by piece: what is there is drawn already. */
const PIECE_MS = 3600000;
/** What was read is stored a little later, and is not missing until then. */
const LATE_MS = 15000;
const ANSWER_WITHIN_MS = 20000;
/** What is drawn where nobody has chosen: the speed, what comes of it, and one condition. */
const AT_FIRST = ['speed', 'good', 'condition'];
const $ = (id) => document.getElementById(id);

export class Trends {
  /** @param {() => number|null} now the line's clock, or the moment of the page
   * @param {() => {stops: any[], until: number}} ticks stops of the line, and until when one that goes on is known to */
  constructor(now, ticks) {
    this.now = now;
    this.ticks = ticks;
    this.offered = null;
    this.chosen = [];
    this.data = null;
    this.asking = false;
    this.asked = 0;
    const given = new URLSearchParams(location.search).get('trend');
    this.choose(SPANS[given] ? given : '15m');
    this.plot = new Plot('trends', { draw: (...drawing) => this.draw(...drawing), rows: (data) => this.rows(data) });
    $('trend-span').addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (!button) return;
      this.choose(button.dataset.span);
      this.keep('trend', button.dataset.span);
      this.afresh();
    });
    $('trend-choice').addEventListener('change', (event) => this.turn(event.target));
    $('trend-menu').addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      $('trend-menu').open = false;
      $('trend-menu').querySelector('summary').focus();
    });
    if (!REPLAY) setInterval(() => this.tick(), 1000);
  }

  choose(name) {
    this.span = SPANS[name];
    for (const button of $('trend-span').children) button.setAttribute('aria-pressed', String(button.dataset.span === name));
  }

  /** Takes the tags of the line; those of the address are drawn, or some to begin with. */
  offer(tags) {
    const known = tags.filter(({ trend }) => trend);
    if (this.offered && JSON.stringify(this.offered.map(({ tag }) => tag)) === JSON.stringify(known.map(({ tag }) => tag))) return;
    this.offered = known;
    const names = (new URLSearchParams(location.search).get('tags') ?? '').split(',').filter(Boolean);
    const has = (name) => known.some(({ tag }) => tag === name);
    this.unknown = names.filter((name) => !has(name));
    const first = AT_FIRST.map((role) => known.find((tag) => tag.role === role)?.tag).filter(Boolean);
    this.chosen = (names.length > 0 ? [...new Set(names)].filter(has) : first).slice(0, MOST);
    this.menu();
    this.lead();
    this.afresh();
  }

  menu() {
    const stations = [...new Set(this.offered.map(({ station }) => station))];
    show($('trend-choice'), this.offered.map(({ tag }) => tag), () => stations.map((station) => h('fieldset', {},
      h('legend', { class: 'dim' }, station),
      ...this.offered.filter((tag) => tag.station === station).map((tag) => h('label', {},
        h('input', { type: 'checkbox', 'data-tag': tag.tag }),
        h('span', {}, tag.tag, ' ', h('span', { class: 'dim' }, `${tag.reason ? word('reason', tag.reason) : word('role', tag.role)} · ${unitOf(tag)}`)))))));
    for (const box of $('trend-choice').querySelectorAll('input')) {
      box.checked = this.chosen.includes(box.dataset.tag);
      box.disabled = !box.checked && this.chosen.length >= MOST;
    }
    put('trend-n', t('trend_chosen', { n: this.chosen.length }));
    put('trends-note', this.unknown.length > 0 ? `◆ ${t('trend_unknown', { tags: this.unknown.join(', ') })}` : '');
  }

  turn({ dataset, checked }) {
    this.chosen = this.chosen.filter((tag) => tag !== dataset.tag);
    if (checked) this.chosen.push(dataset.tag);
    this.unknown = [];
    this.keep('tags', this.chosen.join(','));
    this.menu();
    this.afresh();
  }

  keep(name, value) {
    remember(name, value);
    this.lead();
  }

  /** Other moments of this page show the same tags. */
  lead() {
    const here = new URLSearchParams(location.search);
    for (const link of document.querySelectorAll('#replay a')) {
      const to = new URLSearchParams(link.getAttribute('href'));
      for (const name of ['tags', 'trend']) if (here.has(name)) to.set(name, here.get(name));
      link.href = `?${to}`;
    }
  }

  afresh() {
    this.data = null;
    const here = this.chosen.length > 0;
    $('trends').hidden = !here || !$('trends-rows').hidden;
    $('trends').dataset.tags = String(this.chosen.length);
    if (!here) put('trends-readout', t('trend_none'));
    this.load();
  }

  tick() {
    if (document.hidden) return;
    if (performance.now() - this.asked >= this.span.every - 100) this.load();
    else if (this.data) this.plot.set(this.data);
  }

  /** The part that is asked for next: what is missing at the left, else what is new. */
  missing(end) {
    const { ms, step } = this.span;
    const down = (at) => Math.floor(at / step) * step;
    const first = down(end - ms);
    if (!this.data) return [Math.max(first, down(end - PIECE_MS)), end];
    if (this.data.from_ms > first + step) return [Math.max(first, this.data.from_ms - PIECE_MS), this.data.from_ms];
    return [Math.max(first, down(this.data.to_ms - LATE_MS)), end];
  }

  async load() {
    const end = this.now();
    if (this.asking || end === null || this.chosen.length === 0) return;
    const { span, chosen } = this;
    const [from, to] = this.missing(Math.ceil(end));
    const first = this.data?.from_ms ?? Infinity;
    const ask = (a, b) => `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/trends?tags=${chosen.map(encodeURIComponent).join(',')}&from=${a}&to=${b}&step=${span.step / 1000}`;
    this.asking = true;
    this.asked = performance.now();
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), ANSWER_WITHIN_MS);
    try {
      const answer = await fetch(ask(from, to), { signal: giveUp.signal, cache: 'no-store' });
      const body = await answer.json();
      if (!answer.ok) throw new Refusal(body);
      if (span === this.span && chosen === this.chosen) {
        this.data = joined(this.data, body, Math.ceil(end) - span.ms);
        this.plot.set(this.data);
        files(ask(Math.ceil(end) - span.ms, Math.ceil(end)), { trends: 'trends' });
        $('trends-card').dataset.from = String(this.data.from_ms);
      }
    } catch (error) {
      // What is shown stays and its right edge grows; a refusal is said.
      if (!this.data && error.name !== 'AbortError') put('trends-readout', title(why(error)));
    } finally {
      clearTimeout(timer);
      this.asking = false;
    }
    const stale = span !== this.span || chosen !== this.chosen;
    // The next piece at the left, as long as each brings some of it.
    const lacks = this.data && this.data.from_ms < first && this.data.from_ms > Math.ceil(end) - span.ms + span.step;
    if (stale || lacks) this.load();
  }

  draw(svg, width, height, { tags, step_ms: step }) {
    const now = this.now() ?? 0;
    const from = now - this.span.ms;
    const box = { left: 72, right: width - 16 };
    const x = (ms) => Math.max(box.left, Math.min(box.right, box.left + (ms - from) / this.span.ms * (box.right - box.left)));
    const each = Math.max(30, (height - 28) / tags.length);
    tags.forEach((tag, i) => panel(svg, { ...box, top: i * each + 22, bottom: (i + 1) * each - 6 }, x, tag, { step, from, now }));
    const { stops: stood, until } = this.ticks();
    stopTicks(svg, stood, { from, until: Math.min(until, now), bottom: tags.length * each - 6 }, x);
    const bottom = height - 28;
    for (let at = Math.ceil(from / this.span.mark) * this.span.mark; at < now; at += this.span.mark) {
      svg.append(s('path', { class: 'tick', d: `M${x(at)} ${bottom}v5` }));
      if (x(at) > box.left + 20 && x(at) < box.right - 20) svg.append(s('text', { class: 'axis', x: x(at), y: height - 8, 'text-anchor': 'middle' }, this.moment(at)));
    }
    // At the right end what is not stored yet is no place to rest on.
    let starts = tags[0].start_ms;
    const read = starts.findLastIndex((_, i) => tags.every((tag) => tag.best[i] !== null));
    if (!REPLAY && read >= 0 && starts[read] + step + LATE_MS >= now) starts = starts.slice(0, read + 1);
    const stops = starts.flatMap((start, i) => (start + step <= from ? [] : [{ x: x(start + step / 2), y: null, text: [this.moment(start), ...tags.map((tag) => `${tag.tag} ${pointText(tag, i)}`)].join(' · ') }]));
    return { stops, summary: tags.map(summaryOf).join(' ') };
  }

  moment(ms) {
    return this.span === SPANS['8h'] ? hm(ms) : clock(ms);
  }

  rows({ tags }) {
    const head = [t('time'), ...tags.flatMap((tag) => [`${tag.tag}, ${unitOf(tag)}`, '[ ]', t('coverage')])];
    const body = tags[0].start_ms.map((start, i) => [`${day(start)} ${this.moment(start)}`,
      ...tags.flatMap((tag) => [tag.best[i] === null ? t('not_read') : figure(tag.best[i]), between(tag, i), `${fixed(tag.known_percent[i], 1)} %`])]);
    return { head, body: body.reverse() };
  }
}

/** What was known and what came, as one; where their points differ in length the new one stands alone. */
function joined(old, fresh, first) {
  if (!old || old.step_ms !== fresh.step_ms) return fresh;
  const columns = ['start_ms', 'best', 'low', 'high', 'known_percent'];
  const tags = fresh.tags.map((tag, n) => {
    const before = old.tags[n];
    const at = (keep) => before.start_ms.flatMap((start, i) => (keep(start) ? [i] : []));
    const [left, right] = [at((start) => start < fresh.from_ms && start + fresh.step_ms > first), at((start) => start >= fresh.to_ms)];
    const whole = { ...tag, kept: tag.kept || before.kept };
    for (const name of columns) whole[name] = [...left.map((i) => before[name][i]), ...tag[name], ...right.map((i) => before[name][i])];
    const outside = before.gaps_ms.flatMap(([a, b]) => [[a, Math.min(b, fresh.from_ms)], [Math.max(a, fresh.to_ms), b]]);
    whole.gaps_ms = [...outside.filter(([a, b]) => b > a), ...tag.gaps_ms].sort(([a], [b]) => a - b);
    return whole;
  });
  return { ...fresh, from_ms: Math.min(old.from_ms, fresh.from_ms), to_ms: Math.max(old.to_ms, fresh.to_ms), tags };
}

/** One tag: its name, its own scale, hatched where it was not read, and between which values it lay. */
function panel(svg, box, x, tag, { step, from, now }) {
  const known = [...tag.low, ...tag.high, ...tag.best].filter((n) => n !== null);
  const [least, most] = known.length > 0 ? [Math.min(...known), Math.max(...known)] : [0, 1];
  const room = most > least ? 0 : Math.abs(most) * 0.05 || 1;
  const marks = ticks(tag.kind === 'rate' ? 0 : least - room, Math.max(most + room, tag.kind === 'rate' ? 1 : -Infinity), 2);
  const y = (n) => box.bottom - (n - marks[0]) / (marks.at(-1) - marks[0]) * (box.bottom - box.top);
  svg.append(s('text', { class: 'axis panel-name', x: box.left, y: box.top - 7 }, `${tag.tag} · ${unitOf(tag)}`));
  // Numbers that would stand on each other are left out.
  const apart = (box.bottom - box.top) / (marks.length - 1);
  axis(svg, box, apart < 15 ? [marks[0], marks.at(-1)] : marks, y, figure);
  const hatch = (a, b) => {
    if (x(b) - x(a) > 0.5) svg.append(s('rect', { class: 'hatched', x: x(a), y: box.top, width: x(b) - x(a), height: box.bottom - box.top }));
  };
  const late = REPLAY ? 0 : LATE_MS;
  const end = tag.start_ms.at(-1) + step;
  for (const [a, b] of tag.gaps_ms) if (b > from && (b < end - step || now - a > late)) hatch(a, b);
  hatch(from, tag.start_ms[0]);
  if (now - end > Math.max(late, step)) hatch(end, now);
  let path = '';
  let envelope = '';
  let pen = null;
  tag.start_ms.forEach((start, i) => {
    const n = tag.best[i];
    if (n === null || start + step <= from) {
      pen = null;
      return;
    }
    const [left, right] = [x(start), x(Math.min(start + step, now))];
    path += `${pen === start ? 'L' : 'M'}${left} ${y(n)}H${right}`;
    if (y(tag.low[i]) - y(tag.high[i]) > 1) envelope += `M${left} ${y(tag.high[i])}H${right}V${y(tag.low[i])}H${left}Z`;
    pen = start + step;
  });
  if (envelope) svg.append(s('path', { class: 'envelope', d: envelope }));
  svg.append(s('path', { class: 'trace', 'data-tag': tag.tag, d: path }));
}

const unitOf = ({ kind, trend, unit }) => ((kind ?? trend) === 'rate' ? t('trend_rate') : unit || '1');

/** Five digits: more cannot be read off a drawing. */
const figure = (n) => num(Number(n.toPrecision(5)));

function between(tag, i) {
  const { low, high } = { low: tag.low[i], high: tag.high[i] };
  return low === null || low === high ? '' : `[${figure(low)}, ${figure(high)}]`;
}

function pointText(tag, i) {
  if (tag.best[i] === null) return t('not_read');
  return `${figure(tag.best[i])} ${tag.kind === 'rate' ? t('trend_rate') : tag.unit} ${between(tag, i)}`.replace(/\s+/g, ' ').trim();
}

function summaryOf(tag) {
  const given = (list) => list.filter((n) => n !== null);
  const known = given(tag.best);
  // Of a measured value the least and greatest that were read; those of a rate are what it can be.
  const [low, high] = tag.kind === 'value' ? [given(tag.low), given(tag.high)] : [known, known];
  if (!tag.kept) return `${t('trend_tag_unread', { tag: tag.tag })} (${t('trend_not_kept')}).`;
  if (known.length === 0) return `${t('trend_tag_unread', { tag: tag.tag })}.`;
  const gap = tag.gaps_ms.reduce((sum, [a, b]) => sum + b - a, 0);
  const said = t('trend_tag', { tag: tag.tag, min: figure(Math.min(...low)), max: figure(Math.max(...high)), last: figure(known.at(-1)), unit: unitOf(tag) });
  return `${[said, gap >= 1000 ? t('trend_gaps', { time: hms(gap) }) : ''].filter(Boolean).join('; ')}.`;
}
