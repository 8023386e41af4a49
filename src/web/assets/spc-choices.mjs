// What was chosen for a look stands in the address, so that a link, a reload and another language show the same.

import { h } from './format.mjs';
import { remember } from './page.mjs';

const $ = (id) => document.getElementById(id);
/** Choices by the names that they have in the address. */
const SELECTS = { span: 'hours', subgroup: 'minutes', limits: 'which', companion: 'companion' };
/** A version of limits, which belongs to one chart. */
const VERSION = /^[1-9]\d{0,8}$/;

const boxes = () => [...$('rules').querySelectorAll('input')];
const offers = (select, value) => [...select.options].some((option) => option.value === value);

/** Chooses what the address asks for. What it asks for and is not there stays as it is without. */
export function recall() {
  const asked = new URLSearchParams(location.search);
  for (const [name, id] of Object.entries(SELECTS)) {
    const [select, value] = [$(id), asked.get(name)];
    if (!select || value === null) continue;
    // Which versions there are comes with the chart.
    if (name === 'limits' && VERSION.test(value)) select.append(h('option', { value }, `v${value}`));
    if (offers(select, value)) select.value = value;
  }
  const rules = asked.get('rules')?.split(',').filter(Boolean);
  // Some of the rules that were meant are another look.
  if (!rules || !rules.every((rule) => boxes().some((box) => box.value === rule))) return;
  for (const box of boxes()) box.checked = rules.includes(box.value);
}

/** Writes the choices into the address; what every look begins with is left out. */
export function keep() {
  for (const [name, id] of Object.entries(SELECTS)) {
    const select = $(id);
    if (!select) continue;
    const first = [...select.options].find((option) => option.defaultSelected) ?? select.options[0];
    remember(name, select.value === first.value ? null : select.value);
  }
  const rules = chosenRules();
  remember('rules', rules === null ? null : rules.join(','));
}

/** The rules of this look; null for those of the limits. */
export function chosenRules() {
  if (boxes().every((box) => box.checked === box.defaultChecked)) return null;
  return boxes().filter((box) => box.checked).map((box) => box.value);
}

/** Whether a version of limits is chosen. */
export const versionChosen = () => VERSION.test($('which').value);

/** The address of another chart of the line under the same choices. */
export function toChart(id) {
  const asked = new URLSearchParams(location.search);
  asked.set('line', document.body.dataset.line);
  if (VERSION.test(asked.get('limits') ?? '')) asked.delete('limits');
  return `/spc/${encodeURIComponent(id)}?${String(asked).replaceAll('%2C', ',')}`;
}
