// The session of who is signed in: it ends on demand, rests when nobody presses anything, and a page whose session has
// ended goes to where people sign in.

/** A press is told at most so often. */
const TELL_MS = 60000;
const body = document.body;
let told = performance.now();

async function post(path) {
  return fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
}

/** Somebody is here. What the page asks for by itself says nothing of that. */
function pressed() {
  if (performance.now() - told < TELL_MS) return;
  told = performance.now();
  post('/api/v1/session').then(ended, () => {});
}

/** The service sends a page without a session to where people sign in, with the way back. */
function ended(answer) {
  if (answer.status === 401) location.reload();
}

/** After a stream has ended: whether the session has, too. */
export function check() {
  if (body.dataset.access === 'open') return;
  fetch('/api/v1/session', { cache: 'no-store' }).then(ended, () => {});
}

if (body.dataset.user !== undefined) {
  for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, pressed, { passive: true });
  document.getElementById('sign-out')?.addEventListener('click', async () => {
    await post('/api/v1/logout').catch(() => null);
    location.assign('/login');
  });
}
