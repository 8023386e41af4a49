// A report prints itself on demand; everything on it was drawn by the service. Gaps are explained and the report is made
// final by asking the service, which then draws it again.

import './explain.mjs';
import { write } from './format.mjs';
import { notSaved, send } from './page.mjs';

const $ = (id) => document.getElementById(id);
const closing = $('closing');
const { line, lang } = document.body.dataset;
/** A final report is drawn before it is kept. */
const DRAWN_WITHIN_MS = 20000;

$('print').addEventListener('click', () => window.print());

async function ask(what, body) {
  await send(`/api/v1/lines/${encodeURIComponent(line)}/reports/${what}`, body, DRAWN_WITHIN_MS);
  location.reload();
}

function submit(form, body, what, right) {
  if (!form) return;
  const button = form.querySelector('button');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    $('closing-trouble').hidden = true;
    try {
      await ask(what, body(new FormData(form)));
    } catch (error) {
      write($('closing-trouble'), notSaved(error));
      $('closing-trouble').hidden = false;
      button.disabled = false;
    }
  });
  button.disabled = closing.dataset[right] !== 'true';
}

// Where there are users, what is said is signed.
const signed = (form) => (form.has('password') ? { password: form.get('password'), meaning: form.get('meaning') } : {});

const period = () => ({ kind: closing.dataset.kind, start_ms: Number(closing.dataset.start) });

submit($('explain'), (form) => ({ ...period(), gaps: form.getAll('gap'), why: form.get('why'), by: form.get('by'), ...signed(form) }), 'gaps', 'explains');
const note = $('handover-note');
submit(note, (form) => ({ ...period(), gaps: [note.dataset.gap], why: form.get('why'), by: form.get('by'), ...signed(form) }), 'gaps', 'explains');
submit($('make-final'), (form) => ({ ...period(), lang, data_sha256: closing.dataset.sha, by: form.get('by'), ...signed(form) }), 'final', 'finalises');
const second = $('sign-second');
submit(second, (form) => ({ page_sha256: second.dataset.page, ...signed(form) }), `final/${second?.dataset.number}/signatures`, 'finalises');
