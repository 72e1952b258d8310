# shellcheck shell=bash
# Sourced after packages.sh by the scripts about what others take for PromQL.

# promql_reads <version of the module of Prometheus> <file>: what its parser makes of the queries in the file, one a line
promql_reads() {
  QUERIES=$2 with_go "github.com/prometheus/prometheus/promql/parser@$1" <"$(dirname "${BASH_SOURCE[0]}")/promql/reads/main.go"
}
