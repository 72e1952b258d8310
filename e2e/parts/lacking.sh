#!/usr/bin/env bash
# Lists the requirements of stories that this machine does not meet, with remedies: one line each, with a name, a tab and the rest. Prints
# nothing if all are met. Tests each right in the way the bed uses it.
#
#   bed         network, mount and process namespaces: without them there is no bed
#   nftables    kube-proxy, for the stories with plain Services
#   graphite    Graphite's own web application
set -euo pipefail
cd "$(dirname "$0")"

PATH=$PATH:/usr/sbin:/sbin:$(./tools.sh --dir)
space=(unshare --net --mount --pid --fork --kill-child --mount-proc)
if [ "$(id -u)" != 0 ]; then space+=(--user --map-root-user); fi

setting() { [ "$(cat "/proc/sys/$1" 2>/dev/null)" = "$2" ]; }

# The remedy if namespaces are not allowed.
namespaces_remedy() {
  if [ "$(id -u)" = 0 ]; then
    echo 'the container needs CAP_SYS_ADMIN (docker run --privileged)'
  elif setting kernel/apparmor_restrict_unprivileged_userns 1; then
    echo 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run it as root'
  elif setting kernel/unprivileged_userns_clone 0; then
    echo 'sudo sysctl -w kernel.unprivileged_userns_clone=1, or run it as root'
  elif setting user/max_user_namespaces 0; then
    echo 'sudo sysctl -w user.max_user_namespaces=10000, or run it as root'
  else
    echo 'run it as root'
  fi
}

remedy() { ../../.ci/remedy "$1"; }
last() { tail -n1 <<<"$1"; }

if ! command -v unshare >/dev/null; then
  printf 'bed\tunshare is missing: %s\n' "$(remedy unshare)"
  exit 0
fi
if ! ./tools.sh ip >/dev/null; then
  printf 'bed\tip is missing: %s\n' "$(remedy ip)"
  exit 0
fi
# The same setup as in e2e/bed/src/namespace.rs.
set_up='set -e; ip link set lo up; ip route add local 10.244.0.0/16 dev lo; mount --bind /etc/hosts /etc/hosts'
if ! said=$("${space[@]}" sh -c "$set_up" 2>&1); then
  printf 'bed\tno network namespaces (%s): %s\n' "$(last "$said")" "$(namespaces_remedy)"
  exit 0
fi
if ! ./tools.sh nft >/dev/null; then
  printf 'nftables\tnft is missing: %s\n' "$(remedy nft)"
elif ! said=$("${space[@]}" nft list ruleset 2>&1); then
  printf 'nftables\tthe kernel refuses nftables (%s): sudo modprobe nf_tables\n' "$(last "$said")"
fi
graphite=$(./build.sh --dir)/graphite.failed
if [ -s "$graphite" ]; then printf 'graphite\tit cannot be installed (%s)\n' "$(tail -n1 "$graphite")"; fi
