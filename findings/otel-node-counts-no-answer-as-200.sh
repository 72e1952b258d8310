#!/usr/bin/env bash
# @opentelemetry/instrumentation-http 0.223.0 (npm): a request that never got an answer is counted with the status 200.
#
# Guess: a connection that the server breaks off, or a request that hangs until its client gives up, is an error: with
# error_type and without a status, or 499.
#
# Really: the label is res.statusCode, which Node sets to 200 before anything is sent. A request that was dropped without
# a byte, one that hung until its client left, and one that was cut in the middle are three more 200s, without error_type.
# (Only the client's side has it right.)
#
# Matters: a Node canary that hangs or drops connections has a success rate of 100 % by its own metrics. Measure at the
# proxy, or at the clients (http_client_request_duration_count{error_type!=""}).
#
# Seen:
#   server 200: 4 (one fine, one dropped, one hung, one cut)
#   server 503: 1
#   client with error_type="Error": 2
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
node_packages @opentelemetry/instrumentation-http@0.223.0 \
  @opentelemetry/instrumentation@0.223.0 @opentelemetry/exporter-prometheus@0.223.0 @opentelemetry/sdk-metrics@2.12.1 \
  @opentelemetry/api@1.9.1
NODE_PATH="$work/node_modules" node - <<'JS' | tee "$work/seen"
const {PrometheusExporter} = require('@opentelemetry/exporter-prometheus');
const {MeterProvider} = require('@opentelemetry/sdk-metrics');
const {registerInstrumentations} = require('@opentelemetry/instrumentation');
const {HttpInstrumentation} = require('@opentelemetry/instrumentation-http');

const exporter = new PrometheusExporter({preventServerStart: true});
registerInstrumentations({
  meterProvider: new MeterProvider({readers: [exporter]}),
  instrumentations: [new HttpInstrumentation()],
});
const http = require('http');

let closed = 0;
const server = http.createServer((request, answer) => {
  answer.on('close', () => closed++);
  if (request.url === '/drops') answer.destroy();
  else if (request.url === '/cuts') answer.write('part', () => answer.destroy());
  else if (request.url !== '/hangs') answer.writeHead(request.url === '/fails' ? 503 : 200).end();
});

const get = (path, patience) => new Promise(done => {
  const options = {port: server.address().port, host: '127.0.0.1', path, agent: false};
  const request = http.get(options, answer => answer.on('end', done).on('error', done).resume());
  request.on('error', done);
  if (patience) setTimeout(() => request.destroy(), patience);
});

// The sum of the series of a metric whose labels match.
const count = (page, metric, label) => page.split('\n')
  .filter(line => line.startsWith(metric + '_count{') && line.includes(label))
  .reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);

server.listen(0, '127.0.0.1', async () => {
  for (const path of ['/fine', '/fails', '/drops', '/cuts']) await get(path);
  await get('/hangs', 300);
  while (closed < 5) await new Promise(setImmediate);
  exporter.getMetricsRequestHandler({}, {setHeader() {}, end(page) {
    const status = code => count(page, 'http_server_request_duration', `http_response_status_code="${code}"`);
    console.log(`server 200: ${status(200)} (one fine, one dropped, one hung, one cut)`);
    console.log(`server 503: ${status(503)}`);
    console.log(`client with error_type="Error": ${count(page, 'http_client_request_duration', 'error_type="Error"')}`);
    process.exit();
  }});
});
JS
diff "$work/seen" - <<'TXT'
server 200: 4 (one fine, one dropped, one hung, one cut)
server 503: 1
client with error_type="Error": 2
TXT
