// The list of reports. It is drawn by the service; only the frame of the page is live, and whether kept reports still fit
// the data is asked for afterwards.

import { setOffset, t, write } from './format.mjs';
import { icon } from './chart.mjs';
import { join } from './shell.mjs';

join({
  view: (view) => {
    setOffset(view.offset_s);
    document.body.dataset.feed = view.feed === 'current' ? 'current' : 'held';
  },
}).run();

// A period that goes on is marked with the shape of a line that runs.
for (const open of document.querySelectorAll('td.wide > .dim')) open.prepend(icon('run'), ' ');

/** How a kept report stands: three shapes, each with its words. */
const SAID = { true: ['=', 'fits.yes'], false: ['△', 'final_outdated'], null: ['?', 'fits.unknown'] };

/** The service makes a report anew to tell whether the kept one still fits: one after the other, the newest first. */
async function compare(cells) {
  for (const cell of cells) {
    const { kind, start, version } = cell.dataset;
    const query = new URLSearchParams({ kind, start_ms: start });
    let fits = null;
    try {
      const answer = await fetch(`/api/v1/lines/${encodeURIComponent(document.body.dataset.line)}/reports?${query}`, { signal: AbortSignal.timeout(20000) });
      // Made final again meanwhile, it is another version than the one that is shown.
      const standing = answer.ok ? await answer.json() : null;
      fits = standing?.finals[0]?.version === Number(version) ? standing.fits : null;
    } catch {
      // Nothing is claimed of what could not be compared.
    }
    const [mark, words] = SAID[fits];
    cell.dataset.fits = String(fits);
    write(cell, `${mark} ${t(words, { version })}`);
  }
}
compare(document.querySelectorAll('.fits'));
