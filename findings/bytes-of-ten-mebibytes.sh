#!/usr/bin/env bash
# bytes 3.1.2 and body-parser 2.3.0 (JavaScript; in Express 5.3.0).
#
# Guess: bytes("10Mi") is 10 MiB, as in Kubernetes, or null, since it is no unit of the package.
#
# Really: it is 10, and bytes("1.5Gi") is 1: where the unit is not known, the number in front is taken for bytes. An
# application with such a limit starts, and answers 413 to every larger body.
#
# Matters: a limit that is set in the notation of the manifest beside it (MAX_BODY: 10Mi) makes a canary that is healthy
# and refuses most of its requests with 413, which is no 5xx. Write 10MB, which is 10 MiB.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node bytes@3.1.2 express@5.3.0 body-parser@2.3.0 <<'JS'
import bodyParser from "body-parser";
import bytes from "bytes";
import express from "express";

console.log(["10Mi", "1.5Gi", "100k", "10M", "10MB"].map((text) => `${text} = ${bytes(text)}`).join(", "));
for (const limit of ["10Mi", "10MB"]) {
  const app = express().use(bodyParser.json({ limit })).post("/orders", (_, response) => response.json({}));
  app.use((error, _request, response, _next) => response.sendStatus(error.status));
  const server = app.listen(0, "127.0.0.1");
  await new Promise((listening) => server.on("listening", listening));
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ article: "socks", pairs: 3 });
  const { status } = await fetch(`http://127.0.0.1:${server.address().port}/orders`, { method: "POST", headers, body });
  console.log(`limit ${limit}: ${body.length} bytes are answered by ${status}`);
  server.closeAllConnections();
  server.close();
}
JS
expect <<'END'
10Mi = 10, 1.5Gi = 1, 100k = 100, 10M = 10, 10MB = 10485760
limit 10Mi: 29 bytes are answered by 413
limit 10MB: 29 bytes are answered by 200
END
