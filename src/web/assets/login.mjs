// Signing in, the first account, a password of one's own. What is wrong is said in the words of the service.

import { t, title, write } from './format.mjs';
import './session.mjs';

const $ = (id) => document.getElementById(id);
const form = document.querySelector('main form');
const button = form.querySelector('button');

async function send(path, body) {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.ok) return;
  const { message, message_zh } = await answer.json();
  throw new Error(title({ en: message, zh: message_zh || message }));
}

/** What happens after the service has taken it. */
const THEN = {
  login: () => location.replace(form.dataset.to),
  setup: async ({ name, password }) => {
    await send('/api/v1/login', { name, password });
    location.replace('/admin');
  },
  own: () => {
    form.hidden = true;
    if ($('password-due')) $('password-due').hidden = true;
    $('own-done').hidden = false;
    $('go-on').hidden = false;
    $('go-on').focus();
  },
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  $('door-trouble').hidden = true;
  button.disabled = true;
  const { again, ...given } = Object.fromEntries(new FormData(form));
  try {
    if (again !== undefined && again !== given.new) throw new Error(t('new_differs'));
    await send(form.dataset.path, given);
    await THEN[form.id](given);
  } catch (error) {
    write($('door-trouble'), error instanceof TypeError ? t('sign_in_not_sent') : error.message);
    $('door-trouble').hidden = false;
    button.disabled = false;
    form.querySelector('[type="password"]').select();
  }
});

form.querySelector('input:not([hidden])').focus();
