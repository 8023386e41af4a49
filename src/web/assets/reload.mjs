// The configuration read again by a person, and what came of it.

import { clock, h, put, t, title, word } from './format.mjs';
import { get, notSaved, Refusal, why } from './page.mjs';

const ADDRESS = '/api/v1/reload';

/** All maps are read, and what they ask for. */
const READ_WITHIN_MS = 20000;

const $ = (id) => document.getElementById(id);

/** Makes the button work, where there is one. */
export function offerReload() {
  if (!$('reload-button')) return;
  $('reload-button').addEventListener('click', press);
  $('reload-button').disabled = false;
  stand();
}

/** Shows what runs, and what came of the last time. */
async function stand() {
  try {
    const standing = await get(ADDRESS);
    put('reload-hash', t('reload_hash', { hash: standing.config_sha256.slice(0, 12) }));
    if (standing.last) tell(standing.last);
  } catch (error) {
    put('reload-outcome', title(why(error)));
  }
}

async function press() {
  $('reload-button').disabled = true;
  put('reload-outcome', t('reload_busy'));
  list([]);
  try {
    const answer = await fetch(ADDRESS, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}', signal: AbortSignal.timeout(READ_WITHIN_MS),
    });
    const body = await answer.json();
    // What came of it is told by the same words, whoever asked.
    if (!answer.ok && answer.status !== 422) throw new Refusal(body);
    await stand();
  } catch (error) {
    put('reload-outcome', notSaved(error));
  } finally {
    $('reload-button').disabled = false;
  }
}

/** @param {any} last */
function tell(last) {
  put('reload-outcome', `${clock(last.at_ms)} ${word('reload', last.outcome)} · ${last.by}`);
  list([...last.problems, ...last.changes.map((en, i) => title({ en, zh: last.changes_zh[i] ?? en }))]);
}

/** @param {string[]} lines */
function list(lines) {
  $('reload-told').hidden = lines.length === 0;
  $('reload-told').replaceChildren(...lines.map((line) => h('li', {}, line)));
}
