#!/usr/bin/env bash
# http-terminator 3.2.0 and @godaddy/terminus 4.12.1, against stoppable 1.1.0, http-graceful-shutdown 4.0.0 and close() of
# Node 20 (JavaScript).
#
# Guess: a package for graceful shutdown waits for the requests under way, for half a minute as Kubernetes does, and
# close() of Node alone does not.
#
# Really: the first two cut every connection after one second, in the middle of a request, unless told otherwise. The
# other two, and close() without any package, let a request of three seconds end.
#
# Matters: a service that takes one of them to lose no requests loses those above a second at each promotion, when the
# pods of the primary are replaced, after the analysis, in which no check sees it. Give gracefulTerminationTimeout, or
# timeout, a little less than terminationGracePeriodSeconds.
#
# Seen, of a request of three seconds that is asked just before the end: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node http-terminator@3.2.0 @godaddy/terminus@4.12.1 stoppable@1.1.0 http-graceful-shutdown@4.0.0 <<'JS'
import { spawnSync } from "node:child_process";
import fs from "node:fs";

const text = `
import http from "node:http";
import { createTerminus } from "@godaddy/terminus";
import graceful from "http-graceful-shutdown";
import { createHttpTerminator } from "http-terminator";
import stoppable from "stoppable";

let arrived;
const asked = new Promise((resolve) => (arrived = resolve));
const server = http.createServer((request, response) => {
  arrived();
  setTimeout(() => response.end("whole"), 3000);
});
const stops = {
  "close()": () => server.close(),
  stoppable: () => stoppable(server).stop(),
  "http-graceful-shutdown": () => graceful(server, { signals: "", forceExit: false })(),
  "http-terminator": () => createHttpTerminator({ server }).terminate(),
  terminus: () => process.kill(process.pid, "SIGTERM"),
};
const name = process.argv[2];
if (name === "terminus") createTerminus(server, { signal: "SIGTERM", useExit0: true });
if (name === "stoppable") stoppable(server);
if (name === "http-terminator") {
  const terminator = createHttpTerminator({ server });
  stops[name] = () => terminator.terminate();
}
server.listen(0, "127.0.0.1", async () => {
  const answer = new Promise((resolve) => {
    http.get({ port: server.address().port, agent: false }, (response) => response.on("data", (data) => resolve(String(data))))
      .on("error", (error) => resolve(error.code));
  });
  await asked;
  stops[name]();
  const seen = await answer;
  (await import("node:fs")).writeSync(1, name + ": " + seen + "\\n");
});
`;
const file = new URL("one.mjs", import.meta.url);
fs.writeFileSync(file, text);
for (const name of ["http-terminator", "terminus", "stoppable", "http-graceful-shutdown", "close()"]) {
  console.log(spawnSync(process.execPath, [file.pathname, name], { encoding: "utf8" }).stdout.trim());
}
JS
expect <<'END'
http-terminator: ECONNRESET
terminus: ECONNRESET
stoppable: whole
http-graceful-shutdown: whole
close(): whole
END
