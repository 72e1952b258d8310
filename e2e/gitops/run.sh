#!/usr/bin/env bash
# Checks how waiting tools interpret the statuses of all scenarios: run.sh STATUSES, a file that `STATUSES=file cargo test -p serin-e2e
# --test waiting` writes. Argo CD's own script is read from its module if it can be downloaded. It is not part of this repository.
set -euo pipefail
statuses=$(realpath "${1:?usage: run.sh STATUSES}")
cd "$(dirname "$0")"
command -v go >/dev/null || { echo 'Go is missing: https://go.dev/dl'; exit 1; }
export GOFLAGS="${GOFLAGS:-} -mod=mod"
module=github.com/argoproj/argo-cd/v3@v3.4.0
theirs=()
if fetched=$(cd / && go mod download -json "$module" 2>/dev/null); then
  theirs=("$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$fetched")/resource_customizations/flagger.app/Canary/health.lua")
else
  echo "Argo CD's own health script is not tried: $module cannot be fetched"
fi
go run . "$statuses" ../../deploy/argocd/actions.yaml ../../deploy/argocd/health.lua "${theirs[@]}"
