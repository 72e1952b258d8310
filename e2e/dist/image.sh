#!/usr/bin/env bash
# Runs the operator's image from its archive like a container runtime: unpacked by its index, as its own user, without privileges, with a
# read-only root. First alone, then as the operator of the first stories on the bed of real parts: a release that is promoted, and some
# that are rolled back.
#
#   image.sh TOOL ARCHIVE      TOOL is the `dist` program, which unpacks
set -euo pipefail
tool=$(realpath "$1") archive=$(realpath "$2")
cd "$(dirname "$0")/../.."
IMAGE=$(mktemp -d)
trap 'rm -rf "$IMAGE"' EXIT
chmod 0755 "$IMAGE"
mkdir "$IMAGE/run"
read -r IMAGE_USER IMAGE_GROUP folder command < <("$tool" unpack "$archive" "$IMAGE/root")
[ "$folder" = / ] && [ "$command" = '/serin run' ] || { echo "the image starts $command in $folder" >&2; exit 1; }
[ "$IMAGE_USER" != 0 ] && [ "$IMAGE_GROUP" != 0 ] || { echo "the image runs as $IMAGE_USER:$IMAGE_GROUP" >&2; exit 1; }
export IMAGE IMAGE_USER IMAGE_GROUP

# alone <program> <argument>...: without a cluster
alone() {
  env -u KUBERNETES_SERVICE_HOST -u KUBECONFIG -u HOME IMAGE_PROGRAM="$1" \
    unshare --user --map-root-user --net e2e/dist/as-image.sh "${@:2}"
}
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
alone /serin crd >/dev/null
alone /flagger -version | grep -F "$version"
if said=$(alone /serin run 2>&1); then echo "it runs without a cluster: $said" >&2; exit 1; fi
grep -qi kubeconfig <<<"$said" || { echo "without a cluster it says: $said" >&2; exit 1; }

SERIN_BIN=$PWD/e2e/dist/as-image.sh ${CARGO:-cargo} test --locked -p serin-e2e --test stories -- \
  first_flight
echo "the image runs as $IMAGE_USER:$IMAGE_GROUP in a root that cannot be written"
