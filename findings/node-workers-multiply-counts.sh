#!/usr/bin/env bash
# prom-client 15.1.3 (npm) with Node's cluster: two workers behind one /metrics make rates tens of times too high.
#
# Guess: without an aggregated registry each scrape shows one worker's numbers, so a rate is about half of the truth.
#
# Really: that holds only while the workers have counted alike. Once one of them has been restarted, scrapes alternate
# between a high and a low counter. PromQL takes each fall for a restart of the whole, and counts the higher worker's
# whole total again with every other scrape.
#
# Matters: all counts of such an application are wrong in the same way, so ratios look plausible, and a few old failures
# come back every other scrape. Serin sees a reset in each window, and keeps a good canary Frozen. Use
# AggregatorRegistry (or a port of its own for each worker). The same holds for Gunicorn and Uvicorn with workers.
#
# Seen, 10 requests between each of 11 scrapes, after one of two workers was restarted:
#   true increase: 100
#   increase by PromQL's rule: more than 2000
#   resets: 5
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
node_packages prom-client@15.1.3
cat >"$work/app.js" <<'JS'
const cluster = require('cluster');
const http = require('http');

if (cluster.isWorker) {
  const {Counter, register} = require('prom-client');
  const requests = new Counter({name: 'requests_total', help: 'Requests'});
  http.createServer(async (request, answer) => {
    if (request.url === '/metrics') answer.end(await register.metrics());
    else { requests.inc(); answer.end(); }
  }).listen(0, '127.0.0.1');
  return;
}

// A connection of its own for each request, as when the server closes idle ones between two scrapes.
const get = (port, path) => new Promise((done, failed) => http.get({port, host: '127.0.0.1', path, agent: false}, answer => {
  let body = '';
  answer.on('data', part => body += part).on('end', () => done(body));
}).on('error', failed));
const started = () => new Promise(done => cluster.once('listening', (worker, address) => done({worker, port: address.port})));
const scrape = async port => Number((await get(port, '/metrics')).match(/^requests_total (\d+)/m)[1]);
const load = async (port, count) => { for (let i = 0; i < count; i++) await get(port, '/'); };

(async () => {
  let one = started();
  cluster.fork();
  const {worker, port} = await one;
  one = started();
  cluster.fork();
  await one;
  await load(port, 1000);

  one = started();
  cluster.once('exit', () => cluster.fork());
  worker.kill();
  await one;

  const seen = [await scrape(port)];
  for (let i = 0; i < 10; i++) {
    await load(port, 10);
    seen.push(await scrape(port));
  }
  let increase = 0, resets = 0;
  for (let i = 1; i < seen.length; i++) {
    if (seen[i] < seen[i - 1]) { resets++; increase += seen[i]; } else increase += seen[i] - seen[i - 1];
  }
  console.log('true increase: 100');
  console.log(`increase by PromQL's rule: ${increase > 2000 ? 'more than 2000' : increase}`);
  console.log(`resets: ${resets}`);
  process.exit();
})();
JS
NODE_PATH="$work/node_modules" node "$work/app.js" | tee "$work/seen"
diff "$work/seen" - <<'TXT'
true increase: 100
increase by PromQL's rule: more than 2000
resets: 5
TXT
