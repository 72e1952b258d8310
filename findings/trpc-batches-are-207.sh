#!/usr/bin/env bash
# @trpc/server 11.25.2 (JavaScript).
#
# Guess: a batch in which one call fails has the status of the failure, or 200; one in which all calls fail a status that
# says so.
#
# Really: as soon as two calls of a batch differ in their status it is 207, also if both have failed: 500 beside 401 is 207.
# Where the client asks for a stream (httpBatchStreamLink) it is 200, whatever becomes of the calls.
#
# Matters: `status!~"5.."` counts each of them as a success, and clients batch whatever a page asks at once: a canary with a
# broken procedure has a success rate near 100 %, at the proxy and by the framework's own metrics. Count in onError, and
# judge by that counter.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @trpc/server@11.25.2 typescript@5.9.3 <<'JS'
import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";

const trpc = initTRPC.create();
const failing = (code) => trpc.procedure.query(() => {
  throw new TRPCError({ code });
});
const router = trpc.router({ fine: trpc.procedure.query(() => "fine"), fails: failing("INTERNAL_SERVER_ERROR"), denied: failing("UNAUTHORIZED") });
const status = async (calls, headers) => {
  const req = new Request(`http://localhost/trpc/${calls}?batch=1&input=%7B%7D`, { headers });
  const answer = await fetchRequestHandler({ endpoint: "/trpc", req, router, createContext: () => ({}), onError() {} });
  await answer.text();
  return answer.status;
};
for (const calls of ["fine", "fails", "fails,fails", "fine,fails", "fails,denied"]) {
  console.log(calls, await status(calls, {}), "as a stream", await status(calls, { "trpc-accept": "application/jsonl" }));
}
JS
expect <<'END'
fine 200 as a stream 200
fails 500 as a stream 200
fails,fails 500 as a stream 200
fine,fails 207 as a stream 200
fails,denied 207 as a stream 200
END
