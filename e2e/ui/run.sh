#!/usr/bin/env bash
# run.sh: the page of `kubectl canary dashboard` in headless Chromium, with axe-core. Screenshots: $SHOTS.
# Needs node, npm and Chromium; fetches three packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
export UI_MODULES=${UI_MODULES:-$target/ui} SHOTS=${SHOTS:-$target/ui/shots} CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export KUBECTL_CANARY=${KUBECTL_CANARY:-$target/debug/kubectl-canary}
UI_MODULES=$(realpath -m "$UI_MODULES")
[ -x "$KUBECTL_CANARY" ] || cargo build --locked -p serin-plugin
[ -d "$UI_MODULES/node_modules/axe-core" ] ||
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$UI_MODULES" playwright-core@1.65.1 axe-core@4.14.1 yaml@2.9.1
exec node e2e/ui/look.mjs
