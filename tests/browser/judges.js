// What the tests look for in a page. Each judge gives a list of sentences, empty where all is well.
(() => {
  const PRESSED = 'a[href], button, input, select, textarea, summary';
  const REACHED = `${PRESSED}, [tabindex="0"], [onclick], [role="button"]`;
  const told = (e) => `${e.tagName.toLowerCase()}${e.id && `#${e.id}`}${typeof e.className === 'string' && e.className ? `.${e.className}` : ''} "${(e.ariaLabel ?? e.textContent).trim().slice(0, 40)}"`;
  const shown = (e) => !e.disabled && e.checkVisibility({ visibilityProperty: true });
  /** What stays the same when a live page draws an element anew. */
  // A file's address goes with the span that is shown, its name does not.
  const key = (e) => (e.id ? `#${e.id}` : [e.tagName, e.dataset.csv ?? e.getAttribute('href'), e.getAttribute('aria-controls'), JSON.stringify(e.dataset)].join('|'));
  const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);

  /** A finger hits the label of a box too. */
  const target = (e) => (e.matches('[type="checkbox"], [type="radio"]') && e.closest('label')) || e;
  const targets = (least) => all(PRESSED).map(target).filter((e) => {
    const box = e.getBoundingClientRect();
    return box.right > 0 && Math.min(box.width, box.height) < least - 0.5;
  }).map((e) => `${told(e)} is ${Math.round(e.getBoundingClientRect().width)} × ${Math.round(e.getBoundingClientRect().height)} px`);

  /** Charts and tables may be scrolled sideways inside their own box, nothing else. */
  const sideways = () => all('header *, main *, #bands *').filter((e) => {
    // An event is opened to be read whole.
    if (e.closest('.scroll, .rows, .plot, .strip, #events, svg, .away, .skip')) return false;
    const boxed = e.matches('.tile, .card, #stations li') || getComputedStyle(e).overflowX !== 'visible';
    return (boxed && e.scrollWidth > e.clientWidth + 1) || e.getBoundingClientRect().right > innerWidth + 1;
  }).map(told).concat(document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth} px wide`] : []);

  const moving = () => document.getAnimations().map((a) => `${told(a.effect.target)} moves`).concat(all('body *').filter((e) => {
    const style = getComputedStyle(e);
    return style.animationName !== 'none' || style.transitionDuration.split(',').some((s) => parseFloat(s) > 0);
  }).map((e) => `${told(e)} has a transition`));

  /** A shape alone is for eyes, a word for everybody. */
  const wordless = () => all('svg.icon').filter((e) => !e.parentElement.closest(':not(:empty)') || (e.closest('p, li, td, th, h2, summary, button, span.signal, span.fact') ?? e.parentElement).textContent.trim() === '').map(told);

  const elsewhere = () => performance.getEntriesByType('resource').map((e) => e.name).filter((name) => !name.startsWith(location.origin) && !name.startsWith('data:'));

  // The walk with Tab: `begin`, then `step` after each press until it is no longer `more`, then what `walked` says.
  let walk = null;
  const begin = () => {
    // From the top, also of a page that puts the focus into a field by itself.
    document.body.tabIndex = -1;
    document.body.focus({ preventScroll: true });
    document.body.removeAttribute('tabindex');
    document.activeElement?.blur();
    walk = { reached: new Set(), first: null, last: null, inside: 0, faults: [] };
  };
  const step = () => {
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement) return walk.first ? 'end' : 'more';
    // A field of a date has a stop for each of its parts, and one for its calendar.
    walk.inside = e === walk.last && e.matches('input[type^="date"], input[type="time"], input[type="month"]') ? walk.inside + 1 : 0;
    if (walk.inside > 0 && walk.inside < 9) return 'more';
    if (e === walk.last) {
      walk.faults.push(`Tab does not leave ${told(e)}`);
      return 'trap';
    }
    walk.last = e;
    if (walk.first === null) walk.first = key(e);
    else if (key(e) === walk.first) return 'end';
    walk.reached.add(key(e));
    const box = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) walk.faults.push(`the focus cannot be seen on ${told(e)}`);
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) {
      walk.faults.push(`${told(e)} has the focus outside of the screen`);
    } else {
      const hit = document.elementFromPoint((Math.max(0, box.left) + Math.min(innerWidth, box.right)) / 2, (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2);
      if (hit && hit !== e && !e.contains(hit) && !hit.contains(e)) walk.faults.push(`${told(hit)} covers ${told(e)}, which has the focus`);
    }
    return 'more';
  };
  const walked = () => [...new Set(walk.faults)].concat(all(REACHED).filter((e) => !walk.reached.has(key(e))).map((e) => `Tab does not reach ${told(e)}`));

  // Marks as they are seen. A row of them at the corner of the page, and what a picture of it shows.
  const MARK = 48;
  const KINDS = ['run', 'internal', 'external', 'planned', 'idle', 'unknown', 'N2', 'N3', 'N4'];
  const showMarks = async () => {
    const { icon } = await import('/assets/chart.mjs');
    document.getElementById('marks')?.remove();
    const row = document.createElement('div');
    row.id = 'marks';
    Object.assign(row.style, { position: 'fixed', left: 0, top: 0, zIndex: 99, display: 'flex', background: 'var(--card)' });
    for (const kind of KINDS) {
      const mark = icon(kind);
      Object.assign(mark.style, { width: `${MARK}px`, height: `${MARK}px` });
      row.append(mark);
    }
    document.body.append(row);
    return [KINDS.length * MARK, MARK];
  };
  const light = (p) => [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => {
    const c = p[i] / 255;
    return sum + share * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const marks = async (png, least) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${png}`;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const pen = canvas.getContext('2d');
    pen.drawImage(picture, 0, 0);
    const found = [];
    const masks = KINDS.map((kind, i) => {
      const { data } = pen.getImageData(i * MARK, 0, MARK, MARK);
      const pixels = Array.from({ length: MARK * MARK }, (_, n) => light(data.subarray(4 * n, 4 * n + 3)));
      const ratios = pixels.map((one) => contrast(one, pixels[0]));
      // The edge is smoothed: what counts is the body of the mark.
      const body = ratios.toSorted((a, b) => b - a)[30];
      if (body < least) found.push(`${kind} has a contrast of ${body.toFixed(2)}`);
      return ratios.map((ratio) => ratio > 1.5);
    });
    masks.forEach((mask, i) => masks.slice(0, i).forEach((other, j) => {
      const [either, differ] = [mask.filter((on, n) => on || other[n]).length, mask.filter((on, n) => on !== other[n]).length];
      if (differ < either * 0.12) found.push(`${KINDS[i]} looks like ${KINDS[j]}`);
    }));
    return found;
  };

  window.judge = { targets, sideways, moving, wordless, elsewhere, begin, step, walked, showMarks, marks };
})();
