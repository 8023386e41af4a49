// Users and the tokens of displays. Every change is asked twice, and why.

import { clock, day, h, put, setOffset, t, title, word } from './format.mjs';
import { files, get, notSaved, send, why } from './page.mjs';
import { join } from './shell.mjs';

const USERS = '/api/v1/admin/users';
const DISPLAYS = '/api/v1/admin/displays';
const FIELDS = ['name', 'printed', 'role', 'password'];
/** What begins or ends a change. */
const EDITS = ':is(#add-user, #add-display, #confirm-do), :is(#users, #displays) .act';
const $ = (id) => document.getElementById(id);
const moment = (ms) => `${day(ms)}\u00a0${clock(ms)}`;

/** What the dialog does when it is confirmed. */
let act = null;
/** Whether the service is not heard. Nothing is changed then, and nothing is kept to be sent later. */
let lost = false;

const ask = (path, body) => (body === undefined ? get(path) : send(path, body));

/**
 * Asks before a change is made: the fields that it needs, and its reason.
 * @param {{title: string, about: string, fields?: string[], path: string, body?: object, done?: (told: any) => void}} change
 */
function confirm(change) {
  act = change;
  put('confirm-title', change.title);
  put('confirm-about', change.about);
  for (const field of FIELDS) {
    const input = $(`confirm-${field}`);
    input.parentElement.hidden = !change.fields?.includes(field);
    input.required = !input.parentElement.hidden;
    if (field !== 'role') input.value = '';
  }
  if (change.role) $('confirm-role').value = change.role;
  $('confirm-reason').value = '';
  $('confirm-trouble').hidden = true;
  $('confirm').showModal();
}

$('confirm-not')?.addEventListener('click', () => $('confirm').close());
$('confirm-form')?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const asked = Object.fromEntries((act.fields ?? []).map((field) => [field, $(`confirm-${field}`).value]));
  $('confirm-do').disabled = true;
  try {
    const told = await ask(act.path, { ...act.body, ...asked, reason: $('confirm-reason').value });
    $('confirm').close();
    $('told').hidden = true;
    act.done?.(told, asked);
    await load();
  } catch (error) {
    put('confirm-trouble', notSaved(error)).hidden = false;
  } finally {
    $('confirm-do').disabled = lost;
  }
});

function button(text, change) {
  const element = h('button', { class: 'act', type: 'button', disabled: lost }, text);
  element.addEventListener('click', () => confirm(change));
  return element;
}

function userRow(user) {
  const path = `${USERS}/${encodeURIComponent(user.name)}`;
  const change = (name, fields) => button(t(`user_act.${name}`), {
    title: `${t(`user_act.${name}`)}: ${user.name}`,
    about: t('user_change_about', { name: user.printed }) + (name === 'reset' ? ` ${t('first_password_about')}` : ''),
    path, fields, body: { act: name }, role: user.role,
  });
  return h('tr', {},
    h('th', { scope: 'row' }, user.name), h('td', {}, user.printed), h('td', {}, word('role', user.role)),
    h('td', {}, word('user_state', user.state) + (user.must_change ? ` · ${t('password_due')}` : '')), h('td', { class: 'num' }, String(user.sessions)), h('td', {}, moment(user.changed_ms)),
    h('td', { class: 'wide' }, change('role', ['role']), change('reset', ['password']),
      change(user.state === 'enabled' ? 'disable' : 'enable')));
}

function displayRow(display) {
  const revoked = display.revoked_ms !== null;
  const revoke = button(t('revoke'), {
    title: `${t('revoke')}: ${display.name}`, about: t('revoke_about'), path: `${DISPLAYS}/${display.number}/revoke`,
  });
  return h('tr', {},
    h('th', { scope: 'row' }, display.name), h('td', {}, moment(display.made_ms)),
    h('td', {}, revoked ? t('revoked_at', { time: moment(display.revoked_ms) }) : t('token_valid')),
    h('td', {}, ...(revoked ? [] : [revoke])));
}

async function load() {
  try {
    const [users, displays] = await Promise.all([ask(USERS), ask(DISPLAYS)]);
    $('users').tBodies[0].replaceChildren(...users.map(userRow));
    const none = h('tr', {}, h('td', { colspan: 4 }, t('no_display_tokens')));
    $('displays').tBodies[0].replaceChildren(...(displays.length === 0 ? [none] : displays.map(displayRow)));
    files(USERS, { users: 'users' });
    files(DISPLAYS, { displays: 'tokens' });
    $('trouble').hidden = true;
  } catch (error) {
    put('trouble', title(why(error))).hidden = false;
  }
}

$('add-user')?.addEventListener('click', () => confirm({
  title: t('add_user'), about: `${t('password_rule')} ${t('first_password_about')}`, fields: FIELDS, path: USERS,
}));
$('add-display')?.addEventListener('click', () => confirm({
  title: t('add_display'), about: t('add_display_about'), fields: ['name'], path: DISPLAYS,
  done: ({ token }, { name }) => {
    put('told-what', t('token_told', { name }));
    put('told-token', `/wall/${document.body.dataset.line}?token=${token}`);
    $('told').hidden = false;
  },
}));

let begun = false;
join({
  view: (view) => {
    setOffset(view.offset_s);
    if (begun || !$('users')) return;
    // Times are shown in the zone that the first view brings.
    begun = true;
    load();
  },
  link: (link) => {
    if (lost === (link.word === 'lost') || !$('users')) return;
    lost = link.word === 'lost';
    for (const one of document.querySelectorAll(EDITS)) one.disabled = lost;
    for (const one of document.querySelectorAll('.edits-wait')) one.hidden = !lost;
  },
}).run();
