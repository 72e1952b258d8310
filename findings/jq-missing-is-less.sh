#!/usr/bin/env bash
# jq 1.6-2.1+deb12u3 (Debian 12): a field that is missing is less than every number, and a text is more.
#
# Guess: comparing a number with null or with a text is an error, or false.
#
# Really: there is one order of all values: null, false, true, numbers, texts, arrays, objects. `all` of an empty list is
# true. And of several results the last one alone makes the status of -e.
#
# Matters: `jq -e '.errors.rate < 0.01'` passes when the field was renamed, `.ready >= 3` passes for "0", and a check of
# each element of a list passes if the last one does. Compare `(.errors.rate | numbers) < 0.01`, which gives no result and
# status 4 where there is no number, and wrap lists into all(...; ...).
#
# Seen, the status of jq -e:
#   .errors.rate < 0.01 of {}: 0
#   .ready >= 3 of {"ready": "0"}: 0
#   .[] < 1 of [5, 0]: 0
#   (.errors.rate | numbers) < 0.01 of {}: 4
set -euo pipefail
. "$(dirname "$0")/lib/jq.sh"
while IFS='|' read -r filter value; do
  echo "$filter of $value: $(echo "$value" | status jq -e "${filter//¦/|}")"
done <<'TXT' | sed 's/¦/|/' | tee "$work/seen"
.errors.rate < 0.01|{}
.ready >= 3|{"ready": "0"}
.[] < 1|[5, 0]
(.errors.rate ¦ numbers) < 0.01|{}
TXT
expect "$work/seen" <<'TXT'
.errors.rate < 0.01 of {}: 0
.ready >= 3 of {"ready": "0"}: 0
.[] < 1 of [5, 0]: 0
(.errors.rate | numbers) < 0.01 of {}: 4
TXT
