// Every tag of the line with what was read of it last, and what finds one among them.

import { age, h, length, num, parted, place, put, show, t, word } from './format.mjs';
import { icon } from './chart.mjs';

const $ = (id) => document.getElementById(id);

export class Grid {
  constructor() {
    this.tags = [];
    $('grid-find').addEventListener('input', () => this.find());
    $('grid-bad').addEventListener('click', () => {
      $('grid-bad').setAttribute('aria-pressed', String(!this.onlyBad()));
      this.find();
    });
  }

  onlyBad() {
    return $('grid-bad').getAttribute('aria-pressed') === 'true';
  }

  /** Rows are made once and their figures written in place: a table drawn anew loses what is selected in it. */
  set(tags) {
    this.tags = tags;
    const body = $('grid').tBodies[0];
    const frame = tags.map(({ station, tag, role, reason, address, map, period_ms: period }) => [station, tag, role, reason, address, map, period]);
    show(body, frame, () => [...tags.map(row), h('tr', { class: 'none', hidden: true }, h('td', { colspan: 8, class: 'wide' }, t('tags_none')))]);
    // What is being pressed is drawn anew the next time, and has fewer rows until then.
    tags.forEach((tag, i) => body.rows[i]?.cells.length > 1 && fill(body.rows[i], tag));
    this.find();
  }

  /** Shows what fits to the text and to the switch. */
  find() {
    const words = $('grid-find').value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...$('grid').tBodies[0].rows];
    let shown = 0;
    this.tags.forEach((tag, i) => {
      if (!rows[i]) return;
      const text = rows[i].textContent.toLowerCase();
      const fits = (!this.onlyBad() || tag.doubt !== '') && words.every((one) => text.includes(one));
      rows[i].hidden = !fits;
      if (fits) shown += 1;
    });
    const none = $('grid').querySelector('tr.none');
    if (none) none.hidden = shown > 0;
    put('grid-note', t('tags_shown', { shown, all: this.tags.length, bad: this.tags.filter(({ doubt }) => doubt !== '').length }));
  }
}

function row({ tag, role, reason, address, map, period_ms: period }) {
  return h('tr', {},
    h('th', { scope: 'row' }, parted(tag)),
    h('td', { class: 'wide' }, reason ? `${word('role', role)}: ${word('reason', reason)}` : word('role', role)),
    h('td', { class: 'num value' }), h('td', { class: 'wide quality' }), h('td', { class: 'num age nowrap' }),
    h('td', { class: 'wide' }, place(address)), h('td', { class: 'wide dim nowrap' }, map.replace(/^.*\//, '')), h('td', { class: 'num nowrap' }, length(period)));
}

function fill(row, tag) {
  const { read, doubt } = tag;
  const cell = (name, text) => {
    const element = row.querySelector(`.${name}`);
    if (element.textContent !== text) element.textContent = text;
  };
  cell('value', valueOf(tag));
  cell('age', read ? age(read.age_ms) : '–');
  row.classList.toggle('doubted', doubt !== '');
  show(row.querySelector('.quality'), doubt, () => (doubt === '' ? [t('doubt.good')] : [icon('unknown'), ` ${word('doubt', doubt)}`]));
}

function valueOf({ read, unit }) {
  if (!read) return '–';
  if (read.quality === 'bad') return '◆';
  if (read.value === null) return read.text ?? '';
  return `${read.text ? `${read.text} (${num(read.value)})` : num(read.value)} ${unit}`.trim();
}
