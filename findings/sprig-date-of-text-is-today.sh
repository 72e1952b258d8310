#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: `date` of a text is today.
#
# Guess: `date "2006-01-02" "2001-02-03"` is 2001-02-03, or fails.
#
# Really: what is neither a time nor a number is taken for now, without an error: a date as YAML and JSON have it, a
# number given as text, and nil. A number of values.yaml, which is a float, is now as well; only a whole number of the
# template's own is read.
#
# Matters: a chart that writes "released on" into an annotation of the pod template writes today, which is another
# revision each day: every `helm upgrade` starts an analysis. Write `toDate "2006-01-02" .day | date …`.
#
# Seen: the results below ("now" is the year of today).
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT' | sed "s/= $(date +%Y)$/= now/"
{"day": "2001-02-03", "seconds": 981158400, "text": "981158400"}
{{ date "2006" .day }}
{{ date "2006" .seconds }}
{{ date "2006" .text }}
{{ date "2006" .missing }}
{{ date "2006" 981158400 }}
{{ date "2006" (int64 .seconds) }}
{{ toDate "2006-01-02" .day | date "2006" }}
TXT
sed -i "s/= $(date +%Y)$/= now/" "$work/seen"
expect <<'TXT'
{{ date "2006" .day }} = now
{{ date "2006" .seconds }} = now
{{ date "2006" .text }} = now
{{ date "2006" .missing }} = now
{{ date "2006" 981158400 }} = 2001
{{ date "2006" (int64 .seconds) }} = 2001
{{ toDate "2006-01-02" .day | date "2006" }} = 2001
TXT
