// The strip below the chart: the whole span, and which part of it is shown. Drag to choose a part, click to move it;
// with the keyboard it is a slider, and buttons below it do the same by single presses.

import { day, hm, s, t, write } from './format.mjs';
import { byPoint, mark, trace } from './spc-draw.mjs';
import { shape } from './chart.mjs';

/** Points that are shown unless a person chose others. */
const SHOWN = 120;
/** Fewer than these are no chart. */
const LEAST = 8;
/** What keys do. */
const KEYS = {
  ArrowLeft: 'earlier', ArrowRight: 'later', PageUp: 'page_earlier', PageDown: 'page_later', Home: 'first', End: 'last', '+': 'narrower', '-': 'wider',
};

export class Strip {
  /** @param {HTMLElement} box  @param {() => void} changed */
  constructor(box, changed) {
    this.box = box;
    this.changed = changed;
    this.full = null;
    /** Times from and to which a person chose; null follows the newest. */
    this.chosen = null;
    this.drag = null;
    box.addEventListener('pointerdown', (event) => this.press(event));
    box.addEventListener('pointermove', (event) => this.pull(event));
    box.addEventListener('pointerup', (event) => this.release(event));
    box.addEventListener('keydown', (event) => this.key(event));
    this.said = document.getElementById('strip-said');
    const steps = document.getElementById('strip-steps');
    // Who presses hears what is shown then; what new points change is not read out.
    steps.addEventListener('click', (event) => {
      const { step } = event.target.closest('button')?.dataset ?? {};
      if (!step || !this.full) return;
      this.said.setAttribute('aria-live', 'polite');
      this.step(step);
    });
    steps.addEventListener('focusout', () => this.said.setAttribute('aria-live', 'off'));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  set(full) {
    this.full = full;
    this.draw();
  }

  /** Positions of the shown part. */
  window() {
    const n = this.full?.t.length ?? 0;
    if (!this.chosen) return [Math.max(0, n - SHOWN), n];
    const at = this.full.t;
    const a = Math.max(0, Math.min(at.findIndex((ms) => ms >= this.chosen[0]), n - LEAST));
    const b = at.findLastIndex((ms) => ms < this.chosen[1]) + 1;
    return a < 0 || b <= a ? [Math.max(0, n - SHOWN), n] : [a, Math.min(n, Math.max(b, a + LEAST))];
  }

  choose(a, b) {
    const { t: at } = this.full;
    const n = at.length;
    const size = Math.max(Math.min(LEAST, n), Math.min(n, b - a));
    const from = Math.max(0, Math.min(n - size, a));
    // At the right end the strip follows the newest again, as long as it has its usual width.
    this.chosen = from + size === n && size === Math.min(n, SHOWN) ? null : [at[from], from + size === n ? Infinity : at[from + size]];
    this.draw();
    this.changed();
  }

  place(event) {
    const box = this.box.getBoundingClientRect();
    const share = (event.clientX - box.left - 72) / Math.max(1, box.width - 156);
    return Math.round(Math.max(0, Math.min(1, share)) * (this.full?.t.length ?? 0));
  }

  press(event) {
    if (!this.full) return;
    this.drag = { from: this.place(event), to: null };
    this.box.setPointerCapture(event.pointerId);
  }

  pull(event) {
    if (!this.drag) return;
    this.drag.to = this.place(event);
    this.draw();
  }

  release(event) {
    if (!this.drag) return;
    const { from } = this.drag;
    const to = this.place(event);
    this.drag = null;
    if (Math.abs(to - from) >= LEAST) {
      this.choose(Math.min(from, to), Math.max(from, to));
      return;
    }
    const [a, b] = this.window();
    this.choose(to - Math.floor((b - a) / 2), to - Math.floor((b - a) / 2) + (b - a));
  }

  key(event) {
    if (!this.full || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!KEYS[event.key]) return;
    event.preventDefault();
    this.step(KEYS[event.key]);
  }

  /** Moves the shown part by a quarter of itself or by the whole of it, to an end, or makes it a quarter shorter or longer. */
  step(word) {
    const n = this.full.t.length;
    const [a, b] = this.window();
    const size = b - a;
    const step = Math.max(1, Math.floor(size / 4));
    const [from, to] = {
      earlier: [a - step, b - step], later: [a + step, b + step], page_earlier: [a - size, b - size], page_later: [a + size, b + size],
      first: [0, size], last: [n - size, n], narrower: [a + step, b], wider: [a - step, b],
    }[word];
    this.choose(from, to);
  }

  draw() {
    const { full } = this;
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (!full || full.t.length === 0 || width < 200) return;
    const n = full.t.length;
    const [left, right] = [72, width - 84];
    const x = (i) => left + i / n * (right - left);
    let high = 0;
    let low = Infinity;
    // What is not judged may lie anywhere and must not flatten the rest.
    full.p.forEach((value, i) => {
      if (value === null || full.fitness[i] !== 'whole') return;
      high = Math.max(high, value);
      low = Math.min(low, value);
    });
    const y = (v) => 4 + (1 - Math.max(0, Math.min(1, (v - low) / Math.max(1e-12, high - low)))) * (height - 22);
    // By position and not by time: a night without production takes no room.
    const at = new Map(full.t.map((ms, i) => [ms, i]));
    const a = { data: full, box: { left, right }, step: full.subgroup_minutes * 60000, x: (ms) => x((at.get(ms - full.subgroup_minutes * 30000) ?? 0) + 0.5), y };
    const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    const [from, to] = this.drag?.to != null ? [Math.min(this.drag.from, this.drag.to), Math.max(this.drag.from, this.drag.to)] : this.window();
    svg.append(s('rect', { class: 'shown', x: x(from), y: 1, width: Math.max(2, x(to) - x(from)), height: height - 16 }));
    svg.append(s('path', { class: 'trace', d: trace(a, full.p) }));
    for (const [i, rules] of byPoint(full.sig)) {
      if (full.p[i] !== null && full.fitness[i] === 'whole' && n <= 6000) svg.append(shape(mark(rules[0]), { transform: `translate(${x(i + 0.5)} ${y(full.p[i])}) scale(0.6)` }));
    }
    let day_ = null;
    full.t.forEach((ms, i) => {
      if (day(ms) === day_) return;
      const first = day_ === null;
      day_ = day(ms);
      if (!first || i === 0) svg.append(s('path', { class: 'tick', d: `M${x(i)} ${height - 15}v4` }), s('text', { class: 'axis', x: x(i) + 2, y: height - 2 }, day_));
    });
    this.thin(svg);
    this.box.replaceChildren(svg);
    this.box.setAttribute('aria-valuemax', String(n));
    this.box.setAttribute('aria-valuenow', String(to));
    const said = t('spc_strip_value', {
      from: `${day(full.t[from])} ${hm(full.t[from])}`, to: `${day(full.t[to - 1])} ${hm(full.t[to - 1])}`, n: to - from, all: n,
    });
    this.box.setAttribute('aria-valuetext', said);
    write(this.said, said);
  }

  /** Leaves out days that would stand on each other. */
  thin(svg) {
    let until = -Infinity;
    for (const text of svg.querySelectorAll('text')) {
      const at = Number(text.getAttribute('x'));
      if (at < until) text.remove();
      else until = at + 56;
    }
  }
}
