#!/usr/bin/env bash
# parse-duration 2.1.9 and timestring 7.0.0, against ms 2.1.3 (JavaScript).
#
# Guess: "1,5h" is an hour and a half, or refused, and "-5m" is negative, or refused.
#
# Really: "1,5h" is 15 hours for both, which drop the comma; "-5m" is five minutes for timestring, which drops the sign.
# "1:30" is 1.03 milliseconds for parse-duration. "30" is milliseconds for all three. ms refuses what has a comma.
#
# Matters: a bot whose interval or freeze is written by people in Europe waits ten times as long; one that subtracts an
# offset adds it. Refuse what does not match the pattern of a Canary's interval before it is parsed.
#
# Seen, in milliseconds: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node parse-duration@2.1.9 timestring@7.0.0 ms@2.1.3 <<'JS'
import ms from "ms";
import parse from "parse-duration";
import timestring from "timestring";

const read = (reader, text) => {
  try {
    return reader(text) ?? "refused";
  } catch {
    return "refused";
  }
};
for (const text of ["1.5h", "1,5h", "1,500ms", "-5m", "1:30", "30"]) {
  console.log(text, "parse-duration:", read(parse, text), "timestring:", read((one) => timestring(one, "ms"), text), "ms:", read(ms, text));
}
JS
expect <<'END'
1.5h parse-duration: 5400000 timestring: 5400000 ms: 5400000
1,5h parse-duration: 54000000 timestring: 54000000 ms: refused
1,500ms parse-duration: 1500 timestring: 1500 ms: refused
-5m parse-duration: -300000 timestring: 300000 ms: -300000
1:30 parse-duration: 1.03 timestring: refused ms: refused
30 parse-duration: 30 timestring: 30 ms: 30
END
