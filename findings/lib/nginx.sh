# shellcheck shell=bash
# Sourced by the scripts about nginx: unpacks Debian 12's nginx into a temporary folder, which goes when the script ends,
# and runs the Python on standard input with lib/nginx_bed.py at hand.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# with_nginx <version of the Debian package>
with_nginx() {
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "nginx=$1" && dpkg-deb -x nginx_*.deb .)
  WORK="$work" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$lib" python3 -
}
