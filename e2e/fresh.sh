#!/usr/bin/env bash
# Runs `make demo` and `make test` of the last commit in an empty Debian with only the tools that README names: Rust, Go, Python 3 with
# pip, a C compiler, git and make. Needs root and debootstrap. Installs nothing on this machine, and uses the network only for package
# registries, with this machine's settings.
#
#   fresh.sh [root|user]...     as root, and as a user who may not create network namespaces. The default is both
#
# As a user, the demo must report in its first line that it cannot run and what to do, and build nothing. The tests must pass with all
# stories reported as skipped. FRESH_ROOT names the folder for the empty machine. It is created if it does not exist, kept only if it
# is set, and its builds are reused.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo 'e2e/fresh.sh needs root, to mount and to change the root folder' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing: $(.ci/remedy debootstrap)" >&2; exit 1; }

# In a separate mount namespace: in any case, no mount is left, and nothing is removed through a mount.
if [ -z "${FRESH_INSIDE:-}" ]; then
  empty=${FRESH_ROOT:-$(mktemp -d)}
  # shellcheck disable=SC2064 # as it is now
  [ -n "${FRESH_ROOT:-}" ] || trap "rm -rf '$empty'" EXIT
  FRESH_INSIDE=$empty unshare --mount --pid --fork --kill-child e2e/fresh.sh "$@"
  exit
fi
empty=$FRESH_INSIDE

say() { printf '\n\033[1m== fresh: %s\033[0m\n' "$*"; }

# The first of this machine's own sources that contains the running release.
debian() {
  # shellcheck source=/dev/null
  . /etc/os-release
  # shellcheck disable=SC2016 # for apt to fill in
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$VERSION_CODENAME" '$2 == release && $3 == "main" { print $2, $1; exit }'
}

if [ ! -e "$empty/etc/fresh" ]; then
  say "an empty machine in $empty"
  read -r release mirror < <(debian)
  debootstrap --variant=minbase --include=make,git,gcc,libc6-dev,python3,python3-pip,ca-certificates \
    "$release" "$empty" "$mirror" | tail -n1
  # Copies this machine's registry settings only there.
  for path in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/apt /etc/ssl/certs /usr/share/keyrings; do
    if [ -e "$path" ]; then rm -rf "${empty:?}$path"; cp -aL "$path" "$empty$path"; fi
  done
  chroot "$empty" useradd --create-home --shell /bin/bash tester
  touch "$empty/etc/fresh"
fi

mount --bind "$empty" "$empty"
mkdir -p "$empty/opt/rust" "$empty/opt/go"
mount --bind "$(rustc --print sysroot)" "$empty/opt/rust"
mount --bind "$(go env GOROOT)" "$empty/opt/go"
mount -t proc proc "$empty/proc"
mount --rbind /dev "$empty/dev"
mount -t sysfs sysfs "$empty/sys"
mount -t tmpfs -o mode=1777 tmpfs "$empty/dev/shm"

# as <user> <command>...: in the empty machine, in a new clone of the last commit, with this machine's registry settings and none of its
# other variables
as() {
  local user=$1 home; shift
  home=$(chroot "$empty" sh -c "echo ~$user")
  local variables=()
  while read -r name; do variables+=("$name=${!name}"); done < <(compgen -e |
    grep -E '^(PIP_|CARGO_REGISTR|CARGO_HTTP|SSL_CERT|.*_proxy$|.*_PROXY$)' | grep -v '^PIP_FIND_LINKS$')
  for name in GOPROXY GOSUMDB GONOSUMDB GONOPROXY GOPRIVATE GOINSECURE; do variables+=("$name=$(go env $name)"); done
  if [ ! -e "$empty$home/serin" ]; then
    git clone --quiet --no-local . "$empty$home/serin"
    if [ -e ~/.cargo/config.toml ]; then mkdir -p "$empty$home/.cargo"; cp ~/.cargo/config.toml "$empty$home/.cargo/"; fi
    chroot "$empty" chown -R "$user:" "$home"
  fi
  # In a changed root, the kernel lets only root create namespaces.
  chroot --userspec="$user:" "$empty" env -i HOME="$home" USER="$user" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/opt/rust/bin:/opt/go/bin:/usr/local/bin:/usr/bin:/bin "${variables[@]}" \
    bash -c 'cd ~/serin && exec "$@"' fresh "$@"
}

run_as_root() {
  say 'make demo, as root'
  as root make demo
  say 'make test, as root'
  as root env CI=true make test
}

run_as_user() {
  local said
  say 'make demo, as a user without the right to make network namespaces'
  if said=$(as tester make demo 2>&1); then echo "$said"; echo 'it says that it worked'; return 1; fi
  head -n1 <<<"$said"
  head -n1 <<<"$said" | grep -q '^make demo cannot run here. Missing: .*namespaces.*: run it as root$'
  as tester bash -c '[ ! -e target ] && [ ! -e ~/.cache/serin/built ]'
  say 'make test, as that user'
  as tester make test | tee "$empty/tmp/said"
  grep -q 'stories were SKIPPED:' "$empty/tmp/said"
}

[ $# -gt 0 ] || set -- user root
for who in "$@"; do "run_as_$who"; done
say 'both commands do what README says'
