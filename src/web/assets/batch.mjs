// Batches opened and closed by a person, where the machine tells none of its own.

import { clock, day, put, REPLAY, show, t } from './format.mjs';
import { author, keepAuthor, notSaved, send } from './page.mjs';

/** How long a second press on Close counts as meant. */
const SURE_MS = 6000;
const $ = (id) => document.getElementById(id);
const card = $('batch-card');
const writes = card.dataset.writes === 'true';
const address = `/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/batches`;

/** The batch that is open. */
let open = null;
/** Whether an order is on its way. */
let busy = false;
/** Until when a press on Close closes. */
let sure = 0;

$('batch-author').value = author();

/** @param {any} view */
export function showBatch(view) {
  open = view.batch;
  const how = open === null ? '' : t(view.batch_by_hand ? 'batch_by_hand' : 'batch_by_machine');
  show($('batch-now'), [open, view.batch_since_ms, how], () => [open === null ? t('batch_none')
    : `${open} · ${t('since', { time: `${day(view.batch_since_ms)} ${clock(view.batch_since_ms)}` })} · ${how}`]);
  const told = view.batch_told !== null;
  put('batch-note', told ? t('batch_told', { id: view.batch_told }) : writes || REPLAY ? '' : t('batch_read_only'));
  $('batch-form').hidden = told || REPLAY;
  showButtons();
}

function showButtons() {
  if (open === null || performance.now() > sure) sure = 0;
  const text = sure ? t('batch_sure', { id: open }) : t('batch_close');
  put('batch-close', text);
  $('batch-open').disabled = !writes || busy;
  $('batch-close').disabled = !writes || busy || open === null;
}

$('batch-form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!$('batch-id').value.trim()) {
    complain(t('batch_id_first'), 'batch-id');
    return;
  }
  order('', { id: $('batch-id').value, product: $('batch-product').value }, () => {
    $('batch-id').value = '';
    $('batch-product').value = '';
  });
});

$('batch-close').addEventListener('click', () => {
  if (!sure) {
    sure = performance.now() + SURE_MS;
    showButtons();
    return;
  }
  sure = 0;
  order('/close', { id: open }, () => {});
});

async function order(path, what, done) {
  const by = $('batch-author').value.trim();
  if (!by) {
    complain(t('name_first'), 'batch-author');
    return;
  }
  keepAuthor(by);
  busy = true;
  showButtons();
  try {
    await send(address + path, { ...what, by });
    $('batch-trouble').hidden = true;
    done();
  } catch (error) {
    complain(notSaved(error));
  } finally {
    busy = false;
    showButtons();
  }
}

/** @param {string} text @param {string} [field] */
function complain(text, field) {
  put('batch-trouble', text).hidden = false;
  if (field) $(field).focus();
}
