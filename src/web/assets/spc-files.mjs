// What leaves the workbench: tables, SVG. Files of tables come from the service.

import { clock, fixed, h, num, s, t, word } from './format.mjs';
import { byPoint, NOTHING, places, time } from './spc-draw.mjs';
import { unitOf } from './spc-panel.mjs';

export function mainRows(data) {
  const rules = byPoint(data.sig);
  const show = (value) => fixed(value, places(data));
  const head = [t('spc_time'), 'n', 'x', unitOf(data), 'LCL', 'CL', 'UCL', 'z', t('spc_rules')];
  const body = data.t.map((_, i) => [time(data, i), num(data.n[i]), num(data.x[i]), show(data.p[i]), show(data.lcl[i]), show(data.cl[i]), show(data.ucl[i]),
    fixed(data.z[i], 2), [...(rules.get(i) ?? []), data.fitness[i] === 'whole' ? '' : word('fitness', data.fitness[i])].join(' ')]);
  return { head, body: body.reverse() };
}

/** The table of the chart beside the main one that `which` names. */
export function sideRows(which) {
  return (data) => rowsOf(data, data[which] ?? NOTHING);
}

function rowsOf(data, { y, down, lcl, ucl, sig, name }) {
  const rules = byPoint(sig);
  const two = down.length > 0;
  const body = data.t.map((_, i) => [time(data, i), fixed(y[i], 4), ...(two ? [fixed(down[i], 4)] : []), fixed(lcl[i], 4), fixed(ucl[i], 4), (rules.get(i) ?? []).join(' ')]);
  return { head: [t('spc_time'), word('companion', name), ...(two ? ['−'] : []), 'LCL', 'UCL', t('spc_rules')], body: body.reverse() };
}

/** Name of a file: line, characteristic, when it begins, and whether the plant is simulated. */
export function fileName(data, id, offset) {
  const sim = document.querySelector('.sim') ? '_SIM' : '';
  const at = data.t.length ? new Date(data.t[0] + offset * 1000).toISOString().replace(/[-:]/g, '').slice(0, 13) : 'empty';
  return `${document.body.dataset.line}_${id.replaceAll('.', '-')}_${at}${sim}`;
}

/** A drawing with the colours of the page written into it, so that it stands alone. */
export function picture(drawn, ground, name, to) {
  const copy = drawn.cloneNode(true);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const from = drawn.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, i) => {
    const style = getComputedStyle(from[i]);
    for (const key of ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-family', 'font-size']) {
      const value = style.getPropertyValue(key);
      // The hatch is drawn by the page; alone, what is not known is grey.
      element.setAttribute(key, value.includes('url(') ? '#888888' : value);
    }
    element.removeAttribute('class');
  });
  copy.prepend(s('title', {}, `${name} ${clock(to)}`), s('rect', { width: '100%', height: '100%', fill: ground }));
  copy.querySelector('.cursor')?.remove();
  return new XMLSerializer().serializeToString(copy);
}

export function save(file, type, text) {
  const a = h('a', { href: URL.createObjectURL(new Blob([text], { type })), download: file });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}
