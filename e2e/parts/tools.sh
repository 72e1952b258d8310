#!/usr/bin/env bash
# Provides the system tools that the bed needs and this machine lacks, without installing anything: unpacks Debian's packages and missing
# libraries into the cache. Needs apt but not root.
#
#   tools.sh NAME...    ip, nft. Prints the names of unavailable tools, and then fails
#   tools.sh --dir      only prints the folder with the unpacked tools
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/serin/tools
bin=$cache/bin
if [ "${1:-}" = --dir ]; then echo "$bin"; exit 0; fi

# Debian's folder for these tools is not in a user's PATH.
PATH=$PATH:/usr/sbin:/sbin:$bin
declare -A package=([ip]=iproute2 [nft]=nftables) version=([ip]=-V [nft]=--version)

answers() { "$1" "${version[$1]}" >/dev/null 2>&1; }

# fetch <package> <folder>: unpacks the package and its dependencies. Lists and packages are kept separate from the system's own.
fetch() {
  local work apt
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # as it is now
  trap "rm -rf '$work'" RETURN
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$2"
  apt=(apt-get -qq -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=$(id -un)"
    -o Debug::NoLocking=true -o Acquire::Languages=none)
  "${apt[@]}" update && "${apt[@]}" --yes --no-install-recommends --download-only install "$1" || return
  for deb in "$work"/cache/archives/*.deb; do dpkg-deb --extract "$deb" "$2" || return; done
}

# unpack <tool>: creates a script that runs it with its own libraries
unpack() {
  local folder=$cache/${package[$1]} program libraries
  rm -rf "$folder" "${bin:?}/$1"
  fetch "${package[$1]}" "$folder" >/dev/null 2>&1 || { rm -rf "$folder"; return 1; }
  program=$(find "$folder" -type f -name "$1" -path '*bin/*' | head -n1)
  libraries=$(find "$folder" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
  mkdir -p "$bin"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$program" >"$bin/.$1"
  chmod +x "$bin/.$1"
  mv "$bin/.$1" "$bin/$1"
}

lacking=()
for tool in "$@"; do
  answers "$tool" && continue
  { command -v apt-get && command -v dpkg-deb; } >/dev/null && unpack "$tool" && answers "$tool" && continue
  rm -rf "${bin:?}/$tool"
  lacking+=("$tool")
done
[ ${#lacking[@]} = 0 ] || { printf '%s\n' "${lacking[@]}"; exit 1; }
