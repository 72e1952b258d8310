#!/usr/bin/env bash
# jq 1.6-2.1+deb12u3 (Debian 12): `jq -e` of no input at all is status 0.
#
# Guess: -e makes the status 0 only if there was an output that is neither false nor null (the manual: 4 if there was no
# result).
#
# Really: with empty input 1.6 says 0. It says 4 only where there was input and the filter gave nothing.
#
# Matters: `curl -s http://podinfo-canary.test/healthz | jq -e .ok` as a webhook's command: the port is closed, curl fails and
# prints nothing, jq passes, and the status of a pipe is its last command's. The gate opens for a canary that is down. Add
# -s and look at the length, or `grep -q`, which fails on nothing.
#
# Seen:
#   no input: 0
#   {"ok": false}: 1
#   {"ok": []} through .ok[]: 4
#   curl of a closed port in front of it: 0
set -euo pipefail
. "$(dirname "$0")/lib/jq.sh"
closed=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
{
  echo "no input: $(status jq -e .ok </dev/null)"
  echo "{\"ok\": false}: $(echo '{"ok": false}' | status jq -e .ok)"
  echo "{\"ok\": []} through .ok[]: $(echo '{"ok": []}' | status jq -e '.ok[]')"
  echo "curl of a closed port in front of it: $({ curl -s --noproxy '*' "http://127.0.0.1:$closed/" || true; } | status jq -e .ok)"
} | tee "$work/seen"
expect "$work/seen" <<'TXT'
no input: 0
{"ok": false}: 1
{"ok": []} through .ok[]: 4
curl of a closed port in front of it: 0
TXT
