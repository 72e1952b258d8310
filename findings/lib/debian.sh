# shellcheck shell=bash
# Sourced by the scripts about load testers: programs of Debian 12 and a server on loopback, all of which go when the script
# ends.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# unpack <package=version>…: into $work
unpack() {
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$@" && for package in *.deb; do dpkg-deb -x "$package" .; done)
  LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu)
  export LD_LIBRARY_PATH PATH="$work/usr/bin:$PATH"
}

# serve: runs the Python on standard input, which prints the port it listens on, and sets $port
serve() {
  cat >"$work/server.py"
  : >"$work/port"
  PYTHONDONTWRITEBYTECODE=1 python3 -u "$work/server.py" >"$work/port" 2>"$work/server.log" &
  server=$!
  trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
  for _ in $(seq 300); do
    port=$(cat "$work/port")
    [ -z "$port" ] || return 0
    sleep 0.1
  done
  cat "$work/server.log" >&2
  return 1
}
