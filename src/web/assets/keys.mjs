// Single keys: pages, language, colours, span of time, what waits. They never act where something is typed, and can be
// switched off on this screen: who speaks to the computer or leans on the keyboard must not change the page by it.

import { h, t } from './format.mjs';

const KEPT = 'capline-keys';
const $ = (id) => document.getElementById(id);
const pages = [...document.querySelectorAll('.bar > nav:not(.lines) a')];

/** The list of keys, made when it is first asked for. */
let dialog = null;

function areOn() {
  try {
    return localStorage.getItem(KEPT) !== 'off';
  } catch {
    return true;
  }
}

function switchKeys(on) {
  try {
    localStorage.setItem(KEPT, on ? 'on' : 'off');
  } catch {
    // A browser that keeps nothing has them on again at the next page.
  }
}

const ACTS = {
  l: () => next([...document.querySelectorAll('.bar .choices a')], (link) => link.hasAttribute('aria-current'))?.click(),
  d: () => $('theme').click(),
  w: () => location.assign(`/wall/${encodeURIComponent(document.body.dataset.line)}`),
  r: range,
  a: () => document.querySelector('[data-act="take"], #signals details:not([open]) summary')?.focus(),
  e: firstNumber,
  '?': openList,
};

/** Where nothing is chosen, to the first number that can be explained: the same key explains it next. */
function firstNumber() {
  const at = document.activeElement;
  if (!at || at === document.body || at.id === 'main') document.querySelector('main [data-explain]:enabled')?.focus();
}

/** The one after the chosen one, round the end. */
function next(all, isChosen) {
  return all.length === 0 ? undefined : all[(all.findIndex(isChosen) + 1) % all.length];
}

/** Switches of the span of the page: those of the page as a whole, else those of its first drawing that has some. */
function spans() {
  const seen = (group) => group.getClientRects().length > 0 && group.querySelector('[data-span]');
  return $('window') ?? [...document.querySelectorAll('main .choices')].find(seen);
}

/** The list to choose the span from, on pages that have one. */
const spanList = () => ($('hours')?.options ? $('hours') : null);

/** The next span of the page. */
function range() {
  const [group, list] = [spans(), spanList()];
  if (group) {
    next([...group.querySelectorAll('button')], (button) => button.getAttribute('aria-pressed') === 'true')?.click();
  } else if (list) {
    list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
    list.dispatchEvent(new Event('change', { bubbles: true }));
  }
}

function openList() {
  if (!dialog) {
    const rows = [[`1–${pages.length}`, 'keys.pages'], ['← →  Home  End', 'keys.cursor'], ...($('timeline') ? [['Enter', 'keys.open']] : []), ['N  P', 'keys.signals'], ['A', 'keys.waits'], ['E', 'keys.explain'],
      ...(spans() || spanList() ? [['R', 'keys.range']] : []), ['L', 'keys.language'], ['D', 'keys.colours'], ['W', 'keys.wall'], ['?', 'keys.list'], ['Esc', 'keys.close']];
    const box = h('input', { type: 'checkbox', id: 'keys-on' });
    box.addEventListener('change', () => switchKeys(box.checked));
    const close = h('button', { type: 'button', class: 'shut' }, t('close'));
    close.addEventListener('click', () => dialog.close());
    dialog = h('dialog', { id: 'keys', class: 'explain-box', 'aria-labelledby': 'keys-title' },
      h('header', {}, h('h2', { id: 'keys-title' }, t('keys')), close),
      h('table', {}, h('tbody', {}, ...rows.map(([keys, text]) => h('tr', {}, h('th', { scope: 'row' }, h('kbd', {}, keys)), h('td', {}, t(text)))))),
      h('label', { class: 'switch' }, box, ` ${t('keys.on')}`));
    document.body.append(dialog);
  }
  dialog.querySelector('#keys-on').checked = areOn();
  dialog.showModal();
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing || event.defaultPrevented) return;
  if (event.target.closest?.('input, select, textarea, dialog') || document.querySelector('dialog[open]') || !areOn()) return;
  const page = /^[1-9]$/.test(event.key) ? pages[Number(event.key) - 1] : undefined;
  const act = page ? () => page.click() : ACTS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

$('keys-list')?.addEventListener('click', openList);
