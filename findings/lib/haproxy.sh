# shellcheck shell=bash
# Sourced by the scripts about HAProxy: unpacks Debian 12's HAProxy into a temporary folder, which goes when the script
# ends, and runs the Python on standard input.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# with_haproxy <version of the Debian package>
with_haproxy() {
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "haproxy=$1" liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 &&
    for package in *.deb; do dpkg-deb -x "$package" .; done)
  HAPROXY="$work/usr/sbin/haproxy" LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*-linux-gnu) WORK="$work" PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH="$lib" python3 -
}
