// Weights beside their specification: bars, limits, the normal law of mean and sigma. Every number comes computed.

import { fixed, h, num, s, show, t, word } from './format.mjs';
import { axis, ticks } from './chart.mjs';
import { indices } from './spc-panel.mjs';

const $ = (id) => document.getElementById(id);

/** Digits behind the point that edges of bins have. */
const digits = (width) => Math.max(0, -Math.floor(Math.log10(width) + 1e-9));
const mg = (found, value) => (value === null ? '–' : fixed(value, digits(found.width)));
const small = (p) => (p < 0.0001 ? '< 0.0001' : fixed(p, p < 0.01 ? 4 : 3));
const limit = (value) => (value === null ? '–' : String(value));

/** The lines of the specification, left to right: name of the text, value, class. */
const lines = (found) => [['histogram_lower', found.lower_spec, 'limit'], ['histogram_target', found.target, 'target'], ['histogram_upper', found.upper_spec, 'limit']].filter(([, value]) => value !== null);

export function drawHistogram(svg, width, height, found) {
  const box = { left: 72, right: width - 16, top: 36, bottom: height - 30 };
  const ends = [...found.edges, found.curve[0][0], found.curve.at(-1)[0], ...lines(found).map(([, value]) => value)];
  const room = found.width;
  const [low, high] = [Math.min(...ends) - room, Math.max(...ends) + room];
  const x = (value) => box.left + (value - low) / (high - low) * (box.right - box.left);
  const heights = ticks(0, Math.max(1, ...found.curve.map(([, n]) => n), ...(found.counts ?? [])), 4);
  const y = (n) => box.bottom - n / heights.at(-1) * (box.bottom - box.top);
  axis(svg, box, heights, y, (n) => (Number.isInteger(n) ? num(n) : ''));
  const every = ticks(low, high, Math.max(2, Math.floor((box.right - box.left) / 55)));
  const places = digits(every[1] - every[0]);
  for (const at of every.filter((at) => at >= low && at <= high)) {
    svg.append(s('path', { class: 'tick', d: `M${x(at)} ${box.bottom}v4` }));
    svg.append(s('text', { class: 'axis', x: x(at), y: height - 10, 'text-anchor': 'middle' }, fixed(at, places)));
  }
  const stops = found.expected.map((expected, i) => {
    const n = found.counts?.[i] ?? null;
    const outside = found.bins_outside[i];
    const [from, to] = [x(found.edges[i]), x(found.edges[i + 1])];
    if (n) svg.append(s('rect', { class: outside ? 'bin outside' : 'bin', x: from + 0.5, y: y(n), width: Math.max(1, to - from - 1), height: box.bottom - y(n) }));
    const told = { from: mg(found, found.edges[i]), to: mg(found, found.edges[i + 1]), expected: fixed(expected, 1) };
    const text = n === null ? t('histogram_bin_expected', told) : t('histogram_bin', { ...told, n: num(n) });
    return { x: (from + to) / 2, y: y(n ?? expected), text: outside ? `${text} · ${t('histogram_outside')}` : text };
  });
  svg.append(s('path', { class: 'normal-law', d: found.curve.map(([at, n], i) => `${i === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(n).toFixed(1)}`).join('') }));
  for (const [name, value, kind] of lines(found)) {
    svg.append(s('path', { class: kind, d: `M${x(value)} ${box.top}V${box.bottom}` }));
    // Limits are named towards the middle, the target above them: the three may lie close.
    const anchor = { histogram_lower: 'start', histogram_target: 'middle', histogram_upper: 'end' }[name];
    svg.append(s('text', { class: 'axis', x: x(value), y: kind === 'target' ? 14 : 30, 'text-anchor': anchor }, `${t(name)} ${limit(value)}`));
  }
  const outside = found.outside === null ? '–' : num(found.outside);
  const summary = t('histogram_summary', { n: num(found.n), mean: fixed(found.mean, 2), sigma: fixed(found.sigma, 2), lower: limit(found.lower_spec), upper: limit(found.upper_spec), outside });
  return { stops, summary };
}

const place = (found, i) => t(found.bins_outside[i] ? 'histogram_outside' : 'histogram_inside');

export function histogramRows(found) {
  const body = found.expected.map((expected, i) => [mg(found, found.edges[i]), mg(found, found.edges[i + 1]), found.counts === null ? '–' : num(found.counts[i]), fixed(expected, 1), place(found, i)]);
  return { head: [t('histogram_from'), t('histogram_to'), t('histogram_count'), t('histogram_expected'), t('histogram_place')], body };
}

/** What the histogram says, in sentences. */
export function histogramWords(data) {
  const found = data.histogram;
  const p = (text) => h('p', {}, text);
  // A sign and its words stay on one line.
  const sign = (kind, text) => [h('span', { class: 'sign' }, h('span', { class: `sample ${kind}` }), ` ${text}`), ' '];
  show($('histogram-legend'), [found?.counts === null, found?.width], () => (found === null ? [] : [
    ...(found.counts === null ? [] : [...sign('bin', t('histogram_bars', { width: fixed(found.width, digits(found.width)) })), ...sign('bin outside', t('histogram_bars_outside'))]),
    ...sign('normal-law', t('histogram_curve')), ...sign('limit', t('histogram_spec')),
  ]));
  show($('histogram-words'), [found, data.gate.open, data.indices], () => {
    if (found === null) return [p(t('histogram_none'))];
    const told = [p(t('histogram_figures', { n: num(found.n), mean: fixed(found.mean, 2), sigma: fixed(found.sigma, 2), within: found.sigma_within === null ? '–' : fixed(found.sigma_within, 2) }))];
    if (lines(found).length) told.push(p(t('histogram_limits', { lower: limit(found.lower_spec), target: limit(found.target), upper: limit(found.upper_spec) })));
    if (found.counts === null) told.push(p(t('histogram_sums')));
    else {
      if (found.below !== null || found.above !== null) told.push(p(t('histogram_beyond', { below: found.below === null ? '–' : num(found.below), above: found.above === null ? '–' : num(found.above) })));
      if (found.n_single < found.n) told.push(p(t('histogram_part', { n: num(found.n_single), all: num(found.n) })));
    }
    if (data.indices) told.push(...(data.gate.open ? indices(data.indices) : [p(t('histogram_gate'))]));
    const test = found.a2 === null ? '' : `${t('histogram_test', { a2: fixed(found.a2, 3), p: small(found.p) })} `;
    told.push(p(`${test}${word('normal', found.normal)}`));
    return told;
  });
}
