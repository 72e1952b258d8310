# shellcheck shell=bash
# Sourced by the scripts about jq: unpacks Debian 12's jq 1.6 into a temporary folder, which goes when the script ends.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"
(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root jq=1.6-2.1+deb12u3 libjq1=1.6-2.1+deb12u3 libonig5=6.9.8-1 &&
  for package in *.deb; do dpkg-deb -x "$package" .; done)
libraries=$(dirname "$(find "$work/usr/lib" -name 'libjq.so.1')")

jq() { LD_LIBRARY_PATH="$libraries" "$work/usr/bin/jq" "$@"; }

# status <command> …: runs it with standard input and gives its exit status
status() {
  local status=0
  "$@" >/dev/null || status=$?
  echo "$status"
}

# expect <file>: fails if it is not what is on standard input
expect() { diff "$1" - || { echo "the behaviour has changed" >&2; return 1; }; }
