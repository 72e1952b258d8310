// What people ask for: a question that says what it leads to, with the command that asks for the same, and the answer.

import { announce, fill, h, plain } from './dom.js';
import { ask } from './net.js';

const TITLES = {
  approve: 'Approve', promote: 'Promote', abort: 'Abort', advance: 'Advance', finish: 'Finish', pause: 'Pause', resume: 'Resume', retry: 'Retry',
};
export const title = (verb) => TITLES[verb] || verb;

const quoted = (text) => (/^[\w./:@=,+-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'");

/** A text beside a button that copies it. */
export function copied(text) {
  return h('span', { class: 'command' }, h('code', {}, text), h('button', { type: 'button', 'data-do': 'copy', 'data-text': text }, 'Copy'));
}

/** Eight digits that nobody has used: the same press is one request, however often it is sent. */
const key = () => [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** What the page shows of a Canary: if that has changed, nothing is asked for. */
const shown = (canary) => ({
  uid: canary.uid, state: canary.state, run: canary.run?.number ?? null, step: canary.progress?.at ?? null, gate: canary.waitingFor?.name ?? null,
  revision: canary.revision ?? null,
});

/** Asks whether a verb is meant. */
export function question(release, verb, me) {
  const { canary } = release;
  const action = release.verbs.find((one) => one.verb === verb);
  const production = /prod/i.test(me.context);
  const typed = verb === 'finish' || production;
  const dialog = document.getElementById('dialog');
  const images = canary.images.filter((one) => one.canary && one.primary && one.canary !== one.primary);
  const reason = h('input', { id: 'reason', maxlength: 200, autocomplete: 'off' });
  const lasts = verb === 'pause' && h('input', { id: 'lasts', placeholder: 'until somebody resumes it', pattern: '([0-9]+(h|m|s))+', autocomplete: 'off' });
  const sure = typed && h('input', { id: 'sure', autocomplete: 'off', required: true });
  const command = h('div');
  const said = h('p', { class: 'said', role: 'status' });
  const yes = h('button', { type: 'submit', class: verb === 'abort' ? 'danger' : 'primary' }, title(verb));
  const no = h('button', { type: 'button', 'data-do': 'close' }, 'Cancel');
  const form = h('form', { method: 'dialog' },
    h('h2', { id: 'dialog-title' }, `${title(verb)} ${canary.namespace}/${canary.name}?`),
    h('p', {}, `On ${me.context || me.server}: ${action.effect}.`),
    images.length > 0 && h('ul', {}, images.map((one) => h('li', {}, h('code', {}, one.primary), ' → ', h('code', {}, one.canary)))),
    canary.owner && h('p', { class: 'dim' }, `${canary.owner.tool} (${canary.owner.name}) does not undo this: it is no change of the spec.`),
    lasts && [h('label', { for: 'lasts' }, 'For how long (30m, 2h)'), lasts],
    h('label', { for: 'reason' }, 'Reason, for the record'), reason,
    sure && [h('label', { for: 'sure' }, `Type ${canary.name} to go on`), sure],
    h('p', { class: 'dim' }, 'The same as a command:'), command, said, h('div', { class: 'buttons' }, yes, no));
  const write = () => {
    const more = (lasts && lasts.value ? ` --for ${quoted(lasts.value)}` : '') + (reason.value ? ` --reason ${quoted(reason.value)}` : '') +
      (verb === 'finish' ? ' --yes' : '');
    fill(command, [copied(action.command + more)]);
    if (sure) yes.disabled = sure.value !== canary.name;
  };
  const id = key();
  form.addEventListener('input', write);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (yes.disabled) return;
    yes.disabled = true;
    said.textContent = 'Asked; waiting for the answer of the operator …';
    const body = { verb, key: id, shown: shown(canary), reason: reason.value || null, for: (lasts && lasts.value) || null };
    try {
      const result = await ask(`canaries/${canary.namespace}/${canary.name}/requests`, body);
      const well = result.answer === 'Accepted';
      told(well ? 'good' : 'bad', `${title(verb)} was ${result.answer.toLowerCase()}` + (result.message ? `: ${result.message}` : '.'));
    } catch (error) {
      // 202: it is written, and may still be answered
      told(error.status === 202 ? 'warn' : 'bad', error.text);
    }
  });
  function told(kind, text) {
    said.className = 'said ' + kind;
    said.textContent = plain(text);
    announce(text, kind === 'bad' ? 'assertive' : 'polite');
    no.textContent = 'Close';
    yes.hidden = true;
    no.focus();
  }
  write();
  fill(dialog, []);
  dialog.append(form);
  dialog.showModal();
  (sure || reason).focus();
}
