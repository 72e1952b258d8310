#!/usr/bin/env bash
# ms 2.1.3 (JavaScript).
#
# Guess: ms("1m30s") is 90000, or an error; ms("1M") is a month or an error.
#
# Really: a text with two units is undefined, without an error, and units have no case: "1M" is a minute.
#
# Matters: setTimeout(check, ms(canary.spec.analysis.interval)) fires after 1 ms, again and again, for 1m30s and 1h30m,
# and works for 90s: a bot that polls at the Canary's interval floods the API server.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node ms@2.1.3 <<'JS'
import ms from "ms";

for (const text of ["90s", "1m30s", "1h30m", "1.5h", "1M"]) console.log(text, ms(text));
const began = performance.now();
setTimeout(() => console.log("setTimeout(undefined) waited less than a second:", performance.now() - began < 1000), ms("1m30s"));
JS
expect <<'END'
90s 90000
1m30s undefined
1h30m undefined
1.5h 5400000
1M 60000
setTimeout(undefined) waited less than a second: true
END
