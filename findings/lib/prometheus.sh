# shellcheck shell=bash
# Sourced by the scripts about the server: builds the pinned Prometheus into a temporary folder, which goes when the script
# ends, and runs the Python on standard input with lib/prometheus_bed.py and the packages in $work/python at hand.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# with_prometheus <version of the module>. Without service discovery it builds in minutes; a second time in seconds.
with_prometheus() {
  mkdir "$work/build"
  (cd "$work/build" && go mod init build && go get "github.com/prometheus/prometheus/cmd/prometheus@$1" &&
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -tags remove_all_sd,enable_kubernetes_sd -o "$work/prometheus" \
      github.com/prometheus/prometheus/cmd/prometheus) >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  WORK="$work" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$lib:$work/python" python3 -
}
