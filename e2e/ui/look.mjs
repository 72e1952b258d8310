// The page in headless Chromium, over the API server of cluster.mjs: what it shows in every state, each button, deletions, an
// API server that goes and comes back, missing rights; axe-core on every page; screenshots to look at.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';

const need = createRequire(process.env.UI_MODULES + '/');
const { chromium } = need('playwright-core');
const AXE = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const { KUBECTL_CANARY, CHROMIUM = '/usr/bin/chromium', SHOTS } = process.env;
mkdirSync(SHOTS, { recursive: true });

const children = [];
function started(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
      if (text.includes('\n')) resolve([text.split('\n')[0], child]);
    });
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
  });
}

const dashboard = (api, ...more) => started(KUBECTL_CANARY, ['dashboard', '--no-open', '--quiet', '--server', api, ...more], { KUBECONFIG: '/nowhere' });
const memory = (child) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
let failed = 0;

async function part(title, work) {
  try {
    await work();
    console.log(`ok      ${title}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${title}\n        ${String(error.stack || error).replaceAll('\n', '\n        ')}`);
  }
}

async function entered(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (said) => said.type() === 'error' && /Content Security|TrustedHTML|Uncaught/.test(said.text()) && page.problems.push(said.text()));
  await page.goto(address);
  await page.waitForSelector('.fleet tbody tr');
  return page;
}

async function go(page, hash, selector = '.release h1, .fleet tbody tr, .run h1') {
  await page.evaluate((to) => { location.hash = to; }, hash);
  await page.waitForSelector(selector);
}

async function accessible(page, where) {
  // axe is evaluated, and no script of the page: the content security policy holds
  await page.evaluate(AXE);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const text = found.violations.map((one) => `${one.id} (${one.impact}): ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
  assert.deepEqual(text, [], where);
}

const [api] = await started(process.execPath, [new URL('cluster.mjs', import.meta.url).pathname]);
const STATES = (await (await fetch(api + '/apis/flagger.app/v1beta1/canaries')).json()).items.map((one) => one.metadata.namespace).sort();
const tell = (what) => fetch(`${api}/test/${what}`);
const PAGES = ['/', '/progressing/app', '/gate/app', '/failed/app', '/halted/app', '/paused/app', '/progressing/app/runs/4', '/failed/app/runs/7', '/refused/app'];

await part('pages at 1280 and 360 pixels, light and dark: no violation, nothing too wide', async () => {
  const [address] = await dashboard(api);
  let page = null;
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 360]) {
      const options = { viewport: { width, height: 900 }, colorScheme };
      if (!page) page = await entered(address, options);
      await page.setViewportSize(options.viewport);
      await page.emulateMedia({ colorScheme });
      for (const hash of PAGES) {
        await go(page, '#' + hash);
        await page.waitForTimeout(300);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        const file = `${hash.replaceAll('/', '-').replace(/^-/, '') || 'list'}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: `${SHOTS}/${file}`, fullPage: true });
        assert.ok(wide <= 0, `${file}: ${wide} pixels too wide`);
        await accessible(page, file);
      }
      await go(page, '#/gate/app');
      await page.click('.banner button.primary');
      await page.screenshot({ path: `${SHOTS}/question-${width}-${colorScheme}.png` });
      await accessible(page, 'question');
      await page.keyboard.press('Escape');
    }
  }
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

await part('a second browser is refused with the same address, and then the first one too', async () => {
  const [address] = await dashboard(api);
  const page = await entered(address);
  const other = await (await browser.newContext()).newPage();
  assert.equal((await other.goto(address)).status(), 401);
  assert.equal((await page.reload()).status(), 401);
  await page.context().close();
});

const [address, server] = await dashboard(api);
const page = await entered(address);

await part('the address keeps no secret, and a reload shows the same page', async () => {
  assert.ok(!page.url().includes('token') && !page.url().includes('key'), page.url());
  await go(page, '#/gate/app');
  await page.reload();
  await page.waitForSelector('.banner');
});

await part('the list: groups, search, namespaces, order', async () => {
  await go(page, '#/', '.fleet tbody tr');
  const groups = await page.$$eval('.group th', (all) => all.map((one) => one.textContent.replace(/ \(.*/, '')));
  assert.deepEqual(groups, ['Waits for you', 'In trouble', 'Under way', 'At rest']);
  await page.fill('#search', 'frozen');
  await page.waitForFunction(() => document.querySelectorAll('.fleet .who').length === 1);
  assert.ok(page.url().includes('q=frozen'), page.url());
  await page.fill('#search', '');
  await page.selectOption('#spaces', 'gate');
  await page.waitForFunction(() => document.querySelectorAll('.fleet .who').length === 1);
  await page.selectOption('#spaces', '');
  await page.focus('.fleet a');
  const first = await page.evaluate(() => document.activeElement.textContent + document.activeElement.href);
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await page.evaluate(() => document.activeElement.textContent + document.activeElement.href), first);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.release h1');
});

await part('every state has the buttons of what may be asked for, and says why not of the others', async () => {
  for (const state of STATES) {
    await go(page, `#/${state}/app`);
    const verbs = await page.evaluate(async (path) => {
      const answer = await fetch(path, { headers: { 'X-Serin-Key': localStorage.getItem('serin-key') } });
      return (await answer.json()).actions;
    }, `/api/v1/canaries/${state}/app`);
    await page.waitForFunction((of) => document.querySelector('.release .head')?.textContent.includes(of), state);
    const shown = await page.$$eval('#actions ~ .buttons button', (all) => all.map((one) => one.dataset.verb));
    const why = await page.$$eval('#actions ~ details dt', (all) => all.map((one) => one.textContent.toLowerCase()));
    assert.deepEqual(shown, verbs.filter((one) => one.allowed).map((one) => one.verb), state);
    assert.deepEqual(why, verbs.filter((one) => !one.allowed).map((one) => one.verb), state);
  }
});

await part('a button asks, shows its command, writes, and says what the operator answered', async () => {
  for (const [state, verb] of [['gate', 'approve'], ['progressing', 'pause'], ['progressing', 'advance'], ['progressing', 'finish'],
    ['paused', 'resume'], ['failed', 'retry'], ['promotion', 'promote'], ['halted', 'abort']]) {
    await go(page, `#/${state}/app`);
    await page.waitForFunction((of) => document.querySelector('.release .head')?.textContent.includes(of), state);
    await page.click(`[data-verb=${verb}]`);
    if (verb === 'finish') {
      assert.ok(await page.isDisabled('dialog [type=submit]'));
      await page.fill('#sure', 'app');
    }
    await page.fill('#reason', "it's fine");
    const command = await page.textContent('dialog code >> nth=-1');
    assert.ok(command.startsWith(`kubectl canary ${verb} app -n ${state} --server ${api}`), command);
    assert.ok(command.includes(`--reason 'it'\\''s fine'`), command);
    await page.click('dialog [type=submit]');
    await page.waitForSelector('dialog .said.good');
    assert.ok((await page.textContent('dialog .said')).includes('was accepted'));
    const object = await (await fetch(`${api}/apis/flagger.app/v1beta1/namespaces/${state}/canaries/app`)).json();
    const asked = JSON.parse(object.metadata.annotations['serin.dev/request']);
    assert.deepEqual([asked.verb, asked.by, asked.reason], [verb, 'ann@example.com', "it's fine"]);
    await page.click('dialog [data-do=close]');
  }
});

await part('a press about something that has moved asks for nothing', async () => {
  const answer = await page.evaluate(async () => {
    const shown = { uid: 'uid-promotion', state: 'waiting', run: 7, step: 2, gate: null };
    const headers = { 'X-Serin-Key': localStorage.getItem('serin-key'), 'Content-Type': 'application/json' };
    const found = await fetch('/api/v1/canaries/promotion/app/requests', { method: 'POST', headers, body: JSON.stringify({ verb: 'abort', key: '01234567', shown }) });
    return [found.status, (await found.json()).error.message];
  });
  assert.equal(answer[0], 409);
  assert.match(answer[1], /has gone on since/);
});

await part('differences and runs', async () => {
  await go(page, '#/halted/app');
  await page.click('[data-do=diff]');
  await page.waitForSelector('#diff p:not(.dim)');
  await go(page, '#/progressing/app');
  await page.click('#history ~ .scroll a');
  await page.waitForSelector('.run h1');
});

await part('changes come by themselves, and keep what is unfolded and focused', async () => {
  await go(page, '#/progressing/app');
  await page.waitForFunction(() => document.querySelector('.release .head')?.textContent.includes('progressing'));
  await page.click('.numbers summary');
  await page.focus('[data-verb=abort]');
  await tell('weight/progressing');
  await page.waitForFunction(() => document.querySelector('#weight ~ p').textContent.includes('canary 35 %'));
  assert.ok(await page.evaluate(() => document.querySelector('.numbers').open && document.activeElement.dataset.verb === 'abort'));
});

await part('an API server that goes and comes back', async () => {
  await tell('stop');
  await page.waitForSelector('#trouble:not([hidden])', { timeout: 20000 });
  assert.match(await page.textContent('#trouble'), /the API server does not answer|cannot get/);
  await page.screenshot({ path: `${SHOTS}/trouble.png` });
  await tell('go');
  await page.waitForSelector('#trouble', { state: 'hidden', timeout: 30000 });
  await tell('weight/progressing');
  await page.waitForFunction(() => document.querySelector('#weight ~ p').textContent.includes('canary 40 %'), null, { timeout: 20000 });
});

await part('missing rights are said in the words of the command line', async () => {
  await tell('refuse');
  await page.waitForFunction(() => /may not|missing right/.test(document.querySelector('#trouble').textContent), null, { timeout: 30000 });
  await tell('admit');
  await page.waitForSelector('#trouble', { state: 'hidden', timeout: 30000 });
});

await part('a log-in that has ended is said', async () => {
  await tell('expire');
  await page.waitForFunction(() => document.querySelector('#trouble').textContent.includes('does not know who you are'), null, { timeout: 30000 });
  await tell('admit');
  await page.waitForSelector('#trouble', { state: 'hidden', timeout: 30000 });
});

await part('texts that mean harm are shown as texts', async () => {
  await go(page, '#/halted/app');
  await tell('hostile/halted');
  await page.waitForFunction(() => document.querySelector('#main').textContent.includes('<img src=x'));
  await page.screenshot({ path: `${SHOTS}/hostile.png` });
  for (const hash of ['#/halted/app', '#/']) {
    await go(page, hash);
    await page.waitForFunction(() => document.querySelector('#main').textContent.includes('<img src=x'));
    assert.equal(await page.$('#main img, #main script'), null);
    assert.ok(!(await page.textContent('#main')).includes('\u202e'), 'a mark that turns the line');
    assert.notEqual(await page.title(), '1');
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 900 });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${hash} at ${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  }
});

await part('what is deleted goes from the list and from its page', async () => {
  await go(page, '#/webhook/app');
  await page.waitForFunction(() => document.querySelector('.release .head')?.textContent.includes('webhook'));
  await tell('remove/webhook');
  await page.waitForSelector('.empty');
  await go(page, '#/', '.fleet tbody tr');
  assert.equal(await page.$('[data-key="webhook/app"]'), null);
  await page.waitForSelector('[data-key="initialized/app"]');
  await tell('remove/initialized');
  await page.waitForSelector('[data-key="initialized/app"]', { state: 'detached' });
});

await part('one namespace: the one that is named, or the own one where the others may not be listed', async () => {
  const [named] = await dashboard(api, '-n', 'gate');
  const other = await entered(named);
  assert.deepEqual(await other.$$eval('.fleet .who .ns', (all) => all.map((one) => one.textContent)), ['gate']);
  assert.match(await other.textContent('#place'), /namespace gate/);
  await other.context().close();
  await tell('narrow');
  const [own] = await dashboard(api);
  const empty = await (await browser.newContext()).newPage();
  await empty.goto(own);
  await empty.waitForSelector('.empty:not([hidden])');
  assert.match(await empty.textContent('#place'), /namespace default/);
  await empty.context().close();
  await tell('admit');
});

await part('read-only: no buttons', async () => {
  const [readOnly] = await dashboard(api, '--read-only');
  const other = await entered(readOnly);
  await go(other, '#/gate/app');
  await other.waitForSelector('.banner');
  assert.equal((await other.$$('[data-do=ask]')).length, 0);
  await other.context().close();
});

await part('Ctrl-C ends it with 0, and the page says so', async () => {
  const ended = new Promise((resolve) => server.on('exit', resolve));
  server.kill('SIGINT');
  assert.equal(await ended, 0);
  await page.waitForFunction(() => document.querySelector('#trouble').textContent.includes('does not answer'), null, { timeout: 30000 });
  assert.deepEqual(page.problems, []);
});

await part('1,000 Canaries', async () => {
  const [many] = await started(process.execPath, [new URL('cluster.mjs', import.meta.url).pathname], { CANARIES: '1000' });
  const [big, child] = await dashboard(many);
  const before = Date.now();
  const crowd = await entered(big);
  await crowd.waitForFunction(() => [...document.querySelectorAll('.chips b')].reduce((sum, one) => sum + Number(one.textContent), 0) > 1000);
  console.log(`        first page after ${Date.now() - before} ms, memory of the server ${memory(child).toFixed(0)} MiB`);
  const again = Date.now();
  await crowd.reload();
  await crowd.waitForFunction(() => [...document.querySelectorAll('.chips b')].reduce((sum, one) => sum + Number(one.textContent), 0) > 1000);
  console.log(`        again after ${Date.now() - again} ms`);
  await crowd.screenshot({ path: `${SHOTS}/crowd.png` });
});

await browser.close();
children.forEach((child) => child.kill('SIGTERM'));
console.log(failed ? `${failed} failed` : 'all well');
process.exit(failed ? 1 : 0);
