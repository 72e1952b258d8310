#!/usr/bin/env bash
# Prometheus 3.15.0 (module v0.315.0).
#
# Guess: `sum(http_failures or grpc_failures)` adds up what both metrics have.
#
# Really: `or` compares labels without the name: where a pod has both metrics with the same labels, the second is left out.
# It comes back once the first has gone. A matcher of both names, or a label that tells them apart, adds up.
#
# Matters: a MetricTemplate of all failures sees those of the second kind only in pods that have none of the first: a canary
# whose gRPC calls all fail has no failures, as long as its HTTP counter is there. Write {__name__=~"…"}, or one sum for
# each.
#
# Seen: the answers below.
set -euo pipefail
. "$(dirname "$0")/lib/promql.sh"
promql v0.315.0 <<'TXT'
load 15s
  http_failures{pod="a"} 0x40
  grpc_failures{pod="a"} 500x40
  grpc_failures{pod="b"} 7x40

10m sum(http_failures or grpc_failures)
10m sum(grpc_failures or http_failures)
10m sum({__name__=~"http_failures|grpc_failures"})
10m sum(http_failures) + sum(grpc_failures)
10m sum(label_replace(http_failures, "of", "http", "", "") or label_replace(grpc_failures, "of", "grpc", "", ""))
TXT
expect <<'TXT'
sum(http_failures or grpc_failures) = 7
sum(grpc_failures or http_failures) = 507
sum({__name__=~"http_failures|grpc_failures"}) = 507
sum(http_failures) + sum(grpc_failures) = 507
sum(label_replace(http_failures, "of", "http", "", "") or label_replace(grpc_failures, "of", "grpc", "", "")) = 507
TXT
