#!/usr/bin/env bash
# slack_sdk 3.48.0 (Python) and @slack/webhook 8.0.2 (JavaScript).
#
# Guess: sending to an incoming webhook that answers 429 (rate limited) or 404 (revoked) raises, or is tried again.
#
# Really: Python's WebhookClient gives back an object with the status, and raises nothing; its WebClient raises.
# JavaScript throws. Neither tries again by default.
#
# Matters: alerts of a receiver in Python that does not look at the status are lost just when there are many, as when
# a shared dependency rolls back ten Canaries. Look at `response.status_code`, or add RateLimitErrorRetryHandler.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python slack_sdk==3.48.0 <<'PY'
import http.server
import threading

from slack_sdk.webhook import WebhookClient


class Server(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_POST(self):
        Server.asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(429)
        self.send_header("retry-after", "1")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
response = WebhookClient(f"http://127.0.0.1:{server.server_port}/").send(text="rolled back")
print("Python: no exception, status", response.status_code, "requests", Server.asked)
PY
with_node @slack/webhook@8.0.2 <<'JS'
import http from "node:http";
import { IncomingWebhook } from "@slack/webhook";

let asked = 0;
const server = http.createServer((request, answer) => {
  asked += 1;
  request.resume();
  answer.writeHead(429, { "retry-after": "1" }).end();
});
server.listen(0, "127.0.0.1", async () => {
  try {
    await new IncomingWebhook(`http://127.0.0.1:${server.address().port}/`).send({ text: "rolled back" });
  } catch (error) {
    console.log("JavaScript:", error.message, "requests", asked);
  }
  process.exit();
});
JS
expect <<'END'
Python: no exception, status 429 requests 1
JavaScript: An HTTP protocol error occurred: statusCode = 429 requests 1
END
