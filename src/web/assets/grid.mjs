// Every tag of the line with what was read of it last, and what finds one among them.

import { age, h, length, num, parted, place, put, show, t, word, write } from './format.mjs';
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

  /** The ages of what was told so long ago. @param {number} ms */
  grow(ms) {
    const { rows } = $('grid').tBodies[0];
    this.tags.forEach(({ read }, i) => read && rows[i]?.cells.length > 1 && write(rows[i].querySelector('.age'), age(read.age_ms + ms)));
  }

  onlyBad() {
    return $('grid-bad').getAttribute('aria-pressed') === 'true';
  }

  /** Rows are made once and their figures written in place: a table drawn anew loses what is selected in it. */
  set(tags) {
    this.tags = tags;
    const body = $('grid').tBodies[0];
    const frame = tags.map(({ station, tag, role, reason, address, map, line, period_ms: period }) => [station, tag, role, reason, address, map, line, period]);
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

/** The way to where a tag is described. */
function described({ station, map, line }) {
  const address = `/maps/${encodeURIComponent(station)}?line=${encodeURIComponent(document.body.dataset.line)}#L${line}`;
  return h('a', { class: 'map-line', href: address, translate: 'no' }, map.replace(/^.*\//, ''));
}

function row(told) {
  const { tag, role, reason, address, period_ms: period } = told;
  return h('tr', {},
    h('th', { scope: 'row' }, parted(tag)),
    h('td', { class: 'wide' }, reason ? `${word('role', role)}: ${word('reason', reason)}` : word('role', role)),
    h('td', { class: 'num value' }), h('td', { class: 'wide quality' }), h('td', { class: 'num age nowrap' }),
    h('td', { class: 'wide' }, place(address)), h('td', { class: 'wide nowrap' }, described(told)), h('td', { class: 'num nowrap' }, length(period)));
}

function fill(row, tag) {
  const { read, doubt } = tag;
  write(row.querySelector('.value'), valueOf(tag));
  write(row.querySelector('.age'), read ? age(read.age_ms) : '–');
  row.classList.toggle('doubted', doubt !== '');
  row.classList.toggle('unread', doubt === 'offline');
  show(row.querySelector('.quality'), doubt, () => (doubt === '' ? [t('doubt.good')] : [icon('unknown'), ` ${word('doubt', doubt)}`]));
}

function valueOf({ read, unit }) {
  if (!read) return '–';
  if (read.quality === 'bad') return '◆';
  if (read.value === null) return read.text ?? '';
  return `${read.text ? `${read.text} (${num(read.value)})` : num(read.value)} ${unit}`.trim();
}
