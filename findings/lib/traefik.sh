# shellcheck shell=bash
# Sourced by the scripts about Traefik as a server: builds it into a temporary folder, which goes when the script ends, and
# runs the Python on standard input with lib/traefik_bed.py at hand. The first build takes many minutes.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# with_traefik <version>: that of the test bed, whose pins this uses, since Traefik is no library
with_traefik() {
  cp "$lib/../../e2e/parts/traefik/go.mod" "$lib/../../e2e/parts/traefik/go.sum" "$work"
  grep -q "github.com/traefik/traefik/v3 $1 " "$work/go.mod" || { echo "the test bed has another Traefik than $1" >&2; return 1; }
  (cd "$work" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' -o traefik \
    github.com/traefik/traefik/v3/cmd/traefik) >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  WORK="$work" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$lib" python3 -
}
