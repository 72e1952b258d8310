// The list of Canaries: what waits for somebody first.

import { age, badge, fill, h, morph, name, sign } from './dom.js';

const GROUPS = [
  ['waits', 'Waits for you', ['waiting', 'paused', 'inconclusive']],
  ['trouble', 'In trouble', ['failed', 'refused', 'frozen', 'unattended', 'ending']],
  ['moving', 'Under way', ['progressing', 'promoting', 'initializing', 'deleting']],
  ['rest', 'At rest', ['healthy', 'suspended']],
];
const FOLDED = 50;
/** Rows stay where they are while somebody points at them and so long after; and so long after the last sign of anybody. */
const [QUIET, IDLE] = [3000, 10000];

const groupOf = (row) => GROUPS.findIndex(([, , states]) => states.includes(row.state));

/** A wait for a webhook, or for other runs, is nobody's to end. */
const place = (row) => (row.waitingFor && ['webhook', 'turn'].includes(row.waitingFor.kind) ? 2 : groupOf(row));

const since = (row) => Date.parse(row.since || 0);
const ends = (row) => Date.parse(row.waitingFor?.deadline) || Number.MAX_SAFE_INTEGER;
const ORDERS = {
  trouble: (a, b) => place(a) - place(b) || ends(a) - ends(b) || since(b) - since(a) || by(a, b),
  name: by,
  changed: (a, b) => since(b) - since(a) || by(a, b),
};

function by(a, b) {
  return a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name);
}

/** Words that all have to be there; one with `!` in front must not. */
function matches(row, words) {
  const text = [row.namespace + '/' + row.name, row.word, row.headline, row.target.kind + '/' + row.target.name, row.provider || '']
    .join(' ').toLowerCase();
  return words.every((word) => (word.startsWith('!') && word.length > 1 ? !text.includes(word.slice(1)) : text.includes(word)));
}

/** The steps as segments. */
function strip(row) {
  if (!row.progress || !row.steps.length) return h('span', { class: 'dim' }, '–');
  const { at, of } = row.progress;
  const parts = row.steps.length > 20 ? [] : row.steps.map((step) => h('i', { class: 'segment ' + step.state }));
  return h('span', { class: 'strip', role: 'img', 'aria-label': `step ${at} of ${of}` }, parts, h('span', { class: 'count', 'aria-hidden': 'true' }, `${at}/${of}`));
}

/** What a person wants to know first. */
function note(row) {
  if (row.state === 'healthy') return '';
  const waits = row.waitingFor;
  const text = h('span', { class: 'text', title: row.headline }, row.headline);
  if (!waits?.deadline) return text;
  const then = waits.onDeadline === 'proceed' ? ', goes on in ' : ', is rolled back in ';
  return [text, h('span', { class: 'dim' }, then, age(waits.deadline, true))];
}

function line(row) {
  const key = row.namespace + '/' + row.name;
  return h('tr', { 'data-key': key, class: sign(row.state)[1] },
    h('td', { class: 'state' }, badge(row.state, row.word)),
    h('th', { scope: 'row', class: 'who' }, h('a', { href: '#/' + key }, name(row.name)), h('span', { class: 'dim ns' }, name(row.namespace))),
    h('td', { class: 'steps' }, strip(row)),
    h('td', { class: 'weight num' }, row.weight.canary + ' %'),
    h('td', { class: 'failed num' }, `${row.failedChecks.count}/${row.failedChecks.limit}`),
    h('td', { class: 'note' }, note(row)),
    h('td', { class: 'changed num' }, age(row.since)));
}

const HEADS = [['Status', ''], ['Name', ''], ['Steps', ''], ['Weight', 'num'], ['Failed', 'num'], ['Why', ''], ['Changed', 'num']];

/** The first page. */
export function list(root, query, go) {
  const rows = new Map();
  const made = new Map();
  let order = [];
  let [complete, all, busy, timer] = [false, false, false, 0];
  let filter = query;

  const search = h('input', { type: 'search', id: 'search', value: filter.get('q') || '', placeholder: 'name, state, reason; !not', autocomplete: 'off', spellcheck: 'false' });
  const spaces = h('select', { id: 'spaces' }, h('option', { value: '' }, 'all namespaces'));
  const sort = h('select', { id: 'sort' }, [['trouble', 'trouble first'], ['name', 'by name'], ['changed', 'changed last']].map(([value, text]) =>
    h('option', { value, selected: (filter.get('sort') || 'trouble') === value }, text)));
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Only' });
  const table = h('table', { class: 'fleet' }, h('caption', { class: 'unseen' }, 'Canaries'),
    h('thead', {}, h('tr', {}, HEADS.map(([text, kind]) => h('th', { scope: 'col', class: kind }, text)))));
  const empty = h('p', { class: 'empty', hidden: true });
  root.replaceChildren(
    h('h1', {}, 'Releases'),
    h('form', { class: 'bar', role: 'search' },
      h('label', { for: 'search' }, 'Search'), search, h('label', { for: 'spaces' }, 'Namespace'), spaces, h('label', { for: 'sort' }, 'Order'), sort),
    chips, empty, h('div', { class: 'scroll' }, table),
  );

  const set = (field, value) => {
    if (value) filter.set(field, value);
    else filter.delete(field);
    go('#/' + (filter.size ? '?' + filter : ''));
    order = [];
    draw();
  };
  search.addEventListener('input', () => set('q', search.value.trim()));
  spaces.addEventListener('change', () => set('ns', spaces.value));
  sort.addEventListener('change', () => set('sort', sort.value === 'trouble' ? '' : sort.value));
  root.querySelector('form').addEventListener('submit', (event) => event.preventDefault());
  chips.addEventListener('click', (event) => {
    const chip = event.target.closest('button');
    if (chip) set('only', filter.get('only') === chip.dataset.only ? '' : chip.dataset.only);
  });
  table.addEventListener('click', (event) => {
    if (!event.target.closest('[data-do=all]')) return;
    all = true;
    draw();
  });
  table.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const links = [...table.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
  });
  const hold = (time) => () => {
    busy = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = false;
      draw();
    }, time);
  };
  for (const kind of ['pointermove', 'focusin', 'keydown']) table.addEventListener(kind, hold(IDLE));
  for (const kind of ['pointerleave', 'focusout']) table.addEventListener(kind, hold(QUIET));

  function chosen() {
    const words = (filter.get('q') || '').toLowerCase().split(/\s+/).filter(Boolean);
    const within = [...rows.values()].filter((row) => (!filter.get('ns') || row.namespace === filter.get('ns')) && matches(row, words));
    const only = GROUPS.findIndex(([id]) => id === filter.get('only'));
    return [within, only < 0 ? within : within.filter((row) => place(row) === only)];
  }

  /** Sorted; as before while somebody points at a row. */
  function sorted(shown) {
    const compare = ORDERS[filter.get('sort')] || ORDERS.trouble;
    const fresh = [...shown].sort(compare);
    if (!busy || !order.length) {
      order = fresh.map((row) => row.namespace + '/' + row.name);
      return [fresh, false];
    }
    const known = new Map(order.map((key, i) => [key, i]));
    const at = (row) => known.get(row.namespace + '/' + row.name) ?? Infinity;
    return [fresh.sort((a, b) => at(a) - at(b) || 0), true];
  }

  function element(row) {
    const key = row.namespace + '/' + row.name;
    const before = made.get(key);
    if (before?.version !== row.resourceVersion) {
      const fresh = line(row);
      if (before) morph(before.element, fresh);
      made.set(key, { version: row.resourceVersion, element: before ? before.element : fresh });
    }
    return made.get(key).element;
  }

  function bodies(shown, kept) {
    const grouped = !kept && (filter.get('sort') || 'trouble') === 'trouble';
    if (!grouped && !kept) return [h('tbody', { 'data-key': 'all' }, shown.map(element))];
    if (kept) return null;
    return GROUPS.map(([id, title], i) => {
      const own = shown.filter((row) => place(row) === i);
      if (!own.length) return null;
      const folded = id === 'rest' && !all && own.length > FOLDED;
      const more = folded && h('tr', {}, h('td', { colspan: 7 }, h('button', { type: 'button', 'data-do': 'all' }, `Show all ${own.length}`)));
      return h('tbody', { 'data-key': id }, h('tr', { class: 'group' }, h('th', { scope: 'rowgroup', colspan: 7 }, `${title} (${own.length})`)),
        (folded ? own.slice(0, FOLDED) : own).map(element), more);
    }).filter(Boolean);
  }

  function draw() {
    if (!complete) return;
    const [within, shown] = chosen();
    const names = [...new Set([...rows.values()].map((row) => row.namespace))].sort();
    fill(spaces, ['', ...names].map((one) => h('option', { value: one, 'data-key': one, selected: one === (filter.get('ns') || '') }, one || 'all namespaces')));
    spaces.value = filter.get('ns') || '';
    fill(chips, GROUPS.map(([id, title], i) => h('button', { type: 'button', 'data-only': id, 'data-key': id, 'aria-pressed': String(filter.get('only') === id) },
      `${title} `, h('b', {}, within.filter((row) => place(row) === i).length))));
    const [ordered, kept] = sorted(shown);
    const fresh = bodies(ordered, kept);
    // while somebody points at them, rows change where they are
    if (fresh) {
      const focused = table.contains(document.activeElement) && document.activeElement;
      table.replaceChildren(table.caption, table.tHead, ...fresh);
      if (focused && table.contains(focused)) focused.focus();
    } else {
      for (const row of ordered) element(row);
      for (const [key, { element: gone }] of made) if (!rows.has(key)) gone.remove();
    }
    table.hidden = !shown.length;
    empty.hidden = shown.length > 0;
    empty.textContent = rows.size ? 'No Canary matches.' : 'There are no Canaries here. The guide "Getting started" makes the first one.';
    const waits = within.filter((row) => place(row) === 0).length;
    document.title = (waits ? `(${waits}) ` : '') + 'Releases';
  }

  return {
    path: 'events',
    on: {
      reset() {
        rows.clear();
        made.clear();
      },
      put(all) {
        for (const row of all) rows.set(row.namespace + '/' + row.name, row);
      },
      delete(key) {
        rows.delete(key);
        made.delete(key);
        table.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
      },
      state(state) {
        complete ||= state.complete;
        draw();
      },
    },
    close: () => clearTimeout(timer),
  };
}
