// Which page is shown, and what is common to all.

import { announce, fill, h, plain, tick } from './dom.js';
import { ask, follow, unlock } from './net.js';
import { list } from './list.js';
import { difference, draw, drawRun, readRun } from './release.js';
import { question } from './ask.js';

const root = document.getElementById('main');
const trouble = document.getElementById('trouble');
let me = null;
let stream = null;
let shown = { close: () => {} };
let release = null;

function say(problem) {
  const text = plain(problem ? [problem.message, problem.hint].filter(Boolean).join('; ') : '');
  trouble.hidden = !text;
  if (trouble.textContent !== text) trouble.textContent = text;
}

/** The page that an address means: the list, a release, or one of its runs. */
function route() {
  const [path, query] = location.hash.replace(/^#/, '').split('?');
  const [namespace, canary, runs, number] = path.split('/').filter(Boolean).map(decodeURIComponent);
  return { namespace, canary, run: runs === 'runs' ? Number(number) : null, query: new URLSearchParams(query || '') };
}

function trail({ namespace, canary, run }) {
  const items = [[canary ? '#/' : null, 'Releases']];
  if (canary) items.push([run === null ? null : `#/${namespace}/${canary}`, `${namespace}/${canary}`]);
  if (canary && run !== null) items.push([null, `run ${run}`]);
  fill(document.getElementById('trail'), items.map(([href, text]) =>
    h('li', {}, href ? h('a', { href }, text) : h('span', { 'aria-current': 'page' }, text))));
}

/** Texts of a release that tell somebody who does not look that something has happened. */
function told(before, after) {
  if (!before || before.canary.headline === after.canary.headline) return;
  announce(`${after.canary.name}: ${after.canary.headline}`, after.canary.state === 'failed' ? 'assertive' : 'polite');
}

function watchRelease({ namespace, canary }) {
  return {
    path: `events/${namespace}/${canary}`,
    on: {
      put(fresh) {
        told(release, fresh);
        release = fresh;
        draw(root, release, me);
      },
      explanation(text) {
        if (release) release.explanation = text;
        const place = document.getElementById('explanation');
        if (place) place.textContent = plain(text);
      },
      delete() {
        release = null;
        root.replaceChildren(h('h1', {}, `${namespace}/${canary}`),
          h('p', { class: 'empty' }, 'There is no Canary of this name. If it is made, it is shown here.'));
        announce(`${canary} is not there`, 'assertive');
      },
    },
    close: () => {},
  };
}

/** A run is read once; one that goes on is shown by its release. */
function watchRun(at) {
  readRun(at.namespace, at.canary, at.run)
    .then((run) => drawRun(root, run, at.canary))
    .catch((error) => root.replaceChildren(h('h1', {}, `run ${at.run}`), h('p', { class: 'said bad' }, error.text || String(error))));
  return { path: null, on: {}, close: () => {} };
}

function open() {
  const at = route();
  stream?.close();
  shown.close();
  release = null;
  say(null);
  trail(at);
  root.replaceChildren(h('p', { class: 'empty' }, 'Loading …'));
  if (!at.canary) shown = list(root, at.query, (hash) => history.replaceState(null, '', hash));
  else if (at.run === null) shown = watchRelease(at);
  else shown = watchRun(at);
  stream = shown.path && follow(shown.path, {
    ...shown.on,
    state(state) {
      say(state.trouble);
      shown.on.state?.(state);
    },
    problem: say,
  });
}

const THEMES = ['system', 'light', 'dark'];

function theme(next) {
  const name = THEMES.includes(next) ? next : 'system';
  localStorage.setItem('serin-theme', name);
  document.documentElement.dataset.theme = name;
  document.getElementById('theme').textContent = `Theme: ${name}`;
}

const DO = {
  theme: () => theme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]),
  skip: () => root.focus(),
  close: () => document.getElementById('dialog').close(),
  ask: (button) => release && question(release, button.dataset.verb, me),
  diff: (button) => release && difference(release.canary, button.dataset.hash, document.getElementById('diff'), me.flags),
  copy: (button) => navigator.clipboard.writeText(button.dataset.text).then(
    () => announce('copied'), () => announce('the browser does not let the page copy', 'assertive')),
};

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button) return;
  if (button.dataset.do === 'skip') event.preventDefault();
  DO[button.dataset.do]?.(button);
});
window.addEventListener('hashchange', () => {
  open();
  root.focus();
});
let resized = 0;
window.addEventListener('resize', () => {
  clearTimeout(resized);
  resized = setTimeout(() => release && draw(root, release, me), 150);
});
setInterval(tick, 1000);

async function begin() {
  theme(localStorage.getItem('serin-theme'));
  unlock();
  me = await ask('me');
  const where = me.allNamespaces ? 'all namespaces' : `namespace ${me.namespace}`;
  fill(document.getElementById('place'), [h('b', {}, me.context || me.server), document.createTextNode(` · ${me.user} · ${where}`)]);
  document.body.classList.toggle('production', /prod/i.test(me.context));
  document.getElementById('foot').textContent = `kubectl canary ${me.version} · ${me.server}` + (me.readOnly ? ' · read-only' : '');
  open();
}

begin().catch((error) => {
  say(error);
  root.replaceChildren();
});
