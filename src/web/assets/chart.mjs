// Drawings: shapes of states, analog bars, and charts with a cursor and a table. Geometry only.

import { h, s, show, write } from './format.mjs';

export const MINUTE_MS = 60000;
/** A thing of a few pixels is met by a finger beside it. */
const NEAR_PX = 12;

/** Shapes by what they mean; each differs by form, not only by colour. */
const SHAPES = {
  run: 'M-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0zM-3-5L5 0L-3 5z',
  internal: 'M-8-8H8V8H-8z',
  external: 'M0-9L9 8H-9z',
  planned: 'M-7-8H-2V8H-7zM2-8H7V8H2z',
  idle: 'M0-9L9 8H-9zM0-3L4 5H-4z',
  unknown: 'M0-10L10 0L0 10L-10 0z',
  N1: 'M-5-5H5V5H-5z',
  N2: 'M0-6L6 5H-6z',
  N3: 'M0-6L6 0L0 6L-6 0z',
  N4: 'M-6-5H6L0 6z',
};

/** @param {string} name @param {Record<string, string|number>} [attributes] */
export function shape(name, attributes = {}) {
  return s('path', { d: SHAPES[name] ?? SHAPES.unknown, 'fill-rule': 'evenodd', class: `shape ${name}`, ...attributes });
}

/** The shape of a class of time as a small picture in a line of text. */
export function icon(name) {
  return s('svg', { viewBox: '-12 -12 24 24', class: 'icon', 'aria-hidden': 'true' }, shape(name));
}

/**
 * A bar to both sides of zero.
 * @param {SVGElement} svg
 * @param {number|null} value
 * @param {number} max
 */
export function around(svg, value, max) {
  show(svg, [value, max, svg.clientWidth], () => {
    const width = Math.max(60, svg.clientWidth);
    const x = (n) => width / 2 + Math.max(-1, Math.min(1, n / max)) * (width / 2 - 6);
    svg.setAttribute('viewBox', `0 0 ${width} 26`);
    const nodes = [s('rect', { x: 6, y: 10, width: width - 12, height: 10, class: 'track' })];
    if (value !== null) nodes.push(s('rect', { x: Math.min(x(0), x(value)), y: 12, width: Math.abs(x(value) - x(0)), height: 6, class: 'filled' }));
    nodes.push(s('path', { d: `M${x(0)} 5V25`, class: 'target-mark' }));
    return nodes;
  });
}

/**
 * A bar from 0 to `max` with what is normal, a target and a pointer.
 * @param {SVGElement} svg
 * @param {{max: number, value?: number|null, spread?: number, range?: [number, number]|null, target?: number|null, normal?: [number, number]|null,
 *          filled?: boolean, alarm?: boolean, parts?: {value: number, kind: string}[]}} bar
 */
export function analog(svg, bar) {
  show(svg, [bar, svg.clientWidth], () => {
    const width = Math.max(60, svg.clientWidth);
    const x = (value) => 6 + Math.max(0, Math.min(1, value / bar.max)) * (width - 12);
    svg.setAttribute('viewBox', `0 0 ${width} 26`);
    const nodes = [s('rect', { x: 6, y: 10, width: width - 12, height: 10, class: 'track' })];
    if (bar.normal) {
      nodes.push(s('rect', { x: x(bar.normal[0]), y: 10, width: x(bar.normal[1]) - x(bar.normal[0]), height: 10, class: 'normal' }));
    }
    let from = 0;
    for (const part of bar.parts ?? []) {
      nodes.push(s('rect', { x: x(from), y: 10, width: x(from + part.value) - x(from), height: 10, class: `part ${part.kind}` }));
      from += part.value;
    }
    const known = bar.value !== null && bar.value !== undefined;
    if (known && bar.filled) nodes.push(s('rect', { x: 6, y: 12, width: x(bar.value) - 6, height: 6, class: 'filled' }));
    const range = bar.range ?? (bar.spread ? [bar.value - bar.spread, bar.value + bar.spread] : null);
    if (known && range && range[0] < range[1]) {
      const [low, high] = range.map(x);
      nodes.push(s('rect', { x: low, y: 12, width: Math.max(1, high - low), height: 6, class: 'filled' }));
    }
    if (bar.target !== null && bar.target !== undefined) {
      nodes.push(s('path', { d: `M${x(bar.target)} 5V25`, class: 'target-mark' }));
    }
    if (known && !bar.parts) {
      nodes.push(s('path', { d: `M${x(bar.value)} 14l-6-11h12z`, class: bar.alarm ? 'pointer alarm' : 'pointer' }));
    }
    return nodes;
  });
}

/**
 * @typedef {{x: number, y: number|null, text: string, row?: {y: number, height: number}, id?: string, from?: number, to?: number}} Stop
 *          where the cursor can stand, and what is there; a row where values lie below each other; an id and how far it reaches
 *          where it can be opened
 * @typedef {{stops: Stop[], summary: string}} Drawn
 */

/** A chart in a card: drawing, cursor, readout and table. */
export class Plot {
  /**
   * @param {string} id
   * @param {{draw: (svg: SVGElement, width: number, height: number, data: any) => Drawn,
   *          rows: (data: any) => {head: string[], body: string[][]}, open?: (id: string) => void}} how  with `open` what stands
   *          under the cursor is opened by Enter, by a click, and by a second tap: the first one reads it
   */
  constructor(id, how) {
    this.how = how;
    this.box = document.getElementById(id);
    this.readout = document.getElementById(`${id}-readout`);
    this.rows = document.getElementById(`${id}-rows`);
    this.data = null;
    /** @type {Stop[]} */
    this.stops = [];
    /** Position from the newest, so that the cursor stays on its point while new ones arrive. */
    this.at = null;
    const toggle = document.querySelector(`#${id}-card .toggle`);
    toggle.addEventListener('click', () => {
      const on = toggle.getAttribute('aria-pressed') !== 'true';
      toggle.setAttribute('aria-pressed', String(on));
      this.rows.hidden = !on;
      this.box.hidden = on;
      this.readout.hidden = on;
      this.draw();
    });
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('pointerdown', (event) => {
      this.point(event);
      // A mouse has read what is under it on its way there; a finger reads by its first tap.
      const id = this.under()?.id;
      this.again = event.pointerType === 'mouse' || (id !== undefined && id === this.met);
      this.met = id;
    });
    if (how.open) this.box.addEventListener('click', (event) => this.again && this.press(event));
    this.box.addEventListener('pointermove', (event) => event.pointerType === 'mouse' && this.point(event));
    this.box.addEventListener('pointerleave', () => document.activeElement !== this.box && this.move(null));
    this.box.addEventListener('blur', () => {
      this.met = undefined;
      this.move(null);
    });
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  set(data) {
    this.data = data;
    this.draw();
  }

  draw() {
    if (this.data === null) return;
    if (!this.rows.hidden) this.table();
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    if (width < 50 || height < 50) return;
    const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
    const drawn = this.how.draw(svg, width, height, this.data);
    this.stops = drawn.stops;
    if (this.box.getAttribute('aria-label') !== drawn.summary) this.box.setAttribute('aria-label', drawn.summary);
    this.cursor = s('g', { class: 'cursor' });
    svg.append(this.cursor);
    this.box.replaceChildren(svg);
    this.height = height;
    this.mark();
  }

  table() {
    const { head, body } = this.how.rows(this.data);
    show(this.rows, [head, body], () => [h('table', {},
      h('thead', {}, h('tr', {}, ...head.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, ...body.map((row) => h('tr', {}, ...row.map((cell) => h('td', {}, cell))))),
    )]);
  }

  /** What stands under the cursor. */
  under() {
    return this.at === null ? undefined : this.stops[this.stops.length - 1 - this.at];
  }

  /** A click opens what it meets, and not what is nearest to it. */
  press(event) {
    const x = event.clientX - this.box.getBoundingClientRect().left;
    const meets = (stop, near) => stop?.id !== undefined && x >= stop.from - near && x <= stop.to + near;
    const stop = this.stops.find((one) => meets(one, 0)) ?? this.under();
    if (meets(stop, NEAR_PX)) this.how.open(stop.id);
  }

  key(event) {
    const last = this.stops.length - 1;
    if (last < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const id = event.key === 'Enter' ? this.under()?.id : undefined;
    if (id !== undefined && this.how.open) {
      event.preventDefault();
      this.how.open(id);
      return;
    }
    const at = this.at ?? -1;
    const to = { ArrowLeft: at + 1, ArrowRight: at - 1, Home: last, End: 0, Escape: null }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.move(to === null ? null : Math.max(0, Math.min(last, to)));
  }

  point(event) {
    if (this.stops.length === 0) return;
    const box = this.box.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const away = this.stops.map(({ x: at, row }) => (row ? Math.abs(row.y + row.height / 2 - y) : Math.abs(at - x)));
    this.move(this.stops.length - 1 - away.indexOf(Math.min(...away)));
  }

  move(at) {
    if (at === this.at) return;
    this.at = at;
    this.mark();
  }

  mark() {
    const stop = this.at === null ? null : this.stops[this.stops.length - 1 - this.at];
    if (!this.cursor) return;
    this.cursor.replaceChildren();
    if (stop?.row) {
      this.cursor.append(s('rect', { class: 'row-mark', x: 1, y: stop.row.y, width: Math.max(2, this.box.clientWidth - 2), height: stop.row.height }));
    } else if (stop) {
      this.cursor.append(s('path', { d: `M${stop.x} 0V${this.height}` }));
      if (stop.y !== null) this.cursor.append(s('circle', { cx: stop.x, cy: stop.y, r: 6 }));
    }
    // Without a cursor the newest point stands there, but nobody wants it read out every minute.
    const text = (stop ?? this.stops.at(-1))?.text ?? '';
    this.readout.setAttribute('aria-live', stop ? 'polite' : 'off');
    write(this.readout, text);
  }
}

/**
 * Round numbers for an axis, from at or below `low` to at or above `high`.
 * @param {number} low
 * @param {number} high
 * @param {number} [n]
 */
export function ticks(low, high, n = 4) {
  if (!(high > low)) return [low, low + 1];
  const rough = (high - low) / n;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * unit).find((k) => k >= rough);
  const marks = [];
  for (let i = Math.floor(low / step); i * step < high + step * 0.999; i += 1) marks.push(i * step);
  return marks;
}

/** Lines and numbers at the left. */
export function axis(svg, box, marks, y, form) {
  for (const mark of marks) {
    svg.append(s('path', { class: 'grid', d: `M${box.left} ${y(mark)}H${box.right}` }));
    svg.append(s('text', { class: 'axis', x: box.left - 6, y: y(mark) + 5, 'text-anchor': 'end' }, form(mark)));
  }
}
