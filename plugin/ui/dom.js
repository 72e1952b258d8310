// Elements are made here. Texts of others become text nodes, never markup.

const SVG = 'http://www.w3.org/2000/svg';

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  add(element, children);
  return element;
}

/** A text without the marks that turn the direction of a line: it is shown in the order that it has. */
export const plain = (text) => String(text).replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');

function add(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) add(element, child);
    else element.append(child instanceof Node ? child : document.createTextNode(plain(child)));
  }
}

/** An element of HTML. */
export const h = (tag, attributes, ...children) => made(document.createElement(tag), attributes, children);

/** An element of SVG. */
export const s = (tag, attributes, ...children) => made(document.createElementNS(SVG, tag), attributes, children);

const keyOf = (node) => (node.nodeType === 1 ? node.getAttribute('data-key') : null);

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

/** Turns one node into another in place, so that focus, scrolling and what is unfolded stay. */
export function morph(from, to) {
  if (from === to) return;
  if (!alike(from, to)) return from.replaceWith(to);
  if (from.nodeType !== 1) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.isEqualNode(to)) return;
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !(name === 'open' && from.nodeName === 'DETAILS')) from.setAttribute(name, value);
  }
  if (!from.hasAttribute('data-own')) fill(from, [...to.childNodes]);
}

/** Gives an element these children; those that have the same key, or the same place, are kept. */
export function fill(parent, children) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (keyOf(child) !== null) keyed.set(keyOf(child), child);
  let next = parent.firstChild;
  for (const child of children) {
    const key = keyOf(child);
    let kept = key !== null ? keyed.get(key) : next && keyOf(next) === null && alike(next, child) ? next : null;
    if (kept && !alike(kept, child)) kept = null;
    if (!kept) {
      parent.insertBefore(child, next);
      continue;
    }
    if (kept === next) next = next.nextSibling;
    else parent.insertBefore(kept, next);
    morph(kept, child);
    if (key !== null) keyed.delete(key);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Seconds as kubectl writes ages. */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const part = (n, unit) => (n ? n + unit : '');
  if (s < 120) return s + 's';
  if (s < 600) return Math.floor(s / 60) + 'm' + part(s % 60, 's');
  if (s < 10800) return s < 3600 ? Math.floor(s / 60) + 'm' : Math.floor(s / 3600) + 'h' + part(Math.floor((s % 3600) / 60), 'm');
  if (s < 172800) return Math.floor(s / 3600) + 'h' + part(Math.floor((s % 3600) / 60), 'm');
  return Math.floor(s / 86400) + 'd' + (s < 864000 ? part(Math.floor((s % 86400) / 3600), 'h') : '');
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

/** A time of the day. */
export const hour = (at) => clock.format(new Date(at));

/** How long ago something was, or (`to`) how long it takes until it is; it goes on by itself. */
export function age(at, to) {
  if (!at) return '–';
  const element = h('time', { datetime: at, title: exact.format(new Date(at)), 'data-age': to ? 'to' : 'since', 'data-own': true });
  element.textContent = aged(element);
  return element;
}

function aged(element) {
  const away = (Date.now() - Date.parse(element.dateTime)) / 1000;
  return span(element.getAttribute('data-age') === 'to' ? -away : away);
}

/** Lets all ages on the page go on. */
export function tick() {
  for (const element of document.querySelectorAll('time[data-age]')) {
    const text = aged(element);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** A name that may be written from right to left, whole in its title. */
export const name = (text) => h('bdi', { title: text }, text);

/** The image without its registry and folders. */
export function image(text) {
  const last = text.split('/').pop();
  const [bare, digest] = last.split('@sha256:');
  return digest ? bare + '@' + digest.slice(0, 12) : last;
}

const said = { polite: '', assertive: '' };

/** Tells screen readers. */
export function announce(text, how = 'polite') {
  const place = document.getElementById(how);
  // the same text again is a change only if it differs
  said[how] = said[how] === plain(text) ? plain(text) + '\u00a0' : plain(text);
  place.textContent = said[how];
}

const SIGNS = {
  healthy: ['✔', 'good'], initializing: ['◌', 'busy'], progressing: ['◌', 'busy'], promoting: ['◌', 'busy'], waiting: ['‖', 'warn'],
  paused: ['‖', 'warn'], frozen: ['‖', 'warn'], inconclusive: ['‖', 'warn'], suspended: ['‖', 'warn'], ending: ['✖', 'bad'],
  failed: ['✖', 'bad'], refused: ['?', 'bad'], unattended: ['?', 'warn'], deleting: ['•', 'dim'],
};

/** Sign and tone of a state. */
export const sign = (state) => SIGNS[state] || ['?', 'dim'];

/** A state: a sign, and its word. */
export function badge(state, word) {
  const [mark, tone] = sign(state);
  return h('span', { class: 'badge ' + tone }, h('span', { 'aria-hidden': 'true', class: 'mark' }, mark), ' ', word);
}
