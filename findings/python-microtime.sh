#!/usr/bin/env bash
# kubernetes 37.0.2 (Python) writes, k8s.io/apimachinery 0.36.3 (Go) reads.
#
# Guess: the Python client writes a Lease's renewTime in the form that the API server reads.
#
# Really: it writes datetime.isoformat(), which leaves the fraction out when the microseconds are 0. Go's MicroTime
# wants exactly six digits, so that this Lease is refused: for one in a million of now(), for every time that was cut
# to whole seconds, and for every time given in milliseconds by other languages (".123Z"). metav1.Time takes all of
# these.
#
# Matters: leader election written with this client, or a Lease made by a script, fails at random or always with
# "cannot parse". Rust's k8s-openapi, which Serin uses, always writes six digits.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python kubernetes==37.0.2 <<'PY'
import datetime
from kubernetes import client

for micros in (5, 0):
    when = datetime.datetime(2026, 1, 1, 0, 0, 0, micros, tzinfo=datetime.timezone.utc)
    print(client.ApiClient().sanitize_for_serialization(client.V1LeaseSpec(renew_time=when))["renewTime"])
PY
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func main() {
	for _, text := range []string{"2026-01-01T00:00:00.000005+00:00", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.123Z"} {
		var micro metav1.MicroTime
		var whole metav1.Time
		fmt.Println(text, "MicroTime:", json.Unmarshal([]byte("\""+text+"\""), &micro) == nil,
			"Time:", json.Unmarshal([]byte("\""+text+"\""), &whole) == nil)
	}
}
GO
expect <<'END'
2026-01-01T00:00:00.000005+00:00
2026-01-01T00:00:00+00:00
2026-01-01T00:00:00.000005+00:00 MicroTime: true Time: true
2026-01-01T00:00:00+00:00 MicroTime: false Time: true
2026-01-01T00:00:00.123Z MicroTime: false Time: true
END
