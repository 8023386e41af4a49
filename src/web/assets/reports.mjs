// The list of reports. It is drawn by the service; only the frame of the page is live.

import { setOffset } from './format.mjs';
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
