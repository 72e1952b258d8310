#!/usr/bin/env bash
# Runs a program of the image that was unpacked to IMAGE/root, as IMAGE_USER:IMAGE_GROUP, with the given arguments. Adds to a copy of the
# root what a container runtime adds: /proc, the files of name resolution, and the folder of --kubeconfig instead of the service
# account's. Then makes the root read-only.
#
# It stays one process, so that signals reach the program. IMAGE_PROGRAM selects another program than /serin.
set -euo pipefail
if [ -z "${IMAGE_INSIDE:-}" ]; then IMAGE_INSIDE=1 exec unshare --mount "$0" "$@"; fi
unset IMAGE_INSIDE

root=$IMAGE/run
mount -t tmpfs -o mode=0755 tmpfs "$root"
cp -a "$IMAGE/root/." "$root/"
mkdir -p "$root/proc"
mount --rbind /proc "$root/proc"
# lend <path> <place>: mounts a path of the machine, read-only before anything from the image runs
lend() { mount --bind "$1" "$2"; mount -o remount,bind,ro "$2"; }
for file in hosts resolv.conf; do
  if [ -e /etc/$file ]; then : >"$root/etc/$file"; lend /etc/$file "$root/etc/$file"; fi
done
for argument; do
  case $argument in
    --kubeconfig=*)
      folder=$(dirname "${argument#*=}")
      mkdir -p "$root$folder"
      lend "$folder" "$root$folder" ;;
  esac
done
mount -o remount,bind,ro "$root"
for path in "$root" "$root/etc"; do
  if [ -w "$path" ]; then echo "$path can be written" >&2; exit 1; fi
done
exec unshare --user --map-user="$IMAGE_USER" --map-group="$IMAGE_GROUP" --root="$root" --wd=/ "${IMAGE_PROGRAM:-/serin}" "$@"
