// Signals of all charts that have not ended: a list that leads to them, and marks in the choice of charts.

import { day, h, hm, REPLAY, show, t, word, write } from './format.mjs';
import { icon } from './chart.mjs';
import { get, why } from './page.mjs';
import { toChart } from './spc-choices.mjs';

/** Rows before the rest is folded. */
const ROWS = 6;

export class OpenSignals {
  /** @param {string} base  address of the line */
  constructor(base) {
    this.base = base;
    this.box = document.getElementById('open');
    this.choice = document.getElementById('characteristic');
    /** What charts are called, by their ids. */
    this.names = new Map([...this.choice.options].map((option) => [option.value, option.textContent]));
    /** Those of the last answer; null while they are not known. */
    this.all = null;
    this.trouble = null;
    this.lost = false;
    this.asked = 0;
    if (REPLAY) this.draw();
  }

  async load() {
    // What was open at a past moment is told by each chart, from its own minutes.
    if (REPLAY || document.hidden) return;
    this.asked += 1;
    const mine = this.asked;
    try {
      const body = await get(`${this.base}/incidents?open=true`);
      if (mine !== this.asked) return;
      [this.all, this.trouble] = [body, null];
    } catch (error) {
      if (mine !== this.asked) return;
      [this.all, this.trouble] = [null, why(error)];
    }
    this.draw();
  }

  /** Tells whether the line is still heard. */
  link(lost) {
    this.lost = lost;
    this.draw();
  }

  draw() {
    const { all, trouble } = this;
    const unfolded = this.box.querySelector('details')?.open;
    // Its links keep the choices of this look.
    show(this.box, [all, trouble, location.search], () => {
      const p = (text) => [h('p', {}, text)];
      if (REPLAY) return p(t('spc_open_then'));
      if (all === null) return p(trouble === null ? '–' : t('spc_open_unknown', { why: trouble }));
      if (all.length === 0) return p(t('spc_open_none'));
      const rest = all.slice(ROWS);
      const list = (some) => h('ul', {}, ...some.map((incident) => h('li', {}, this.row(incident))));
      return [list(all.slice(0, ROWS)), ...(rest.length > 0 ? [folded('more', rest.length, [list(rest)])] : [])];
    });
    const details = this.box.querySelector('details');
    if (details && unfolded) details.open = true;
    this.mark();
  }

  /** What it is, since when, and who has it; a link to its chart, unless that chart is configured no longer. */
  row(incident) {
    const { id, characteristic, opened_ms: at, level, rules, beyond, owner } = incident;
    const told = [t('since', { time: `${day(at)} ${hm(at)}` }), ...new Set(rules.map((rule) => `${rule} ${word('rule', rule)}`)), owner ?? t('spc_nobody')];
    const parts = [icon(beyond ? 'N1' : 'N2'), h('span', { class: `level-${level}` }, word('level', level)),
      h('b', {}, this.names.get(characteristic) ?? characteristic), h('span', { class: 'num' }, told.join(' · '))];
    if (!this.names.has(characteristic)) return h('span', { class: 'open-row' }, ...parts);
    const here = characteristic === document.getElementById('tools').dataset.characteristic;
    return h('a', { class: 'open-row', 'data-incident': id, href: toChart(characteristic), 'aria-current': here ? 'page' : null }, ...parts);
  }

  /** Charts with an open signal stand in the choice with its shape and a word; while none are known, each says so. */
  mark() {
    const known = this.all !== null && !this.lost;
    for (const option of this.choice.options) {
      const own = known ? this.all.filter((incident) => incident.characteristic === option.value) : [];
      const sign = own.length > 0 ? `${own.some((incident) => incident.beyond) ? '■' : '▲'} ${t('spc_open_mark')}`
        : !known && (this.lost || this.trouble !== null) ? `◆ ${t('unknown')}` : '';
      const text = [this.names.get(option.value), sign].filter(Boolean).join(' ');
      write(option, text);
    }
  }
}

/** What does not fit in a list opens below it. @param {string} name  of this fold @param {number} n  how many @param {Node[]} nodes */
export function folded(name, n, nodes) {
  return h('details', { class: 'more', 'data-of': name }, h('summary', {}, t('spc_more', { n })), ...nodes);
}
