// Weights of samples bore by bore: means with their spread, and which bores fill differently from the others.

import { fixed, num, s, t, word } from './format.mjs';
import { axis, shape, ticks } from './chart.mjs';

const KINDS = { more: 'internal', less: 'internal' };
const small = (p) => (p < 0.0001 ? '< 0.0001' : fixed(p, p < 0.01 ? 4 : 2));

/** What is said of a bore in words. */
const said = (bore) => [word('bore_verdict', bore.verdict), bore.p_value === null ? '' : t('verdict_p', { p: small(bore.p_value) })].filter(Boolean).join(' ');

/** Means as points, one standard deviation to both sides, the mean of all as a dashed line. */
export function drawBores(svg, width, height, station) {
  const { bores } = station;
  const box = { left: 64, right: width - 16, top: 14, bottom: height - 26 };
  const ends = bores.flatMap(({ mean_mg: mean, sd_mg: sd }) => [mean - (sd ?? 0), mean + (sd ?? 0)]);
  const marks = ticks(Math.min(...ends), Math.max(...ends), 4);
  const last = Math.max(...bores.map(({ bore }) => bore));
  const x = (bore) => box.left + (bore - 0.5) / last * (box.right - box.left);
  const y = (mg) => box.bottom - (mg - marks[0]) / (marks.at(-1) - marks[0]) * (box.bottom - box.top);
  axis(svg, box, marks, y, (mg) => fixed(mg, marks[1] - marks[0] < 1 ? 1 : 0));
  for (const limit of [station.lower_mg, station.upper_mg]) {
    if (limit !== null && limit > marks[0] && limit < marks.at(-1)) svg.append(s('path', { class: 'limit', d: `M${box.left} ${y(limit)}H${box.right}` }));
  }
  if (station.mean_mg !== null) svg.append(s('path', { class: 'target', d: `M${box.left} ${y(station.mean_mg)}H${box.right}` }));
  const every = Math.max(1, Math.ceil(last * 22 / (box.right - box.left)));
  for (let bore = 1; bore <= last; bore += 1) {
    if ((bore - 1) % every === 0) svg.append(s('text', { class: 'axis', x: x(bore), y: height - 8, 'text-anchor': 'middle' }, String(bore)));
  }
  const stops = bores.map((bore) => {
    const [at, mean] = [x(bore.bore), y(bore.mean_mg)];
    if (bore.sd_mg !== null) svg.append(s('path', { class: 'whisker', d: `M${at} ${y(bore.mean_mg - bore.sd_mg)}V${y(bore.mean_mg + bore.sd_mg)}` }));
    svg.append(KINDS[bore.verdict] ? shape('N1', { transform: `translate(${at} ${mean})` }) : s('circle', { class: 'point', cx: at, cy: mean, r: 4 }));
    const text = t('bore_point', { bore: bore.bore, mean: fixed(bore.mean_mg, 2), sd: fixed(bore.sd_mg, 2), n: num(bore.n) });
    return { x: at, y: mean, text: `${text} · ${said(bore)}` };
  });
  const off = bores.filter(({ verdict }) => KINDS[verdict]);
  const summary = t('bore_summary', { station: station.station, n: bores.length, mean: fixed(station.mean_mg, 2), off: off.length === 0 ? t('spc_none') : off.map(({ bore }) => bore).join(', ') });
  return { stops, summary };
}

export function boreRows({ bores }) {
  return {
    head: [t('bore_word'), t('bore_mean'), t('bore_sd'), t('bore_n'), t('bore_difference'), t('verdict')],
    body: bores.map((bore) => [String(bore.bore), fixed(bore.mean_mg, 2), fixed(bore.sd_mg, 2), num(bore.n), fixed(bore.difference_mg, 2), said(bore)]),
  };
}
