#!/usr/bin/env bash
# sigs.k8s.io/gateway-api 1.6.3 (the CRD of HTTPRoute), Go 1.26, kubernetes 37.0.2 (Python).
#
# Guess: a timeout of an HTTPRoute takes what Go writes for a duration, as other durations of Kubernetes do.
#
# Really: it takes whole numbers of at most five digits: 1500ms and 1s500ms, and not 1.5s, which is how Go, and metav1.Duration,
# write it. A bare 0 is refused too.
#
# Matters: a tool that halves or adds timeouts, or a Canary that gives `timeout: 1.5s` to a router of the Gateway API, works
# for 2s and is refused for 1.5s. Write milliseconds; format_duration of Python does so.
#
# Seen: see the comparison below.
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
python_packages kubernetes==37.0.2
mkdir "$work/go"
cd "$work/go"
go mod init seen 2>/dev/null
module=$(go mod download -json sigs.k8s.io/gateway-api@v1.6.3 | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	for _, one := range []time.Duration{2 * time.Second, 1500 * time.Millisecond, 90 * time.Second, 90500 * time.Millisecond, 250 * time.Millisecond, 0} {
		fmt.Println(one)
	}
}
GO
{ go run .; printf '%s\n' 1500ms 1s500ms 100000s 0; } >texts
CRD=$module/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml PYTHONPATH=$work/python python3 - <<'PY' | tee "$work/seen"
import datetime
import os
import re

import yaml
from kubernetes.utils.duration import format_duration, parse_duration

with open(os.environ["CRD"]) as file:
    versions = yaml.safe_load(file)["spec"]["versions"]
schema = next(one for one in versions if one["name"] == "v1")["schema"]["openAPIV3Schema"]
rule = schema["properties"]["spec"]["properties"]["rules"]["items"]
pattern = rule["properties"]["timeouts"]["properties"]["request"]["pattern"]
print(pattern)
for text in open("texts").read().split():
    try:
        python = parse_duration(text)
    except ValueError:
        python = "refused"
    print(text, "taken" if re.search(pattern, text) else "refused", "| Python:", python)
print(format_duration(datetime.timedelta(seconds=1.5)))
PY
diff "$work/seen" - <<'END'
^([0-9]{1,5}(h|m|s|ms)){1,4}$
2s taken | Python: 0:00:02
1.5s refused | Python: refused
1m30s taken | Python: 0:01:30
1m30.5s refused | Python: refused
250ms taken | Python: 0:00:00.250000
0s taken | Python: 0:00:00
1500ms taken | Python: 0:00:01.500000
1s500ms taken | Python: 0:00:01.500000
100000s refused | Python: refused
0 refused | Python: refused
1s500ms
END
