#!/usr/bin/env bash
# eventsource 4.1.1, against eventsource 2.0.2, reconnecting-eventsource 1.6.5, eventsource-client 1.2.0 and
# launchdarkly-eventsource 2.2.0 (JavaScript).
#
# Guess: a client of server-sent events connects again until it is closed, whatever happens to the server in between.
#
# Really: since version 3 eventsource follows the standard: any answer but 200 ends the connection for good, also a 503.
# It tells onerror with readyState 2, and a broken connection with 0. Version 2 connected again after 500 to 504.
#
# Matters: a service that follows feature flags or the events of a release this way meets the 503 of a proxy when the
# pod at the other end is replaced. From then on it never hears of a change, such as a flag that is switched off, until
# it is started again. In onerror connect again when readyState is 2, or take a client that does.
#
# Seen, of a stream that ends, and whose next answer has this status: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node eventsource@4.1.1 eventsource2@npm:eventsource@2.0.2 reconnecting-eventsource@1.6.5 eventsource-client@1.2.0 launchdarkly-eventsource@2.2.0 <<'JS'
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { EventSource } from "eventsource";
import EventSource2 from "eventsource2";
import { createEventSource } from "eventsource-client";
import launchdarkly from "launchdarkly-eventsource";
import Reconnecting from "reconnecting-eventsource";

globalThis.EventSource = EventSource;
const clients = {
  "eventsource 4": (url) => new EventSource(url),
  "eventsource 2": (url) => new EventSource2(url),
  "eventsource-client": (url) => createEventSource({ url }),
  "launchdarkly-eventsource": (url) => new launchdarkly.EventSource(url, { initialRetryDelayMillis: 50 }),
  "reconnecting-eventsource": (url) => new Reconnecting(url, { max_retry_time: 100 }),
};
for (const status of [200, 503, 404]) {
  for (const [name, connect] of Object.entries(clients)) {
    let requests = 0;
    const server = http.createServer((request, response) => {
      requests++;
      response.writeHead(requests === 2 ? status : 200, { "Content-Type": "text/event-stream" });
      response.write("retry: 50\ndata: flags\n\n");
      if (requests < 3) setTimeout(() => response.end(), 50);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const source = connect(`http://127.0.0.1:${server.address().port}/`);
    source.onerror = () => {};
    for (const end = Date.now() + 4000; requests < 3 && Date.now() < end; ) await sleep(50);
    console.log(`${status}, ${name}: ${requests < 3 ? "ends" : "connects again"}`);
    source.close();
    server.closeAllConnections();
    server.close();
  }
}
process.exit();
JS
expect <<'END'
200, eventsource 4: connects again
200, eventsource 2: connects again
200, eventsource-client: connects again
200, launchdarkly-eventsource: connects again
200, reconnecting-eventsource: connects again
503, eventsource 4: ends
503, eventsource 2: connects again
503, eventsource-client: connects again
503, launchdarkly-eventsource: connects again
503, reconnecting-eventsource: connects again
404, eventsource 4: ends
404, eventsource 2: ends
404, eventsource-client: connects again
404, launchdarkly-eventsource: ends
404, reconnecting-eventsource: connects again
END
