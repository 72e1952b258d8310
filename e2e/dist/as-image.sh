#!/usr/bin/env bash
# Runs a program of the image that was unpacked to IMAGE/root, as IMAGE_USER:IMAGE_GROUP, with the arguments given. What a
# container runtime brings is put into a copy of the root: /proc, the files of name resolution, and the folder of
# --kubeconfig in the place of the service account's. Then the root is made read-only.
#
# It stays one process, so that signals reach the program. IMAGE_PROGRAM is another program than /serin.
set -euo pipefail
if [ -z "${IMAGE_INSIDE:-}" ]; then IMAGE_INSIDE=1 exec unshare --mount "$0" "$@"; fi
unset IMAGE_INSIDE

root=$IMAGE/run
mount -t tmpfs -o mode=0755 tmpfs "$root"
cp -a "$IMAGE/root/." "$root/"
mkdir -p "$root/proc"
mount --rbind /proc "$root/proc"
# lend <path> <place>: of the machine, so it is read-only before anything of the image runs
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
