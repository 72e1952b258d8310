# shellcheck shell=bash
# Sourced by the scripts about PromQL: builds the engine of the pinned Prometheus into a temporary folder, which goes when
# the script ends, and compares what it answers with what is expected.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# promql <version of the module>: reads samples and questions from standard input, writes the answers
promql() {
  mkdir "$work/promql"
  cp "$lib/promql/main.go" "$work/promql"
  (cd "$work/promql" && go mod init promql && go get "github.com/prometheus/prometheus/promql/promqltest@$1") 2>"$work/log" ||
    { cat "$work/log" >&2; return 1; }
  (cd "$work/promql" && go build -o "$work/engine" .)
  "$work/engine" | tee "$work/seen"
}

# expect: fails if the answers are not those on standard input
expect() { diff "$work/seen" - || { echo "the behaviour has changed" >&2; return 1; }; }
