#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: `keys` and `values` come in another order each
# time.
#
# Guess: maps are sorted in templates: `range $key, $value := .map` is, and so is toJson.
#
# Really: keys and values go through a Go map as it comes.
#
# Matters: a pod template with `keys .features | join ","`, or a checksum annotation over it, differs at each `helm
# upgrade` with the same chart and values. Serin takes that for a new revision: each upgrade starts an analysis, and each
# promotion restarts all pods. Write `keys .features | sortAlpha`.
#
# Seen: the results below.
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT'
{"features": {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}}
{{ keys .features | join "," }}
{{ values .features | toJson | sha256sum }}
{{ keys .features | sortAlpha | join "," }}
{{ range $key, $value := .features }}{{ $key }}{{ end }}
{{ toJson .features }}
TXT
expect <<'TXT'
{{ keys .features | join "," }} = not the same each time
{{ values .features | toJson | sha256sum }} = not the same each time
{{ keys .features | sortAlpha | join "," }} = a,b,c,d,e,f,g
{{ range $key, $value := .features }}{{ $key }}{{ end }} = abcdefg
{{ toJson .features }} = {"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}
TXT
