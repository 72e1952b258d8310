#!/usr/bin/env bash
# jq 1.6 (Debian 12).
#
# Guess: for the value "NaN" of Prometheus, a comparison is false, or tonumber is an error.
#
# Really: tonumber takes it, and it is less than every number: `tonumber < 0.01` is true. It prints as null. "+Inf" becomes
# 1.7976931348623157e+308.
#
# Matters: 0 failures of 0 requests are NaN in PromQL, so that a gate `… | jq -e '… | tonumber < 0.01'` opens for a canary
# that has no traffic. Add `and (isnan | not)`.
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/jq.sh"
gate='.data.result[0].value[1] | [., tonumber, (tonumber < 0.01), (tonumber | . < 0.01 and (isnan | not))]'
for value in 0.005 0.5 NaN +Inf; do # as Prometheus answers
  echo '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1766750400,"'$value'"]}]}}'
done >"$work/answers"
jq -c "$gate" "$work/answers" | tee "$work/seen"
expect "$work/seen" <<'END'
["0.005",0.005,true,true]
["0.5",0.5,false,false]
["NaN",null,true,false]
["+Inf",1.7976931348623157e+308,false,false]
END
