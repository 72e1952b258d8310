// What is asked of the server: answers, and a stream of what changes that is taken up again where it broke.

const HEARTBEAT = 25000;
const KEY = 'serin-key';
const AGAIN = 'Start "kubectl canary dashboard" again, and open the address that it prints.';

/** Keeps the key that the address brought, and takes it out of the address. */
export function unlock() {
  const found = /^#key=([0-9a-f]+)$/.exec(location.hash);
  if (!found) return;
  localStorage.setItem(KEY, found[1]);
  history.replaceState(null, '', '/#/');
}

const headers = (more) => ({ 'X-Serin-Key': localStorage.getItem(KEY) || '', ...more });

/** What went wrong, with what to do. */
export class Problem extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint || '';
  }

  get text() {
    return this.hint ? this.message + ': ' + this.hint : this.message;
  }
}

async function problem(response) {
  const body = await response.json().catch(() => null);
  const error = body && body.error;
  return new Problem(response.status, error ? error.message : 'the dashboard answered ' + response.status, error && error.hint);
}

/** An answer as JSON. */
export async function ask(path, body) {
  const write = body && { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch('/api/v1/' + path, { ...write, headers: headers(body && { 'Content-Type': 'application/json' }) })
    .catch(() => { throw new Problem(0, 'the dashboard does not answer', AGAIN); });
  if (!response.ok || response.status === 202) throw await problem(response);
  return response.json();
}

/** One event of a stream. */
function event(block) {
  const found = { event: 'message', data: '', id: null };
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at < 1) continue;
    const value = line.slice(at + 1).replace(/^ /, '');
    if (line.startsWith('data')) found.data += value;
    else if (line.startsWith('event')) found.event = value;
    else if (line.startsWith('id')) found.id = value;
  }
  return found;
}

/** What goes wrong in the page is not taken for a stream that broke. */
function heard(on, { event: name, data }) {
  try {
    on[name]?.(JSON.parse(data));
  } catch (error) {
    reportError(error);
  }
}

/** Follows a stream until `close` is called. In a hidden tab it only looks each half minute: a browser has few connections. */
export function follow(path, on) {
  let [closed, last, failed, turn, timer] = [false, null, 0, 0, 0];
  let controller = new AbortController();

  const start = (after) => {
    turn += 1;
    controller.abort();
    clearTimeout(timer);
    timer = setTimeout(run, after, turn);
  };

  async function read(mine) {
    let beat = 0;
    const alive = () => {
      clearTimeout(beat);
      beat = setTimeout(() => controller.abort(), HEARTBEAT);
    };
    try {
      alive();
      const more = last && { 'Last-Event-ID': last };
      const response = await fetch('/api/v1/' + path, { headers: headers(more), signal: controller.signal });
      if (!response.ok) throw await problem(response);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = '';;) {
        const { done, value } = await reader.read();
        if (done || mine !== turn) return;
        alive();
        const blocks = (text + value).split('\n\n');
        text = blocks.pop();
        for (const found of blocks.map(event)) {
          if (!found.data) continue;
          if (found.id) last = found.id;
          failed = 0;
          heard(on, found);
          if (found.event === 'state' && document.hidden) return;
        }
      }
    } finally {
      clearTimeout(beat);
      controller.abort();
    }
  }

  async function run(mine) {
    controller = new AbortController();
    try {
      await read(mine);
    } catch (error) {
      if (mine !== turn) return;
      failed += 1;
      if (error instanceof Problem) on.problem(error);
      // one that breaks is taken up again without a word
      else if (failed > 1) on.problem(new Problem(0, 'the dashboard does not answer', AGAIN));
      // only another start helps
      if (error.status === 401) closed = true;
    }
    if (closed || mine !== turn) return;
    start(document.hidden ? 30000 : Math.min(5000, 250 * 2 ** failed) * (0.75 + Math.random() / 2));
  }

  const seen = () => {
    if (!closed) start(document.hidden ? 30000 : 0);
  };
  document.addEventListener('visibilitychange', seen);
  start(0);
  return {
    close() {
      closed = true;
      document.removeEventListener('visibilitychange', seen);
      clearTimeout(timer);
      turn += 1;
      controller.abort();
    },
  };
}
