#!/usr/bin/env bash
# siege 4.0.7 (Debian 12).
#
# Guess: availability is the share of requests that succeed, so 0 % for a server that answers 404 to all, as for 500.
#
# Really: 404 is available and no failed transaction: of 10 requests all are transactions, availability is 100 %, and only
# "successful_transactions" is 0. The same for 403. 500 is 0 %. The status of the command is 0 in each case.
#
# Matters: a webhook that asks for availability passes a canary that has lost its routes or refuses everybody. Compare
# successful_transactions with transactions.
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/debian.sh"
unpack siege=4.0.7-1+b1
serve <<'PY'
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path[1:4]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(server.server_port)
server.serve_forever()
PY
for answer in 200 403 404 500; do
  status=0
  HOME=$work siege -c 2 -r 5 -b "http://127.0.0.1:$port/$answer" >"$work/$answer" 2>"$work/log" || status=$?
  echo "$answer: status $status,$(grep -E 'transactions"|availability' "$work/$answer" | tr -d '{\t\n' | sed 's/:  */: /g; s/,/, /g; s/, $//; s/"//g; s/^/ /')"
done | tee "$work/seen"
diff "$work/seen" - <<'END'
200: status 0, transactions: 10, availability: 100.00, successful_transactions: 10, failed_transactions: 0
403: status 0, transactions: 10, availability: 100.00, successful_transactions: 0, failed_transactions: 0
404: status 0, transactions: 10, availability: 100.00, successful_transactions: 0, failed_transactions: 0
500: status 0, transactions: 0, availability: 0.00, successful_transactions: 0, failed_transactions: 10
END
