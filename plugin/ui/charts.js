// Charts as SVG: what was measured against its limit, the primary beside the canary, and the weight over time.

import { h, hour, s } from './dom.js';

const [TOP, BOTTOM, LEFT, RIGHT] = [16, 20, 46, 8];
const HEIGHT = 168;
const POINTS = 300;

const number = (text) => (text === undefined || text === '' || text === null ? NaN : Number(text));
const round = (n) => Math.round(n * 10) / 10;

/** A value with its unit, as people write it. */
export function value(text, unit) {
  const n = number(text);
  const shown = Number.isFinite(n) ? String(Math.round(n * 100) / 100) : text || 'no value';
  return Number.isFinite(n) && unit ? shown + ' ' + unit : shown;
}

/** Round numbers from `low` to `high`. */
function ticks(low, high, most) {
  const raw = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) || raw;
  const all = [];
  for (let n = Math.ceil(low / step) * step; n <= high + step / 1e6; n += step) all.push(Math.round(n * 1e9) / 1e9);
  return all;
}

/** The range of values that is drawn: measurements and limits, without the one that is far from all others. */
function range(values, limits) {
  const all = [...values, ...limits].sort((a, b) => a - b);
  if (!all.length) return [0, 1];
  let [low, high] = [all[0], all[all.length - 1]];
  const next = all[all.length - 2];
  if (all.length > 3 && next > 0 && high > 4 * next) high = 1.4 * next;
  const margin = (high - low) * 0.15 || Math.abs(high) * 0.1 || 1;
  const bottom = low >= 0 ? Math.max(0, low - margin) : low - margin;
  return [bottom, high + margin];
}

/** What a point looks like says what it came to, without its colour. */
function point(x, y, verdict) {
  const d = {
    Pass: `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0`,
    Fail: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`,
    Error: `M${x} ${y - 5}l5 9h-10z`,
    Inconclusive: `M${x} ${y - 5}l5 5l-5 5l-5 -5z`,
  }[verdict] || `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`;
  return s('path', { d, class: 'point ' + verdict.toLowerCase() });
}

/** A line through points, broken where nothing was measured. */
function line(points, kind) {
  let d = '';
  let pen = false;
  for (const [x, y] of points) {
    if (Number.isFinite(y)) d += (pen ? 'L' : 'M') + round(x) + ' ' + round(y);
    pen = Number.isFinite(y);
  }
  return d && s('path', { d, class: 'line ' + kind });
}

function axes(width, [from, to], [low, high], x, y, unit) {
  const bottom = HEIGHT - BOTTOM;
  const across = ticks(low, high, 4).map((n) => [
    s('line', { x1: LEFT, x2: width - RIGHT, y1: round(y(n)), y2: round(y(n)), class: 'grid' }),
    s('text', { x: LEFT - 6, y: round(y(n)) + 4, class: 'label end' }, String(n)),
  ]);
  const times = [[from, 'start'], [to, 'end']].map(([at, anchor]) =>
    s('text', { x: round(x(at)), y: HEIGHT - 4, class: 'label ' + anchor }, hour(at)));
  return [across, s('line', { x1: LEFT, x2: width - RIGHT, y1: bottom, y2: bottom, class: 'axis' }), times,
    unit && s('text', { x: 2, y: 10, class: 'label' }, unit)];
}

const scales = (width, [from, to], [low, high]) => [
  (at) => LEFT + ((at - from) / (to - from || 1)) * (width - LEFT - RIGHT),
  (n) => HEIGHT - BOTTOM - ((Math.min(high, Math.max(low, n)) - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM),
];

/** Bands of the steps that were taken, each with its weight. */
function bands(steps, [from, to], x) {
  return steps.map((step, i) => {
    const [begin, end] = [Math.max(from, step.at), Math.min(to, i + 1 < steps.length ? steps[i + 1].at : to)];
    if (end <= begin) return null;
    const wide = x(end) - x(begin) > 26;
    return [
      s('rect', { x: round(x(begin)), width: round(x(end) - x(begin)), y: TOP, height: HEIGHT - TOP - BOTTOM, class: i % 2 ? 'band odd' : 'band' }),
      wide && s('text', { x: round((x(begin) + x(end)) / 2), y: TOP - 4, class: 'label middle' }, step.weight + ' %'),
    ];
  });
}

/** The side of a limit that does not pass. */
function forbidden(limit, [low, high], width, y) {
  const side = (top, bottom) => bottom > top &&
    s('rect', { x: LEFT, width: width - LEFT - RIGHT, y: round(top), height: round(bottom - top), class: 'forbidden' });
  const mark = (n, sign) => n >= low && n <= high && [
    s('line', { x1: LEFT, x2: width - RIGHT, y1: round(y(n)), y2: round(y(n)), class: 'limit' }),
    s('text', { x: width - RIGHT - 2, y: round(y(n)) - 4, class: 'label end limit' }, sign + ' ' + n),
  ];
  const { min, max } = limit || {};
  return [
    min !== undefined && [side(y(min), y(low)), mark(min, '≥')],
    max !== undefined && [side(y(high), y(max)), mark(max, '≤')],
  ];
}

/** At most so many looks, the first and the last of them. */
function thinned(looks) {
  if (looks.length <= POINTS) return looks;
  const every = (looks.length - 1) / (POINTS - 1);
  return Array.from({ length: POINTS }, (_, i) => looks[Math.round(i * every)]);
}

/** One metric over time. `looks` have at, value, primary, verdict and step; `steps` at (a number) and weight. */
export function metric({ title, looks, limit, unit, wanted, steps, none }, width) {
  const seen = thinned(looks.filter((look) => look.at).map((look) => ({ ...look, time: Date.parse(look.at) })));
  if (!seen.length) return h('p', { class: 'dim' }, none);
  const began = steps.length ? Math.min(steps[0].at, seen[0].time) : seen[0].time;
  const time = [began, Math.max(seen[seen.length - 1].time, began + 1000)];
  const values = seen.flatMap((look) => [number(look.value), number(look.primary)]).filter(Number.isFinite);
  const limits = [limit?.min, limit?.max].filter(Number.isFinite);
  const [low, high] = range(values, limits);
  const [x, y] = scales(width, time, [low, high]);
  const canary = seen.map((look) => [x(look.time), Number.isFinite(number(look.value)) ? y(number(look.value)) : NaN]);
  const primary = seen.map((look) => [x(look.time), Number.isFinite(number(look.primary)) ? y(number(look.primary)) : NaN]);
  const beside = primary.some(([, at]) => Number.isFinite(at));
  const bottom = HEIGHT - BOTTOM;
  const drawn = s('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', class: 'chart', 'aria-label': summary(title, looks, unit, wanted) },
    bands(steps, time, x), axes(width, time, [low, high], x, y, unit), forbidden(limit, [low, high], width, y),
    line(primary, 'primary'), line(canary, 'canary'),
    seen.map((look, i) => {
      const n = number(look.value);
      const at = Number.isFinite(canary[i][1]) ? canary[i][1] : bottom - 6;
      return s('g', {}, s('title', {}, told(look, unit)), point(round(canary[i][0]), round(at), look.verdict),
        n > high && s('text', { x: round(canary[i][0]), y: TOP + 12, class: 'label middle' }, value(look.value, unit)));
    }));
  return h('figure', {}, drawn, h('figcaption', {}, h('span', { class: 'key canary' }, 'canary'),
    beside && h('span', { class: 'key primary' }, 'primary'), limits.length > 0 && h('span', { class: 'key limit' }, 'limit: ' + wanted)));
}

const told = (look, unit) => `${hour(look.at)}, step ${look.step}: ${value(look.value, unit)}` +
  (look.primary ? `, primary ${value(look.primary, unit)}` : '') + ` (${words(look.verdict)})`;

function summary(title, looks, unit, wanted) {
  const last = looks[looks.length - 1];
  const failed = looks.filter((look) => look.verdict === 'Fail').length;
  return `${title}: ${looks.length} measurements, ${failed} failed, last ${value(last.value, unit)}` + (wanted ? `, wanted ${wanted}` : '');
}

/** A verdict in words. */
export const words = (verdict) => ({ Pass: 'passed', Fail: 'failed', NoData: 'no data', Inconclusive: 'inconclusive', Error: 'error' }[verdict] || 'not measured');

/** The weight over time: what was taken, until now or the end. */
export function weights(steps, end, width) {
  if (!steps.length) return null;
  const time = [steps[0].at, Math.max(end, steps[0].at + 1000)];
  const [x, y] = scales(width, time, [0, 100]);
  let d = `M${round(x(time[0]))} ${round(y(0))}`;
  for (const step of steps) d += `H${round(x(step.at))}V${round(y(step.weight))}`;
  d += `H${round(x(time[1]))}`;
  const first = steps.find((step) => step.promotion);
  const marked = first && [
    s('line', { x1: round(x(first.at)), x2: round(x(first.at)), y1: TOP, y2: HEIGHT - BOTTOM, class: 'mark' }),
    s('text', { x: round(x(first.at)) + 4, y: TOP + 10, class: 'label' }, 'promotion'),
  ];
  const label = 'Weight over time: ' + steps.map((step) => `${step.weight} % from ${hour(step.at)}`).join(', ');
  return h('figure', {}, s('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', class: 'chart', 'aria-label': label },
    axes(width, time, [0, 100], x, y, '%'), s('path', { d, class: 'line canary' }), marked));
}
