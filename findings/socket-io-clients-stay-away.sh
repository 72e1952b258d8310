#!/usr/bin/env bash
# socket.io and socket.io-client 4.8.4, graphql-ws 6.4.2 and reconnecting-websocket 4.4.0 with ws 8.23.0 (JavaScript).
#
# Guess: a client that connects again by itself does so whenever its connection ends, unless the client ended it.
#
# Really: a client of Socket.IO whose server calls disconnectSockets() stays away for good; after close() of the server
# it comes back. A client of graphql-ws does not come back from the codes 1011 (internal error) and 1008 either, but
# does from 1000 (normal end), 1001 and 1012. reconnecting-websocket comes back from each of them.
#
# Matters: a service that sends its users away with disconnectSockets() on SIGTERM, so that they move to the new pods,
# loses all of them until they load the page again. The new version looks well: it has few users and no errors. Call
# close(), or end connections with 1001 or 1012.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node socket.io@4.8.4 socket.io-client@4.8.4 graphql-ws@6.4.2 graphql@16.15.0 reconnecting-websocket@4.4.0 ws@8.23.0 <<'JS'
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import ReconnectingWebSocket from "reconnecting-websocket";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { WebSocket, WebSocketServer } from "ws";

const until = async (condition, milliseconds) => {
  for (const end = Date.now() + milliseconds; !condition() && Date.now() < end; ) await sleep(20);
};
const listen = (server, port = 0) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));

for (const stop of ["close", "disconnectSockets"]) {
  let connections = 0;
  const start = async (port) => {
    const server = http.createServer();
    const sockets = new Server(server);
    sockets.on("connection", () => connections++);
    await listen(server, port);
    return { sockets, port: server.address().port };
  };
  const { sockets, port } = await start();
  const client = io(`http://127.0.0.1:${port}`, { reconnectionDelay: 50, reconnectionDelayMax: 100 });
  await until(() => client.connected, 5000);
  await sockets[stop]();
  if (stop === "close") await start(port);
  await until(() => connections > 1, 2000);
  console.log(`Socket.IO, ${stop}(): ${connections > 1 ? "comes back" : "stays away"}`);
  client.close();
}
for (const code of [1000, 1001, 1008, 1011, 1012]) {
  const clients = {
    "graphql-ws": (url) => createClient({ url, webSocketImpl: WebSocket, retryWait: () => sleep(50) }).subscribe({ query: "subscription { a }" }, { next() {}, error() {}, complete() {} }),
    "reconnecting-websocket": (url) => new ReconnectingWebSocket(url, [], { WebSocket, minReconnectionDelay: 50, maxReconnectionDelay: 100 }),
  };
  for (const [name, connect] of Object.entries(clients)) {
    let connections = 0;
    const server = http.createServer();
    new WebSocketServer({ server }).on("connection", (socket) => {
      connections++;
      socket.on("message", () => socket.send('{"type": "connection_ack"}'));
      if (connections === 1) setTimeout(() => socket.close(code), 100);
    });
    await listen(server);
    connect(`ws://127.0.0.1:${server.address().port}`);
    await until(() => connections > 1, 2000);
    console.log(`${code}, ${name}: ${connections > 1 ? "comes back" : "stays away"}`);
  }
}
process.exit();
JS
expect <<'END'
Socket.IO, close(): comes back
Socket.IO, disconnectSockets(): stays away
1000, graphql-ws: comes back
1000, reconnecting-websocket: comes back
1001, graphql-ws: comes back
1001, reconnecting-websocket: comes back
1008, graphql-ws: stays away
1008, reconnecting-websocket: comes back
1011, graphql-ws: stays away
1011, reconnecting-websocket: comes back
1012, graphql-ws: comes back
1012, reconnecting-websocket: comes back
END
