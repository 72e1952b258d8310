// An API server that has the fixtures of the plugin, each in a namespace of its own, and an operator that accepts every
// request. It is told by requests to /test/…: `stop` and `go` (it hangs up on everybody), `refuse`, `narrow`, `expire` and `admit` (403 on
// everything or on what is of no namespace, 401), and of one namespace `remove`, `weight` and `hostile` (texts that mean harm).
import { createServer } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const need = createRequire(process.env.UI_MODULES + '/');
const YAML = need('yaml');
const folder = new URL('../../plugin/fixtures/', import.meta.url);
const PLURALS = { Canary: 'canaries', CanaryRun: 'canaryruns', Event: 'events', Deployment: 'deployments', ReplicaSet: 'replicasets', Pod: 'pods',
  VirtualService: 'virtualservices', DestinationRule: 'destinationrules', Service: 'services', DaemonSet: 'daemonsets' };

/** Times of the fixtures are moved to now. */
const READ = Date.parse('2026-11-21T18:53:07Z');
const moved = (text) => text.replace(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (at) => {
  const time = new Date(Date.parse(at) - READ + Date.now()).toISOString();
  return at.includes('.') ? time.replace('Z', '000Z') : time.replace(/\.\d+Z/, 'Z');
});

let version = 5000;
/** Plural → `namespace/name` → object. */
const stored = new Map(Object.values(PLURALS).map((plural) => [plural, new Map()]));
const watchers = new Set();
let [stopped, refusing] = [false, null];

function store(kind, namespace, object, change = 'MODIFIED') {
  const plural = PLURALS[kind];
  if (!plural) return;
  object.metadata = { ...object.metadata, namespace, resourceVersion: String(++version) };
  object.metadata.name ??= 'event-' + version;
  stored.get(plural).set(`${namespace}/${object.metadata.name}`, object);
  tell(plural, { type: change, object });
}

/** What has happened, for watches that begin later. */
const log = [];

function tell(plural, event) {
  log.push({ plural, at: version, event });
  for (const one of watchers) if (one.plural === plural && one.fits(event.object)) one.response.write(JSON.stringify(event) + '\n');
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
  const namespace = file.replace('.yaml', '');
  const facts = YAML.parse(moved(readFileSync(new URL(file, folder), 'utf8')));
  store('Canary', namespace, { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', ...facts.canary, metadata: { ...facts.canary.metadata, uid: 'uid-' + namespace } }, 'ADDED');
  for (const run of facts.runs || []) store('CanaryRun', namespace, { apiVersion: 'serin.dev/v1alpha1', kind: 'CanaryRun', ...run }, 'ADDED');
  for (const event of facts.events || []) store('Event', namespace, { apiVersion: 'v1', kind: 'Event', ...event, metadata: {} }, 'ADDED');
  for (const object of facts.objects || []) store(object.kind, namespace, object, 'ADDED');
}
const more = Number(process.env.CANARIES || 0);
for (let i = 0; i < more; i++) {
  const like = structuredClone(stored.get('canaries').get(['succeeded/app', 'progressing/app', 'failed/app'][i % 50 < 48 ? 0 : (i % 50) - 47]));
  like.metadata = { ...like.metadata, name: `app-${i}`, uid: `uid-${i}` };
  store('Canary', `team-${i % 20}`, like, 'ADDED');
}

function fitsLabels(object, selector) {
  const labels = object.metadata?.labels || {};
  return selector.split(',').every((pair) => labels[pair.split('=')[0]] === pair.split('=')[1]);
}

function filter(namespace, query) {
  const [labels, fields] = [query.get('labelSelector'), query.get('fieldSelector')];
  const name = /metadata\.name=([^,]+)/.exec(fields || '')?.[1];
  return (object) => (!namespace || object.metadata.namespace === namespace) && (!name || object.metadata.name === name) &&
    (!labels || object.kind === 'CanaryRun' || fitsLabels(object, labels));
}

const status = (code, message, reason = 'Forbidden') => [code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }];

function patched(object, patch) {
  if (patch.metadata.resourceVersion && patch.metadata.resourceVersion !== object.metadata.resourceVersion) return null;
  object.metadata.annotations = { ...object.metadata.annotations, ...patch.metadata.annotations };
  store('Canary', object.metadata.namespace, object);
  const asked = JSON.parse(object.metadata.annotations['serin.dev/request']);
  setTimeout(() => {
    object.status = { ...object.status, request: { id: asked.id, verb: asked.verb, answer: 'Accepted', message: `asked for by ${asked.by}`, by: asked.by, at: new Date().toISOString().replace('Z', '000Z') } };
    store('Canary', object.metadata.namespace, object);
  }, 200);
  return object;
}

async function body(request) {
  let text = '';
  for await (const part of request) text += part;
  return text ? JSON.parse(text) : null;
}

async function answer(request, url, response) {
  if (url.pathname === '/version') return [200, { major: '1', minor: '37', gitVersion: 'v1.37.0', gitCommit: '', gitTreeState: '', buildDate: '', goVersion: '', compiler: '', platform: '' }];
  if (url.pathname.endsWith('/selfsubjectreviews')) {
    return [201, { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {}, status: { userInfo: { username: 'ann@example.com' } } }];
  }
  const parts = url.pathname.split('/').filter(Boolean);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const namespace = rest[0] === 'namespaces' ? rest[1] : null;
  const [plural, name] = rest[0] === 'namespaces' ? rest.slice(2) : rest;
  if (refusing === 'refuse') return status(403, `${plural} is forbidden: User "ann@example.com" cannot list resource "${plural}"`);
  if (refusing === 'expire') return status(401, 'Unauthorized', 'Unauthorized');
  if (refusing === 'narrow' && !namespace) return status(403, `${plural} is forbidden: User "ann@example.com" cannot list resource "${plural}" at the cluster scope`);
  const kept = stored.get(plural);
  if (!kept) return status(404, 'the server could not find the requested resource', 'NotFound');
  if (name) {
    const found = kept.get(`${namespace}/${name}`);
    if (!found) return status(404, `${plural} "${name}" not found`, 'NotFound');
    if (request.method !== 'PATCH') return [200, found];
    const changed = patched(found, await body(request));
    return changed ? [200, changed] : status(409, 'the object has been modified', 'Conflict');
  }
  const fits = filter(namespace, url.searchParams);
  if (url.searchParams.get('watch')) {
    const one = { plural, fits, response };
    watchers.add(one);
    response.on('close', () => watchers.delete(one));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    const since = Number(url.searchParams.get('resourceVersion'));
    for (const past of log) if (past.at > since && past.plural === plural && fits(past.event.object)) response.write(JSON.stringify(past.event) + '\n');
    return null;
  }
  const all = [...kept.values()].filter(fits);
  const first = Number(url.searchParams.get('continue'));
  const end = first + (Number(url.searchParams.get('limit')) || all.length);
  const metadata = { resourceVersion: String(version), continue: end < all.length ? String(end) : undefined };
  return [200, { apiVersion: all[0]?.apiVersion || 'v1', kind: 'List', metadata, items: all.slice(first, end) }];
}

function test(path) {
  const [word, namespace] = path.split('/').slice(2);
  if (['stop', 'refuse', 'expire'].includes(word)) watchers.forEach((one) => one.response.destroy());
  if (word === 'stop' || word === 'go') stopped = word === 'stop';
  if (['refuse', 'expire', 'narrow', 'admit'].includes(word)) refusing = word;
  if (word === 'remove') {
    const object = stored.get('canaries').get(`${namespace}/app`);
    stored.get('canaries').delete(`${namespace}/app`);
    object.metadata.resourceVersion = String(++version);
    tell('canaries', { type: 'DELETED', object });
  }
  if (word === 'hostile') {
    const object = stored.get('canaries').get(`${namespace}/app`);
    const text = '<img src=x onerror="document.title=1"><script>document.title=1</script>\u202e ' + 'x'.repeat(10000);
    for (const one of object.status.conditions) one.message = text;
    for (const one of object.status.metrics || []) [one.message, one.value, one.wanted, one.name] = [text, text, text, one.name + text];
    object.spec.provider = text;
    store('Canary', namespace, object);
  }
  if (word === 'weight') {
    const object = stored.get('canaries').get(`${namespace}/app`);
    object.status.canaryWeight += 5;
    store('Canary', namespace, object);
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://api');
  if (url.pathname.startsWith('/test/')) {
    test(url.pathname);
    return response.end('ok');
  }
  if (stopped) return response.destroy();
  const found = await answer(request, url, response);
  if (!found) return undefined;
  response.writeHead(found[0], { 'Content-Type': 'application/json' });
  return response.end(JSON.stringify(found[1]));
});
server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
