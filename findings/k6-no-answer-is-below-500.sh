#!/usr/bin/env bash
# k6 1.8.1.
#
# Guess: `check(r, {'no 5xx': (r) => r.status < 500})` fails for a server that is down or does not answer in time, and a
# script that throws in each iteration ends k6 with another status than 0.
#
# Really: a request without an answer has the status 0, which is less than 500: the check passes, and a threshold on it. An
# exception in the default function is logged, and k6 ends with 0. A check for status === 200 fails, and k6 ends with 99.
#
# Matters: a webhook or a Job that runs such a script as the test of a canary promotes a version that answers nobody. Check
# for the status that is wanted, and put a threshold on the count of iterations, or of checks, as well.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir "$work/k6"
(cd "$work/k6" && go mod init k6 && go get go.k6.io/k6@v1.8.1 && go build -o "$work/k6/k6" go.k6.io/k6) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
cat >"$work/down.js" <<'JS'
import { check } from "k6";
import http from "k6/http";

export const options = { iterations: 10, thresholds: { checks: ["rate==1"] } };
export default function () {
  const answer = http.get("http://127.0.0.1:1/");
  check(answer, { "no 5xx": (r) => r.status < 500 });
}
JS
cat >"$work/strict.js" <<'JS'
import { check } from "k6";
import http from "k6/http";

export const options = { iterations: 10, thresholds: { checks: ["rate==1"] } };
export default function () {
  const answer = http.get("http://127.0.0.1:1/");
  check(answer, { "no 5xx": (r) => r.status === 200 });
}
JS
cat >"$work/throws.js" <<'JS'
export const options = { iterations: 10, thresholds: { checks: ["rate==1"] } };
export default function () {
  throw new Error("the page has no form");
}
JS
for script in down strict throws; do
  status=0
  "$work/k6/k6" run --no-usage-report --quiet "$work/$script.js" >"$work/out" 2>&1 || status=$?
  echo "$script.js: status $status" | tee -a "$work/seen"
done
expect <<'END'
down.js: status 0
strict.js: status 99
throws.js: status 0
END
