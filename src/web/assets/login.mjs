// Signing in, and the first account. What is wrong is said in the words of the service.

import { t, title } from './format.mjs';

const $ = (id) => document.getElementById(id);
const form = $('login') ?? $('setup');
const button = form.querySelector('button');

async function send(path, body) {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.ok) return;
  const { message, message_zh } = await answer.json();
  throw new Error(title({ en: message, zh: message_zh || message }));
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  $('door-trouble').hidden = true;
  button.disabled = true;
  const given = Object.fromEntries(new FormData(form));
  try {
    await send(`/api/v1/${form.id}`, given);
    if (form.id === 'setup') await send('/api/v1/login', { name: given.name, password: given.password });
    location.replace(form.dataset.to ?? '/admin');
  } catch (error) {
    $('door-trouble').textContent = error instanceof TypeError ? t('sign_in_not_sent') : error.message;
    $('door-trouble').hidden = false;
    button.disabled = false;
    $('password').select();
  }
});

form.querySelector('input').focus();
