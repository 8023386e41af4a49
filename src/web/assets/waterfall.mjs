// Where the time of a span went: from its length through the losses to the time that was used.

import { fixed, LANG, s, t, word } from './format.mjs';
import { shape } from './chart.mjs';

/** Shapes of steps: the classes of time that they are. */
const SHAPES = {
  not_recorded: 'unknown', unknown: 'unknown', planned: 'planned', failures: 'internal', starved: 'external', blocked: 'external', external: 'external',
  unassigned: 'idle', micro: 'idle', speed: 'idle', rejects: 'internal', span: 'run', effective: 'run',
};
/** What is always shown, also when it is nothing. */
const ALWAYS = ['span', 'unknown', 'effective'];

const two = (n) => String(n).padStart(2, '0');
/** `165:12:07`: hours are not made days, so that times can be compared at a glance. */
const hms = (ms) => {
  const seconds = Math.floor(ms / 1000);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
};
const shown = ({ steps }) => steps.filter((step) => step.seconds !== 0 || ALWAYS.includes(step.id));
const isWhole = ({ id }) => id === 'span' || id === 'effective';

/** `−00:41:10`; what was made faster than the target gives time back. */
function taken(step) {
  const time = hms(Math.abs(step.seconds) * 1000);
  if (isWhole(step) || Math.abs(step.seconds) < 1) return time;
  return `${step.seconds < 0 ? '+' : '−'}${time}`;
}

const range = ({ between_ms: between }) => (between ? `[${between.map((ms) => `${ms < 0 ? '−' : ''}${hms(Math.abs(ms))}`).join(', ')}]` : '');

/** Bars below each other, each beginning where the one before ended. */
export function drawWaterfall(svg, width, height, data) {
  const steps = shown(data);
  const [span] = data.steps;
  const wide = width > 460;
  const box = { left: LANG === 'both' ? 256 : wide ? 168 : 124, right: width - (wide ? 158 : 86) };
  const row = Math.min(30, height / steps.length);
  const x = (ms) => box.left + Math.max(0, ms) / Math.max(1, span.ms) * (box.right - box.left);
  svg.append(s('path', { class: 'tick', d: `M${box.left} 0V${row * steps.length}` }));
  const stops = steps.map((step, i) => {
    const y = i * row;
    const [from, to] = step.bar_ms.map(x);
    const kind = SHAPES[step.id];
    const bar = { x: from, y: y + 3, width: Math.max(1.5, to - from), height: Math.max(3, row - 6) };
    svg.append(shape(kind, { transform: `translate(10 ${y + row / 2}) scale(0.62)` }));
    svg.append(s('text', { class: 'axis', x: 22, y: y + row / 2 + 5 }, word('step', step.id)));
    svg.append(s('rect', { class: kind === 'unknown' ? 'part unknown' : kind === 'run' ? 'filled' : `part ${kind}`, ...bar }));
    // A thin line leads from the end of a bar to the next one.
    if (i + 1 < steps.length) svg.append(s('path', { class: 'grid', d: `M${isWhole(step) ? to : from} ${y + row - 3}v6` }));
    svg.append(s('text', { class: 'axis num', x: wide ? width - 74 : width - 4, y: y + row / 2 + 5, 'text-anchor': 'end' }, taken(step)));
    if (wide) svg.append(s('text', { class: 'axis num', x: width - 4, y: y + row / 2 + 5, 'text-anchor': 'end' }, `${fixed(step.percent, 1)} %`));
    const text = [word('step', step.id), taken(step), range(step), `${fixed(step.percent, 1)} %`].filter(Boolean).join(' · ');
    return { x: (from + to) / 2, y: null, row: { y, height: row }, text };
  });
  const effective = data.steps.at(-1);
  const summary = t('waterfall_summary', { span: taken(span), effective: taken(effective), percent: fixed(effective.percent, 1), unknown: hms(data.unknown_ms) });
  return { stops, summary };
}

export function waterfallRows(data) {
  return {
    head: [t('step_word'), t('time'), '[ ]', '%'],
    body: data.steps.map((step) => [word('step', step.id), taken(step), range(step), `${fixed(step.percent, 1)} %`]),
  };
}

/** What has to be known beside the drawing: stops that a border cuts, counts that do not fit the span exactly. */
export function waterfallNote({ cut_before: before, cut_after: after, whole_hours: hours }) {
  return [before ? `◁ ${t('cut_before')}` : '', after ? `${t('cut_after')} ▷` : '', hours ? t('whole_hours') : ''].filter(Boolean).join(' · ');
}
