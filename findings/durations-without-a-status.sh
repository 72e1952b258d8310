#!/usr/bin/env bash
# prometheus-fastapi-instrumentator 8.1.0 (PyPI) and express-prom-bundle 8.0.0 (npm): http_request_duration_seconds has
# no label `status`.
#
# Guess: the metric has the name that podinfo and Flagger made common, so it has its label `status` as well, and a check
# by status!~"5.*" works.
#
# Really: FastAPI's instrumentation has `status` on http_requests_total only; on the histogram there are `handler` and
# `method`. Express' middleware calls it `status_code`. A label that is missing is the empty text, which !~"5.*"
# matches: every request counts as a success.
#
# Matters: request-success-rate of the providers kubernetes and gatewayapi asks for
# http_request_duration_seconds_count{status!~"5.*"}. For these applications it is always 100 %, whatever they answer,
# and a canary that fails every request is promoted. Use a MetricTemplate with the label that is there.
#
# Seen, after two requests that ended as 500 or 503:
#   fastapi: http_request_duration_seconds_count{handler="/fails",method="GET"} 2.0
#   express: http_request_duration_seconds_count{status_code="503",method="GET",path="/fails"} 2
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"

python_packages \
  prometheus-fastapi-instrumentator==8.1.0 fastapi==0.165.0 starlette==1.10.0 prometheus_client==0.26.0
fastapi=$(PYTHONPATH="$work/python" python3 - <<'PY'
import asyncio
from fastapi import FastAPI
from prometheus_client import generate_latest
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
Instrumentator().instrument(app)


@app.get("/fails")
def fails():
    raise RuntimeError("broken")


async def get(path):
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(),
             "query_string": b"", "headers": [], "scheme": "http", "server": ("app", 80), "client": ("me", 1)}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        assert message.get("status", 500) == 500

    try:
        await app(scope, receive, send)
    except RuntimeError:
        pass  # a server logs it and answers 500


for _ in range(2):
    asyncio.run(get("/fails"))
print("\n".join(line for line in generate_latest().decode().splitlines()
                if line.startswith("http_request_duration_seconds_count")))
PY
)

node_packages express-prom-bundle@8.0.0 express@5.3.0 prom-client@15.1.3
express=$(NODE_PATH="$work/node_modules" node - <<'JS'
const http = require('http');
const app = require('express')();
app.use(require('express-prom-bundle')({includeMethod: true, includePath: true}));
app.get('/fails', (_, answer) => answer.status(503).end());
const server = app.listen(0, '127.0.0.1', async () => {
  const get = path => new Promise(done => http.get({port: server.address().port, path, agent: false}, answer => {
    let body = '';
    answer.on('data', part => body += part).on('end', () => done(body));
  }));
  await get('/fails');
  await get('/fails');
  const series = (await get('/metrics')).split('\n').filter(line => line.startsWith('http_request_duration_seconds_count'));
  console.log(series.join('\n'));
  server.close();
});
JS
)

printf 'fastapi: %s\nexpress: %s\n' "$fastapi" "$express"
[ "$fastapi" = 'http_request_duration_seconds_count{handler="/fails",method="GET"} 2.0' ]
[ "$express" = 'http_request_duration_seconds_count{status_code="503",method="GET",path="/fails"} 2' ]
