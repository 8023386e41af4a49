// The output of the last seconds, minutes or hours: what is stored comes at once, so that a page that is loaded again
// has its history, and then what is new.

import { clock, doubt, fixed, hm, length, num, REPLAY, s, t } from './format.mjs';
import { axis, Plot, ticks } from './chart.mjs';
import { files } from './page.mjs';
import { stopTicks } from './timeline.mjs';

/** Spans to choose from, and how often they are asked again. Of a span in seconds only what is new is asked again. Counts move by strokes of the machine: over longer spans
 * points are longer, or the strokes would be all there is to see. */
const SPANS = [{ name: '1m', ms: 60000, step: 1000, every: 1000 }, { name: '15m', ms: 900000, step: 10000, every: 2000 }, { name: '8h', ms: 28800000, step: 60000, every: 15000 }];
/** A second is stored a little after it is over, and may still change then. */
const AGAIN_MS = 15000;
const ANSWER_WITHIN_MS = 8000;
const $ = (id) => document.getElementById(id);

export class Seconds {
  /** @param {() => number|null} now the line's clock @param {() => any} view the latest view
   * @param {() => {stops: any[], until: number}} ticks its stops, and until when one that goes on is known to */
  constructor(now, view, ticks) {
    this.now = now;
    this.view = view;
    this.ticks = ticks;
    this.span = SPANS[1];
    this.data = null;
    this.asking = false;
    this.plot = new Plot('seconds', { draw: (...given) => this.draw(...given), rows: (data) => rows(this.settled(data)) });
    $('seconds-span').addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (!button) return;
      this.span = SPANS.find(({ name }) => name === button.dataset.span);
      for (const other of $('seconds-span').children) other.setAttribute('aria-pressed', String(other === button));
      this.data = null;
      this.load();
    });
    if (!REPLAY) setInterval(() => this.turn(), 1000);
    this.asked = 0;
  }

  turn() {
    if (document.hidden) return;
    if (performance.now() - this.asked >= this.span.every - 100) this.load();
    else if (this.data) this.plot.set(this.data);
  }

  /** Asks for the span, or for its newest part where the rest is there already. */
  async load() {
    const to = this.now();
    if (this.asking || to === null) return;
    const { span } = this;
    const known = this.data?.of === 'second' ? this.data.points.at(-1)?.start_ms : null;
    // From the start of a point, or the first one would be a part of one, and the left edge of the drawing would be without.
    const whole = (ms) => Math.floor(ms / span.step) * span.step;
    const first = whole(to - span.ms);
    const from = Math.max(first, known ? whole(known - AGAIN_MS) : 0);
    this.asking = true;
    this.asked = performance.now();
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), ANSWER_WITHIN_MS);
    try {
      const address = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/series?from=${from}&to=${Math.ceil(to)}&step=${span.step / 1000}`;
      const answer = await fetch(address, { signal: giveUp.signal, cache: 'no-store' });
      const body = await answer.json();
      if (!answer.ok || span !== this.span) return;
      const before = known ? this.data.points.filter((point) => point.start_ms < body.points[0]?.start_ms && point.start_ms >= first) : [];
      // An answer in another unit stands alone: parts of different length do not belong into one line.
      this.data = before.length > 0 && body.of === 'second' && body.step_ms === this.data.step_ms ? { ...body, points: before.concat(body.points) } : body;
      this.plot.set(this.data);
      files(address.replace(/from=\d+/, `from=${first}`), { seconds: 'series' });
    } catch {
      // What is shown stays, and the right edge of the drawing grows: the frame of the page says that it is not live.
    } finally {
      clearTimeout(timer);
      this.asking = false;
    }
  }

  /** Takes what the stream told of the time in which it was not heard; where that does not reach what is shown, all is asked anew. */
  fill({ series, whole }) {
    if (!this.data) return;
    const [last, first] = [this.data.points.at(-1), series?.points[0]];
    const fits = whole && series && series.of === this.data.of && series.step_ms === this.data.step_ms;
    if (fits && first && last && first.start_ms <= last.start_ms + series.step_ms) {
      const end = series.points.at(-1).start_ms;
      const before = this.data.points.filter((point) => point.start_ms < first.start_ms && point.start_ms >= end - this.span.ms);
      this.data = { ...series, points: before.concat(series.points) };
      this.plot.set(this.data);
    } else if (!fits) {
      this.data = null;
      this.load();
    }
  }

  /** What is shown of the points: one that goes on when it is whole. A stroke more or less in its first second would be a rate
   * far from any. */
  settled(data) {
    const last = data.points.at(-1);
    const now = this.now();
    const goesOn = last && now !== null && !REPLAY && last.start_ms + 2 * data.step_ms > now && sum(last.time_us) < 1000 * data.step_ms;
    return goesOn ? { ...data, points: data.points.slice(0, -1) } : data;
  }

  draw(svg, width, height, data) {
    const { points, step_ms: step, of } = this.settled(data);
    const now = this.now() ?? points.at(-1)?.start_ms ?? 0;
    const from = now - this.span.ms;
    const box = { left: 64, right: width - 16, top: 12, bottom: height - 26 };
    const target = this.view()?.target_per_minute ?? 0;
    const marks = ticks(0, Math.max(target * 1.1, ...points.map((point) => point.per_minute ?? 0)), 3);
    const inside = (ms) => Math.max(box.left, Math.min(box.right, box.left + (ms - from) / this.span.ms * (box.right - box.left)));
    const y = (n) => box.bottom - n / marks.at(-1) * (box.bottom - box.top);
    axis(svg, box, marks, y, num);
    const every = { '1m': 10000, '15m': 120000, '8h': 3600000 }[this.span.name];
    for (let at = Math.ceil(from / every) * every; at < now; at += every) {
      svg.append(s('path', { class: 'tick', d: `M${inside(at)} ${box.bottom}v4` }));
      if (inside(at) > box.left + 20 && inside(at) < box.right - 20) svg.append(s('text', { class: 'axis', x: inside(at), y: height - 8, 'text-anchor': 'middle' }, this.span.name === '1m' ? clock(at) : hm(at)));
    }
    const hatch = (a, b) => {
      if (inside(b) - inside(a) > 0.5) svg.append(s('rect', { class: 'hatched', x: inside(a), y: box.top, width: inside(b) - inside(a), height: box.bottom - box.top }));
    };
    let path = '';
    /** Where the pen is down, and where the record goes to so far. */
    let pen = null;
    let end = null;
    const stops = [];
    for (const point of points) {
      const start = point.start_ms;
      if (start + step <= from) continue;
      // A hole in the record is not joined, and neither is what nobody saw.
      if (end !== null && start > end) hatch(end, start);
      if (end === null && start > from) hatch(from, start);
      const known = point.per_minute !== null;
      if (!known) hatch(start, start + step);
      else path += `${pen === start ? 'L' : 'M'}${inside(start)} ${y(point.per_minute)}H${inside(start + step)}`;
      end = start + step;
      pen = known ? end : null;
      stops.push({ x: inside(start + step / 2), y: known ? y(point.per_minute) : null, text: pointText(point, of) });
    }
    // What is on its way is not missing yet; beyond that nobody can tell.
    const late = REPLAY ? 0 : AGAIN_MS;
    if (end !== null && now - end > late + step) hatch(end, now);
    if (end === null) hatch(from, now);
    svg.append(s('path', { class: 'target', d: `M${box.left} ${y(target)}H${box.right}` }));
    svg.append(s('path', { class: 'trace', d: path }));
    const { stops: stood, until } = this.ticks();
    stopTicks(svg, stood, { from, until: Math.min(until, now), bottom: box.bottom }, inside);
    const rates = points.map((point) => point.per_minute).filter((n) => n !== null);
    const summary = rates.length === 0 ? t('not_known') : t('seconds_summary', {
      n: points.length, step: length(step), min: num(Math.min(...rates)), max: num(Math.max(...rates)), last: num(rates.at(-1)), target: num(target),
    });
    return { stops, summary };
  }
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

function pointText(point, of) {
  const time = of === 'second' ? clock(point.start_ms) : hm(point.start_ms);
  if (point.per_minute === null) return `${time} · ${t('not_known')}`;
  return t('seconds_point', { time, rate: num(point.per_minute), n: `${num(point.good.best)} ${doubt(point.good)}`.trim(), known: fixed(point.known_percent, 1) });
}

function rows({ points, of }) {
  return {
    head: [t('time'), t('per_minute'), t('actual'), '[ ]', t('coverage')],
    body: points.slice(-900).map((point) => [of === 'second' ? clock(point.start_ms) : hm(point.start_ms), point.per_minute === null ? t('not_known') : num(point.per_minute), num(point.good.best), doubt(point.good), point.known_percent === null ? '–' : `${point.known_percent} %`]).reverse(),
  };
}
