// One Canary: how it stands, what it waits for, its steps and checks, its pods, what happened, its runs.

import { age, badge, fill, h, hour, image, morph, name } from './dom.js';
import { ask, Problem } from './net.js';
import { metric, value, weights, words } from './charts.js';
import { copied, title } from './ask.js';

const OUTCOMES = { Promoted: 'good', PromotedUnanalysed: 'good', RolledBack: 'bad', Failed: 'bad', Running: 'busy', Waiting: 'warn' };
const TONES = { Pass: 'good', Fail: 'bad', Error: 'warn', NoData: 'dim', Inconclusive: 'warn' };
const times = (run) => (run?.steps || []).filter((step) => step.at).map((step) => ({ ...step, at: Date.parse(step.at) }));

const section = (id, text, ...children) => h('section', { class: 'card', 'data-key': id, 'aria-labelledby': id }, h('h2', { id }, text), children);

/** A table that scrolls by itself where it is too wide. */
function table(caption, heads, rows) {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption + ' as a table' }, h('table', {},
    h('thead', {}, h('tr', {}, heads.map((text) => h('th', { scope: 'col' }, text)))),
    h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : h('td', {}, cell))))))));
}

/** Room for a chart in a card: of one column, or of two. */
function room(root, most) {
  const whole = root.clientWidth || 700;
  const columns = whole >= 900 ? most : 1;
  return Math.max(220, Math.floor((whole - (columns - 1) * 16) / columns) - 34);
}

function buttons(release, me, verbs) {
  const fits = release.verbs.filter((one) => one.allowed && (!verbs || verbs.includes(one.verb)));
  if (me.readOnly || !fits.length) return null;
  return h('div', { class: 'buttons' }, fits.map((one) =>
    h('button', { type: 'button', class: one.verb === 'abort' ? 'danger' : verbs ? 'primary' : '', 'data-do': 'ask', 'data-verb': one.verb }, title(one.verb))));
}

/** What somebody may have to do something about. */
function banner(release, me) {
  const { canary } = release;
  const waits = canary.waitingFor;
  const people = waits && ['gate', 'promotion', 'person', 'hold'].includes(waits.kind);
  if (!people && !['failed', 'refused', 'frozen', 'unattended', 'suspended'].includes(canary.state)) return null;
  const tone = people || canary.state === 'suspended' ? 'warn' : 'bad';
  const next = canary.progress && canary.steps[canary.progress.at];
  return h('section', { class: 'banner ' + tone, 'data-key': 'banner', 'aria-label': people ? 'It waits for you' : 'What is wrong' },
    h('p', { class: 'big' }, canary.headline),
    waits?.since && h('p', {}, 'Since ', age(waits.since), waits.deadline && [
      '; if nobody answers, it ' + (waits.onDeadline === 'proceed' ? 'goes on by itself in ' : 'is rolled back in '), age(waits.deadline, true)]),
    people && next && waits.kind === 'gate' && canary.run && h('p', {}, `Weight ${canary.weight.canary} %; the next step has ${next.weight} %.`),
    buttons(release, me, people ? ['approve', 'promote', 'resume', 'abort'] : ['retry', 'abort', 'finish']),
    people && (waits.commands || []).map((one) => h('p', { class: 'dim' }, `to ${one.does}: `, copied(one.command + me.flags))));
}

function head(canary, word) {
  const facts = [`${canary.target.kind}/${canary.target.name}`, canary.provider, canary.strategy, canary.run && `run ${canary.run.number}`];
  return h('div', { class: 'head', 'data-key': 'head' },
    h('h1', {}, name(canary.name), ' ', badge(canary.state, word)),
    h('p', { class: 'dim' }, name(canary.namespace), facts.filter(Boolean).map((text) => [' · ', text]), canary.since && [' · for ', age(canary.since)]),
    canary.owner && h('p', { class: 'dim' }, `Applied by ${canary.owner.tool} (${canary.owner.name}).`),
    canary.unread?.length > 0 && h('p', { class: 'dim' }, 'Not shown, for lack of rights: ' + canary.unread.join('; ')));
}

/** Where requests go. */
function split(canary) {
  const { weight } = canary;
  const more = [weight.mirrored && 'copies of requests', weight.wanted !== weight.canary && `${weight.wanted} % wanted`].filter(Boolean).join(', ');
  const confirmed = weight.confirmedAt && ['confirmed ', age(weight.confirmedAt), ' ago'];
  return section('weight', 'Traffic',
    h('div', { class: 'split', 'aria-hidden': 'true' }, h('progress', { max: 100, value: weight.canary })),
    h('p', {}, h('span', { class: 'key canary' }, `canary ${weight.canary} %`), h('span', { class: 'key primary' }, `primary ${weight.primary} %`),
      h('span', { class: 'dim' }, more, more && confirmed && ', ', confirmed)),
    images(canary));
}

function images(canary) {
  if (!canary.images.length) return null;
  return h('dl', { class: 'images' }, canary.images.map((one) => [
    h('dt', {}, one.container || 'image'),
    h('dd', {}, one.primary && one.canary && one.primary !== one.canary
      ? [h('code', { title: one.primary }, image(one.primary)), ' → ', h('code', { title: one.canary }, image(one.canary))]
      : h('code', { title: one.canary || one.primary }, image(one.canary || one.primary || '–')))]));
}

const lasting = (seconds) => (seconds < 120 ? seconds + ' s' : Math.round(seconds / 60) + ' min');

function timeline(canary, run) {
  if (!canary.steps.length) return null;
  const taken = new Map(times(run).filter((step) => !step.promotion).map((step) => [step.index, step.at]));
  const progress = canary.progress;
  const steps = canary.steps.map((step) => {
    const at = canary.run && taken.get(step.index);
    const word = { done: 'done', current: 'now', todo: 'to come' }[step.state];
    return h('li', { class: step.state, 'aria-current': step.state === 'current' ? 'step' : null },
      h('b', {}, step.mirrored ? 'copies' : step.iteration ? `#${step.iteration}` : `${step.weight} %`), canary.run && h('span', {}, word),
      step.gate && h('span', { class: 'gate' }, step.gate === 'gate' ? 'gate' : `gate ${step.gate}`),
      h('span', { class: 'dim' }, at ? hour(at) : `≥ ${lasting(step.lastsSeconds)}`));
  });
  const words = { auto: 'by itself', manual: 'a person is asked' }[canary.promotion] || canary.promotion;
  steps.push(h('li', { class: canary.state === 'promoting' ? 'current' : 'todo' }, h('b', {}, 'promotion'), h('span', { class: 'dim' }, words)));
  const left = progress?.earliestEndSeconds;
  return section('steps', 'Steps', h('ol', { class: 'line', tabindex: 0, 'aria-label': 'Steps' }, steps),
    canary.run && h('p', { class: 'dim' }, 'Running for ', age(canary.run.started), left !== undefined && `, at least ${lasting(left)} to go`,
      progress?.nextLook && [', next look in ', age(progress.nextLook, true)]));
}

function looksTable(looks, unit) {
  return h('details', { class: 'numbers' }, h('summary', {}, 'As a table'),
    table('Measurements', ['Time', 'Step', 'Value', 'Primary', 'Verdict'], looks.map((look) => [
      look.at ? hour(look.at) : '–', look.step, value(look.value, unit), look.primary ? value(look.primary, unit) : '–', words(look.verdict)])));
}

function check(one, steps, width) {
  const tone = TONES[one.verdict] || 'dim';
  const text = one.verdict ? `${value(one.value, one.unit)}${one.wanted ? `, ${one.wanted} wanted` : ''}` : 'not measured yet';
  return h('article', { class: 'check', 'data-key': 'check-' + one.name },
    h('h3', {}, name(one.name), ' ', h('span', { class: 'badge ' + tone }, words(one.verdict))),
    h('p', {}, text, one.primaryValue && h('span', { class: 'dim' }, ` · primary ${value(one.primaryValue, one.unit)}`)),
    one.message && h('p', { class: 'dim' }, one.message),
    metric({ title: one.name, looks: one.looks, limit: one.limit, unit: one.unit, wanted: one.wanted, steps, none: one.measured ? 'The single measurements are not on record.' : '' }, width),
    h('p', { class: 'dim' }, `passed ${one.passed}, failed ${one.failed}` + (one.failedInRow > 1 ? `, the last ${one.failedInRow} in a row` : '')),
    one.looks.length > 0 && looksTable(one.looks, one.unit),
    one.query && h('details', {}, h('summary', {}, 'Query'), copied(one.query)));
}

function checks(canary, run, root) {
  if (!canary.checks.length) return null;
  const bad = (one) => (one.verdict && one.verdict !== 'Pass' ? 0 : 1);
  const sorted = [...canary.checks].sort((a, b) => bad(a) - bad(b));
  const { count, limit } = canary.failedChecks;
  const columns = sorted.length > 1 ? 2 : 1;
  return section('checks', 'Checks', h('p', {}, `${count} of ${limit} failed checks; at ${limit} it is rolled back.`),
    h('div', { class: columns > 1 ? 'grid' : '' }, sorted.map((one) => check(one, times(run), room(root, columns) - 34))));
}

function objects(canary) {
  if (!canary.objects.length) return null;
  const roles = { canary: 'canary', primary: 'primary', route: 'route' };
  return section('objects', 'Objects', table('Objects', ['Name', 'Kind', 'Part', 'State', 'Age', 'About'], canary.objects.map((one) => [
    h('th', { scope: 'row', class: 'depth' + Math.min(2, one.depth) }, name(one.name)), one.kind, roles[one.role],
    h('span', { class: 'tone ' + { good: 'good', bad: 'bad', busy: 'busy', idle: 'dim' }[one.health] }, one.state || '–'), age(one.created), one.info])));
}

function conditions(canary) {
  if (!canary.conditions.length) return null;
  return section('conditions', 'Conditions', h('dl', {}, canary.conditions.map((one) => [
    h('dt', {}, `${one.type}=${one.status}`, one.reason && h('span', { class: 'dim' }, ` ${one.reason}`)), h('dd', {}, one.message)])));
}

function events(canary) {
  if (!canary.events.length) return null;
  return section('events', 'What happened', table('Events', ['Seen', 'Reason', 'About', 'Message'], canary.events.map((one) => [
    age(one.at), h('span', { class: one.warning ? 'tone warn' : '' }, (one.warning ? '! ' : '') + one.reason), one.object, one.message + (one.count > 1 ? ` (${one.count} times)` : '')])));
}

const took = (run) => (run.started && run.ended ? lasting(Math.round((Date.parse(run.ended) - Date.parse(run.started)) / 1000)) : '–');

function outcome(run) {
  return h('span', { class: 'badge ' + (OUTCOMES[run.outcome] || 'dim') }, run.outcome);
}

const change = (run) => {
  const [before, after] = [run.promotedImages, run.images].map((all) => (all || []).map(image).join(', '));
  return before && before !== after ? `${before} → ${after}` : after || '–';
};

function history(release) {
  const { canary, runs } = release;
  const base = `#/${canary.namespace}/${canary.name}`;
  const rows = runs.map((run) => [
    h('th', { scope: 'row' }, h('a', { href: `${base}/runs/${run.number}` }, `run ${run.number}`)), outcome(run), change(run), run.revision.slice(0, 8),
    age(run.started), h('span', { class: 'num' }, took(run)), run.failedChecks, run.by || '', run.message]);
  const hash = (run) => run.outcome.startsWith('Promoted') && run.revision;
  const promoted = [...new Set(runs.map(hash).filter(Boolean))];
  return section('history', 'Runs',
    runs.length ? table('Runs', ['Run', 'Outcome', 'Images', 'Revision', 'Began', 'Took', 'Failed', 'By', 'Why'], rows) : h('p', { class: 'dim' }, 'There was no run yet.'),
    h('h3', {}, 'What the target changes'),
    h('div', { class: 'buttons' }, h('button', { type: 'button', 'data-do': 'diff' }, 'Of the primary'),
      promoted.map((one) => h('button', { type: 'button', 'data-do': 'diff', 'data-hash': one }, `Of revision ${one.slice(0, 8)}`))),
    h('div', { id: 'diff', 'data-own': true, 'aria-live': 'polite' }),
    h('p', { class: 'dim' }, 'To give the target the promoted template back that it had before: ', copied(`kubectl canary undo ${canary.name} -n ${canary.namespace}${release.flags}`)));
}

function actions(release, me) {
  if (me.readOnly) return section('actions', 'Actions', h('p', { class: 'dim' }, 'This dashboard was started with --read-only.'));
  const not = release.verbs.filter((one) => !one.allowed);
  return section('actions', 'Actions', buttons(release, me) || h('p', { class: 'dim' }, 'Nothing can be asked for now.'),
    not.length > 0 && h('details', {}, h('summary', {}, 'What cannot be asked for now, and why'),
      h('dl', {}, not.map((one) => [h('dt', {}, title(one.verb)), h('dd', {}, one.why)]))),
    release.canary.request && answered(release.canary.request));
}

function answered(request) {
  const by = request.by ? ` by ${request.by}` : '';
  return h('p', { class: 'dim' }, `Last asked for: ${request.verb}${by}, ${request.answer.toLowerCase()} `, age(request.at), ` ago: ${request.message}`);
}

/** What differs, line by line. */
export async function difference(canary, hash, place, flags) {
  fill(place, [h('p', { class: 'dim' }, 'Comparing …')]);
  try {
    const found = await ask(`canaries/${canary.namespace}/${canary.name}/diff` + (hash ? '/' + hash : ''));
    const kinds = { '-': 'gone', '+': 'new', '@': 'skipped' };
    const text = (one) => (one.startsWith('@@ ') ? `… ${one.slice(3)} lines are the same` : one);
    fill(place, [h('p', {}, found.different ? `${found.from} → ${found.to}` : `${found.from} and ${found.to} have the same pod template.`),
      hash && h('p', { class: 'dim' }, 'To give it back to the target: ', copied(`kubectl canary undo ${canary.name} -n ${canary.namespace} --to-revision ${hash.slice(0, 8)}${flags}`)),
      found.different && h('pre', { class: 'diff', tabindex: 0, 'aria-label': 'Differences' }, found.lines.map((one) => h('span', { class: kinds[one[0]] || '' }, text(one) + '\n')))].filter(Boolean));
  } catch (error) {
    fill(place, [h('p', { class: 'said bad' }, error.text || String(error))]);
  }
}

/** Everything about a release. */
export function draw(root, release, me) {
  const { canary } = release;
  const run = canary.run && release.runs.find((one) => one.number === canary.run.number);
  const taken = times(run || release.runs[0]);
  const ended = (!run && release.runs[0]?.ended && Date.parse(release.runs[0].ended)) || Date.now();
  const page = h('div', { class: 'release' },
    head(canary, release.word), banner(release, me),
    section('why', 'Why', h('p', { id: 'explanation' }, release.explanation)),
    actions(release, me),
    h('div', { class: 'grid', 'data-key': 'traffic' }, split(canary), taken.length > 0 &&
      section('over-time', canary.run ? 'Weight of this run' : 'Weight of the last run', weights(taken, ended, room(root, 2)))),
    timeline(canary, run), checks(canary, run || release.runs[0], root), conditions(canary), objects(canary), events(canary), history({ ...release, flags: me.flags }));
  put(root, page);
  document.title = `${canary.state === 'failed' ? '✖ ' : canary.waitingFor ? '‖ ' : ''}${canary.name} · ${canary.namespace}`;
}

/** Takes the place of what is shown; what stays the same is left alone. */
function put(root, page) {
  if (root.firstElementChild?.className === page.className && root.childElementCount === 1) return morph(root.firstElementChild, page);
  root.replaceChildren(page);
  const now = page.querySelector('[aria-current=step]');
  // where the steps are too wide, the one that is under way is in the middle
  if (now) now.parentElement.scrollLeft = now.offsetLeft - (now.parentElement.clientWidth - now.clientWidth) / 2;
  return undefined;
}

/** One run in full: the same charts, as it was. */
export function drawRun(root, run, canary) {
  const steps = times(run);
  const ended = run.ended ? Date.parse(run.ended) : Date.now();
  const of = (metricName) => run.measurements.filter((one) => one.metric === metricName);
  const names = [...new Set(run.measurements.map((one) => one.metric))];
  const known = (metricName) => (run.metrics || []).find((one) => one.name === metricName) || {};
  const width = room(root, names.length > 1 ? 2 : 1) - 34;
  put(root, h('div', { class: 'run' },
    h('div', { class: 'head' }, h('h1', {}, `Run ${run.number} of `, name(canary), ' ', outcome(run)), h('p', {}, run.message),
      h('p', { class: 'dim' }, `${change(run)} · revision ${run.revision.slice(0, 8)} · began ${run.started ? new Date(run.started).toLocaleString() : '–'} · took ${took(run)}`
        + ` · failed checks ${run.failedChecks}${run.threshold ? ' of ' + run.threshold : ''}` + (run.by ? ` · asked for by ${run.by}` : ''))),
    steps.length > 0 && section('over-time', 'Weight', weights(steps, ended, room(root, 1))),
    names.length > 0 && section('checks', 'Checks', h('div', { class: names.length > 1 ? 'grid' : '' }, names.map((one) => {
      const { limit, unit, wanted } = known(one);
      const failing = of(one).filter((look) => look.message);
      return h('article', { class: 'check', 'data-key': 'check-' + one }, h('h3', {}, name(one)), wanted && h('p', { class: 'dim' }, `wanted ${wanted}`),
        metric({ title: one, looks: of(one), limit, unit, wanted, steps, none: 'No measurement has a time.' }, width), looksTable(of(one), unit),
        failing.length > 0 && h('ul', {}, failing.map((look) => h('li', {}, look.at ? hour(look.at) + ' ' : '', look.message))));
    }))),
    run.hooks.length > 0 && section('hooks', 'Webhooks', table('Webhooks', ['Name', 'Type', 'Step', 'Time', 'Answer', 'Why'],
      run.hooks.map((one) => [one.name, one.type, one.step, one.at ? hour(one.at) : '–', one.outcome, one.message]))),
    run.requests.length > 0 && section('requests', 'What people asked for', h('ul', {}, run.requests.map((one) =>
      h('li', {}, `${hour(one.at)} ${one.verb}: ${one.answer.toLowerCase()}`, one.message && `, ${one.message}`)))),
    run.leftOut > 0 && h('p', { class: 'dim' }, `${run.leftOut} more are left out of the record for size.`)));
  document.title = `run ${run.number} · ${canary}`;
}

/** The run of this number, read anew. */
export async function readRun(namespace, canary, number) {
  const { items } = await ask(`canaries/${namespace}/${canary}/runs`);
  const found = items.find((run) => run.number === number);
  if (!found) throw new Problem(404, `there is no record of run ${number}`, `records: ${items.map((run) => run.number).join(', ') || 'none'}`);
  return found;
}
